/* The store interface on SQLite, loop side: calls are copied into a queue; while one batch is on
 * the lane the next one gathers, so calls that wait together share one commit and one sync. Within
 * a batch calls run in order; a failed compare writes nothing and its neighbours go on. When a put
 * or the batch's commit fails, all of its calls fail.
 *
 * A lease lives in memory beside its durable epoch: the file's lock proves that no earlier holder
 * in another process is left, and monotonic time needs no agreement with anybody. */
#include "base/base.h"
#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/json.h"
#include "base/str.h"
#include "controller/keep/store_sqlite.h"
#include "controller/keep/store_sqlite_private.h"

#define BATCH_MAX 64
#define LEASES_MAX 16
#define QUEUE_MAX 4096

enum call_kind { CALL_TXN, CALL_GET, CALL_LEASE };

struct call {
    struct call *next;
    enum call_kind kind;
    struct store_compare *compares; /* keys owned */
    size_t compare_count;
    struct store_put *puts; /* keys and values owned; LEASE: one put, the lease's key and record */
    size_t put_count;
    bool is_too_big; /* TXN: refused, nothing of it is written */
    char *prefix;
    size_t max;
    char *holder;
    int64_t ttl_us, asked_mono_us;
    store_txn_fn txn_fn;
    store_get_fn get_fn;
    void *ctx;
    /* Results, written by the lane, read by the loop after it. */
    enum stay_rc rc;
    struct stay_error err;
    uint64_t revision;
    struct store_item *items;
    size_t item_count;
};

struct lease {
    char key[STORE_KEY_MAX + 1];
    char *holder;
    uint64_t epoch;
    int64_t until_mono_us;
};

struct watcher {
    struct watcher *next;
    char *prefix;
    store_watch_fn fn;
    void *ctx;
};

struct batch {
    struct store_sqlite *store;
    struct call *first;
    size_t count;
};

struct store_sqlite {
    struct store base;
    struct loop *loop;
    struct lane_pool *lane;
    struct sqlite_file file; /* the lane's, while a batch runs */
    struct lease leases[LEASES_MAX]; /* likewise */
    size_t lease_count;
    struct call *head, **tail;
    size_t queued;
    bool is_running, is_closing;
    struct watcher *watchers;
};

static void call_free(struct call *c)
{
    for (size_t i = 0; i < c->compare_count; i++)
        free((void *)(uintptr_t)c->compares[i].key);
    for (size_t i = 0; i < c->put_count; i++) {
        free((void *)(uintptr_t)c->puts[i].key);
        free((void *)(uintptr_t)c->puts[i].value);
    }
    free(c->compares);
    free(c->puts);
    free(c->prefix);
    free(c->holder);
    store_items_free(c->items, c->item_count);
    free(c);
}

/* --- on the lane ----------------------------------------------------------------------------- */

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
                          cmp->key, (unsigned long long)version,
                          (unsigned long long)cmp->version);
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
            c->rc = sqlite_file_range(&s->file, c->prefix, c->max, &c->items, &c->item_count,
                                      &c->err);
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

