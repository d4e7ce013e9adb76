/* controller/decide/plan_table_primary.c - the rows of the plans that give a cluster another
 * primary: the failover, the recovery after a total outage, the switchover. Rows that must never
 * differ between them stand here once. */
#include "controller/decide/plan_table_private.h"

/* A new epoch begins. */
#define ROWS_NEW_EPOCH                                                                             \
    ROW(STEP_INTENT, TARGET_NONE, 0, SEC(5), STEP_NONE,                                            \
        "the new epoch outlives this process: from here it finishes or is undone"),                \
        ROW(STEP_HOOK_PRE, TARGET_NONE, 0, SEC(10), STEP_NONE,                                     \
            "the operator may know a reason against it")
/* The candidate's first commit waits for an acker, or the weaker mode is on record before it. */
#define ROWS_ACKERS                                                                                \
    ROW(STEP_ATTACH, TARGET_ACKERS, SKIP, SEC(4), STEP_ATTACH,                                     \
        "ackers first, or the first write hangs"),                                                 \
        ROW(STEP_WAIT_ACKERS, TARGET_CANDIDATE, LIGHT | SKIP, SEC(2), STEP_NONE,                   \
            "seen, not assumed"),                                                                  \
        ROW(STEP_STORE_MODE, TARGET_NONE, SKIP, SEC(5), STEP_NONE,                                 \
            "no acker is left: the weaker mode is recorded before it is applied"),                 \
        ROW(STEP_SOURCE_OFF, TARGET_CANDIDATE, SKIP, SEC(2), STEP_NONE,                            \
            "no client is connected yet, so nobody is answered wrongly")
/* The candidate is opened. */
#define ROWS_OPEN                                                                                  \
    ROW(STEP_WRITABLE, TARGET_CANDIDATE, ROW_NO_RETURN, SEC(3), STEP_NONE, "point of no return"),  \
        ROW(STEP_CANARY, TARGET_CANDIDATE, LIGHT | BEST | SKIP, SEC(2), STEP_NONE,                 \
            "a commit proves the write path, not a flag"),                                         \
        ROW(STEP_ROUTE_OPEN, TARGET_CANDIDATE, BEST, SEC(1), STEP_NONE, "clients write again")

static const struct plan_row failover_rows[] = {
    {STEP_CHECK, TARGET_NONE, LIGHT, SEC(1), STEP_NONE, "a plan that cannot finish does not start"},
    ROWS_NEW_EPOCH,
    {STEP_ROUTE_CLOSE, TARGET_OLD_PRIMARY, BEST | WITH, MS(700), STEP_ROUTE_OPEN,
     "clients leave the old primary; a proxy that does not answer is noted"},
    {STEP_FENCE, TARGET_OLD_PRIMARY, BEST | WITH | SKIP, MS(1500), STEP_UNFENCE,
     "if the old primary answers, its own word is the best proof"},
    {STEP_FREEZE, TARGET_RECEIVERS, 0, SEC(4), STEP_THAW,
     "no acker may acknowledge for the old primary any more; only receivers stop, appliers run"},
    {STEP_DRAIN, TARGET_FROZEN, LIGHT | SKIP, 6 * HOUR, STEP_NONE,
     "acknowledged rows may sit unapplied in a relay log; it takes what the lag takes"},
    {STEP_COLLECT, TARGET_FROZEN, BEST | SKIP, SEC(2), STEP_NONE,
     "one is not drained: what it had received is stored; only executed sets count"},
    {STEP_CHOOSE, TARGET_NONE, LIGHT, SEC(1), STEP_NONE, "first what it holds, then policy"},
    {STEP_TOP_UP, TARGET_CANDIDATE, SKIP, SEC(20), STEP_NONE,
     "the candidate gets what only another drained server holds"},
    {STEP_CERTIFY, TARGET_NONE, LIGHT, SEC(1), STEP_NONE,
     "what may be lost is known before anything is promoted"},
    {STEP_DETACH, TARGET_CANDIDATE, 0, SEC(4), STEP_ATTACH,
     "the candidate forgets the old primary"},
    {STEP_SOURCE_ON, TARGET_CANDIDATE, SKIP, SEC(2), STEP_SOURCE_OFF,
     "its first commit shall already wait for an acker; after the drain, or its applier would "
     "wait"},
    ROWS_ACKERS,
    {STEP_FENCE, TARGET_OLD_PRIMARY, BEST | SKIP, MS(1500), STEP_UNFENCE,
     "one that came back meanwhile is closed; its acks are revoked in any case"},
    {STEP_VERIFY_FREEZE, TARGET_FROZEN, LIGHT | SKIP, SEC(2), STEP_NONE,
     "a frozen acker that restarted may have acknowledged again"},
    ROWS_OPEN,
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the store names the new primary"},
    {STEP_CANARY_ROUTE, TARGET_CANDIDATE, LIGHT | BEST, SEC(2), STEP_NONE,
     "the clients' way is proved too"},
    {STEP_ATTACH, TARGET_REST, BEST | SKIP, SEC(10), STEP_NONE,
     "every other contained server follows the new primary"},
    {STEP_HOOK_POST, TARGET_NONE, BEST, SEC(10), STEP_NONE, "tells the operator's tools"},
};

