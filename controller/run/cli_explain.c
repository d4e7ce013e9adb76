/* `mainstay explain CLUSTER@TIME`: what stood decided then, and why, from the recordings: also why
 * nothing was done. Other ids are plans, of which the controller is asked. */
#include "base/io/real_clock.h"
#include "base/table.h"
#include "base/units.h"
#include "controller/decide/decision.h"
#include "controller/run/cli_recording.h"

#define VALUE_MAX 200

/* The decision that stood, and the next one that says something else. */
struct found {
    char *text;
    size_t length;
    struct recorder_frame frame; /* of the text; frame.text is not kept */
    char path[512];
    unsigned line;
    char first[40], next[40], next_verdict[VALUE_MAX];
    unsigned unreadable;
    struct stay_error last_error;
};

static void field_of(const char *text, size_t length, const char *field, char *dst, size_t size)
{
    STAY_AUTO(stay_free_charp) char *copy = stay_malloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    dst[0] = '\0';
    (void)replay_output_field(copy, field, dst, size);
}

static bool says_the_same(const struct found *f, const struct recorder_frame *frame)
{
    static const char *const fields[] = {"decision.verdict", "decision.want", "decision.vetoes"};
    for (size_t i = 0; i < STAY_COUNT(fields); i++) {
        char then[VALUE_MAX], now[VALUE_MAX];
        field_of(f->text, f->length, fields[i], then, sizeof then);
        field_of(frame->text, frame->length, fields[i], now, sizeof now);
        if (strcmp(then, now) != 0)
            return false;
    }
    return true;
}

static void keep(struct found *f, const struct recording *r, const struct recorder_frame *frame)
{
    free(f->text);
    f->text = stay_malloc(frame->length + 1);
    memcpy(f->text, frame->text, frame->length);
    f->text[frame->length] = '\0';
    f->length = frame->length;
    f->frame = *frame;
    f->frame.text = NULL;
    (void)stay_copy(f->path, sizeof f->path, r->path);
    f->line = r->line;
}

/* Sequence within a file, files by number: later frames are later decisions, whatever a clock that
 * jumped says. */
static void search(struct found *f, struct recording *r, const char *cluster, int64_t until_wall_us)
{
    for (;;) {
        struct recorder_frame frame;
        struct stay_error err = {0};
        int64_t wall_us = 0;
        enum stay_rc rc = recording_next(r, &frame, &err);
        if (rc == STAY_ENOTFOUND)
            return;
        if (rc != STAY_OK) {
            f->unreadable++;
            f->last_error = err;
            continue;
        }
        if (strcmp(frame.cluster, cluster) != 0 || !cli_recording_time(frame.wall, 0, &wall_us))
            continue;
        if (f->first[0] == '\0')
            (void)stay_copy(f->first, sizeof f->first, frame.wall);
        if (wall_us <= until_wall_us) {
            keep(f, r, &frame);
            f->next[0] = '\0';
        } else if (f->text != NULL && f->next[0] == '\0' && !says_the_same(f, &frame)) {
            (void)stay_copy(f->next, sizeof f->next, frame.wall);
            field_of(frame.text, frame.length, "decision.verdict", f->next_verdict,
                     sizeof f->next_verdict);
        }
    }
}

/* --- what it says ---------------------------------------------------------------------------- */

struct why {
    uint16_t id;
    const char *why;
};

static void match_rule(void *ctx, uint16_t id, enum verdict_subject subject, const char *name,
                       const char *why, enum verdict_action action)
{
    struct why *w = ctx;
    (void)subject;
    (void)name;
    (void)action;
    if (w->id == id)
        w->why = why;
}

/* {"rule", "name", "why"} of "120 primary dead". */
static json_t *verdict_json(const char *text)
{
    json_t *obj = json_object();
    char *name = NULL;
    struct why w = {.id = (uint16_t)strtoul(text, &name, 10)};
    verdict_visit(match_rule, &w);
    stay_json_set_int(obj, "rule", w.id);
    stay_json_set_string(obj, "name", name + strspn(name, " "));
    stay_json_set_string(obj, "why", w.why);
    return obj;
}

static void set_age(json_t *obj, const char *key, int64_t at_mono_us, int64_t now_mono_us)
{
    if (at_mono_us != STAY_NEVER)
        stay_json_set_int(obj, key, now_mono_us - at_mono_us);
}

