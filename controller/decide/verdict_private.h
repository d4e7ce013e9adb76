/* controller/decide/verdict_private.h - what the files of verdict share: the table of a replica,
 * and how a row of any table matches.
 *
 * Pure. Layer: decide, verdict*.c and their tests. */
#ifndef CONTROLLER_DECIDE_VERDICT_PRIVATE_H
#define CONTROLLER_DECIDE_VERDICT_PRIVATE_H
#include "controller/decide/verdict.h"

#define REPLICA_FACTS(X)                                                                           \
    X(answers, "its status query was answered lately, nothing failed since")                      \
    X(dead, "refused or silent past the bounds")                                                  \
    X(denied, "access denied or too many connections: alive, not readable")                       \
    X(cloned, "another server has its server id or uuid")                                         \
    X(quarantined, "quarantined by an operator or because it diverged")                           \
    X(stale_primary, "an old primary: quarantined as such")                                       \
    X(no_source, "no source is configured")                                                       \
    X(errant, "holds transactions the primary does not, by a primary read begun later")           \
    X(skipped, "lacks own transactions that the primary holds, and holds later ones")             \
    X(primary_answers, "the primary answers")                                                     \
    X(wrong_source, "replicates from another server than the primary")                            \
    X(purged_away, "the source no longer has the logs it needs")                                  \
    X(may_ask_again, "... the primary holds all it received, and we did not attach it since")     \
    X(applier_waits, "its source role is on: its applier waits for acknowledgements")             \
    X(applier_broken, "the applier stopped on an error")                                          \
    X(receiver_stopped, "the receiver is stopped")                                                \
    X(receiver_connecting, "the receiver cannot connect")                                         \
    X(stream_stands, "MariaDB, semi-sync: the primary still serves the stream that broke")         \
    X(receiver_silent, "the receiver runs but nothing arrives")                                   \
    X(applier_stopped, "the applier is stopped without error")                                    \
    X(writable, "it is not read-only")                                                            \
    X(disk_low, "less than 5 % of its data or log disk is free")                                  \
    X(lagging, "it applies more than VERDICT_LAG_S behind")                                       \
    X(misconfigured, "a setting spoils a promise")

struct replica_facts {
#define X(name, what) enum tri name;
    REPLICA_FACTS(X)
#undef X
};
struct replica_rule {
    uint16_t id;
    struct replica_facts when; /* TRI_UNKNOWN: don't care */
    enum verdict_action action;
    const char *name, *why;
};

#define VERDICT_LAG_S 60

/* The table, and its first row that fits; static. */
const struct replica_rule *verdict_replica_rules(size_t *ret_count);
const struct replica_rule *verdict_match_replica(const struct replica_facts *facts);

/* YES: answered lately and nothing failed since; NO: refused or silent; else unknown. */
enum tri verdict_node_answers(const struct cluster_view *view, uint32_t node, int64_t now_mono_us);
struct verdict_row {
    uint16_t id;
    enum verdict_action action;
    const char *name, *why;
};
const struct verdict_row *verdict_controller_rule(void); /* 150, the guard over all */
const struct verdict_row *verdict_conformance_rules(size_t *ret_count);
/* Conformance rows of one server's own settings (ret_rows may be NULL when max is 0). */
size_t verdict_conformance_node(const struct cluster_view *view, uint32_t node,
                                struct conformance *ret_rows, size_t max);

#endif
