/* Every change of a cluster's record, one at a time. Three kinds meet here: the executor's journal
 * (with or without a record change), what the durability watch found, and operators' switches. Each
 * compares the record's version, so another writer is noticed. A switch that slips in between two
 * of the executor's saves makes the next one conflict: the executor builds it again on the new
 * record.
 *
 * Happy path: queue -> transaction -> view takes the record -> caller is told.
 * Failures: conflict -> the record is read again, caller is told; unknown -> the written key is
 * read back and settles it; store down -> caller is told, the controller holds. */
#include "base/base.h"
#include "base/json.h"
#include "controller/run/daemon_private.h"

enum save_kind { SAVE_EXECUTOR, SAVE_WATCH, SAVE_SWITCH };

struct daemon_save {
    struct daemon_save *next;
    struct daemon_cluster *cluster; /* NULL once the cluster is gone */
    enum save_kind kind;
    uint64_t token;
    uint64_t expect_version;
    bool has_record;
    struct cluster_record record;
    char plan_id[24];
    char *document;           /* EXECUTOR */
    char *record_text;        /* as written */
    enum control_switch which;
    int64_t until_wall_us;
    char actor[64], reason[160];
    control_done_fn done;
    void *done_ctx;
};

static void start_next(struct daemon_cluster *c);

void daemon_record_key(const struct daemon_cluster *c, char ret_key[STORE_KEY_MAX + 1])
{
    (void)snprintf(ret_key, STORE_KEY_MAX + 1, "cluster/%s/record", c->settings->config.name);
}

static void save_free(struct daemon_save *s)
{
    free(s->document);
    free(s->record_text);
    free(s);
}

static void enqueue(struct daemon_cluster *c, struct daemon_save *s)
{
    s->cluster = c;
    *c->save_tail = s;
    c->save_tail = &s->next;
    start_next(c);
}

bool daemon_save_is_idle(const struct daemon_cluster *c)
{
    return !c->is_saving && c->save_head == NULL;
}

/* --- what each kind writes ------------------------------------------------------------------- */

static void apply_switch(const struct daemon_save *s, struct cluster_record *record)
{
    switch (s->which) {
    case CONTROL_PAUSE:
        record->paused = true;
        break;
    case CONTROL_RESUME:
        record->paused = false;
        break;
    case CONTROL_MAINTENANCE_START:
        record->maintenance_until_wall_us = s->until_wall_us;
        break;
    case CONTROL_MAINTENANCE_END:
        record->maintenance_until_wall_us = 0;
        break;
    case CONTROL_SCHEDULE:
        record->switch_at_wall_us = s->until_wall_us;
        record->switch_missed_wall_us = 0;
        (void)stay_copy(record->switch_to, sizeof record->switch_to, s->reason);
        (void)stay_copy(record->switch_by, sizeof record->switch_by, s->actor);
        break;
    case CONTROL_RELEASE:
        record->switch_missed_wall_us = 0;
        record->cooldown_until_wall_us = record->relief_until_wall_us = 0;
        record->repairs = 0;
        record->asks[0] = '\0';
        if (!daemon_cluster_is_busy(s->cluster)) /* one whose journal could not be taken up */
            record->plan_id[0] = '\0';
        break;
    }
}

/* Fills s->record and s->expect_version as of now; false: nothing to write any more. */
static bool prepare(struct daemon_save *s)
{
    const struct cluster_record *now = &s->cluster->view.record;
    switch (s->kind) {
    case SAVE_EXECUTOR:
        return true;
    case SAVE_WATCH:
        s->expect_version = now->version;
        return s->record.version == now->version && !daemon_cluster_is_busy(s->cluster);
    case SAVE_SWITCH:
        s->expect_version = now->version;
        s->record = *now;
        s->has_record = true;
        apply_switch(s, &s->record);
        return true;
    }
    return false;
}

/* --- outcomes -------------------------------------------------------------------------------- */

