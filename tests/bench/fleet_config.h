/* tests/bench/fleet_config.h - the addresses of a probe stage as clusters of two in a controller's
 * configuration: c0, c1 ..., with the accounts and certificates of the stage's crowd.
 *
 * Layer: tests. Not pure. */
#ifndef TESTS_BENCH_FLEET_CONFIG_H
#define TESTS_BENCH_FLEET_CONFIG_H
#include "tests/bench/probe_stage.h"

/* Clusters first .. end - 1 as elements of `clusters`, each with a comma before the next; each
 * server is probed once a second. */
void fleet_config_write(FILE *file, const struct probe_stage *stage, int first, int end);
/* Adds all of them behind the clusters of another lab's configuration, before its controller is
 * started; false with a message on stderr. */
bool fleet_config_join(struct lab *lab, const struct probe_stage *stage);

#endif
