/* base/mutant.h - seeded bugs for the simulator's mutant build; nothing in every other build.
 *
 * Pure. Layer: base. Objects compiled with MAINSTAY_MUTANTS read the switch; all others compile
 * MUTANT(...) to false, so the shipped code has no such branch. */
#ifndef BASE_MUTANT_H
#define BASE_MUTANT_H

/* MUTANT_X(id, what the bug is) */
#define MUTANTS(X)                                                                                 \
    X(NONE, "none")                                                                                \
    X(DRAIN_SKIPPED, "drain skipped")                                                              \
    X(BOTH_THREADS_STOPPED, "freeze stops receiver and applier")                                   \
    X(FREEZE_LOST_AT_RESTART, "a frozen acker that restarted still counts as frozen")              \
    X(DEAD_ACKER_IGNORED, "an unreachable acker is left out of A")                                 \
    X(K_IGNORED, "number of acks not compared")                                                    \
    X(BARRIER_SKIPPED, "lossless_since set without the barrier")                                   \
    X(SEMISYNC_OFF_FIRST, "fence switches semi-sync off before clients are cut")                   \
    X(SOURCE_ON_BEFORE_DRAIN, "source role switched on before the drain")                          \
    X(CERT_FROM_RECEIVED, "certificate computed from received instead of executed")                \
    X(SHUTDOWN_EXCEPTION_IGNORED, "MySQL's orderly shutdown exception ignored")                    \
    X(FENCE_SKIPPED, "promotes without any proof")                                                 \
    X(EPOCH_REUSED, "a new plan takes the old epoch")                                              \
    X(OWN_ZONE_ACK, "ack from the primary's own zone counted")                                     \
    X(STALE_VOTE, "a replica's stale state counted as not receiving")                              \
    X(KEEPALIVE_TRUSTED, "a running receiver thread alone counts as receiving or not")             \
    X(LATE_SQL, "late SQL step not discarded")                                                     \
    X(LESS_FOR_LESS_EQUAL, "fewer-or-equal for fewer in the F0 proof")                             \
    X(WRITABLE_BEFORE_VERIFY, "freezes not verified again before writable")                        \
    X(DIVERGED_ATTACHED, "a diverged server is attached")                                          \
    X(MODE_AFTER_SERVER, "weaker mode applied before it is recorded")                              \
    X(ATTACH_WITHOUT_ROLE, "a returner attached without the role for its lost tail, unnoticed")    \
    X(ACCEPT_IGNORED, "a certificate that policy refuses promotes all the same")                   \
    X(OBJECTIVES_IGNORED, "the estimated loss is not compared with the objectives")                \
    X(PROMOTE_RULE_IGNORED, "a server that is never to be promoted is")                            \
    X(ERRANT_PROMOTED, "transactions of a candidate's own are not looked for")                     \
    X(QUARANTINE_IGNORED, "a server that was set aside is promoted")                               \
    X(REPLICAS_NOT_ASKED, "a replica that still receives is no objection")                         \
    X(HOLD_IGNORED, "acts at once after a stall or clock jump")                                    \
    X(PAUSE_IGNORED, "the kill switch is read when a plan begins, not at each step")               \
    X(COOLDOWN_IGNORED, "one automatic failover after another")                                    \
    X(UNDO_PAST_RETURN, "undone although the candidate may take writes")                           \
    X(TRUNCATED_REOPENED, "an undo opens the old primary without comparing what it holds")         \
    X(TAIL_LOSS_IGNORED, "a restarted primary is thought to hold what it held")                    \
    X(TAIL_NOT_ASKED, "a restarted primary is opened, whatever its replicas hold")                 \
    X(BORN_IGNORED, "opened although its process restarted since it was judged")                   \
    X(PEERS_NOT_UNITED, "what only another drained server holds is not asked for")                 \
    X(ABLE_IGNORED, "who left A and could connect again any moment is not frozen for the proof")   \
    X(TIMEOUT_IGNORED, "a finite semi-sync timeout is called lossless")                            \
    X(F1_NOT_COMPARED, "a fenced primary counts as proof, whatever the candidate lacks of it")     \
    X(FENCE_UNKNOWN_IS_DONE, "a fence without an answer counts as done")                           \
    X(VERIFY_IGNORES_RECEIVER, "a frozen acker is verified by its uptime, not by its receiver")    \
    X(RESTARTED_ACKER_PROVES, "an acker that restarted before the failover counts as drained")     \
    X(DRAIN_BY_LAG, "no lag shown, or none that is known, means drained")                          \
    X(CONFIRM_SKIPPED, "what was seen while the promotion was stored is not looked at")            \
    X(RESUME_TRUSTS_FENCE, "who takes a plan up trusts the fence of its journal")                  \
    X(ATTACH_UNCOMPARED, "compared by what was read, not again when it is attached")               \
    X(SHUTDOWN_ORDER_IGNORED,                                                                      \
      "who ended the ackers' connections is not asked (MySQL's orderly shutdown)")                 \
    X(VALIDITY_FROM_ANSWER,                                                                        \
      "a step's validity counts from the store's answer, not from its compare")                    \
    X(JOURNAL_SKIPPED, "effects begin before their row is stored")                                 \
    X(STRAY_NOT_FENCED, "a second server that takes writes is left open")                          \
    X(SCHEDULE_KEPT, "the order of a scheduled switchover stands on once it has begun")            \
    X(SCHEDULE_LATE, "a scheduled switchover is done however late")                                \
    X(EVACUATION_IGNORED, "a switchover may go into a zone that is being evacuated")

enum mutant_id {
#define X(id, what) MUTANT_##id,
    MUTANTS(X)
#undef X
        MUTANT_COUNT
};

#ifdef MAINSTAY_MUTANTS
#define MUTANT(view, id) ((view)->mutant == (unsigned)MUTANT_##id)
#else
#define MUTANT(view, id) ((void)(view), 0)
#endif
#endif
