/* controller/keep/store.h - the one store interface: get, put, compare-and-set transaction, lease,
 * watch. SQLite today (store_sqlite.h), etcd later.
 *
 * Layer: keep. Asynchronous: start returns at once, the callback runs exactly once, later, on the
 * loop (the simulator: in virtual time). Keys are paths of [a-z0-9/_.-], values text (JSON).
 * A held key proves nothing: leadership and epochs are proved by a compare in the transaction that
 * acts. Losing the store never demotes a primary: callers hold. */
#ifndef CONTROLLER_KEEP_STORE_H
#define CONTROLLER_KEEP_STORE_H
#include "base/error.h"

#define STORE_KEY_MAX 200
#define STORE_VALUE_MAX (4u * 1024 * 1024)
#define STORE_OPS_MAX 16
#define STORE_ABSENT 0 /* version of a key that does not exist */
#define STORE_ANY UINT64_MAX

struct store_compare { const char *key; uint64_t version; /* STORE_ABSENT: must not exist */ };
struct store_put { const char *key; const char *value; /* NULL: delete */ };
struct store_item { const char *key; const char *value; uint64_t version; };

/* rc STAY_OK: durable. STAY_ECONFLICT: a compare failed, nothing was written. STAY_ELIMIT: a value
 * is longer than STORE_VALUE_MAX, nothing was written. STAY_EUNKNOWN: it may or may not have
 * happened, read again. `revision` is the store-wide number of this transaction and the new version
 * of every key it put. */
typedef void (*store_txn_fn)(void *ctx, enum stay_rc rc, uint64_t revision,
                             const struct stay_error *err);
typedef void (*store_get_fn)(void *ctx, enum stay_rc rc, const struct store_item *items,
                             size_t count, const struct stay_error *err);
typedef void (*store_watch_fn)(void *ctx, const struct store_item *item);

struct store;
struct store_ops {
    void (*txn)(struct store *s, const struct store_compare *compares, size_t compare_count,
                const struct store_put *puts, size_t put_count, store_txn_fn fn, void *ctx);
    /* All keys that begin with prefix (a full key gives itself), at most `max`. */
    void (*get)(struct store *s, const char *prefix, size_t max, store_get_fn fn, void *ctx);
    /* Called on the loop after each transaction of this process (etcd: of any) that touched
     * prefix. */
    void (*watch)(struct store *s, const char *prefix, store_watch_fn fn, void *ctx);
    /* Takes or renews the lease `key` for ttl_us; the callback's revision is the fencing epoch. */
    void (*lease)(struct store *s, const char *key, const char *holder, int64_t ttl_us,
                  store_txn_fn fn, void *ctx);
    void (*close)(struct store *s);
};
struct store { const struct store_ops *ops; };

#endif
