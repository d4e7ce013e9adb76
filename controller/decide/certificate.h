/* controller/decide/certificate.h - fencing proof and survival certificate: must every acknowledged
 * commit be on a server we hold?
 *
 * Pure. Layer: decide. Its rules rest on what a freeze of the receiver alone, the drain, a restart
 * and MySQL's orderly shutdown do, measured on real servers: tests/scenario/scenario_fact_*.c. */
#ifndef CONTROLLER_DECIDE_CERTIFICATE_H
#define CONTROLLER_DECIDE_CERTIFICATE_H
#include "controller/decide/cluster.h"

enum proof_kind { PROOF_NONE = 0, PROOF_F0_REVOCATION, PROOF_F1_CONFIRMED, PROOF_OVERRIDE,
                  PROOF_COUNT };
enum certificate_kind { CERT_UNKNOWN = 0, CERT_BOUNDED, CERT_LOSSLESS };

/* Everything the certificate is computed from; sets are borrowed. */
struct certificate_input {
    enum engine engine;
    enum durability_mode mode;      /* recorded, not wished */
    bool lossless_stood;            /* lossless_since set and unbroken up to the last fresh fact */
    uint32_t acks;                  /* k */
    uint32_t a, f, r;               /* ackers, frozen, frozen and drained */
    uint32_t doubted;               /* drained, but a restart may have cost them what they had
                                       acknowledged: not in r */
    uint32_t able;                  /* outside A, could begin to acknowledge */
    bool fenced;                    /* F1 confirmed on the old primary and its set read */
    bool fenced_whole;              /* it is the process that was writable when last seen: one that
                                       restarted may have truncated what it had acknowledged */
    bool fence_overlapped;          /* its clients were killed while ackers still acknowledged */
    bool fence_unheard;             /* ... or may have been: nobody has the answer */
    bool disproved;                 /* by its own last word the old primary had executed more than
                                       could still wait for an ack, and the candidate lacks it:
                                       what an acker had acknowledged is gone, nobody saw how */
    bool refuses;                   /* its port refuses now: it does not serve, it is not merely
                                       cut */
    bool overridden;                /* a named human accepted loss for this plan */
    bool connections_ended_first;   /* MySQL: the ackers' connections ended from the primary's side
                                       before our freeze */
    bool acks_flowed;               /* MySQL: last fresh facts show no waiter older than 1 s */
    uint64_t sessions_waiting_max;  /* MySQL: sessions that could be waiting: max_connections, not
                                       those last seen; UINT64_MAX unknown */
    const struct gtid_set *fenced_executed;   /* old primary's set after F1; used if fenced */
    const struct gtid_set *last_executed;     /* old primary's last known set, may be empty */
    const struct gtid_set *candidate_executed;
    const struct gtid_set *drained_union;     /* union of executed sets of R */
    const struct gtid_set *frozen_received;   /* union of the highest received sets of A and F */
    uint64_t bytes_behind;          /* estimate for BOUNDED, from binlog position */
    int64_t time_behind_us;         /* estimate for BOUNDED, from the canary; -1 unknown */
    int64_t last_facts_age_us;      /* how long ago last_executed was asked for; -1 unknown. What
                                       was missing then bounds nothing: more came after it */
    unsigned mutant;                /* as in struct cluster_view */
};

struct certificate {
    enum certificate_kind kind;
    enum proof_kind proof;
    uint64_t lost_transactions_max; /* BOUNDED: at most this many acknowledged transactions, from
                                       sets that nothing can be added to; UINT64_MAX: their number
                                       is not bounded, only bytes and time estimate it */
    uint64_t lost_bytes_max;
    int64_t lost_time_max_us;
    char reason[200];               /* why this kind and not a better one, with the sets' names */
};

/* Never fails; `reason` says why the kind is no better. */
struct certificate certificate_compute(const struct certificate_input *in);
/* May a plan go on alone with it under `accept` and the cluster's objectives? UNKNOWN never. */
bool certificate_may_proceed(const struct certificate *cert, const struct cluster_config *config);
const char *certificate_kind_text(enum certificate_kind kind); /* "LOSSLESS" ... */
const char *proof_kind_text(enum proof_kind proof);            /* "F0 revocation" ... */

#endif
