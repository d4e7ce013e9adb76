/* controller/decide/verdict_rules.c - every rule of every table, as data. In each table the
 * order of rows decides: the first that matches wins, the last matches all. Ids are names, never
 * reused. */
#include "controller/decide/verdict_private.h"

#define YES TRI_YES
#define NO TRI_NO

static const struct primary_rule primary_rules[] = {
    {133, {.known = NO}, ACT_ASK, "no primary known",
     "the store names no primary: choose by what each server holds after draining, and ask"},
    {126, {.denied = YES}, ACT_ALERT, "our account is refused",
     "access denied is an answer: alive; the password or grants of our account are wrong"},
    {110, {.answers = NO, .replicas_receive = YES}, ACT_HOLD, "cut off",
     "we cannot see it but a replica still receives from it: our path is broken, not the primary"},
    {121, {.hung = YES, .replicas_receive = NO, .replicas_silent = YES, .waiters_stuck = NO},
     ACT_FAILOVER,
     "primary hung",
     "it accepts connections and never answers, and no replica receives from it"},
    {120, {.answers = NO, .replicas_receive = NO, .replicas_silent = YES, .waiters_stuck = NO},
     ACT_FAILOVER,
     "primary dead",
     "it refuses or is silent past its bound, and no replica receives from it"},
    {136, {.outage = YES, .replicas_receive = NO}, ACT_ASK, "total outage",
     "no server takes writes, and none that answers saw what was acknowledged last: all are compared "
     "after draining, and one is started, when a human says so: `mainstay recover CLUSTER`"},
    {135, {.answers = YES, .read_only = YES, .lost_tail = YES}, ACT_FAILOVER,
     "primary lost its tail",
     "its restart truncated transactions that a replica holds, acknowledged ones perhaps: opened "
     "again it would lose them"},
    {134, {.answers = YES, .read_only = YES, .restarted = YES}, ACT_MAKE_WRITABLE,
     "primary restarted",
     "this epoch's primary came back read-only after a restart: only mainstay makes it writable"},
    {130, {.answers = YES, .read_only = YES}, ACT_MAKE_WRITABLE, "primary read-only",
     "this epoch's primary is read-only against the recorded intent"},
    {131, {.answers = YES, .other_writable = YES}, ACT_FENCE_STALE, "two writable",
     "another server accepts writes and replicates from nobody: the lower epoch is fenced"},
    {123, {.waiters_stuck = YES}, ACT_REPAIR_ACKERS, "semi-sync blocked",
     "commits wait and no acknowledgement comes: ackers are repaired first; never stop this MySQL "
     "server orderly, it would answer OK to every waiter"},
    {122, {.answers = YES, .canary_fails = YES}, ACT_RELIEVE, "primary host stalled",
     "reads work and writes fail or block: disk, read-only filesystem or a lock; relieve.stalled "
     "says what is done alone, by default a human decides"},
    {127, {.answers = YES, .acker_missing = YES}, ACT_MODE_DEGRADE, "no acker",
     "lossless is recorded and no acker is left: by without_acker, bounded is recorded first or "
     "writes go on hanging"},
    {102, {.answers = YES, .mode_above = YES}, ACT_MODE_DEGRADE, "mode above the configured one",
     "durability.mode was lowered in the configuration: the weaker mode is recorded, then applied"},
    {101, {.answers = YES, .mode_below = YES}, ACT_MODE_RESTORE, "mode below the configured one",
     "it runs a weaker durability mode than configured and what the stronger one needs is there"},
    {125, {.answers = YES, .disk_low = YES}, ACT_RELIEVE, "disk near full",
     "less than 5 % of its data or log disk is free: a full disk blocks every commit; with "
     "relieve.disk another server with room takes over"},
    {124, {.saturated = YES}, ACT_ALERT, "saturated",
     "every place for a connection is taken, or it answers late: alive, read through a reserved "
     "place; never a reason to fail over"},
    {100, {.answers = YES}, ACT_NONE, "healthy", "it answers and nothing contradicts"},
    {190, {0}, ACT_ALERT, "uncertain",
     "facts are missing, stale or contradictory: look, do not act"},
};