static void tell(struct daemon_save *s, enum stay_rc rc, uint64_t version,
                 const struct stay_error *err)
{
    struct daemon_cluster *c = s->cluster;
    switch (s->kind) {
    case SAVE_EXECUTOR:
        if (c)
            executor_saved(c->executor, s->token, rc, version, loop_now_mono_us(&c->daemon->loop));
        break;
    case SAVE_WATCH:
        if (c && rc != STAY_OK)
            c->save_failed_mono_us = loop_now_mono_us(&c->daemon->loop);
        break;
    case SAVE_SWITCH:
        if (s->done)
            s->done(s->done_ctx, rc, NULL, err);
        break;
    }
}

static void log_save(const struct daemon_save *s, enum stay_rc rc, const struct stay_error *err)
{
    const struct daemon_cluster *c = s->cluster;
    struct log_field fields[] = {{"MAINSTAY_CLUSTER", c->settings->config.name},
                                 {"MAINSTAY_PLAN", s->kind == SAVE_EXECUTOR ? s->plan_id : NULL}};
    if (rc != STAY_OK) {
        log_write(LOG_LEVEL_ERROR, fields, STAY_COUNT(fields), "%s: not stored: %s",
                  c->settings->config.name, err ? err->text : stay_rc_text(rc));
    } else if (s->kind == SAVE_SWITCH) {
        static const char *const texts[] = {"paused", "resumed", "maintenance started",
                                            "maintenance ended", "released from cooldown",
                                            "switchover scheduled"};
        log_write(LOG_LEVEL_NOTICE, fields, STAY_COUNT(fields), "%s: %s by %s%s%s",
                  c->settings->config.name, texts[s->which], s->actor, s->reason[0] ? ": " : "",
                  s->reason);
    }
}

static void finish(struct daemon_save *s, enum stay_rc rc, uint64_t revision,
                   const struct stay_error *err)
{
    struct daemon_cluster *c = s->cluster;
    if (!c) { /* removed by a reload meanwhile */
        tell(s, STAY_ECANCELED, 0, err);
        save_free(s);
        return;
    }
    must(c->save_head == s);
    c->save_head = s->next;
    if (!c->save_head)
        c->save_tail = &c->save_head;
    c->is_saving = false;
    daemon_store_result(c->daemon, rc, err);
    log_save(s, rc, err);
    uint64_t version = s->expect_version;
    if (rc == STAY_OK && s->has_record) {
        version = revision;
        s->record.version = revision;
        cluster_set_record(&c->view, &s->record);
        daemon_probes_set_primary(c);
        c->daemon->is_runbook_dirty = true;
    }
    if (rc == STAY_ECONFLICT)
        daemon_load_cluster(c);
    tell(s, rc, version, err);
    save_free(s);
    daemon_mark_dirty(c);
    start_next(c);
}

/* The outcome was unknown: the key this save wrote last tells. */
static void on_read_back(void *ctx, enum stay_rc rc, const struct store_item *items, size_t count,
                         const struct stay_error *err)
{
    struct daemon_save *s = ctx;
    struct stay_error local;
    if (rc != STAY_OK) {
        finish(s, STAY_EUNKNOWN, 0, err);
        return;
    }
    const char *wrote = s->document ? s->document : s->record_text;
    if (count > 0 && strcmp(items[0].value, wrote) == 0) {
        finish(s, STAY_OK, items[0].version, NULL);
        return;
    }
    (void)stay_error(&local, STAY_EFAILED, "the store did not take the change in time");
    finish(s, STAY_EFAILED, 0, &local);
}

static void on_saved(void *ctx, enum stay_rc rc, uint64_t revision, const struct stay_error *err)
{
    struct daemon_save *s = ctx;
    if (rc != STAY_EUNKNOWN || !s->cluster || s->cluster->daemon->is_stopping) {
        finish(s, rc, revision, err);
        return;
    }
    char key[STORE_KEY_MAX + 1];
    const char *name = s->cluster->settings->config.name;
    if (!s->document || !history_key(name, s->plan_id, key))
        daemon_record_key(s->cluster, key);
    struct store *store = s->cluster->daemon->store;
    store->ops->get(store, key, 1, on_read_back, s);
}

