/* controller/decide/verdict.h - names what is wrong, from facts alone, by first matching row.
 *
 * Pure. Layer: decide. Ids are names, never reused, not an order: the order of rows
 * decides. The rows, their `why` and their action are listed by mainstay-verdicts(7). */
#ifndef CONTROLLER_DECIDE_VERDICT_H
#define CONTROLLER_DECIDE_VERDICT_H
#include "controller/decide/cluster.h"

enum verdict_action { ACT_NONE = 0, ACT_ALERT, ACT_HOLD, ACT_FAILOVER, ACT_RELIEVE,
                      ACT_REPAIR_ACKERS, ACT_MAKE_WRITABLE, ACT_FENCE_STALE, ACT_REJOIN,
                      ACT_ASK, ACT_REPOINT, ACT_START_REPLICATION, ACT_QUARANTINE,
                      ACT_MODE_RESTORE, ACT_MODE_DEGRADE, ACT_END_STREAM, ACT_COUNT };

enum verdict_subject { SUBJECT_PRIMARY = 0, SUBJECT_REPLICA, SUBJECT_CONTROLLER,
                       SUBJECT_OBJECTIVES, SUBJECT_CONFORMANCE, SUBJECT_ZONE, SUBJECT_COUNT };

struct verdict {
    uint16_t rule_id;   /* 100 healthy ... 190 uncertain; 200s replicas; 150 controller; 400s
                           objectives; 500s */
    enum verdict_subject subject;
    uint32_t node;      /* the node it is about, NO_NODE for the cluster */
    enum verdict_action action;
    const char *name;   /* "primary dead", static */
    const char *why;    /* one sentence, static */
};

/* What the rules match on, computed from the view; printed by `mainstay verdict` and golden
 * cases. */
#define PRIMARY_FACTS(X)                                                                           \
    X(known, "the store names a primary")                                                         \
    X(answers, "its status query was answered lately")                                            \
    X(refused, "two refusals at least refusal_gap apart, nothing since")                          \
    X(silent, "no answer on any layer for silence_us")                                            \
    X(hung, "accepts connections but never answers")                                              \
    X(denied, "access denied: alive, our account is wrong")                                       \
    X(too_many, "too many connections, the reserved places too: alive")                           \
    X(saturated, "every place is taken, or its answers take half the deadline for silence_us")    \
    X(disk_low, "less than 5 % of its data or log disk is free")                                  \
    X(replicas_receive, "some reachable replica still receives from it")                          \
    X(replicas_silent, "every replica that answers says it does not receive; at least one answers") \
    X(canary_fails, "reads work, the write canary fails or blocks")                               \
    X(waiters_stuck, "sessions wait for an acknowledgement, no acker is connected; it greets")            \
    X(read_only, "it is read-only")                                                               \
    X(lost_tail, "read-only, and a replica holds what it wrote and no longer has")                 \
    X(other_writable, "another node is writable")                                                 \
    X(acker_missing, "no acker for acker_loss_us")                                                \
    X(mode_above, "a stronger mode is recorded than configured: the configuration was changed")   \
    X(mode_below, "it runs a weaker mode than configured and an acker is attached")               \
    X(outage, "every server was gone; none that answers can tell what was acknowledged last")       \
    X(restarted, "its process restarted since this epoch's promotion and it is not writable")

struct primary_facts {
#define X(name, what) enum tri name;
    PRIMARY_FACTS(X)
#undef X
};
struct primary_rule {
    uint16_t id;
    struct primary_facts when; /* TRI_UNKNOWN: don't care */
    enum verdict_action action;
    const char *name, *why;
};

/* The columns of the primary's table as of now, from facts that are fresh enough. */
void verdict_primary_facts(const struct cluster_view *view, int64_t now_mono_us,
                           struct primary_facts *ret_facts);
const struct primary_rule *verdict_primary_rules(size_t *ret_count); /* for man page and lint */
const struct primary_rule *verdict_match_primary(const struct primary_facts *facts);

/* The cluster's one verdict: rule 150 (controller isolated, store lost, hold) guards over all, then
 * the primary's table. Missing, contradictory or stale facts give 190, which never starts a
 * plan. */
struct verdict verdict_judge(const struct cluster_view *view, int64_t now_mono_us);
/* One verdict per node that is not the primary (200s). */
struct verdict verdict_judge_replica(const struct cluster_view *view, uint32_t node,
                                     int64_t now_mono_us);
/* Settings that spoil a promise (500s): up to `max` rows, what to do now in `fix`, and in `line`
 * what the server's option file must say ("" when nothing). variable: what `mainstay check --fix`
 * sets to `value` while the server runs ("": nothing is safe to set then). Returns how many there
 * are. */
struct conformance {
    struct verdict verdict;
    char detail[160];
    char fix[200];
    char line[80];
    char variable[48], value[16];
};
size_t verdict_conformance(const struct cluster_view *view, int64_t now_mono_us,
                           struct conformance *ret_rows, size_t max);

/* What of it `mainstay check --fix` sets on `node` while it runs: "sync_binlog = 1; ..." into dst,
 * cut at a whole setting; returns how many. Each only strengthens a promise, blocks nobody that is
 * not blocked already, and needs no more than the operate account holds. */
size_t verdict_conformance_live(const struct cluster_view *view, uint32_t node, char *dst,
                                size_t size);

/* Option-file lines of lossless mode that no query shows (MariaDB: two options without a variable):
 * `mainstay check` names them always. NULL when every one can be read. */
const char *const *verdict_conformance_blind(const struct cluster_config *config,
                                             size_t *ret_count);

/* What a rehearsal (rehearsal.h) finds about the objectives: 405, 406, 407. */
enum verdict_objective { OBJECTIVE_LOSS = 0, OBJECTIVE_FAILABLE, OBJECTIVE_TIME, OBJECTIVE_COUNT };
struct verdict verdict_objective(enum verdict_objective objective);

/* 140: no server of any cluster answers in a zone (zone_census.h). */
struct verdict verdict_zone_down(void);
/* 141: a zone is being evacuated (evacuation.h); is_clear: no primary stands there any more. */
struct verdict verdict_zone_evacuated(bool is_clear);

/* Every rule of every table, for mainstay-verdicts(7) and lint: calls fn once per row. */
typedef void (*verdict_visit_fn)(void *ctx, uint16_t id, enum verdict_subject subject,
                                 const char *name, const char *why, enum verdict_action action);
void verdict_visit(verdict_visit_fn fn, void *ctx);
const char *verdict_action_text(enum verdict_action action);

#endif
