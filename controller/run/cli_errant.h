/* controller/run/cli_errant.h - what the verbs `errant ...` share: the folder of bundles beside the
 * controller's state, and the bundle a word names.
 *
 * Layer: run, cli_errant*.c. Reads the files themselves, so that a bundle can be looked at while
 * the controller is down. */
#ifndef CONTROLLER_RUN_CLI_ERRANT_H
#define CONTROLLER_RUN_CLI_ERRANT_H
#include "backup/bundle_rows.h"
#include "controller/run/cli.h"

/* DIR of the state file, then "errant"; heap, caller frees; NULL: printed why. */
char *cli_errant_dir(struct cli *cli);
/* The bundle that `word` names: its own name, or its node's newest one. NULL: printed why. */
struct bundle *cli_errant_open(struct cli *cli, const char *cluster, const char *word);
/* Prints a failure as text or JSON; returns exit code. */
int cli_errant_fail(struct cli *cli, int exit_code, const struct stay_error *err);

#endif
