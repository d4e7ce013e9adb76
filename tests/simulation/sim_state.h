/* tests/simulation/sim_state.h - one life: store and controller, what the seed drew, what the
 * checker remembers, and the counters over all lives.
 *
 * Layer: tests. See sim.h. */
#ifndef TESTS_SIMULATION_SIM_STATE_H
#define TESTS_SIMULATION_SIM_STATE_H
#include "base/mutant.h"
#include "base/random.h"
#include "controller/act/executor.h"
#include "controller/decide/decision.h"
#include "controller/decide/evacuation.h"
#include "tests/simulation/sim_model.h"

struct sim_save {
    bool used;
    uint64_t token, expect;
    uint32_t life;
    bool has_record, has_run, watch;
    struct cluster_record record;
    struct plan_run *run;
    enum stay_rc rc;
    uint64_t version;
};

struct sim;
typedef void (*store_change)(struct sim *s, struct cluster_record *record);

struct sim_store {
    bool down;
    int64_t slow_us;
    uint32_t unknown_ppm;
    struct cluster_record record;
    struct plan_run *run; /* journal: last stored run; kind NONE if none yet */
    bool has_run;
    uint64_t epoch_max;
    int64_t saved_at; /* last durable compare of a plan */
    store_change waiting[4]; /* operators' switches behind the save that is on the way */
    uint32_t waiting_n;
};

struct sim_effect {
    bool kept_acked; /* REPLAY's word */
    bool switched, was_off; /* FENCE's: of the source role */
    bool ended;             /* FENCE's: of clients' sessions */
    bool used, answered, sent, has_want, own; /* own: fetches its own lost transactions */
    uint64_t token;
    uint32_t life;     /* controller's */
    uint32_t gen;
    struct effect effect;
    struct gtid_set want;
    uint32_t phase, server_life, canary_tx;
    int64_t started, phase_at, left_at; /* left_at: the lane sent it; 0 not yet */
    enum outcome outcome;
    enum receiver_before before;
    bool read, goes_on;
    uint32_t strangers;
    char text[80];
    struct server_facts *facts;
};

/* The rewind of the model: one job at a time, and the mark that it leaves on its server. */
struct sim_rewind {
    bool has, runs, good; /* has: nobody was told its end yet */
    bool lost;            /* it lost its session: begun again */
    bool marked;          /* rows are put back, the GTID state is not */
    uint32_t gen, node, life, server_life, marked_node;
    uint64_t epoch;
    struct effect effect;
    uint64_t known[SIM_TX_WORDS]; /* what the primary held as it began */
    uint32_t log_n;               /* what the server goes back to */
    uint16_t log[SIM_TX];
};

struct sim_probe {
    bool flying;
    uint32_t gen, life;
    int64_t begun, next_slow, next_at;
    int64_t read_at; /* when the server answered, by its own side */
    bool held; /* a session is held to it */
    uint32_t held_life;
    struct observation obs;
    struct server_facts facts;
};

struct sim_controller {
    bool up, frozen, ready, dying; /* dying: killed inside one of its own calls */
    uint32_t life;
    int64_t held_since, held_until; /* after a stall or clock jump; an operator's release ends it */
    int64_t started_at, frozen_at, tick_at, last_tick, busy_since, canary_begun;
    struct cluster_view *view;
    struct executor *exec;
    struct sim_probe probes[SIM_SERVERS];
    struct fleet fleet;
    struct decision *decision;
    struct decision_memory *before; /* the view's, as the last turn was given it */
    bool save_flying;
    uint32_t canary_gen;
    bool canary_flying;
    uint32_t last_refused; /* virtual seconds of the last refused start, to rate limit */
    int64_t refused_at;
    char refused[160];
    uint16_t refused_rule;
    bool was_busy;
};

/* What one seed drew. */
struct sim_setup {
    uint64_t seed;
    enum engine engine;
    enum sim_layout layout;
    uint32_t servers;
    uint64_t faults; /* mask of enum sim_fault: what exists in this life */
    int64_t fault_until, heal_until;
    uint32_t lane_ppm, fail_ppm;
    bool mode_bounded, adopt_first;
    enum step_kind aim_step;
    uint32_t aim_what;
    bool aim_used;
    uint32_t crash_at, crash_seen;
    uint32_t crash_side;
    enum step_kind crash_step;
    bool plain; /* one kill -9 of a healthy lossless primary and nothing else */
    /* What few lives would come to by chance. */
    bool script_shutdown, script_top_up, script_degrade, script_returner, script_reseed;
    enum sim_script script;
    enum step_kind script_step; /* what is aimed at a row, once */
    bool script_done;
    int64_t lane_us; /* the next command leaves so late; 0: as drawn */
    bool script_outage;
    uint64_t outage_seed;
    bool quiet; /* only trouble of ours: a healthy primary must keep serving (S14) */
};

