/* errant reset: the node's name is typed, then the controller runs the plan. errant inject: tried
 * first, then asked; the controller starts the job. */
#include "controller/run/cli_errant.h"

#include "base/str.h"
#include "base/table.h"

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
    return cli_verify(cli);
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

static const struct table_column injected_columns[] = {{"transaction", TABLE_LEFT, TABLE_KEEP},
                                                       {"committed (UTC)", TABLE_LEFT, TABLE_KEEP},
                                                       {"rows", TABLE_LEFT, TABLE_KEEP},
                                                       {"tables", TABLE_LEFT, TABLE_CUT},
                                                       {"result", TABLE_LEFT, TABLE_KEEP}};

/* "+2 ~1 -3" */
static void put_rows(struct table *t, const json_t *row)
{
    static const char *const keys[] = {"inserted", "updated", "deleted"};
    STAY_AUTO(str_clear) struct str text = {0};
    for (size_t i = 0; i < STAY_COUNT(keys); i++) {
        json_int_t n = json_integer_value(json_object_get(row, keys[i]));
        if (n > 0)
            str_addf(&text, "%s%c%lld", text.length > 0 ? " " : "", "+~-"[i], n);
    }
    table_cell(t, text.length > 0 ? str_text(&text) : "-");
}

static bool is_conflict(const json_t *row)
{
    return strcmp(cli_text(row, "result"), "conflict") == 0;
}

static void put_conflicts(struct cli *cli, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        if (!is_conflict(row))
            continue;
        const char *gtid = cli_text(row, "gtid"), *why = cli_text(row, "why");
        bool names = strncmp(why, gtid, strlen(gtid)) == 0;
        STAY_AUTO(stay_free_charp)
        char *line = names ? stay_strdup(why) : stay_sprintf("%s: %s", gtid, why);
        cli_wrap(cli, cli->out, 2, line);
    }
}

static json_int_t number(const json_t *data, const char *key)
{
    return json_integer_value(json_object_get(data, key));
}

void cli_print_injected(struct cli *cli, const json_t *data)
{
    const json_t *list = json_object_get(data, "list");
    bool trial = cli_true(data, "trial");
    json_int_t good = number(data, "injected"), bad = number(data, "refused");
    json_int_t all = good + bad + number(data, "before");
    struct table t;
    table_init(&t, injected_columns, STAY_COUNT(injected_columns));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        char when[40];
        table_cell(&t, cli_text(row, "gtid"));
        table_cell(&t, cli_time(row, "wall_us", when));
        put_rows(&t, row);
        table_cell(&t, cli_text(row, "tables"));
        table_cell(&t, is_conflict(row) || strcmp(cli_text(row, "result"), "injected") != 0
                           ? cli_text(row, "result")
                       : trial ? "would be injected"
                               : "injected");
    }
    if (json_array_size(list) > 0)
        cli_put_table(cli, &t, NULL);
    table_clear(&t);
    if (all > (json_int_t)json_array_size(list))
        fprintf(cli->out, "and %lld more\n", (long long)(all - (json_int_t)json_array_size(list)));
    if (bad > 0)
        fprintf(cli->out, "\nLeft out:\n");
    put_conflicts(cli, list);
    STAY_AUTO(stay_free_charp)
    char *sum = stay_sprintf(
        "%lld of %lld %s into the primary %s%s, %lld in conflict, %lld injected before.%s",
        (long long)good, (long long)all, trial ? "would be injected" : "injected",
        cli_text(data, "primary"), trial ? " as new transactions, each under a new GTID" : "",
        (long long)bad, (long long)number(data, "before"),
        trial ? " Tried in one transaction there and rolled back: nothing was changed." : "");
    cli_wrap(cli, cli->out, 0, sum);
}
