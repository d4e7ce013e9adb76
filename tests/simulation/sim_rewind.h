/* tests/simulation/sim_rewind.h - the rewind of the model: a job beside the controller.
 *
 * Layer: tests. See sim.h. */
#ifndef TESTS_SIMULATION_SIM_REWIND_H
#define TESTS_SIMULATION_SIM_REWIND_H
#include "tests/simulation/sim.h"

/* A look at the job of the plan, begun by the first; what the real effect answers. */
enum outcome rewind_look(struct sim *s, struct sim_effect *x);
void rewind_stop(struct sim *s, uint32_t node); /* the job is killed */
/* Handles the job's own events; false: another's. */
bool rewind_event(struct sim *s, const struct sim_event *e);
/* Rows are put back and the GTID state is not yet. */
bool rewind_is_half(const struct sim *s, const struct sim_server *v);
void rewind_forget(struct sim *s, const struct sim_server *v); /* its data is another */

/* sim_facts.c, sim_server_life.c */
/* Is its GTID in the set? */
bool facts_in_set(const struct sim *s, const struct gtid_set *set, uint32_t tx);
/* Its sets anew, from its log. */
void server_recount(struct sim *s, struct sim_server *v);

#endif