struct sim_fault_run {
    enum sim_fault fault;
    uint32_t x, y;
    bool placed; /* x and y are set already */
    bool aimed;  /* at a step: what dies comes back while the plan may still run */
    int64_t begun, until;
    bool active;
};

struct sim_schedule {
    int64_t delay_us; /* from the order to its time */
    uint32_t to;      /* SIM_NONE: whoever is best then */
};

struct sim_stats {
    uint64_t scenarios, events, acked, unknown, failed, failovers, plans, lossless, bounded;
    uint64_t lost_declared, human_ends, converged;
    uint64_t rule[700];
    uint64_t fault[FAULT_COUNT];
    uint64_t plan[PLAN_KIND_COUNT], plan_done[PLAN_KIND_COUNT], plan_undone[PLAN_KIND_COUNT],
        plan_asks[PLAN_KIND_COUNT];
    uint64_t step[STEP_KIND_COUNT];
    uint64_t crash[STEP_KIND_COUNT][2]; /* before, after the effect or save */
    uint64_t layout[ENGINE_COUNT][LAYOUT_COUNT];
    uint64_t guard[GUARD_COUNT];
    uint64_t outages, recovered_lossless, replayed_relay; /* a life of total outage; its ends */
    uint64_t schedules, scheduled, schedules_missed, schedules_cancelled; /* switchover --at */
    uint64_t evacuations, evacuated, evacuated_into; /* orders; moved by one, failed over into it */
    uint64_t received_not_executed, waiter_at_loss; /* so that a run proves something */
    uint64_t violations[INV_COUNT];
    uint64_t replayed; /* turns recorded and judged again */
};

struct sim {
    struct sim_setup setup;
    struct cluster_config config;
    struct random random;
    int64_t now, wall_offset;
    uint32_t order, event_n;
    struct sim_event events[SIM_EVENTS];
    struct sim_tx tx[SIM_TX];
    uint32_t tx_n;
    struct sim_server server[SIM_SERVERS];
    struct sim_client client[SIM_CLIENTS];
    struct sim_proxy proxy[SIM_PROXIES];
    uint8_t block[SIM_HOSTS][SIM_HOSTS];
    uint32_t slow_us[SIM_HOSTS][SIM_HOSTS], loss_ppm[SIM_HOSTS][SIM_HOSTS];
    char zone[SIM_HOSTS][8];
    struct sim_store store;
    struct sim_controller controller;
    struct sim_save save[SIM_SAVES];
    struct sim_effect effect[SIM_EFFECTS];
    uint32_t effect_gen;
    struct sim_rewind rewind;
    struct sim_fault_run fault[SIM_FAULTS_PER_LIFE * 3];
    uint32_t fault_n;
    bool healed, stopped;
    int64_t healed_at;
    /* checker */
    uint32_t line;          /* server whose log is the surviving line, by writable effects */
    uint64_t line_epoch;
    int64_t line_first_ack, line_at;
    int64_t swapping_at; /* the last moment at which a failover or switchover ran */
    int64_t unserved_at; /* the last moment at which it was not seen to take writes */
    enum certificate_kind line_cert;
    uint32_t chosen;   /* the last that a stored plan past its point of no return opens */
    bool chosen_overridden; /* ... by a plan with --accept-loss */
    int64_t chosen_at; /* since when; of several such plans in a row, the first */
    struct sim_schedule schedule;  /* what an operator orders for a time, in some lives */
    struct evacuation evacuation; /* the zone that is being emptied; since_wall_us 0: none */
    int64_t unmanaged_at; /* nothing was adopted then (the last such moment); STAY_NEVER */
    bool named_overridden;
    struct certificate named; /* of the plan that last named another primary in the store */
    uint32_t named_node;      /* ... and it has not been opened since; SIM_NONE */
    uint32_t loss_declared_max;
    uint32_t line_lost, line_old; /* old: the primary before it, the one that may be fenced */
    bool line_fenced, line_overridden; /* overridden: by a human */
    char human[240];
    uint16_t replica_rule[SIM_SERVERS]; /* last traced */
    uint32_t plans; /* begun in this life */
    int64_t human_since; /* a human has been waited for without a break; STAY_NEVER: not */
    int64_t plan_ended_at; /* the last plan that ended, STAY_NEVER */
    int64_t undone_at; /* a failover or switchover was undone or asked, after heal */
    enum sim_invariant violation;
    char violation_text[400];
    uint64_t trace_hash;
    bool trace, calibrates; /* calibrates: clients write once, when told */
    unsigned mutant;
    bool replays; /* each turn is recorded and judged again */
    bool scripts_only; /* a life without a script of sim_script.c is not lived */
    struct sim_stats *stats;
};

#endif
