/* tests/simulation/sim_stall.h - commits that hang in a MariaDB's disk which takes no write.
 *
 * Layer: tests. See sim.h. */
#ifndef TESTS_SIMULATION_SIM_STALL_H
#define TESTS_SIMULATION_SIM_STALL_H
#include "tests/simulation/sim.h"

/* A client's write hangs in the disk; false: it is not one of those. */
bool stall_takes(struct sim *s, struct sim_server *v, uint32_t client, uint32_t op);
/* Who hangs there is killed, and cannot leave; how many anew. */
uint32_t stall_kill(struct sim_server *v);
/* The disk works again: what hung in it goes on. */
void stall_ends(struct sim *s, struct sim_server *v);
/* Who waits last for an acknowledgement is answered OK without one (sim_server.c). */
void server_commit_last(struct sim *s, struct sim_server *v);

/* Sets the read-only that waits without a limit, if it does and nobody is in its way. */
void sql_close_late(struct sim *s, struct sim_server *v);
#endif
