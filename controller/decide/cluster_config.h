/* controller/decide/cluster_config.h - what the operator says of one cluster: its nodes, the
 * durability wanted, who may be promoted, how patient to be.
 *
 * Pure. Layer: decide. Times are microseconds. */
#ifndef CONTROLLER_DECIDE_CLUSTER_CONFIG_H
#define CONTROLLER_DECIDE_CLUSTER_CONFIG_H
#include "probes/observation.h"

#define NODES_MAX    32 /* nodes of one cluster; masks are uint32_t, bit i = nodes[i] */
#define NAME_MAX_LEN 33
#define NO_NODE      UINT32_MAX

/* Both enums with the words that configuration, records, API and people use for them. */
#define PROMOTE_RULES(X)                                                                           \
    X(NEUTRAL, "neutral") X(PREFER, "prefer") X(AVOID, "avoid") X(NEVER, "never")
#define DURABILITY_MODES(X)                                                                        \
    X(UNKNOWN, "unknown") X(UNSAFE, "unsafe") X(BOUNDED, "bounded") X(LOSSLESS, "lossless")
enum promote_rule {
#define X(id, text) PROMOTE_##id,
    PROMOTE_RULES(X)
#undef X
        PROMOTE_COUNT
};
enum durability_mode {
#define X(id, text) MODE_##id,
    DURABILITY_MODES(X)
#undef X
        MODE_COUNT
};
enum without_acker { WITHOUT_ACKER_DEGRADE = 0, WITHOUT_ACKER_BLOCK };
enum failover_mode { FAILOVER_AUTOMATIC = 0, FAILOVER_CONFIRM, FAILOVER_OBSERVE };
/* What may be done alone about a primary that answers and is sick. */
enum relief_bits { RELIEF_SWITCHED = 1, RELIEF_FAILED_OVER = 2 };
enum relieve_rule { RELIEVE_ALERT = 0, RELIEVE_SWITCHOVER, RELIEVE_FAILOVER };
enum accept_rule { ACCEPT_LOSSLESS = 0, ACCEPT_BOUNDED };

struct node_config {
    char name[NAME_MAX_LEN];
    char host[64]; /* numeric address or DNS name as configured */
    uint16_t port;
    char zone[NAME_MAX_LEN];
    enum promote_rule promote;
};

/* Borrowed by the view; replaced whole on reload (names, not indexes, survive a reload). */
struct cluster_config {
    char name[NAME_MAX_LEN];
    enum engine engine;
    uint32_t node_count;
    struct node_config nodes[NODES_MAX];
    enum durability_mode mode; /* wanted */
    uint32_t acks;             /* k; MariaDB: 1 */
    enum without_acker without_acker;
    uint64_t loss_bytes_max;
    int64_t loss_time_max_us;
    int64_t recovery_time_max_us;
    enum failover_mode failover;
    enum accept_rule accept;
    int64_t grace_us, cooldown_us;
    int64_t probe_interval_us;     /* 500 ms */
    int64_t suspicion_interval_us; /* 100 ms */
    int64_t layer_deadline_us;     /* 1 s */
    int64_t refusal_gap_us;        /* two refusals at least this far apart: 150 ms */
    int64_t silence_us;            /* silence on every layer: 2 s */
    int64_t receiving_us;          /* a receiver that advanced within this receives: 1.5 s */
    int64_t acker_loss_us;         /* no acker for this long: degrade or alert: 5 s */
    uint32_t acker_repairs_max;    /* repairs of ackers in an hour that nobody asked for; 0: none */
    enum relieve_rule relieve_stalled, relieve_disk;
    int64_t relieve_after_us; /* stalled this long before it is relieved: 30 s */
    char controller_zone[NAME_MAX_LEN];
    bool reseed_automatic;      /* the rejoin ladder may end in a reseed nobody asked for */
    bool reseed_by_command;     /* copied by the operator's command; else MySQL by CLONE */
    int64_t reseed_deadline_us; /* of the copy: 6 h */
};

/* Every default of mainstay.conf(5); names and nodes stay empty. */
void cluster_config_defaults(struct cluster_config *config);

/* Is `now` within an hour of `since`, both wall times? False for a time to come, and for 0. */
bool cluster_in_hour(int64_t since_wall_us, int64_t now_wall_us);

/* The words of the configuration file; static. */
const char *promote_rule_text(enum promote_rule rule);
const char *durability_mode_text(enum durability_mode mode);

#endif