/* What was asked of each server last, and what it answered. */
static json_t *servers_json(const struct replay *p)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < p->config.node_count; i++) {
        const struct node_view *n = &p->view.nodes[i];
        char field[80], rule[VALUE_MAX] = "";
        json_t *obj = json_object();
        snprintf(field, sizeof field, "decision.%s", p->config.nodes[i].name);
        stay_json_set_string(obj, "node", p->config.nodes[i].name);
        if (i != p->view.primary && replay_output_field(p->recorded, field, rule, sizeof rule))
            stay_json_set(obj, "verdict", verdict_json(rule));
        stay_json_set_bool(obj, "primary", i == p->view.primary);
        if (n->reach_mono_us != STAY_NEVER) {
            stay_json_set_string(obj, "layer", obs_layer_text(n->reach.layer));
            stay_json_set_string(obj, "outcome", obs_outcome_text(n->reach.outcome));
        }
        set_age(obj, "asked_ago_us", n->reach_mono_us, p->input.now_mono_us);
        set_age(obj, "answered_ago_us", n->query_ok_mono_us, p->input.now_mono_us);
        if (p->view.record.quarantine[i] != QUARANTINE_NONE &&
            p->view.record.quarantine[i] < QUARANTINE_COUNT)
            stay_json_set_string(
                obj, "set_aside",
                quarantine_text((enum quarantine_reason)p->view.record.quarantine[i]));
        stay_json_append(list, obj);
    }
    return list;
}