static enum stay_rc run_batch(struct lane_job *job, void *arg)
{
    struct batch *b = arg;
    struct store_sqlite *s = b->store;
    struct stay_error err = {0};
    enum stay_rc rc = s->file.broken;
    if (rc != STAY_OK) {
        fail_all(s, b, rc, &s->file.broken_error);
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

/* --- on the loop ----------------------------------------------------------------------------- */

static void start_batch(struct store_sqlite *s);

static void tell_watchers(struct store_sqlite *s, const struct call *c)
{
    for (size_t i = 0; i < c->put_count; i++)
        for (struct watcher *w = s->watchers; w; w = w->next)
            if (strncmp(c->puts[i].key, w->prefix, strlen(w->prefix)) == 0)
                w->fn(w->ctx, &(struct store_item){c->puts[i].key, c->puts[i].value, c->revision});
}

static void answer(struct store_sqlite *s, struct call *c)
{
    const struct stay_error *err = c->rc == STAY_OK ? NULL : &c->err;
    bool has_put = c->rc == STAY_OK && c->kind == CALL_TXN && c->put_count > 0;
    if (c->kind == CALL_GET)
        c->get_fn(c->ctx, c->rc, c->items, c->item_count, err);
    else
        c->txn_fn(c->ctx, c->rc, c->revision, err);
    if (has_put && !s->is_closing)
        tell_watchers(s, c);
}

/* The lane did not answer: the calls' results belong to its thread, only their callbacks are
 * used. */
static void answer_unknown(struct call *c, enum stay_rc rc)
{
    struct stay_error err;
    enum stay_rc told = rc == STAY_ECANCELED || c->kind == CALL_GET ? rc : STAY_EUNKNOWN;
    (void)stay_error(&err, told, "%s",
                     rc == STAY_ECANCELED ? "the store was closed"
                                          : "the store did not answer in time: its disk is slow");
    if (c->kind == CALL_GET)
        c->get_fn(c->ctx, told, NULL, 0, &err);
    else
        c->txn_fn(c->ctx, told, 0, &err);
}

static void batch_done(void *arg, enum stay_rc rc)
{
    struct batch *b = arg;
    struct store_sqlite *s = b->store;
    s->is_running = false;
    for (struct call *c = b->first; c; c = c->next) {
        if (rc == STAY_OK)
            answer(s, c);
        else
            answer_unknown(c, rc);
    }
    if (!s->is_closing)
        start_batch(s);
}

static void batch_release(void *arg)
{
    struct batch *b = arg;
    while (b->first) {
        struct call *c = b->first;
        b->first = c->next;
        call_free(c);
    }
    free(b);
}

static void start_batch(struct store_sqlite *s)
{
    if (s->is_running || !s->head)
        return;
    struct batch *b = stay_calloc(1, sizeof *b);
    b->store = s;
    struct call **end = &b->first;
    while (s->head && b->count < BATCH_MAX) {
        *end = s->head;
        s->head = s->head->next;
        end = &(*end)->next;
        b->count++;
    }
    *end = NULL;
    if (!s->head)
        s->tail = &s->head;
    s->queued -= b->count;
    s->is_running = true;
    struct lane_work work = {
        .work = run_batch,
        .done = batch_done,
        .release = batch_release,
        .arg = b,
        .deadline_mono_us = loop_now_mono_us(s->loop) + STORE_SQLITE_DEADLINE_US,
    };
    struct stay_error err;
    if (lane_submit(s->lane, 0, &work, &err) != STAY_OK) {
        batch_done(b, STAY_ETIMEDOUT);
        batch_release(b);
    }
}

static void enqueue(struct store_sqlite *s, struct call *c)
{
    must(!s->is_closing);
    must(s->queued < QUEUE_MAX); /* callers wait for answers; a flood is our own bug */
    *s->tail = c;
    s->tail = &c->next;
    s->queued++;
    start_batch(s);
}

static char *copy_key(const char *key)
{
    size_t length = strlen(key);
    must(length > 0 && length <= STORE_KEY_MAX);
    must(strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789/_.-") == length);
    return stay_strdup(key);
}

static void sqlite_txn(struct store *base, const struct store_compare *compares,
                       size_t compare_count, const struct store_put *puts, size_t put_count,
                       store_txn_fn fn, void *ctx)
{
    must(compare_count <= STORE_OPS_MAX && put_count <= STORE_OPS_MAX);
    struct call *c = stay_calloc(1, sizeof *c);
    c->kind = CALL_TXN;
    c->compares = stay_calloc(compare_count + 1, sizeof *c->compares);
    c->puts = stay_calloc(put_count + 1, sizeof *c->puts);
    c->compare_count = compare_count;
    c->put_count = put_count;
    for (size_t i = 0; i < compare_count; i++)
        c->compares[i] = (struct store_compare){copy_key(compares[i].key), compares[i].version};
    for (size_t i = 0; i < put_count; i++) {
        bool is_too_big = puts[i].value && strlen(puts[i].value) > STORE_VALUE_MAX;
        bool has_value = puts[i].value && !is_too_big;
        c->is_too_big = c->is_too_big || is_too_big; /* grown from what servers say: no bug */
        c->puts[i] = (struct store_put){copy_key(puts[i].key),
                                        has_value ? stay_strdup(puts[i].value) : NULL};
    }
    c->txn_fn = fn;
    c->ctx = ctx;
    enqueue((struct store_sqlite *)base, c);
}

static void sqlite_get(struct store *base, const char *prefix, size_t max, store_get_fn fn,
                       void *ctx)
{
    struct call *c = stay_calloc(1, sizeof *c);
    c->kind = CALL_GET;
    c->prefix = stay_strdup(prefix);
    c->max = max;
    c->get_fn = fn;
    c->ctx = ctx;
    enqueue((struct store_sqlite *)base, c);
}

static void sqlite_watch(struct store *base, const char *prefix, store_watch_fn fn, void *ctx)
{
    struct store_sqlite *s = (struct store_sqlite *)base;
    struct watcher *w = stay_calloc(1, sizeof *w);
    *w = (struct watcher){.next = s->watchers, .prefix = stay_strdup(prefix), .fn = fn, .ctx = ctx};
    s->watchers = w;
}

static void sqlite_lease(struct store *base, const char *key, const char *holder, int64_t ttl_us,
                         store_txn_fn fn, void *ctx)
{
    struct store_sqlite *s = (struct store_sqlite *)base;
    struct call *c = stay_calloc(1, sizeof *c);
    STAY_AUTO(stay_json_drop) json_t *record = json_object();
    stay_json_set_string(record, "holder", holder);
    c->kind = CALL_LEASE;
    c->puts = stay_calloc(1, sizeof *c->puts);
    c->put_count = 1;
    c->puts[0] = (struct store_put){copy_key(key), stay_json_dump_compact(record)};
    c->holder = stay_strdup(holder);
    c->ttl_us = ttl_us;
    c->asked_mono_us = loop_now_mono_us(s->loop);
    c->txn_fn = fn;
    c->ctx = ctx;
    enqueue(s, c);
}

static void sqlite_close(struct store *base)
{
    struct store_sqlite *s = (struct store_sqlite *)base;
    s->is_closing = true;
    bool is_stuck = lane_pool_free(s->lane, STAY_SECOND) > 0;
    while (s->head) {
        struct call *c = s->head;
        s->head = c->next;
        answer_unknown(c, STAY_ECANCELED);
        call_free(c);
    }
    while (s->watchers) {
        struct watcher *w = s->watchers;
        s->watchers = w->next;
        free(w->prefix);
        free(w);
    }
    if (is_stuck)
        return; /* its thread still uses the file: leaked on purpose, the process ends now */
    for (size_t i = 0; i < LEASES_MAX; i++)
        free(s->leases[i].holder);
    sqlite_file_close(&s->file);
    free(s);
}

static const struct store_ops ops = {sqlite_txn, sqlite_get, sqlite_watch, sqlite_lease,
                                     sqlite_close};

enum stay_rc store_sqlite_open(struct loop *loop, const char *path, const char *holder,
                               struct store **ret_store, struct stay_error *err)
{
    struct store_sqlite *s = stay_calloc(1, sizeof *s);
    enum stay_rc rc = sqlite_file_open(&s->file, path, holder, err);
    if (rc != STAY_OK) {
        free(s);
        return rc;
    }
    s->base.ops = &ops;
    s->loop = loop;
    s->tail = &s->head;
    s->lane = lane_pool_new(loop, &(struct lane_pool_options){
                                      .name = "store",
                                      .lanes = 1,
                                      .queue_max = 4,
                                      .replace_after_us = INT64_C(1000000) * STAY_SECOND});
    *ret_store = &s->base;
    return STAY_OK;
}
