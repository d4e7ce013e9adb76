/* tests/simulation/sim.h - one seeded world in virtual time: servers, network, clients, proxies,
 * store and one controller that runs the real decide and executor code unchanged.
 *
 * Deterministic: a seed gives one life, event by event. Layer: tests (links decide and executor
 * only). Call order: sim_new, sim_run for each seed (resets everything), sim_free. Behaviour of the
 * servers follows what was measured on MariaDB 10.11 and MySQL 9.7 (calibration.c lists the
 * rows). */
#ifndef TESTS_SIMULATION_SIM_H
#define TESTS_SIMULATION_SIM_H
#include "tests/simulation/sim_state.h"

/* sim_event.c: the heap, time, random draws */
void sim_at(struct sim *s, int64_t at, enum sim_event_kind kind, uint32_t a, uint32_t b,
            uint32_t gen, uint32_t arg);
bool sim_next(struct sim *s, struct sim_event *ret_event);
void sim_trace(struct sim *s, const char *fmt, ...) STAY_PRINTF(2, 3);
void sim_violate(struct sim *s, enum sim_invariant inv, const char *fmt, ...) STAY_PRINTF(3, 4);
uint32_t sim_draw(struct sim *s, uint32_t bound);
bool sim_percent(struct sim *s, uint32_t percent);
int64_t sim_span(struct sim *s, int64_t low, int64_t high);
const char *sim_fault_text(enum sim_fault fault);
const char *sim_invariant_text(enum sim_invariant inv);
const char *sim_layout_text(enum sim_layout layout);
const char *sim_script_text(enum sim_script script);

/* sim_net.c: links between hosts */
bool net_ok(const struct sim *s, uint32_t from, uint32_t to);
bool net_both(const struct sim *s, uint32_t a, uint32_t b);
int64_t net_delay(struct sim *s, uint32_t from, uint32_t to);
void net_block(struct sim *s, uint32_t from, uint32_t to, int step);
void net_block_zone(struct sim *s, const char *zone, int step);
void net_healed(struct sim *s); /* after any unblock: stalled streams go on */

/* sim_server.c: log, semi-sync; sim_server_life.c: its process */
static inline bool bit_get(const uint64_t *bits, uint32_t i)
{
    return (bits[i / 64] >> (i % 64)) & 1;
}
static inline void bit_set(uint64_t *bits, uint32_t i)
{
    bits[i / 64] |= UINT64_C(1) << (i % 64);
}
bool server_alive(const struct sim_server *v); /* runs and is not frozen */
uint32_t tx_new(struct sim *s, uint32_t origin, enum tx_kind kind, uint32_t client, int64_t begun);
/* Flushes tx to the binary log; waits for acks when semi-sync is on. Returns true when committed at
 * once. `op` names who waits. */
bool server_flush(struct sim *s, struct sim_server *v, uint32_t tx, const struct sim_waiter *who);
void server_acks(struct sim *s, struct sim_server *v);
void server_ss_set(struct sim *s, struct sim_server *v, bool on, bool by_us);
void server_ss_weakened(struct sim *s, struct sim_server *v, bool by_us);
void server_log_append(struct sim *s, struct sim_server *v, uint32_t tx);
void server_engine_commit(struct sim *s, struct sim_server *v, uint32_t tx);
void server_shutdown_waiters(struct sim *s, struct sim_server *v);
void server_kill(struct sim *s, struct sim_server *v, bool orderly, bool silent);
void server_start(struct sim *s, struct sim_server *v);
void server_freeze(struct sim *s, struct sim_server *v);
void server_thaw(struct sim *s, struct sim_server *v);
uint32_t server_kill_clients(struct sim *s, struct sim_server *v);
uint32_t server_sessions(const struct sim *s, const struct sim_server *v);
bool server_write_blocked(const struct sim_server *v);
void server_release_waiters(struct sim *s, struct sim_server *v, bool with_ok);
uint32_t server_able_acks(const struct sim *s, const struct sim_server *v);