static const struct replica_rule replica_rules[] = {
    {213, {.denied = YES}, ACT_ALERT, "replica refuses our account",
     "access denied or too many connections: alive, but nothing can be read"},
    {201, {.dead = YES}, ACT_ALERT, "replica dead", "it refuses or is silent past its bound"},
    {210, {.answers = YES, .cloned = YES}, ACT_ALERT, "cloned server",
     "another server has its server_id or server_uuid: not managed until one of them is changed"},
    {208, {.answers = YES, .quarantined = YES}, ACT_ALERT, "quarantined",
     "it diverged or an operator set it aside: never a candidate; `mainstay rejoin` compares it "
     "again, `mainstay errant` shows what it alone holds and undoes it"},
    {132, {.answers = YES, .stale_primary = YES, .primary_answers = YES}, ACT_REJOIN,
     "stale primary returned",
     "an old primary answers again: it is compared first, then attached or quarantined"},
    {211, {.answers = YES, .no_source = YES, .primary_answers = YES}, ACT_REJOIN, "not attached",
     "it replicates from nobody: it is compared first, then attached or quarantined"},
    {207, {.answers = YES, .writable = YES, .primary_answers = YES}, ACT_FENCE_STALE,
     "replica writable",
     "it is not read-only: clients may write rows the primary never sees; closed, then compared"},
    {206, {.answers = YES, .errant = YES}, ACT_QUARANTINE, "errant transactions",
     "it holds transactions the primary does not: compared, then set aside with them shown"},
    {218, {.answers = YES, .skipped = YES, .primary_answers = YES}, ACT_QUARANTINE,
     "skipped its own transactions",
     "it lost a tail that the primary kept, and its receiver dropped those events, for they carry "
     "its own server id: rows are missing for good, compared and set aside; reseed it"},
    {204, {.answers = YES, .wrong_source = YES, .primary_answers = YES}, ACT_REPOINT,
     "wrong source", "it replicates from another server than this epoch's primary"},
    {217, {.answers = YES, .applier_waits = YES, .primary_answers = YES}, ACT_START_REPLICATION,
     "applier waits for an acker",
     "its semi-sync source role is on though it is a read-only replica: switched off, or it never "
     "executes what it received, and what it holds more than the primary stays unknown"},
    {219, {.answers = YES, .purged_away = YES, .may_ask_again = YES, .primary_answers = YES},
     ACT_START_REPLICATION, "refused by its source",
     "its source could not serve its position, and the primary holds all it received: compared and "
     "attached once more, for the source may have lost and regained its tail"},
    {209, {.answers = YES, .purged_away = YES}, ACT_ALERT, "purged away",
     "its source no longer has the logs it needs: reseed it"},
    {203, {.answers = YES, .applier_broken = YES}, ACT_ALERT, "applier broken",
     "the applier stopped on an error: its text says which row; never skip, compare or reseed"},
    {202, {.answers = YES, .receiver_stopped = YES, .primary_answers = YES}, ACT_START_REPLICATION,
     "not receiving", "its receiver is stopped while the primary answers: only mainstay starts it"},
    {221, {.answers = YES, .receiver_connecting = YES, .stream_stands = YES, .primary_answers = YES},
     ACT_END_STREAM, "its old stream still stands",
     "the primary serves a connection that the replica lost: when it reconnects, MariaDB holds up "
     "every new client until that one breaks, as long again as the cut was; ended first"},
    {214, {.answers = YES, .receiver_connecting = YES, .primary_answers = YES}, ACT_ALERT,
     "cannot connect to its source",
     "its receiver retries while the primary answers us: the path or the account between them"},
    {216, {.answers = YES, .receiver_silent = YES, .primary_answers = YES}, ACT_ALERT,
     "receives nothing", "its receiver runs but neither positions nor heartbeats move"},
    {215, {.answers = YES, .applier_stopped = YES}, ACT_START_REPLICATION, "applier stopped",
     "its applier is stopped without an error: started again, its receiver untouched"},
    {220, {.answers = YES, .disk_low = YES}, ACT_ALERT, "disk near full",
     "less than 5 % of its data or log disk is free: its relay log stops there, and it acknowledges "
     "no more"},
    {205, {.answers = YES, .lagging = YES}, ACT_ALERT, "lagging",
     "it applies late: a failover to it would wait for the drain"},
    {212, {.answers = YES, .misconfigured = YES}, ACT_ALERT, "misconfigured",
     "a setting spoils a promise: see its conformance rows"},
    {200, {.answers = YES}, ACT_NONE, "healthy", "it answers and replicates"},
    {290, {0}, ACT_ALERT, "uncertain", "facts are missing or stale: look, do not act"},
};

/* The guard over all rows of the primary. */
static const struct verdict_row controller_rule = {
    150, ACT_HOLD, "controller holds",
    "it sees no server at all, its store is unavailable, its clock jumped or its loop stalled: "
    "databases keep serving, automation watches"};

/* What a rehearsal finds; what else is promised of a cluster's objectives comes with its backups. */
static const struct verdict_row objective_rules[OBJECTIVE_COUNT] = {
    [OBJECTIVE_LOSS] = {405, ACT_ALERT, "loss at risk",
                        "rehearsed each minute: if the primary died now, more might be lost than "
                        "the cluster's objectives, or its lossless mode, allow"},
    [OBJECTIVE_FAILABLE] = {406, ACT_ALERT, "recovery time at risk",
                            "rehearsed each minute: if the primary died now, nobody would take "
                            "over alone; `mainstay what-if` says what blocks it"},
    [OBJECTIVE_TIME] = {407, ACT_ALERT, "recovery too long",
                        "rehearsed each minute: by what its steps took before, a failover would "
                        "take longer than objectives.recovery_time"},
};

