/* `mainstay check --fix`: shows what the controller may set while the servers run, asks, has it
 * done server by server as plans of the controller, and says what is left for a human and why. */
#include "controller/run/cli.h"

#include <string.h>

/* Not typed by people: each is started by check --fix. */
static const struct cli_verb conform = {.name = "check --fix",
                                        .flags = CLI_CHANGES | CLI_PLANS,
                                        .wire = "conform",
                                        .print = cli_print_outcome,
                                        .usage = "",
                                        .help = ""};

static void show_live(struct cli *cli, const json_t *live)
{
    size_t i;
    json_t *row;
    json_array_foreach(live, i, row) fprintf(cli->out, "%s/%s: set %s\n", cli_text(row, "cluster"),
                                             cli_text(row, "node"), cli_text(row, "settings"));
}

/* Rows that no live setting mends. */
static void show_left(struct cli *cli, const json_t *checks)
{
    size_t i;
    json_t *row;
    bool any = false;
    json_array_foreach(checks, i, row)
    {
        if (cli_true(row, "live"))
            continue;
        if (!any)
            fprintf(cli->out,
                    "Left for a human: it needs a restart, a drained replica or rights that "
                    "mainstay does not hold:\n");
        any = true;
        fprintf(cli->out, "  %s/%s %s: %s\n", cli_text(row, "cluster"), cli_text(row, "node"),
                cli_text(row, "detail"), cli_text(row, "fix"));
    }
}

static bool is_left(const json_t *checks)
{
    size_t i;
    json_t *row;
    json_array_foreach(checks, i, row) if (!cli_true(row, "live")) return true;
    return false;
}

static bool may_go(struct cli *cli, int *ret_exit)
{
    char line[8] = "";
    *ret_exit = CLI_USAGE;
    if (cli->yes)
        return true;
    if (!cli->in_is_terminal) {
        cli_usage_error(cli,
                        "check --fix changes running servers and nobody can be asked here: add "
                        "--yes, or look first with --dry-run");
        return false;
    }
    fprintf(cli->out, "\nSet these now? [y/N] ");
    fflush(cli->out);
    *ret_exit = CLI_FAILED;
    if (fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y'))
        return true;
    fprintf(cli->out, "Nothing was changed.\n");
    return false;
}

/* One plan a server; the first that is refused ends it. */
static int fix_all(struct cli *cli, const json_t *live)
{
    size_t i;
    json_t *row;
    int exit_code = CLI_DONE;
    cli->yes = true;
    cli->timeout_us = 60 * STAY_SECOND;
    json_array_foreach(live, i, row)
    {
        if (exit_code != CLI_DONE)
            break;
        cli->cluster = cli_text(row, "cluster");
        cli->verb = &conform;
        stay_json_set_string(cli->args, "node", cli_text(row, "node"));
        exit_code = cli_talk(cli);
    }
    return exit_code;
}

static int fix(struct cli *cli)
{
    STAY_AUTO(stay_json_drop) json_t *data = NULL;
    int exit_code = cli_fetch(cli, cli->verb, &data);
    const json_t *live = json_object_get(data, "live"), *checks = json_object_get(data, "checks");
    if (exit_code != CLI_DONE)
        return exit_code;
    bool left = is_left(checks);
    if (!cli->json) {
        show_live(cli, live);
        show_left(cli, checks);
    }
    if (json_array_size(live) == 0) {
        fprintf(left ? cli->err : cli->out,
                left ? "mainstay: nothing of it is safe to set while the servers run\n"
                     : "Nothing is wrong.\n");
        return left ? CLI_REFUSED : CLI_DONE;
    }
    if (cli->dry_run) {
        fprintf(cli->out, "Nothing was changed.\n");
        return left ? CLI_REFUSED : CLI_DONE;
    }
    if (!may_go(cli, &exit_code))
        return exit_code;
    exit_code = fix_all(cli, live);
    return exit_code == CLI_DONE && left ? CLI_REFUSED : exit_code;
}

int cli_check(struct cli *cli)
{
    if (cli->fix)
        return fix(cli);
    if (!cli->dry_run && !cli->yes)
        return cli_talk(cli);
    cli_usage_error(cli, "--dry-run and --yes go with check --fix");
    return CLI_USAGE;
}