static void start_next(struct daemon_cluster *c)
{
    if (c->is_saving || !c->save_head)
        return;
    struct daemon_save *s = c->save_head;
    c->is_saving = true;
    if (!prepare(s)) {
        c->save_head = s->next;
        if (!c->save_head)
            c->save_tail = &c->save_head;
        c->is_saving = false;
        save_free(s);
        start_next(c);
        return;
    }
    char record_key[STORE_KEY_MAX + 1], plan_key[STORE_KEY_MAX + 1];
    daemon_record_key(c, record_key);
    struct store_compare compare = {record_key, s->expect_version};
    struct store_put puts[2];
    size_t count = 0;
    if (s->has_record) {
        STAY_AUTO(stay_json_drop) json_t *json = cluster_record_to_json(&s->record,
                                                                       &c->settings->config);
        free(s->record_text);
        s->record_text = stay_json_dump_compact(json);
        puts[count++] = (struct store_put){record_key, s->record_text};
    }
    if (s->document && history_key(c->settings->config.name, s->plan_id, plan_key))
        puts[count++] = (struct store_put){plan_key, s->document};
    struct store *store = c->daemon->store;
    store->ops->txn(store, &compare, 1, puts, count, on_saved, s);
}

/* --- callers --------------------------------------------------------------------------------- */

void daemon_save_executor(struct daemon_cluster *c, uint64_t token, const struct plan_run *run,
                          const struct cluster_record *record, uint64_t expect_version)
{
    struct daemon_save *s = stay_calloc(1, sizeof *s);
    s->kind = SAVE_EXECUTOR;
    s->token = token;
    s->expect_version = expect_version;
    s->has_record = record != NULL;
    if (record)
        s->record = *record;
    (void)stay_copy(s->plan_id, sizeof s->plan_id, run->id);
    STAY_AUTO(stay_json_drop) json_t *document = daemon_run_document(c, run);
    s->document = stay_json_dump_compact(document);
    enqueue(c, s);
}

void daemon_save_watch(struct daemon_cluster *c, const struct cluster_record *record)
{
    struct daemon_save *s = stay_calloc(1, sizeof *s);
    s->kind = SAVE_WATCH;
    s->has_record = true;
    s->record = *record;
    s->record.version = c->view.record.version;
    enqueue(c, s);
}

void daemon_save_switch(struct daemon_cluster *c, enum control_switch which, int64_t until_wall_us,
                        const char *actor, const char *reason, control_done_fn done,
                        void *done_ctx)
{
    struct daemon_save *s = stay_calloc(1, sizeof *s);
    s->kind = SAVE_SWITCH;
    s->which = which;
    s->until_wall_us = until_wall_us;
    (void)stay_copy(s->actor, sizeof s->actor, actor ? actor : "operator");
    (void)stay_copy(s->reason, sizeof s->reason, reason ? reason : "");
    s->done = done;
    s->done_ctx = done_ctx;
    enqueue(c, s);
}

/* The cluster goes away: the one under way ends alone, the others are answered now. */
void daemon_save_drop_all(struct daemon_cluster *c)
{
    struct stay_error err;
    (void)stay_error(&err, STAY_ECANCELED, "cluster %s was removed", c->settings->config.name);
    struct daemon_save *s = c->save_head;
    if (s && c->is_saving) {
        struct daemon_save *flying = s;
        s = s->next;
        flying->cluster = NULL;
        flying->next = NULL;
    }
    while (s) {
        struct daemon_save *next = s->next;
        s->cluster = NULL;
        tell(s, STAY_ECANCELED, 0, &err);
        save_free(s);
        s = next;
    }
    c->save_head = NULL;
    c->save_tail = &c->save_head;
}
