/* errant reset: the node's name is typed, then the controller runs the plan. errant inject: tried
 * first, then asked; the controller starts the job. */
#include "controller/run/cli_errant.h"

/* What stands to be dropped, and the word that says so. */
static bool is_confirmed(struct cli *cli, const char *node)
{
    char line[128] = "";
    fprintf(cli->out,
            "Every transaction that only %s holds is saved as a bundle, then undone there, and\n"
            "%s follows the primary again. What is to be kept is injected first:\n"
            "`mainstay errant show %s %s`, `mainstay errant inject`. After this the rows are in\n"
            "the bundle alone. Type the server's name to go on: ",
            node, node, cli->cluster, node);
    fflush(cli->out);
    bool is_read = fgets(line, sizeof line, stdin) != NULL;
    line[strcspn(line, "\r\n")] = '\0';
    if (is_read && strcmp(line, node) == 0)
        return true;
    fprintf(cli->out, "Nothing was changed.\n");
    return false;
}

int cli_errant_reset(struct cli *cli)
{
    const char *node = json_string_value(json_object_get(cli->args, "node"));
    if (!cli->yes && !cli->dry_run && cli->in_is_terminal) {
        if (!is_confirmed(cli, node == NULL ? "" : node))
            return CLI_FAILED;
        cli->yes = true;
    }
    return cli_talk(cli);
}

int cli_errant_inject(struct cli *cli)
{
    const char *word = json_string_value(json_object_get(cli->args, "bundle"));
    struct bundle *b = cli_errant_open(cli, cli->cluster, word == NULL ? "" : word);
    if (b == NULL)
        return CLI_USAGE;
    stay_json_set_string(cli->args, "bundle", b->name);
    bundle_free(b);
    return cli_talk(cli);
}

void cli_print_injected(struct cli *cli, const json_t *data)
{
    cli_wrap(cli, cli->out, 0, cli_text(data, "text"));
}