static const struct verdict_row zone_rule = {
    140, ACT_ALERT, "zone down or isolated",
    "no server of any cluster answers there: their failovers go one at a time, in the order of the "
    "configuration, and above controller.blast_radius none goes without a human"};

static const struct verdict_row evacuated_rule = {
    141, ACT_ALERT, "zone is being evacuated",
    "a human empties it: primaries there are moved, one after the other, its servers are promoted "
    "only where nobody elsewhere may be; until `mainstay evacuate zone:Z --end`"};

const struct primary_rule *verdict_primary_rules(size_t *ret_count)
{
    *ret_count = STAY_COUNT(primary_rules);
    return primary_rules;
}

const struct replica_rule *verdict_replica_rules(size_t *ret_count)
{
    *ret_count = STAY_COUNT(replica_rules);
    return replica_rules;
}

const struct verdict_row *verdict_controller_rule(void)
{
    return &controller_rule;
}

struct verdict verdict_objective(enum verdict_objective objective)
{
    const struct verdict_row *r = &objective_rules[objective];
    return (struct verdict){r->id, SUBJECT_OBJECTIVES, NO_NODE, r->action, r->name, r->why};
}

struct verdict verdict_zone_down(void)
{
    const struct verdict_row *r = &zone_rule;
    return (struct verdict){r->id, SUBJECT_ZONE, NO_NODE, r->action, r->name, r->why};
}

struct verdict verdict_zone_evacuated(bool is_clear)
{
    const struct verdict_row *r = &evacuated_rule;
    return (struct verdict){r->id,   SUBJECT_ZONE, NO_NODE, is_clear ? ACT_NONE : r->action,
                            r->name, r->why};
}

/* The facts of a table are nothing but tris. Judged for every server at every turn: a row ends at
 * its first fact that is another one. */
static bool fits(const void *row, const void *facts, size_t size)
{
    const enum tri *want = row, *have = facts;
    for (size_t i = 0; i < size / sizeof *want; i++)
        if (want[i] != TRI_UNKNOWN && want[i] != have[i])
            return false;
    return true;
}

const struct primary_rule *verdict_match_primary(const struct primary_facts *facts)
{
    size_t i = 0;
    for (; i + 1 < STAY_COUNT(primary_rules); i++) {
        if (fits(&primary_rules[i].when, facts, sizeof *facts))
            break;
    }
    return &primary_rules[i]; /* the last row asks for nothing */
}

const struct replica_rule *verdict_match_replica(const struct replica_facts *facts)
{
    size_t i = 0;
    for (; i + 1 < STAY_COUNT(replica_rules); i++) {
        if (fits(&replica_rules[i].when, facts, sizeof *facts))
            break;
    }
    return &replica_rules[i];
}

void verdict_visit(verdict_visit_fn fn, void *ctx)
{
    for (size_t i = 0; i < STAY_COUNT(primary_rules); i++) {
        const struct primary_rule *r = &primary_rules[i];
        fn(ctx, r->id, SUBJECT_PRIMARY, r->name, r->why, r->action);
    }
    for (size_t i = 0; i < STAY_COUNT(replica_rules); i++) {
        const struct replica_rule *r = &replica_rules[i];
        fn(ctx, r->id, SUBJECT_REPLICA, r->name, r->why, r->action);
    }
    fn(ctx, controller_rule.id, SUBJECT_CONTROLLER, controller_rule.name, controller_rule.why,
       controller_rule.action);
    fn(ctx, zone_rule.id, SUBJECT_ZONE, zone_rule.name, zone_rule.why, zone_rule.action);
    fn(ctx, evacuated_rule.id, SUBJECT_ZONE, evacuated_rule.name, evacuated_rule.why,
       evacuated_rule.action);
    for (size_t i = 0; i < OBJECTIVE_COUNT; i++) {
        const struct verdict_row *r = &objective_rules[i];
        fn(ctx, r->id, SUBJECT_OBJECTIVES, r->name, r->why, r->action);
    }
    size_t count = 0;
    const struct verdict_row *rules = verdict_conformance_rules(&count);
    for (size_t i = 0; i < count; i++) {
        fn(ctx, rules[i].id, SUBJECT_CONFORMANCE, rules[i].name, rules[i].why, rules[i].action);
    }
}

const char *verdict_action_text(enum verdict_action action)
{
    static const char *const texts[] = {
        "none", "alert", "hold", "failover", "relieve", "repair ackers", "make writable",
        "fence stale", "rejoin", "ask", "repoint", "start replication", "quarantine",
        "mode restore", "mode degrade", "end stream"};
    _Static_assert(STAY_COUNT(texts) == ACT_COUNT, "one text per action");
    return (unsigned)action < ACT_COUNT ? texts[action] : "?";
}
