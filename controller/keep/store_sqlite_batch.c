/* The store interface on SQLite, lane side: the calls of one batch in one transaction, in their
 * order. A failed compare writes nothing and its neighbours go on; when a put or the commit fails,
 * all of the batch's calls fail.
 *
 * A lease lives in memory beside its durable epoch: the file's lock proves that no earlier holder
 * in another process is left, and monotonic time needs no agreement with anybody. */
#include "base/io/lane.h"
#include "controller/keep/store_crash.h"
#include "controller/keep/store_sqlite_private.h"

static enum stay_rc check_compares(struct sqlite_file *file, struct call *c)
{
    for (size_t i = 0; i < c->compare_count; i++) {
        const struct store_compare *cmp = &c->compares[i];
        uint64_t version = 0;
        enum stay_rc rc = sqlite_file_version(file, cmp->key, &version, &c->err);
        if (rc != STAY_OK)
            return rc;
        if (cmp->version == STORE_ANY ? version != STORE_ABSENT : version == cmp->version)
            continue;
        return stay_error(&c->err, STAY_ECONFLICT,
                          "'%s' is at version %llu, not %llu: somebody else changed it first",
                          cmp->key, (unsigned long long)version, (unsigned long long)cmp->version);
    }
    return STAY_OK;
}

/* Compares, then puts under the next revision. A failed put fails the whole batch: *ret_fatal. */
static void run_txn(struct sqlite_file *file, struct call *c, uint64_t *revision, bool *ret_fatal)
{
    c->revision = *revision;
    if (c->is_too_big) {
        c->rc = stay_error(&c->err, STAY_ELIMIT, "'%s': a value of more than %u MiB is not kept",
                           c->puts[0].key, STORE_VALUE_MAX / (1024 * 1024));
        return;
    }
    c->rc = check_compares(file, c);
    if (c->rc != STAY_OK) {
        *ret_fatal = c->rc != STAY_ECONFLICT;
        return;
    }
    if (c->put_count == 0)
        return;
    uint64_t next = *revision + 1;
    for (size_t i = 0; i < c->put_count && c->rc == STAY_OK; i++)
        c->rc = sqlite_file_put(file, c->puts[i].key, c->puts[i].value, next, &c->err);
    *ret_fatal = c->rc != STAY_OK;
    if (c->rc != STAY_OK)
        return;
    *revision = next;
    c->revision = next;
}

static struct lease *lease_find(struct store_sqlite *s, const char *key)
{
    for (size_t i = 0; i < s->lease_count; i++)
        if (strcmp(s->leases[i].key, key) == 0)
            return &s->leases[i];
    return NULL;
}

/* Renewing changes nothing on disk; taking puts the holder under a new revision, the new epoch. */
static void run_lease(struct store_sqlite *s, struct call *c, uint64_t *revision, bool *ret_fatal)
{
    const char *key = c->puts[0].key;
    struct lease *lease = lease_find(s, key);
    bool is_held = lease && lease->until_mono_us > c->asked_mono_us;
    if (is_held && strcmp(lease->holder, c->holder) != 0) {
        c->rc = stay_error(&c->err, STAY_EBUSY, "lease '%s' is held by %s", key, lease->holder);
        return;
    }
    if (is_held) {
        lease->until_mono_us = c->asked_mono_us + c->ttl_us;
        c->revision = lease->epoch;
        return;
    }
    if (!lease && s->lease_count == LEASES_MAX) {
        c->rc = stay_error(&c->err, STAY_ELIMIT, "more than %d leases", LEASES_MAX);
        return;
    }
    run_txn(&s->file, c, revision, ret_fatal);
    if (c->rc != STAY_OK)
        return;
    if (!lease) {
        lease = &s->leases[s->lease_count++];
        must(stay_copy(lease->key, sizeof lease->key, key));
        lease->holder = NULL;
    }
    free(lease->holder);
    lease->holder = stay_strdup(c->holder);
    lease->epoch = c->revision;
    lease->until_mono_us = c->asked_mono_us + c->ttl_us;
}

static void run_calls(struct store_sqlite *s, struct batch *b, uint64_t *revision, bool *ret_fatal,
                      struct call **ret_culprit)
{
    for (struct call *c = b->first; c && !*ret_fatal; c = c->next) {
        c->rc = STAY_OK;
        switch (c->kind) {
        case CALL_TXN:
            run_txn(&s->file, c, revision, ret_fatal);
            break;
        case CALL_LEASE:
            run_lease(s, c, revision, ret_fatal);
            break;
        case CALL_GET:
            c->rc =
                sqlite_file_range(&s->file, c->prefix, c->max, &c->items, &c->item_count, &c->err);
            *ret_fatal = c->rc != STAY_OK;
            break;
        }
        if (*ret_fatal)
            *ret_culprit = c;
    }
}

static void fail_all(struct store_sqlite *s, struct batch *b, enum stay_rc rc,
                     const struct stay_error *err)
{
    struct stay_error copy = *err; /* err may be one of the calls' */
    for (struct call *c = b->first; c; c = c->next) {
        c->rc = rc;
        c->err = copy;
        store_items_free(c->items, c->item_count);
        c->items = NULL;
        c->item_count = 0;
    }
    for (size_t i = 0; i < s->lease_count; i++) {
        free(s->leases[i].holder);
        s->leases[i].holder = NULL;
    }
    s->lease_count = 0; /* what this batch took in memory is not on disk: take again */
}

enum stay_rc store_batch_run(struct lane_job *job, void *arg)
{
    struct batch *b = arg;
    struct store_sqlite *s = b->store;
    struct stay_error err = {0};
    enum stay_rc rc = s->file.broken;
    if (rc != STAY_OK) {
        fail_all(s, b, rc, &s->file.broken_error);
        return STAY_OK;
    }
    if (store_crash_is_cut()) {
        rc = stay_error(&err, STAY_EBUSY, "state file '%s': refused by a test", s->file.path);
        fail_all(s, b, rc, &err);
        return STAY_OK;
    }
    uint64_t before = 0, revision = 0;
    bool is_fatal = false;
    struct call *culprit = NULL;
    rc = sqlite_file_run(&s->file, STMT_BEGIN, "begin", &err);
    if (rc == STAY_OK)
        rc = sqlite_file_revision(&s->file, &before, &err);
    if (rc == STAY_OK) {
        revision = before;
        run_calls(s, b, &revision, &is_fatal, &culprit);
        if (is_fatal) {
            rc = culprit->rc;
            err = culprit->err;
        }
    }
    if (rc == STAY_OK && revision != before)
        rc = sqlite_file_set_revision(&s->file, revision, &err);
    if (rc == STAY_OK && lane_job_expired(job))
        rc = stay_error(&err, STAY_EUNKNOWN, "the store's disk is too slow");
    if (rc == STAY_OK)
        rc = sqlite_file_run(&s->file, STMT_COMMIT, "commit", &err);
    if (rc != STAY_OK) {
        struct stay_error rollback;
        if (sqlite3_get_autocommit(s->file.db) == 0 &&
            sqlite_file_run(&s->file, STMT_ROLLBACK, "roll back", &rollback) != STAY_OK)
            err = rollback; /* nothing was committed; what is worse is told */
        fail_all(s, b, rc, &err);
    }
    return STAY_OK;
}