static json_t *facts_json(const struct replay *p)
{
    json_t *facts = json_object();
    char value[VALUE_MAX];
#define X(name, what)                                                                              \
    if (replay_output_field(p->recorded, "facts." #name, value, sizeof value))                     \
        stay_json_set_string(facts, #name, value);
    PRIMARY_FACTS(X)
#undef X
    return facts;
}

static json_t *guards_json(const struct replay *p)
{
    json_t *list = json_array();
    char value[VALUE_MAX] = "", *rest = value, *name;
    (void)replay_output_field(p->recorded, "decision.vetoes", value, sizeof value);
    while ((name = strsep(&rest, ",")) != NULL) {
        json_t *obj;
        if (name[0] == '\0')
            continue;
        obj = json_object();
        stay_json_set_string(obj, "guard", name);
        for (int g = 0; g < GUARD_COUNT; g++)
            if (strcmp(guard_name((enum guard_id)g), name) == 0)
                stay_json_set_string(obj, "what", guard_what((enum guard_id)g));
        stay_json_append(list, obj);
    }
    return list;
}

static json_t *plan_json(const struct replay *p)
{
    const struct plan_run *run = &p->run;
    if (!p->input.has_run)
        return json_null();
    size_t rows = 0;
    const struct plan_row *row = plan_rows(run->kind, &rows);
    json_t *obj = json_object();
    stay_json_set_string(obj, "id", run->id);
    stay_json_set_string(obj, "kind", plan_kind_text(run->kind));
    stay_json_set_string(obj, "state", plan_state_text(run->state));
    if (run->row < rows)
        stay_json_set_string(obj, "step", step_kind_text(row[run->row].step));
    set_age(obj, "begun_ago_us", run->begun_mono_us, p->input.now_mono_us);
    set_age(obj, "ended_ago_us", run->ended_mono_us, p->input.now_mono_us);
    return obj;
}

static bool is_set(const struct replay *p, const char *field)
{
    char value[VALUE_MAX] = "";
    return replay_output_field(p->recorded, field, value, sizeof value) &&
           strcmp(value, "yes") == 0;
}

/* Why nothing was started, or that it was: one sentence. */
static const char *outcome(const struct replay *p, const char *want, const char *action,
                           const json_t *guards)
{
    bool runs = p->input.has_run && (p->run.state == RUN_FORWARD || p->run.state == RUN_UNDOING);
    bool is_none = strcmp(want, "none") == 0;
    if (!is_none && json_array_size(guards) == 0)
        return "nothing held it: it was started, or waited for the store";
    if (!is_none && runs && strcmp(want, plan_kind_text(p->run.kind)) == 0)
        return "it had been started: the plan named here";
    if (!is_none)
        return is_set(p, "decision.runs_gives_way")
                   ? "not started yet: the plan that ran was told to give way to it"
                   : "not started: the guards named here held it";
    if (is_set(p, "decision.asks_human"))
        return "nothing was wanted: a plan had asked a human, who decides";
    if (strcmp(action, "none") == 0)
        return "nothing was wanted: the rule asks for no action";
    if (strcmp(action, "alert") == 0 || strcmp(action, "hold") == 0 || strcmp(action, "ask") == 0)
        return "nothing was wanted: the rule asks people to look, it starts no plan";
    return runs ? "nothing more was wanted while the plan ran"
                : "nothing was wanted yet: such a plan failed less than 30 s before, the servers "
                  "had "
                  "not been asked since the last one, or the time the rule waits was not over";
}

static json_t *decision_json(const struct found *f, const struct replay *p)
{
    json_t *obj = json_object(), *guards = guards_json(p);
    char verdict[VALUE_MAX] = "", want[VALUE_MAX] = "", action[VALUE_MAX] = "",
         about[VALUE_MAX] = "";
    (void)replay_output_field(p->recorded, "decision.verdict", verdict, sizeof verdict);
    (void)replay_output_field(p->recorded, "decision.want", want, sizeof want);
    (void)replay_output_field(p->recorded, "decision.action", action, sizeof action);
    (void)replay_output_field(p->recorded, "decision.about", about, sizeof about);
    stay_json_set_string(obj, "cluster", f->frame.cluster);
    stay_json_set_string(obj, "time", f->frame.wall);
    stay_json_set_string(obj, "file", f->path);
    stay_json_set_int(obj, "line", f->line);
    stay_json_set_string(obj, "next", f->next[0] == '\0' ? NULL : f->next);
    stay_json_set_string(obj, "next_verdict", f->next[0] == '\0' ? NULL : f->next_verdict);
    stay_json_set(obj, "verdict", verdict_json(verdict));
    stay_json_set_string(obj, "about", about);
    stay_json_set_string(obj, "action", action);
    stay_json_set_string(obj, "want", want);
    stay_json_set_string(obj, "outcome", outcome(p, want, action, guards));
    stay_json_set(obj, "refused_by", guards);
    stay_json_set(obj, "facts", facts_json(p));
    stay_json_set(obj, "plan", plan_json(p));
    stay_json_set_bool(obj, "asks_human", is_set(p, "decision.asks_human"));
    stay_json_set_bool(obj, "suspicion", is_set(p, "decision.suspicion"));
    stay_json_set_int(obj, "suspicion_interval_us", p->config.suspicion_interval_us);
    stay_json_set_string(obj, "primary", p->view.record.primary);
    stay_json_set_string(obj, "mode", durability_mode_text(p->view.record.mode));
    stay_json_set_bool(obj, "lossless_stands", p->view.record.lossless_stands);
    stay_json_set_int(obj, "epoch", (int64_t)p->view.record.epoch);
    stay_json_set(obj, "nodes", servers_json(p));
    stay_json_set_bool(obj, "same_now", p->is_same);
    return obj;
}

static int not_found(struct cli *cli, const struct found *f, const char *cluster)
{
    if (f->first[0] != '\0')
        cli_usage_error(cli, "nothing was recorded of %s before %s, the oldest there is", cluster,
                        f->first);
    else if (f->unreadable > 0)
        cli_usage_error(cli, "the recording cannot be read: %s", f->last_error.text);
    else
        cli_usage_error(cli, "nothing is recorded of a cluster \"%.40s\"", cluster);
    return CLI_USAGE;
}

static int show(struct cli *cli, const struct found *f)
{
    STAY_AUTO(replay_drop) struct replay *replay = NULL;
    STAY_AUTO(stay_json_drop) json_t *d = NULL;
    struct stay_error err = {0};
    unsigned at = 0;
    const char *unfit = cli_recording_unfit(&f->frame);
    if (unfit != NULL) {
        cli_usage_error(cli, "%s:%u: a record of format %u: %s", f->path, f->line, f->frame.format,
                        unfit);
        return CLI_USAGE;
    }
    if (replay_new(f->text, f->length, &replay, &at, &err) != STAY_OK) {
        cli_usage_error(cli, "%s:%u: %s; %s", f->path, f->line + at, err.text,
                        CLI_RECORDING_FIX_TEXT);
        return CLI_USAGE;
    }
    d = decision_json(f, replay);
    if (cli->json) {
        STAY_AUTO(stay_free_charp) char *text = stay_json_dump_pretty(d);
        fprintf(cli->out, "%s\n", text);
    } else {
        cli_print_moment(cli, d);
    }
    return CLI_DONE;
}

int cli_explain(struct cli *cli)
{
    const char *id = json_string_value(json_object_get(cli->args, "id"));
    const char *at = strchr(id, '@');
    char cluster[64] = "";
    int64_t until_wall_us = 0;
    if (at == NULL) {
        json_object_del(cli->args, "file");
        return cli_talk(cli);
    }
    snprintf(cluster, sizeof cluster, "%.*s", (int)(at - id), id);
    if (!cli_recording_time(at + 1, real_clock_wall_us(), &until_wall_us)) {
        cli_usage_error(cli,
                        "explain: \"%.60s\" is no time: write %s@2026-02-03T04:05:06, %s@04:05:06 "
                        "(UTC), %s@10m (ago) or %s@last",
                        at + 1, cluster, cluster, cluster, cluster);
        return CLI_USAGE;
    }
    struct recording r;
    if (!cli_recording_open(cli, &r))
        return CLI_USAGE;
    struct found found = {.text = NULL};
    search(&found, &r, cluster, until_wall_us);
    recording_close(&r);
    int exit_code = found.text == NULL ? not_found(cli, &found, cluster) : show(cli, &found);
    free(found.text);
    return exit_code;
}
