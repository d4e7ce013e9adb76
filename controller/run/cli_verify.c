/* verify: what a job found of a replica's rows; and the same behind a plan, with --verify. */
#include "controller/run/cli.h"

#include "base/table.h"

int cli_verify(struct cli *cli)
{
    if (cli->verify && (cli->no_wait || cli->dry_run)) {
        cli_usage_error(cli, "--verify looks at what the plan left: not with --no-wait, --dry-run");
        return CLI_USAGE;
    }
    int exit_code = cli_talk(cli);
    if (exit_code != CLI_DONE || !cli->verify)
        return exit_code;
    cli->verb = cli_verb_named("verify");
    return cli_talk(cli);
}

static const struct table_column columns[] = {{"table", TABLE_LEFT, TABLE_KEEP},
                                              {"rows", TABLE_LEFT, TABLE_CUT},
                                              {"result", TABLE_LEFT, TABLE_KEEP},
                                              {"", TABLE_LEFT, TABLE_CUT}};

void cli_print_verified(struct cli *cli, const json_t *data)
{
    const json_t *list = json_object_get(data, "list");
    json_int_t differences = json_integer_value(json_object_get(data, "differences"));
    json_int_t unknown = json_integer_value(json_object_get(data, "unknown"));
    struct table t;
    table_init(&t, columns, STAY_COUNT(columns));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *slice = cli_text(row, "slice");
        table_cell(&t, cli_text(row, "table"));
        table_cell(&t, slice[0] == '\0' ? "-" : slice);
        table_cell(&t, cli_text(row, "result"));
        table_cell(&t, cli_text(row, "why"));
    }
    if (json_array_size(list) > 0)
        cli_put_table(cli, &t, NULL);
    table_clear(&t);
    STAY_AUTO(stay_free_charp)
    char *sum = stay_sprintf(
        "%s%lld rows of %lld tables of %s are equal to %s's.%s",
        differences > 0 ? "It differs: " : "",
        (long long)json_integer_value(json_object_get(data, "rows")),
        (long long)json_integer_value(json_object_get(data, "tables")), cli_text(data, "node"),
        cli_text(data, "primary"),
        unknown > 0       ? " What is not known was written to all the time, or cannot be compared."
        : differences > 0 ? " `mainstay reseed` replaces its data."
                          : "");
    cli_wrap(cli, cli->out, 0, sum);
}
