/* controller/decide/plan_table.c - every plan as rows: step, whom it touches, how long it may take,
 * what undoes it, and why it is there. Order is the safety argument. A row with ROW_WITH_NEXT runs
 * at the same time as the row below it. Those that give a cluster another primary:
 * plan_table_primary.c. */
#include "controller/decide/plan_run.h"
#include "controller/decide/plan_table_private.h"

#define ROWS_BEGIN                                                                                 \
    ROW(STEP_CHECK, TARGET_NONE, LIGHT, SEC(1), STEP_NONE,                                         \
        "a plan that cannot finish does not start"),                                               \
        ROW(STEP_INTENT, TARGET_NONE, 0, SEC(5), STEP_NONE, "one change at a time")
#define ROW_READ_PRIMARY                                                                           \
    ROW(STEP_COLLECT, TARGET_CANDIDATE, LIGHT, SEC(2), STEP_NONE,                                  \
        "the primary is read after it, so a live stream never looks like divergence")

static const struct plan_row rejoin_rows[] = {
    ROWS_BEGIN,
    {STEP_FENCE, TARGET_NODE, SKIP, SEC(3), STEP_NONE,
     "no client may write to it, no role may wait"},
    {STEP_COMPARE, TARGET_NODE, LIGHT, SEC(2), STEP_NONE, "what it holds decides, not what it was"},
    ROW_READ_PRIMARY,
    {STEP_QUARANTINE, TARGET_NODE, SKIP, SEC(5), STEP_NONE,
     "sets unknown to the primary never replicate"},
    {STEP_ATTACH, TARGET_NODE, SKIP, SEC(5), STEP_NONE,
     "identical, behind or truncated: it follows"},
    {STEP_CATCH_UP, TARGET_NODE, LIGHT | BEST | SKIP, SEC(5), STEP_NONE,
     "short, so that a failover never waits for it"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "it may be a candidate again"},
};

