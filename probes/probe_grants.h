/* probes/probe_grants.h - logs in with each of our accounts once and compares its grants with what
 * it needs.
 *
 * Layer: probes. Loop thread; the logins run on a lane. */
#ifndef PROBES_PROBE_GRANTS_H
#define PROBES_PROBE_GRANTS_H
#include "probes/mysql_session.h"
#include "probes/read_mysql.h"

struct lane_pool;
struct grants_check;

struct grants_input {
    struct mysql_target target;
    /* By enum mysql_account_kind; an empty user is skipped. */
    struct mysql_account accounts[ACCOUNT_OF_COUNT];
};

struct grants_found {
    char missing[FACT_TEXT_MAX]; /* first lack, with the statement that mends it; "" for none */
    /* Of accounts that are not ours, by mainstay.privileged (deploy/grants); false: not there. */
    bool powers_shown;
    char passes_read_only[FACT_TEXT_MAX]; /* "app@10.% (SUPER)"; the first, and how many more */
    char may_replicate[FACT_TEXT_MAX];
};

/* NULL when it could not be found out. Borrowed for the call; once on the loop unless dropped. */
typedef void (*grants_fn)(void *arg, const struct grants_found *found);

/* NULL when no lane took it; fn is then not called. */
struct grants_check *grants_check_start(struct lane_pool *pool, uint64_t key,
                                        const struct grants_input *in, int64_t deadline_mono_us,
                                        grants_fn fn, void *arg);
void grants_check_drop(struct grants_check *check); /* fn is not called any more; takes NULL */

#endif
