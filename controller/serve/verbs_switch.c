/* Verbs that switch something of the controller: pause, maintenance, release, the configuration. */
#include "controller/serve/verbs.h"
#include "controller/serve/when.h"

static void switched(void *ctx, enum stay_rc rc, const json_t *data, const struct stay_error *err)
{
    struct request *r = ctx;
    r->is_pending = false;
    if (rc == STAY_OK)
        request_answer(r, data == NULL ? NULL : json_deep_copy(data));
    else
        request_fail(r, rc, 0, err);
}

static void set_switch(struct request *r, enum control_switch which, int64_t until_wall_us)
{
    struct control_cluster c;
    const char *reason = request_arg(r, "reason");
    if (r->cluster != NULL && !request_cluster(r, &c))
        return;
    if (r->dry_run) {
        json_t *would = json_object();
        stay_json_set_string(would, "would", r->verb);
        stay_json_set_string(would, "cluster", r->cluster);
        request_answer(r, would);
        return;
    }
    r->is_pending = true;
    r->control->set_switch(r->control->ctx, r->cluster, which, until_wall_us, r->actor,
                           reason == NULL ? "" : reason, switched, r);
}

/* A dry run tries every row on the primary and rolls back. */
void verb_errant_inject(struct request *r)
{
    struct control_cluster c;
    const char *reason = request_arg(r, "reason");
    if (!request_cluster(r, &c))
        return;
    struct control_inject what = {.bundle = request_arg(r, "bundle"),
                                  .only = request_arg(r, "only"),
                                  .actor = r->actor,
                                  .reason = reason == NULL ? "" : reason,
                                  .is_trial = r->dry_run};
    r->is_pending = true;
    r->control->inject(r->control->ctx, r->cluster, &what, switched, r);
}

/* Writes nothing (its last looks lock a few rows for two seconds at most), so it is done at any
 * time, pauses and plans included. */
void verb_verify(struct request *r)
{
    struct control_cluster c;
    const char *name = request_arg(r, "node");
    if (!request_cluster(r, &c))
        return;
    for (uint32_t node = 0; node < c.config->node_count; node++) {
        if (name == NULL || strcmp(c.config->nodes[node].name, name) != 0)
            continue;
        r->is_pending = true;
        r->control->verify(r->control->ctx, r->cluster, node, r->actor, switched, r);
        return;
    }
    request_refuse(r, 2, NULL, "there is no server \"%.60s\" in %.60s", name == NULL ? "" : name,
                   r->cluster);
}

void verb_pause(struct request *r)
{
    set_switch(r, CONTROL_PAUSE, 0);
}

void verb_resume(struct request *r)
{
    set_switch(r, CONTROL_RESUME, 0);
}

void verb_release(struct request *r)
{
    struct control_cluster c;
    if (request_cluster(r, &c))
        set_switch(r, CONTROL_RELEASE, 0);
}

void verb_maintenance(struct request *r)
{
    struct control_cluster c;
    const char *action = request_arg(r, "action");
    json_int_t for_us = json_integer_value(json_object_get(r->args, "for_us"));
    if (!request_cluster(r, &c))
        return;
    if (action != NULL && strcmp(action, "end") == 0)
        set_switch(r, CONTROL_MAINTENANCE_END, 0);
    else if (action == NULL || strcmp(action, "start") != 0)
        request_refuse(r, 2, NULL,
                       "maintenance is started or ended: maintenance start|end CLUSTER");
    else if (for_us < STAY_SECOND || for_us > INT64_C(30) * 86400 * STAY_SECOND)
        request_refuse(r, 2, NULL, "maintenance lasts 1s to 30d");
    else
        set_switch(r, CONTROL_MAINTENANCE_START, c.now_wall_us + for_us);
}

/* Answers what was scheduled, once it is stored. */
static void scheduled(void *ctx, enum stay_rc rc, const json_t *data, const struct stay_error *err)
{
    struct request *r = ctx;
    struct control_cluster c;
    (void)data;
    r->is_pending = false;
    if (rc != STAY_OK || !r->control->cluster_named(r->control->ctx, r->cluster, &c)) {
        request_fail(r, rc, 0, err);
        return;
    }
    json_t *out = json_object();
    stay_json_set_bool(out, "scheduled", true);
    stay_json_set_int(out, "at_wall_us", c.view->record.switch_at_wall_us);
    request_answer(r, out);
}

void request_schedule(struct request *r, const char *at, const char *to)
{
    struct control_cluster c;
    struct stay_error err = {0};
    int64_t at_wall_us = 0;
    if (!request_cluster(r, &c))
        return;
    if (strcmp(at, "never") != 0 && when_parse(at, c.now_wall_us, &at_wall_us, &err) != STAY_OK) {
        request_refuse(r, 2, NULL, "--at: %s; `never` cancels", err.text);
        return;
    }
    if (at_wall_us != 0 && !c.view->record.adopted) {
        request_refuse(r, 3, NULL, "refused by not-adopted: %s", guard_what(GUARD_NOT_ADOPTED));
        return;
    }
    r->is_pending = true;
    r->control->set_switch(r->control->ctx, r->cluster, CONTROL_SCHEDULE, at_wall_us, r->actor,
                           to == NULL ? "" : to, scheduled, r);
}

/* Options of the file as it is now that the running process cannot take: "a, b", or empty. */
static void name_restarts(const struct request *r, char *dst, size_t size)
{
    STAY_AUTO(settings_drop) struct settings *fresh = NULL;
    dst[0] = '\0';
    if (settings_load(r->verbs->settings->path, SETTINGS_WITHOUT_SECRETS, &fresh, NULL, NULL) ==
        STAY_OK)
        (void)settings_needs_restart(r->verbs->settings, fresh, dst, size);
}

void verb_reload(struct request *r)
{
    struct stay_error err = {0};
    enum stay_rc rc;
    char restarts[200];
    name_restarts(r, restarts, sizeof restarts);
    if (r->dry_run) {
        STAY_AUTO(settings_drop) struct settings *fresh = NULL;
        rc = settings_load(r->verbs->settings->path, 0, &fresh, NULL, &err);
    } else {
        rc = r->control->reload(r->control->ctx, &err);
    }
    if (rc != STAY_OK) {
        request_refuse(r, 1, NULL, "%s; the old configuration stays in force", err.text);
        return;
    }
    json_t *out = json_object();
    stay_json_set_string(out, "file", r->verbs->settings->path);
    stay_json_set_string(out, "needs_restart", restarts[0] == '\0' ? NULL : restarts);
    request_answer(r, out);
}
