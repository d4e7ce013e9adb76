/* controller/decide/cluster_record.h - what the store keeps of a cluster: intent, promise, who is
 * set aside, what humans ordered.
 *
 * Pure: types. Layer: decide. */
#ifndef CONTROLLER_DECIDE_CLUSTER_RECORD_H
#define CONTROLLER_DECIDE_CLUSTER_RECORD_H
#include "controller/decide/cluster_config.h"

#define QUARANTINE_REASONS(X)                                                                      \
    X(NONE, "none") X(STALE_PRIMARY, "stale primary") X(DIVERGED, "diverged")                      \
    X(OPERATOR, "operator") X(RESEED, "reseed")
enum quarantine_reason {
#define X(id, text) QUARANTINE_##id,
    QUARANTINE_REASONS(X)
#undef X
    QUARANTINE_COUNT
};

const char *quarantine_text(enum quarantine_reason reason); /* "stale primary" */

/* What the store keeps of a cluster; every change is one compare-and-set against `version`. */
struct cluster_record {
    uint64_t version;             /* of this record in the store; 0: not stored yet */
    uint64_t epoch;               /* rises with every intent; never reused */
    bool adopted;                 /* false: observe only */
    char primary[NAME_MAX_LEN];   /* this epoch's primary, empty if none known */
    enum durability_mode mode;    /* what we claim: never stronger than the server runs */
    bool lossless_stands;         /* barrier passed and unbroken (lossless_since) */
    int64_t lossless_since_wall_us;
    uint32_t ackers;              /* A: mask of nodes attached at any time since lossless_since */
    uint32_t restarted;           /* of A: restarted, and not seen since to hold a set that the
                                     primary had after: it may lack what it acknowledged */
    uint64_t watch_uptime_base_s; /* wall second at which the primary's process started; this and */
    uint64_t watch_no_tx;         /* its counters as of the barrier: any change that is not ours */
    uint64_t watch_no_times;      /* breaks lossless_since (set when lossless begins to stand) */
    bool paused;                  /* kill switch of this cluster */
    int64_t maintenance_until_wall_us; /* 0: none */
    int64_t cooldown_until_wall_us;    /* 0: none; `mainstay release` clears it */
    uint8_t quarantine[NODES_MAX];     /* enum quarantine_reason, by node index */
    int64_t primary_since_wall_us;     /* begin of the plan that made it this epoch's primary, or
                                          adopted it; 0: not known */
    uint32_t twins;                    /* mask: set aside because it wrote alone while it followed
                                          nobody, perhaps under numbers given twice: its sets show
                                          nothing. Until it is the primary, or a human's word
                                          that it was reseeded; survives other reasons */
    uint64_t primary_id;               /* of this epoch's primary, as it was last read: server_id,
                                          MySQL: of its uuid; 0: never */
    uint32_t written_known;            /* mask: written[] below was read for these nodes */
    uint64_t written[NODES_MAX];       /* transactions of the node's own making that this epoch's
                                          primary held at most; more on the node is errant */
    bool births_kept;                  /* false: none was ever noted, the two below tell nothing */
    uint32_t born_known;               /* of A: mask, born_wall_s[] below was noted for these: since
                                          then they lacked nothing they had acknowledged; one that
                                          may have thrown it away (cluster_has_stood) leaves it */
    int64_t born_wall_s[NODES_MAX];    /* wall second at which that process of the node began */
    char plan_id[24];             /* running plan's journal key, empty if none */
    char asks[NAME_MAX_LEN];      /* a change of primary stopped with a question past its point of
                                     no return: this server may have been opened, and `primary`
                                     does not name it; empty: none. Nothing is started until a
                                     human's plan about it succeeded, or `mainstay release` */
    int64_t switch_at_wall_us;    /* a switchover ordered for this time; 0: none */
    int64_t switch_missed_wall_us; /* one was due then, and not possible in its window; 0: none */
    int64_t repairs_since_wall_us; /* `repairs` of ackers nobody asked for, in an hour from then */
    int64_t relief_until_wall_us;  /* moves of a sick primary tried (RELIEF_): not again before */
    uint64_t repairs, relief_tried;
    char switch_to[NAME_MAX_LEN]; /* its new primary, empty: chosen then */
    char switch_by[64];           /* who ordered it */
    int64_t evacuated_wall_us;    /* the evacuation (evacuation.h) by which a move of its primary
                                     was begun last; 0: none */
    uint32_t evacuation_cut;      /* times that move was undone only because the controller
                                     restarted in it */
    int64_t evacuation_again_wall_us; /* it may be begun again from then on; 0: it may not */
};

#endif
