/* controller/run/daemon.h - mainstayd as an object: settings, store, probes, one judgement loop per
 * cluster, executors, recorder, the serving side.
 *
 * Layer: run. One loop thread. Order: daemon_open, daemon_run (returns at SIGTERM or SIGINT),
 * daemon_close. */
#ifndef CONTROLLER_RUN_DAEMON_H
#define CONTROLLER_RUN_DAEMON_H
#include "base/error.h"

struct daemon;

/* Reads the configuration, opens the store and starts everything. Nothing is acted upon before the
 * store was read and every server asked once. Any error: nothing runs, the text says what to
 * fix. */
enum stay_rc daemon_open(const char *config_path, struct daemon **ret_daemon,
                         struct stay_error *err) STAY_MUST_USE;
void daemon_run(struct daemon *d);
void daemon_close(struct daemon *d);

#endif
