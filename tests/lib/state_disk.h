/* tests/lib/state_disk.h - a small disk of its own for the state file of a lab's controller, so
 * that a scenario can fill it up.
 *
 * Layer: tests. Not pure; needs root. One per process. Each exits the scenario on failure. */
#ifndef TESTS_LIB_STATE_DISK_H
#define TESTS_LIB_STATE_DISK_H
#include "tests/lib/scenario.h"

/* Mounts `kib` kibibytes over the lab's state folder, which is empty until state_disk_remove, or
 * the end of the process before the lab is taken down. The controller must not run meanwhile. */
void state_disk_mount(struct lab *lab, unsigned kib);
/* Writes until there is no room left. */
void state_disk_fill(void);
/* Gives the room back that fill took. */
void state_disk_free(void);
void state_disk_remove(void);

#endif