static const struct plan_row repoint_rows[] = {
    ROWS_BEGIN,
    {STEP_FREEZE, TARGET_NODE, 0, SEC(4), STEP_THAW,
     "its relay log must be drained before its source changes"},
    {STEP_DRAIN, TARGET_FROZEN, LIGHT, SEC(30), STEP_NONE,
     "a change of source purges what is not applied"},
    ROW_READ_PRIMARY,
    {STEP_QUARANTINE, TARGET_NODE, SKIP, SEC(5), STEP_NONE,
     "sets unknown to the primary never replicate"},
    {STEP_ATTACH, TARGET_NODE, SKIP, SEC(5), STEP_NONE, "it follows the primary"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the plan ends"},
};

static const struct plan_row adopt_rows[] = {
    {STEP_CHECK, TARGET_NONE, LIGHT, SEC(1), STEP_NONE,
     "exactly one writable server, its replicas contained in it"},
    {STEP_INTENT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the first epoch"},
    {STEP_CREATE_SCHEMA, TARGET_CANDIDATE, 0, SEC(10), STEP_NONE, "the canary needs its table"},
    {STEP_SET_TIMEOUTS, TARGET_RECEIVERS, BEST | SKIP, SEC(30), STEP_NONE,
     "a dead source is noticed in a second; each replica drains first"},
    {STEP_REPLICA_ROLE, TARGET_RECEIVERS, SKIP, SEC(10), STEP_NONE,
     "ackers outside the primary's zone, none inside"},
    {STEP_SOURCE_ON, TARGET_CANDIDATE, SKIP, SEC(5), STEP_SOURCE_OFF, "commits wait for an acker"},
    {STEP_WAIT_ACKERS, TARGET_CANDIDATE, LIGHT | SKIP, SEC(3), STEP_NONE, "seen, not assumed"},
    {STEP_COLLECT, TARGET_CANDIDATE, LIGHT | SKIP, SEC(2), STEP_NONE,
     "the barrier: a set captured after semi-sync was on"},
    {STEP_BARRIER, TARGET_ACKERS, LIGHT | SKIP, SEC(10), STEP_NONE,
     "what came before semi-sync is on an acker too"},
    {STEP_ROUTE_OPEN, TARGET_CANDIDATE, BEST, SEC(1), STEP_NONE, "routes agree with the store"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the cluster is managed from here"},
};

static const struct plan_row mode_restore_rows[] = {
    ROWS_BEGIN,
    {STEP_REPLICA_ROLE, TARGET_RECEIVERS, 0, SEC(10), STEP_NONE,
     "ackers outside the primary's zone, none inside"},
    {STEP_SOURCE_ON, TARGET_CANDIDATE, 0, SEC(5), STEP_SOURCE_OFF, "commits wait for an acker"},
    {STEP_WAIT_ACKERS, TARGET_CANDIDATE, LIGHT, SEC(3), STEP_NONE, "seen, not assumed"},
    {STEP_COLLECT, TARGET_CANDIDATE, LIGHT, SEC(2), STEP_NONE,
     "the barrier: a set captured after semi-sync was on"},
    {STEP_BARRIER, TARGET_ACKERS, LIGHT, SEC(10), STEP_NONE,
     "what came before semi-sync is on an acker too"},
    {STEP_STORE_MODE, TARGET_NONE, 0, SEC(5), STEP_NONE,
     "the stronger mode is recorded after it is seen to hold"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the plan ends"},
};

static const struct plan_row mode_degrade_rows[] = {
    ROWS_BEGIN,
    {STEP_STORE_MODE, TARGET_NONE, 0, SEC(5), STEP_NONE,
     "the weaker mode is recorded before it is applied"},
    {STEP_SOURCE_OFF, TARGET_CANDIDATE, 0, SEC(5), STEP_NONE,
     "releases the waiters: allowed only here, after the record"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the plan ends"},
};

static const struct plan_row make_writable_rows[] = {
    {STEP_CHECK, TARGET_NONE, LIGHT, SEC(1), STEP_NONE,
     "no replica may hold what this primary lost"},
    {STEP_INTENT, TARGET_NONE, 0, SEC(5), STEP_NONE, "one change at a time"},
    {STEP_SOURCE_ON, TARGET_CANDIDATE, SKIP, SEC(3), STEP_NONE,
     "a restarted primary comes back without the role"},
    {STEP_WAIT_ACKERS, TARGET_CANDIDATE, LIGHT | BEST | SKIP, SEC(3), STEP_NONE,
     "seen, not assumed"},
    {STEP_WRITABLE, TARGET_CANDIDATE, ROW_NO_RETURN, SEC(3), STEP_NONE, "point of no return"},
    {STEP_CANARY, TARGET_CANDIDATE, LIGHT | BEST, SEC(2), STEP_NONE,
     "a commit proves the write path, not a flag"},
    {STEP_ROUTE_OPEN, TARGET_CANDIDATE, BEST, SEC(1), STEP_NONE, "clients write again"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the plan ends"},
};

static const struct plan_row fence_rows[] = {
    ROWS_BEGIN,
    {STEP_ROUTE_CLOSE, TARGET_NODE, BEST | WITH | SKIP, MS(700), STEP_NONE,
     "clients leave it first"},
    {STEP_FENCE, TARGET_NODE, 0, SEC(2), STEP_NONE,
     "it takes no more writes; asked again soon, for a frozen server may drop what it was sent"},
    {STEP_QUARANTINE, TARGET_NODE, 0, SEC(5), STEP_NONE,
     "not a candidate until unfenced or rejoined"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the plan ends"},
};

static const struct plan_row unfence_rows[] = {
    {STEP_CHECK, TARGET_NONE, LIGHT, SEC(1), STEP_NONE,
     "only this epoch's primary may be opened again"},
    {STEP_INTENT, TARGET_NONE, 0, SEC(5), STEP_NONE, "one change at a time"},
    {STEP_UNFENCE, TARGET_NODE, 0, SEC(5), STEP_NONE, "semi-sync as recorded, then writable"},
    {STEP_ROUTE_OPEN, TARGET_CANDIDATE, BEST, SEC(1), STEP_NONE, "clients write again"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the plan ends"},
};

static const struct plan_row quarantine_rows[] = {
    ROWS_BEGIN,
    {STEP_COMPARE, TARGET_NODE, LIGHT, SEC(2), STEP_NONE, "what it holds decides"},
    ROW_READ_PRIMARY,
    {STEP_QUARANTINE, TARGET_NODE, SKIP, SEC(5), STEP_NONE,
     "never a candidate; what it holds more is shown until somebody dealt with it"},
    {STEP_REPLICA_ROLE, TARGET_NODE, SKIP, SEC(10), STEP_NONE,
     "what it acknowledges might never be executed; the last acker keeps acknowledging"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the plan ends"},
};

static const struct plan_row start_applier_rows[] = {
    ROWS_BEGIN,
    {STEP_START_APPLIER, TARGET_NODE, 0, SEC(3), STEP_NONE,
     "its receiver is not touched: it goes on acknowledging"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the plan ends"},
};

static const struct plan_row reseed_rows[] = {
    {STEP_CHECK, TARGET_NONE, LIGHT, SEC(1), STEP_NONE,
     "never the primary, never the last acker, never one whose transactions nobody else has"},
    {STEP_INTENT, TARGET_NONE, 0, SEC(5), STEP_NONE, "one change at a time"},
    {STEP_COMPARE, TARGET_NODE, LIGHT | SKIP, SEC(2), STEP_NONE,
     "what it holds is about to be destroyed: read once more"},
    ROW_READ_PRIMARY,
    {STEP_DETACH, TARGET_NODE, SKIP, SEC(10), STEP_NONE,
     "from here it acknowledges nothing that it would lose"},
    {STEP_COLLECT, TARGET_CANDIDATE, LIGHT | SKIP, SEC(2), STEP_NONE,
     "what the other ackers must hold before it may be missed"},
    {STEP_BARRIER, TARGET_ACKERS, LIGHT | SKIP, SEC(10), STEP_NONE,
     "every acknowledged commit is on another acker: no certificate needs this server any more"},
    {STEP_QUARANTINE, TARGET_NODE, 0, SEC(5), STEP_NONE,
     "no candidate, no acker, nothing it says counts until it is whole again: recorded first"},
    {STEP_COPY, TARGET_NODE, 0, 6 * HOUR, STEP_COPY_STOP,
     "its data is replaced by the donor's; reseed.deadline is how long that may take"},
    {STEP_COMPARE, TARGET_NODE, LIGHT, SEC(10), STEP_NONE, "what came is read, not assumed"},
    ROW_READ_PRIMARY,
    {STEP_ADMIT, TARGET_NODE, SKIP, SEC(5), STEP_NONE, "it will acknowledge as soon as it follows"},
    {STEP_ATTACH, TARGET_NODE, 0, SEC(10), STEP_NONE, "it follows the primary"},
    {STEP_CATCH_UP, TARGET_NODE, LIGHT | BEST, SEC(5), STEP_NONE,
     "short, so that a failover never waits for it"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "it may be a candidate again"},
};

static const struct plan_row rewind_rows[] = {
    ROWS_BEGIN,
    {STEP_FENCE, TARGET_NODE, SKIP, SEC(3), STEP_NONE,
     "no client may write to it while rows are put back"},
    {STEP_DETACH, TARGET_NODE, 0, SEC(10), STEP_NONE,
     "it executes nothing more: what is read next is what is undone"},
    {STEP_COMPARE, TARGET_NODE, LIGHT, SEC(2), STEP_NONE, "what it holds decides, not what it was"},
    ROW_READ_PRIMARY,
    {STEP_REWIND, TARGET_NODE, 0, 2 * HOUR, STEP_COPY_STOP,
     "its extra transactions are kept as a bundle first, then undone all at once or not at all"},
    {STEP_ATTACH, TARGET_NODE, 0, SEC(5), STEP_NONE,
     "it holds nothing the primary lacks any more: it follows"},
    {STEP_CATCH_UP, TARGET_NODE, LIGHT | BEST, SEC(5), STEP_NONE,
     "short, so that a failover never waits for it"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "it may be a candidate again"},
};

static const struct plan_row conform_rows[] = {
    ROWS_BEGIN,
    {STEP_SET_VARIABLES, TARGET_NODE, 0, SEC(5), STEP_NONE,
     "each of them only strengthens a promise; what needs a restart or a drain is left alone"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the plan ends"},
};

static const struct plan_row repair_acker_rows[] = {
    {STEP_CHECK, TARGET_NONE, LIGHT, SEC(1), STEP_NONE,
     "commits wait, and this server follows the primary from outside its zone"},
    {STEP_INTENT, TARGET_NONE, 0, SEC(5), STEP_NONE,
     "it counts among the ackers before it may acknowledge; tries are counted"},
    {STEP_REPLICA_ROLE, TARGET_NODE, 0, SEC(10), STEP_NONE,
     "a receiver that runs without the role acknowledges nothing"},
    {STEP_ACKNOWLEDGE, TARGET_NODE, SKIP, SEC(10), STEP_THAW,
     "commits it holds already would wait for ever: a connection by GTID acknowledges only what it "
     "is sent"},
    {STEP_WAIT_ACKERS, TARGET_CANDIDATE, LIGHT | BEST, SEC(3), STEP_NONE, "seen, not assumed"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the plan ends"},
};

static const struct plan_row end_stream_rows[] = {
    ROWS_BEGIN,
    {STEP_END_STREAM, TARGET_OLD_PRIMARY, 0, SEC(3), STEP_NONE,
     "the replica lost it: what it will reconnect by is not held up by what is left of it"},
    {STEP_COMMIT, TARGET_NONE, 0, SEC(5), STEP_NONE, "the plan ends"},
};

#define HERE(rows) &(const struct plan_table)TABLE(rows)
static const struct plan_table *const tables[PLAN_KIND_COUNT] = {
    [PLAN_NONE] = &(const struct plan_table){NULL, 0},
    [PLAN_FAILOVER] = &plan_failover_table,
    [PLAN_SWITCHOVER] = &plan_switchover_table,
    [PLAN_REJOIN] = HERE(rejoin_rows),
    [PLAN_REPOINT] = HERE(repoint_rows),
    [PLAN_ADOPT] = HERE(adopt_rows),
    [PLAN_MODE_RESTORE] = HERE(mode_restore_rows),
    [PLAN_MODE_DEGRADE] = HERE(mode_degrade_rows),
    [PLAN_MAKE_WRITABLE] = HERE(make_writable_rows),
    [PLAN_FENCE] = HERE(fence_rows),
    [PLAN_UNFENCE] = HERE(unfence_rows),
    [PLAN_QUARANTINE] = HERE(quarantine_rows),
    [PLAN_START_APPLIER] = HERE(start_applier_rows),
    [PLAN_RESEED] = HERE(reseed_rows),
    [PLAN_REWIND] = HERE(rewind_rows),
    [PLAN_RECOVER] = &plan_recover_table,
    [PLAN_CONFORM] = HERE(conform_rows),
    [PLAN_REPAIR_ACKER] = HERE(repair_acker_rows),
    [PLAN_END_STREAM] = HERE(end_stream_rows),
};

const struct plan_row *plan_rows(enum plan_kind kind, size_t *ret_count)
{
    *ret_count = tables[kind]->count;
    return tables[kind]->rows;
}

uint32_t plan_row_of(enum plan_kind kind, enum step_kind step)
{
    uint32_t row = 0;
    while (row < tables[kind]->count && tables[kind]->rows[row].step != step)
        row++;
    return row;
}

void plan_visit(plan_visit_fn fn, void *ctx)
{
    for (int kind = PLAN_NONE; kind < PLAN_KIND_COUNT; kind++)
        for (uint32_t row = 0; row < tables[kind]->count; row++)
            fn(ctx, (enum plan_kind)kind, row, &tables[kind]->rows[row]);
}

const char *plan_kind_text(enum plan_kind kind)
{
    static const char *const texts[] = {
#define X(id, text, traits) text,
        PLAN_KINDS(X)
#undef X
    };
    return texts[kind];
}

enum plan_kind plan_kind_named(const char *text)
{
    for (int kind = PLAN_NONE + 1; kind < PLAN_KIND_COUNT; kind++)
        if (strcmp(text, plan_kind_text((enum plan_kind)kind)) == 0)
            return (enum plan_kind)kind;
    return PLAN_NONE;
}

bool plan_kind_has(enum plan_kind kind, enum plan_trait trait)
{
    static const unsigned traits_of[] = {
#define X(id, text, traits) traits,
        PLAN_KINDS(X)
#undef X
    };
    return (traits_of[kind] & (unsigned)trait) != 0;
}

const char *step_kind_text(enum step_kind step)
{
    static const char *const texts[] = {
#define X(id, class, text, what) text,
        STEP_KINDS(X)
#undef X
    };
    return texts[step];
}

const char *step_kind_what(enum step_kind step)
{
    static const char *const texts[] = {
#define X(id, class, text, what) (what),
        STEP_KINDS(X)
#undef X
    };
    return texts[step];
}

enum step_class step_kind_class(enum step_kind step)
{
    static const enum step_class classes[] = {
#define X(id, class, text, what) CLASS_##class,
        STEP_KINDS(X)
#undef X
    };
    return classes[step];
}

const char *plan_state_text(enum plan_state state)
{
    static const char *const texts[] = {"idle",      "running", "undoing",
                                        "succeeded", "undone",  "asks"};
    return texts[state];
}

const char *row_state_text(enum row_state state)
{
    static const char *const texts[] = {"pending", "running", "done",
                                        "skipped", "failed",  "undone"};
    return texts[state];
}

int64_t plan_step_validity_us(enum step_kind step)
{
    if (step == STEP_REWIND)
        return 2 * HOUR; /* on a server that is set aside, and looks for itself first */
    if (step == STEP_TOP_UP || step == STEP_SET_TIMEOUTS || step == STEP_CREATE_SCHEMA)
        return 600 *
               STAY_SECOND;  /* waits between its statements; touches no writable server's role */
    if (step == STEP_REPLAY) /* reads the relay log between its statements; of a closed server */
        return 60 * STAY_SECOND;
    if (step == STEP_ATTACH)
        return 1500 * STAY_MS; /* drains, stops, changes, starts */
    if (step == STEP_FENCE || step == STEP_QUIESCE || step == STEP_REPLICA_ROLE ||
        step == STEP_START_APPLIER || step == STEP_SET_VARIABLES || step == STEP_THAW ||
        step == STEP_COPY || step == STEP_COPY_STOP || step == STEP_ACKNOWLEDGE ||
        step == STEP_END_STREAM)
        return 3 * STAY_SECOND; /* they wait between statements and make no server writable */
    return 500 * STAY_MS;
}