/* sim_replica.c: receiver, applier, relay log */
void replica_stop_receiver(struct sim *s, struct sim_server *v);
void replica_start_receiver(struct sim *s, struct sim_server *v);
void replica_start_applier(struct sim *s, struct sim_server *v);
void replica_replay(struct sim *s, struct sim_server *v);
void replica_stop_applier(struct sim *s, struct sim_server *v);
void replica_change(struct sim *s, struct sim_server *v, uint32_t source); /* SIM_NONE: reset all */
void replica_purge_relay(struct sim *s, struct sim_server *v, bool lie);
void relay_purge_if_both_stopped(struct sim *s, struct sim_server *v);
void relay_apply(struct sim *s, struct sim_server *v);
void replica_pump(struct sim *s, struct sim_server *source, uint32_t rep);
/* The source stops serving a connection that the replica lost. */
void replica_end_stream(struct sim *s, struct sim_server *source, uint32_t rep);
void replica_apply_kick(struct sim *s, struct sim_server *v);
bool replica_event(struct sim *s, const struct sim_event *e);
bool replica_holds_all(const struct sim_server *outer, const struct sim_server *inner);

/* sim_client.c */
void client_start(struct sim *s);
bool client_event(struct sim *s, const struct sim_event *e);
void client_reply(struct sim *s, uint32_t client, uint32_t op, uint32_t server, uint32_t tx,
                  enum obs_outcome outcome);
void client_session_lost(struct sim *s, uint32_t client, uint32_t server);

/* sim_facts.c, sim_probe.c */
void facts_read(const struct sim *s, const struct sim_server *v, struct server_facts *facts,
                unsigned groups);
void facts_set_executed(const struct sim *s, const struct sim_server *v, struct gtid_set *set);
void facts_set_received(const struct sim *s, const struct sim_server *v, struct gtid_set *set);
bool probe_event(struct sim *s, const struct sim_event *e);
void probe_start(struct sim *s);
void probe_session_lost(struct sim *s, uint32_t server);

/* sim_effect.c, sim_sql.c, sim_sql_attach.c, sim_sql_fence.c (servers), sim_route.c (proxies,
 * hooks) */
void effect_start(void *ctx, uint64_t token, const struct effect *effect);
bool effect_event(struct sim *s, const struct sim_event *e);
/* Reads and waits change nothing: they may be sent at any time. */
bool effect_changes(enum step_kind step);
void effect_canary_done(struct sim *s, uint32_t slot_gen);
enum sql_progress { SQL_AGAIN = 0, SQL_DONE, SQL_FAILED };
enum sql_progress sql_step(struct sim *s, struct sim_effect *x, struct sim_server *v);
enum sql_progress sql_next_phase(struct sim *s, struct sim_effect *x); /* a round trip later */
enum sql_progress sql_poll(struct sim *s, struct sim_effect *x);       /* the same phase again */
bool sql_set_read_only(struct sim *s, struct sim_server *v); /* false: it hangs behind a waiter */
bool sql_executes(const struct sim *s, const struct sim_effect *x, const struct sim_server *v);
/* Everything it received is executed, by its own word. */
bool sql_is_drained(const struct sim *s, const struct sim_server *v);
enum sql_progress sql_top_up(struct sim *s, struct sim_effect *x, struct sim_server *v);
enum sql_progress sql_detach(struct sim *s, struct sim_effect *x, struct sim_server *v);
enum sql_progress sql_attach(struct sim *s, struct sim_effect *x, struct sim_server *v);
enum sql_progress sql_thaw(struct sim *s, struct sim_effect *x, struct sim_server *v);
enum sql_progress sql_set_timeouts(struct sim *s, struct sim_effect *x, struct sim_server *v);
enum sql_progress sql_fence(struct sim *s, struct sim_effect *x, struct sim_server *v);
enum sql_progress sql_copy(struct sim *s, struct sim_effect *x, struct sim_server *v);
enum sql_progress sql_copy_stop(struct sim *s, struct sim_effect *x, struct sim_server *v);
void copy_order(struct sim *s); /* an operator's reseed of some server */
enum sql_progress sql_quiesce(struct sim *s, struct sim_effect *x, struct sim_server *v);
void route_step(struct sim *s, struct sim_effect *x);

