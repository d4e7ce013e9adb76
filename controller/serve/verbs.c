/* A request of the socket: parsed, given to its verb, answered. */
#include "controller/serve/verbs.h"
#include "controller/settings/suggest.h"
#include "controller/serve/api.h"
#include <pwd.h>

static void request_free(struct request *r)
{
    if (r->is_listening)
        r->control->unlisten(r->control->ctx, r);
    line_peer_end(r->peer);
    json_decref(r->json);
    json_decref(r->ended);
    free(r);
}

static void send_line(struct request *r, json_t *line)
{
    if (!r->is_gone) {
        STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(line);
        if (line_peer_send(r->peer, text, NULL) != STAY_OK)
            r->is_gone = true;
    }
    json_decref(line);
}

bool request_event(struct request *r, json_t *event)
{
    send_line(r, event);
    return !r->is_gone;
}

void request_answer(struct request *r, json_t *data)
{
    json_t *line = json_object();
    stay_json_set_bool(line, "ok", true);
    stay_json_set_int(line, "exit", 0);
    stay_json_set(line, "data", data == NULL ? json_object() : data);
    send_line(r, line);
    request_free(r);
}

void request_refuse(struct request *r, int exit_code, json_t *refused_by, const char *fmt, ...)
{
    char text[640];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    json_t *line = json_object();
    stay_json_set_bool(line, "ok", false);
    stay_json_set_int(line, "exit", exit_code);
    stay_json_set_string(line, "error", text);
    if (refused_by != NULL)
        stay_json_set(line, "refused_by", refused_by);
    send_line(r, line);
    request_free(r);
}

static int exit_of(enum stay_rc rc)
{
    switch (rc) {
    case STAY_OK:
        return 0;
    case STAY_EINVALID:
    case STAY_ENOTFOUND:
        return 2;
    case STAY_EREFUSED:
    case STAY_EBUSY:
    case STAY_EDENIED:
        return 3;
    case STAY_EUNKNOWN:
        return 5;
    case STAY_EFAILED:
    case STAY_ECONFLICT:
    case STAY_ETIMEDOUT:
    case STAY_ECANCELED:
    case STAY_EUNREACHABLE:
    case STAY_ESYSTEM:
    case STAY_ECORRUPT:
    case STAY_ELIMIT:
        break;
    }
    return 1;
}

void request_fail(struct request *r, enum stay_rc rc, uint32_t vetoes, const struct stay_error *err)
{
    json_t *refused = vetoes != 0 ? api_guards(vetoes) : NULL;
    if (vetoes != 0 && (err == NULL || err->text[0] == '\0')) {
        unsigned first = (unsigned)__builtin_ctz(vetoes);
        request_refuse(r, 3, refused, "refused: %s", guard_what((enum guard_id)first));
        return;
    }
    if (refused == NULL && rc == STAY_EBUSY) {
        refused = json_array();
        stay_json_append(refused, json_string("busy"));
    }
    request_refuse(r, exit_of(rc), refused, "%s",
                   err == NULL || err->text[0] == '\0' ? stay_rc_text(rc) : err->text);
}

const char *request_arg(const struct request *r, const char *key)
{
    return json_string_value(json_object_get(r->args, key));
}

void request_refuse_cluster(struct request *r)
{
    struct suggest near;
    struct control_cluster c;
    char names[240] = "";
    suggest_init(&near, r->cluster);
    for (size_t i = 0; i < r->control->cluster_count(r->control->ctx); i++) {
        if (!r->control->cluster_at(r->control->ctx, i, &c))
            continue;
        size_t used = strlen(names);
        suggest_offer(&near, c.config->name);
        snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", c.config->name);
    }
    if (near.best != NULL)
        request_refuse(r, 2, NULL, "there is no cluster \"%.60s\"; did you mean \"%s\"?",
                       r->cluster, near.best);
    else
        request_refuse(r, 2, NULL, "there is no cluster \"%.60s\"; the configuration has: %s",
                       r->cluster, names);
}

bool request_cluster(struct request *r, struct control_cluster *ret)
{
    if (r->cluster == NULL) {
        request_refuse(r, 2, NULL, "%s needs the name of a cluster", r->verb);
        return false;
    }
    if (r->control->cluster_named(r->control->ctx, r->cluster, ret))
        return true;
    request_refuse_cluster(r);
    return false;
}

