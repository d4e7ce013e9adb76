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
    X(ATTACH_WITHOUT_ROLE, "a returner attached without the role for its lost tail, unnoticed")

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
