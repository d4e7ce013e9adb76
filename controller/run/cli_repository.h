/* controller/run/cli_repository.h - what the verbs of a repository share.
 *
 * Layer: run. */
#ifndef CONTROLLER_RUN_CLI_REPOSITORY_H
#define CONTROLLER_RUN_CLI_REPOSITORY_H
#include "backup/repository/repo_fault.h"
#include "backup/repository/repository.h"
#include "controller/run/cli.h"

/* From the arguments, a name also from the configuration; borrowed of cli. key_path NULL: none was
 * given. */
enum stay_rc cli_repository_spec(struct cli *cli, struct repository_spec *ret_spec,
                                 struct stay_error *err) STAY_MUST_USE;
/* The url of a name in the configuration, of anything else itself; heap, caller frees. */
enum stay_rc cli_repository_url(struct cli *cli, const char *word, char **ret_url,
                                struct stay_error *err) STAY_MUST_USE;

enum cli_key {
    CLI_KEY_USED = 0, /* when one is given */
    CLI_KEY_NEEDED,   /* refused without one */
    CLI_KEY_UNUSED,   /* opened without it, whatever the configuration says */
};

/* As repository_open; false: told, *ret_exit has the code. */
bool cli_repository_open(struct cli *cli, enum cli_key key, struct repository **ret_repo,
                         int *ret_exit);
/* Tells an error, as JSON with --json; its exit code: the fault's, or what fits the rc. */
int cli_repository_fail(struct cli *cli, enum stay_rc rc, const struct stay_error *err);
/* The same, with what was found until then under "findings" (borrowed). */
int cli_repository_fail_with(struct cli *cli, enum stay_rc rc, const struct stay_error *err,
                             json_t *findings);
/* With --json prints `json` as one line and gives true. */
bool cli_repository_json(struct cli *cli, const json_t *json);

#endif