/* Every verb of the socket. The command line's table (cli_verbs.c) is the one people see. */
static const struct verb {
    const char *name;
    void (*fn)(struct request *r);
} table[] = {
    {"status", verb_status},     {"topology", verb_topology}, {"problems", verb_problems},
    {"verdict", verb_verdict},   {"check", verb_check},       {"which-primary", verb_which_primary},
    {"watch", verb_watch},       {"plan", verb_plan},         {"switchover", verb_switchover},
    {"errant-reset", verb_errant_reset},
    {"errant-inject", verb_errant_inject},
    {"verify", verb_verify},
    {"failover", verb_failover}, {"rejoin", verb_rejoin},     {"fence", verb_fence},
    {"conform", verb_conform},
    {"unfence", verb_unfence},   {"adopt", verb_adopt},       {"abort", verb_abort},
    {"pause", verb_pause},       {"resume", verb_resume},     {"maintenance", verb_maintenance},
    {"release", verb_release},   {"history", verb_history},   {"explain", verb_explain},
    {"reload", verb_reload},     {"runbook", verb_runbook},   {"version", verb_version},
    {"what-if", verb_what_if},   {"reseed", verb_reseed},     {"recover", verb_recover},
    {"evacuate", verb_evacuate},
};

const char *const *verbs_names(void)
{
    static const char *names[STAY_COUNT(table) + 1];
    for (size_t i = 0; i < STAY_COUNT(table); i++)
        names[i] = table[i].name;
    return names;
}

/* "ada (uid 1000)" of whoever connected. */
static void name_actor(const struct line_peer *peer, char *dst, size_t size)
{
    struct line_credentials who = line_peer_credentials(peer);
    struct passwd entry, *found_entry = NULL;
    char buffer[1024];
    if (getpwuid_r(who.uid, &entry, buffer, sizeof buffer, &found_entry) == 0 &&
        found_entry != NULL)
        snprintf(dst, size, "%.40s (uid %u)", entry.pw_name, who.uid);
    else
        snprintf(dst, size, "uid %u", who.uid);
}

static bool is_text_or_absent(const json_t *obj, const char *key)
{
    const json_t *value = json_object_get(obj, key);
    return value == NULL || json_is_null(value) || json_is_string(value);
}

void verbs_on_request(struct line_peer *peer, const char *line, size_t length, void *user)
{
    const struct verbs *verbs = user;
    struct request *r = stay_calloc(1, sizeof *r);
    struct stay_error err = {0};
    r->verbs = verbs;
    r->control = verbs->control;
    r->peer = peer;
    r->verb = "request";
    line_peer_set_data(peer, r);
    name_actor(peer, r->actor, sizeof r->actor);
    if (stay_json_parse(line, length, &r->json, &err) != STAY_OK) {
        request_refuse(r, 2, NULL, "the request is not JSON: %s", err.text);
        return;
    }
    if (!json_is_object(r->json) || !json_is_string(json_object_get(r->json, "verb")) ||
        !is_text_or_absent(r->json, "cluster")) {
        request_refuse(r, 2, NULL, "a request is {\"verb\":TEXT,\"cluster\":TEXT,\"args\":{...}}");
        return;
    }
    r->verb = json_string_value(json_object_get(r->json, "verb"));
    r->cluster = json_string_value(json_object_get(r->json, "cluster"));
    r->args = json_object_get(r->json, "args");
    r->dry_run = json_is_true(json_object_get(r->json, "dry_run"));
    for (size_t i = 0; i < STAY_COUNT(table); i++) {
        if (strcmp(table[i].name, r->verb) == 0) {
            table[i].fn(r);
            return;
        }
    }
    request_refuse(r, 2, NULL, "this controller (%s) has no verb \"%.40s\"", MAINSTAY_VERSION,
                   r->verb);
}

void verbs_on_gone(struct line_peer *peer, void *user)
{
    struct request *r = line_peer_data(peer);
    (void)user;
    r->is_gone = true;
    /* A pending done call still comes and ends the request; a listener would wait for ever. */
    if (!r->is_pending)
        request_free(r);
}
