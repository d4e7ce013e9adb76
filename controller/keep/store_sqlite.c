/* The store interface on SQLite, loop side: calls are copied into a queue; while one batch is on
 * the lane the next one gathers, so calls that wait together share one commit and one sync. */
#include "base/base.h"
#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/json.h"
#include "base/str.h"
#include "controller/keep/store_sqlite.h"
#include "controller/keep/store_sqlite_private.h"

#define BATCH_MAX 64
#define QUEUE_MAX 4096

struct watcher {
    struct watcher *next;
    char *prefix;
    store_watch_fn fn;
    void *ctx;
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
        .work = store_batch_run,
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
    s->lane = lane_pool_new(
        loop, &(struct lane_pool_options){.name = "store",
                                          .lanes = 1,
                                          .queue_max = 4,
                                          .replace_after_us = INT64_C(1000000) * STAY_SECOND});
    *ret_store = &s->base;
    return STAY_OK;
}