/* sim_controller.c, sim_store.c */
void controller_start(struct sim *s);
void controller_kill(struct sim *s);
void controller_freeze(struct sim *s, int64_t for_us);
void controller_hold(struct sim *s); /* it stalled, or its clock jumped */
void controller_turn(struct sim *s);
bool controller_event(struct sim *s, const struct sim_event *e);
bool controller_runs(const struct sim *s);
enum stay_rc controller_order(struct sim *s, enum plan_kind kind, const struct plan_params *params);
void store_save(void *ctx, uint64_t token, const struct plan_run *run,
                const struct cluster_record *record, uint64_t expect);
void store_settle(struct sim *s); /* the controller is about to be gone */
void store_put_record(struct sim *s, const struct cluster_record *record, uint64_t expect);
bool store_event(struct sim *s, const struct sim_event *e);
void store_operator(struct sim *s, store_change change);
void fault_release(struct sim *s); /* an operator ends pause, maintenance and cooldown */
void run_copy(struct plan_run *dst, const struct plan_run *src);
/* True when the controller dies at this boundary of a step (side 0 before, 1 after). */
bool crash_here(struct sim *s, enum step_kind step, uint32_t side);

/* sim_fault.c */
void fault_plan(struct sim *s);
uint32_t fault_pick_replica(struct sim *s);
/* sim_fault_server.c, sim_fault_ours.c: each begins and ends those that are its own. */
void fault_begin_server(struct sim *s, const struct sim_fault_run *f, struct sim_server *v);
void fault_end_server(struct sim *s, const struct sim_fault_run *f, struct sim_server *v);
void fault_begin_ours(struct sim *s, const struct sim_fault_run *f);
void fault_end_ours(struct sim *s, const struct sim_fault_run *f);
/* An operator's order, guards asked first as the daemon does. */
void fault_order(struct sim *s, enum plan_kind kind, bool accept_loss);
/* A human does what rule 136 asks for, where it does. */
void fault_recover(struct sim *s, bool accept);
/* sim_script.c: the sequences this life's setup asks for; does it kill the primary as lossless is
 * recorded again? */
void fault_scripts(struct sim *s);
bool fault_at_restore(const struct sim *s);
void fault_draw_script(struct sim *s);  /* from a stream of its own; none as a rule */
void fault_build_script(struct sim *s); /* the world that is built has what the script needs */
void fault_script_row(struct sim *s, const struct plan_run *run, uint32_t row); /* it begins */
bool fault_event(struct sim *s, const struct sim_event *e);
void fault_heal(struct sim *s);
void fault_aim(struct sim *s, const struct plan_run *run, uint32_t row);

/* How long a change behind our back may go unseen: two probes, their deadline, one save. */
#define DETECT_US (3 * STAY_SECOND)

/* sim_check_ack.c */
void check_commit(struct sim *s, uint32_t tx, struct sim_server *v);
/* The controller has the answer to a status query that process `life` of `node` gave at read_at. */
void check_seen(struct sim *s, uint32_t node, uint32_t life, int64_t read_at);
void check_ack(struct sim *s, uint32_t tx, uint32_t server);
bool check_is_swapping(const struct sim *s);
uint32_t check_lost(struct sim *s, const struct sim_server *v, bool fenced, bool skip_weak,
                    uint32_t *ret_first);

