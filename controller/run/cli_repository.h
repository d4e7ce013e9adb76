/* controller/run/cli_repository.h - what the verbs of a repository share.
 *
 * Layer: run. */
#ifndef CONTROLLER_RUN_CLI_REPOSITORY_H
#define CONTROLLER_RUN_CLI_REPOSITORY_H
#include "backup/repository/repo_fault.h"
#include "backup/repository/repository.h"
#include "controller/run/cli.h"

/* From the arguments; borrowed of cli. key_path NULL: none was given. */
struct repository_spec cli_repository_spec(const struct cli *cli);
/* As repository_open; false: told, *ret_exit has the code. `needs_key`: refused without one. */
bool cli_repository_open(struct cli *cli, bool needs_key, struct repository **ret_repo,
                         int *ret_exit);
/* Tells an error, as JSON with --json; its exit code: the fault's, or what fits the rc. */
int cli_repository_fail(struct cli *cli, enum stay_rc rc, const struct stay_error *err);
/* With --json prints `json` as one line and gives true. */
bool cli_repository_json(struct cli *cli, const json_t *json);

#endif
