/* tests/simulation/sim_report.h - what a simulation run prints: sums over jobs, the reach table (no
 * zero allowed over the default run), JSON for the bench. Layer: tests. */
#ifndef TESTS_SIMULATION_SIM_REPORT_H
#define TESTS_SIMULATION_SIM_REPORT_H
#include "tests/simulation/sim.h"

void report_add(struct sim_stats *sum, const struct sim_stats *part);
void report_summary(const struct sim_stats *stats, double seconds, double cpu_seconds);
/* Prints every cell; returns how many are zero. */
uint32_t report_reach(const struct sim_stats *stats);
bool report_json(const char *path, const struct sim_stats *stats, double seconds,
                 double cpu_seconds);

#endif