/* sim_check_diverged.c */
bool check_has_twin(const struct sim *s, const struct sim_server *v, uint32_t tx);
bool check_has_foreign_twin(const struct sim *s, const struct sim_server *v, uint32_t tx);
void check_errant(struct sim *s, const struct sim_server *v, int64_t known);
void check_errant_seen(struct sim *s, const struct sim_server *v, const struct plan_run *run);
void check_started(struct sim *s, struct sim_server *p);
bool check_is_told(const struct sim *s, const struct sim_server *source, const struct sim_server *v,
                   uint32_t tx);
void check_attach(struct sim *s, struct sim_server *v, uint32_t source, const char *why);

/* sim_check.c */
/* left_at: when the lane sent it; what a frozen server or a cut link kept may come much later. */
void check_writable(struct sim *s, struct sim_server *v, const struct effect *effect,
                    int64_t left_at);
void check_effect(struct sim *s, const struct effect *effect, struct sim_server *v);
void check_left(struct sim *s, const struct effect *effect); /* a change leaves the controller */
void check_saved(struct sim *s, const struct plan_run *run, const struct cluster_record *record);
void check_event(struct sim *s);
/* Somebody looks at the node: a controller runs and its answers come through. */
bool check_watches(const struct sim *s, uint32_t node);

/* sim_check_verdict.c, sim_check_replay.c */
void check_verdict(struct sim *s, uint16_t rule_id);
void check_begun(struct sim *s, const struct plan_run *run);
void check_paused(struct sim *s, const struct effect *effect); /* one that changes begins */
/* The turn that decided `d`, recorded and judged again. */
void check_replay(struct sim *s, struct decision_memory *before, const struct decision *d);

/* sim_check_promotion.c */
void check_proof(struct sim *s, const struct plan_run *run);
void check_promoted(struct sim *s, struct sim_server *v, const struct plan_run *run);
void check_named(struct sim *s); /* is open without a step of ours what the record names? */

/* sim_check_end.c */
void check_end(struct sim *s);
void check_opened_itself(struct sim *s, const struct sim_server *v);

/* sim_converge.c */
bool check_is_attached(const struct sim *s, const struct sim_server *v); /* to the line */
bool check_converged(struct sim *s, char *why, size_t size);

/* sim_build.c, sim_world.c */
struct sim *sim_new(struct sim_stats *stats);
void sim_free(struct sim *s);
/* Lives one seed; returns the invariant it violated, INV_NONE if none. */
enum sim_invariant sim_run(struct sim *s, uint64_t seed);
/* An empty world for calibration and unit tests: `servers` of `engine`, replicas attached to 0. */
void sim_reset(struct sim *s, uint64_t seed);
void sim_build(struct sim *s, enum engine engine, enum sim_layout layout);
void sim_handle(struct sim *s, const struct sim_event *e);
/* sim_draw.c: kinds of life drawn from streams of their own, called once the set-up is drawn. */
void draw_returner(struct sim *s); /* a primary killed with waiters comes back and is written to */
void draw_outage(struct sim *s);
void draw_reseed(struct sim *s);
void draw_conform(struct sim *s); /* `mainstay check --fix` */
void draw_roles_off(struct sim *s);
void draw_parted(struct sim *s);
void draw_relieve(struct sim *s);
void roles_off(struct sim *s); /* every replica receives on and acknowledges no more */
void draw_schedule(struct sim *s);
void schedule_order(struct sim *s, bool cancels); /* by an operator, for a time of day */
/* A record is stored, with a run or without (NULL). */
void check_schedule(struct sim *s, const struct plan_run *run, const struct cluster_record *record);
bool schedule_is_overdue(const struct sim *s); /* due, and nothing stands against it */
void draw_evacuation(struct sim *s);
void evacuation_order(struct sim *s, uint32_t node); /* of the zone it stands in */
void evacuation_tell(struct sim *s); /* before each turn: who is in the zone, whose turn it is */
void check_evacuated(struct sim *s, const struct plan_run *run, uint32_t node); /* promoted */
void draw_lowered(struct sim *s); /* durability.mode, by a reload */
void sim_until(struct sim *s, int64_t at); /* handles every event up to `at` */

#endif