static const struct plan_row recover_rows[] = {
    {STEP_CHECK, TARGET_NONE, LIGHT, SEC(1), STEP_NONE,
     "nobody takes writes or sends; who is missing needs a human's word"},
    ROWS_NEW_EPOCH,
    {STEP_ROUTE_CLOSE, TARGET_OLD_PRIMARY, BEST | WITH, MS(700), STEP_ROUTE_OPEN,
     "no client comes in before one server is chosen"},
    {STEP_FENCE, TARGET_OLD_PRIMARY, BEST | WITH | SKIP, MS(1500), STEP_UNFENCE,
     "if the old primary answers, it is closed for sure and says what it holds"},
    {STEP_FREEZE, TARGET_RECEIVERS, 0, SEC(4), STEP_THAW,
     "nobody may acknowledge for a primary that is still missing"},
    {STEP_REPLAY, TARGET_FROZEN, BEST | SKIP, SEC(60), STEP_NONE,
     "after a power loss both threads stand still: the relay log may be the only copy of what was "
     "acknowledged last"},
    {STEP_DRAIN, TARGET_FROZEN, LIGHT | SKIP, 6 * HOUR, STEP_NONE,
     "a server is judged by what it holds when all it received is executed"},
    {STEP_COLLECT, TARGET_FROZEN, LIGHT | BEST | SKIP, SEC(2), STEP_NONE,
     "only executed sets count; received ones may lie"},
    {STEP_CHOOSE, TARGET_NONE, LIGHT, SEC(1), STEP_NONE,
     "who holds all that any server holds; where none does, only a human chooses"},
    {STEP_TOP_UP, TARGET_CANDIDATE, SKIP, SEC(20), STEP_NONE,
     "the candidate gets what only another server holds"},
    {STEP_CERTIFY, TARGET_NONE, LIGHT, SEC(1), STEP_NONE,
     "what may be lost is known before anything is opened"},
    {STEP_DETACH, TARGET_CANDIDATE, 0, SEC(4), STEP_ATTACH, "the candidate forgets its source"},
    {STEP_SOURCE_ON, TARGET_CANDIDATE, SKIP, SEC(2), STEP_SOURCE_OFF,
     "its first commit shall already wait for an acker"},
    ROWS_ACKERS,
    {STEP_FENCE, TARGET_OLD_PRIMARY, BEST | SKIP, MS(1500), STEP_UNFENCE,
     "one that came back meanwhile is closed"},
    {STEP_VERIFY_FREEZE, TARGET_FROZEN, LIGHT | SKIP, SEC(2), STEP_NONE,
     "one that restarted meanwhile is not what was judged"},
    ROWS_OPEN,
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE,
     "the store names the primary; who holds more than it is set aside"},
    {STEP_CANARY_ROUTE, TARGET_CANDIDATE, LIGHT | BEST, SEC(2), STEP_NONE,
     "the clients' way is proved too"},
    {STEP_ATTACH, TARGET_REST, BEST | SKIP, SEC(10), STEP_NONE,
     "every other contained server follows"},
    {STEP_HOOK_POST, TARGET_NONE, BEST, SEC(10), STEP_NONE, "tells the operator's tools"},
};

static const struct plan_row switchover_rows[] = {
    {STEP_CHECK, TARGET_NONE, LIGHT, SEC(1), STEP_NONE, "a plan that cannot finish does not start"},
    ROWS_NEW_EPOCH,
    {STEP_CHOOSE, TARGET_NONE, LIGHT, SEC(1), STEP_NONE, "chosen before clients are paused"},
    {STEP_COLLECT, TARGET_OLD_PRIMARY, LIGHT, SEC(2), STEP_NONE,
     "what the candidate shall hold before clients are paused"},
    {STEP_CATCH_UP, TARGET_CANDIDATE, LIGHT, SEC(10), STEP_NONE,
     "how far it lags, measured by waiting for it; once more until it is short, or nothing is "
     "touched"},
    {STEP_ROUTE_CLOSE, TARGET_OLD_PRIMARY, BEST | WITH, MS(700), STEP_ROUTE_OPEN,
     "the write pause begins"},
    {STEP_QUIESCE, TARGET_OLD_PRIMARY, 0, MS(1500), STEP_UNFENCE,
     "the old primary takes no more writes and says what it holds"},
    {STEP_CATCH_UP, TARGET_CANDIDATE, LIGHT, MS(1500), STEP_NONE,
     "the candidate and the coming ackers execute exactly that set"},
    {STEP_CERTIFY, TARGET_NONE, LIGHT, SEC(1), STEP_NONE,
     "nothing may be lost in a planned change"},
    {STEP_DETACH, TARGET_CANDIDATE, WITH, MS(1500), STEP_ATTACH,
     "the candidate forgets the old primary"},
    {STEP_SOURCE_OFF, TARGET_OLD_PRIMARY, SKIP, MS(1500), STEP_NONE,
     "role off before it replicates; nobody waits, it is quiesced"},
    {STEP_SOURCE_ON, TARGET_CANDIDATE, WITH | SKIP, MS(1500), STEP_SOURCE_OFF,
     "its first commit shall already wait for an acker; it is read-only still, so the ackers may "
     "come at the same time"},
    {STEP_ATTACH, TARGET_ACKERS, WITH | SKIP, SEC(2), STEP_ATTACH,
     "ackers first, the old primary among them; a switchover never degrades"},
    {STEP_WAIT_ACKERS, TARGET_CANDIDATE, LIGHT | SKIP, SEC(2), STEP_NONE, "seen, not assumed"},
    {STEP_WRITABLE, TARGET_CANDIDATE, ROW_NO_RETURN, SEC(2), STEP_NONE, "point of no return"},
    {STEP_CANARY, TARGET_CANDIDATE, LIGHT | BEST, SEC(2), STEP_NONE,
     "a commit proves the write path, not a flag"},
    {STEP_ROUTE_OPEN, TARGET_CANDIDATE, BEST, SEC(1), STEP_NONE, "the write pause ends"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the store names the new primary"},
    {STEP_CANARY_ROUTE, TARGET_CANDIDATE, LIGHT | BEST, SEC(2), STEP_NONE,
     "the clients' way is proved too"},
    {STEP_ATTACH, TARGET_REST, BEST | SKIP, SEC(10), STEP_NONE,
     "every other server follows the new primary"},
    {STEP_HOOK_POST, TARGET_NONE, BEST, SEC(10), STEP_NONE, "tells the operator's tools"},
};

const struct plan_table plan_failover_table = TABLE(failover_rows);
const struct plan_table plan_recover_table = TABLE(recover_rows);
const struct plan_table plan_switchover_table = TABLE(switchover_rows);
