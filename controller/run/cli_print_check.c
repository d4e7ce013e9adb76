/* `mainstay check` for people: server by server what spoils a promise and what to type, then the
 * lines for its option file in one block, ready to be copied. */
#include "controller/run/cli.h"

static bool is_same_server(const json_t *a, const json_t *b)
{
    return strcmp(cli_text(a, "cluster"), cli_text(b, "cluster")) == 0 &&
           strcmp(cli_text(a, "node"), cli_text(b, "node")) == 0;
}

static void print_row(struct cli *cli, const json_t *c)
{
    int rule = (int)json_integer_value(json_object_get(c, "rule"));
    char head[240];
    if (rule == 0)
        snprintf(head, sizeof head, "%s: %s", cli_text(c, "name"), cli_text(c, "detail"));
    else
        snprintf(head, sizeof head, "%d %s", rule, cli_text(c, "detail"));
    cli_wrap(cli, cli->out, 2, head);
    cli_wrap(cli, cli->out, 6, cli_text(c, "why"));
    if (cli_text(c, "fix")[0] != '\0')
        cli_wrap(cli, cli->out, 6, cli_text(c, "fix"));
}

/* The rows of one server stand together only by chance: gather them at the first one. */
static bool is_first_of_server(const json_t *list, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (is_same_server(json_array_get(list, i), json_array_get(list, at)))
            return false;
    return true;
}

/* Two rules may ask for one line: what is set now, and what the next start would set. */
static bool is_line_said(const json_t *list, size_t at)
{
    const json_t *c = json_array_get(list, at);
    for (size_t i = 0; i < at; i++)
        if (is_same_server(json_array_get(list, i), c) &&
            strcmp(cli_text(json_array_get(list, i), "line"), cli_text(c, "line")) == 0)
            return true;
    return false;
}

static void print_server(struct cli *cli, const json_t *list, const json_t *first)
{
    size_t i;
    json_t *c;
    bool any = false;
    fprintf(cli->out, "%s%s%s\n", cli_text(first, "cluster"),
            cli_text(first, "node")[0] == '\0' ? "" : "/", cli_text(first, "node"));
    json_array_foreach(list, i, c) if (is_same_server(c, first)) print_row(cli, c);
    json_array_foreach(list, i, c)
    {
        if (!is_same_server(c, first) || cli_text(c, "line")[0] == '\0' || is_line_said(list, i))
            continue;
        if (!any)
            fprintf(cli->out, "  option file of %s, section [mysqld]:\n", cli_text(c, "node"));
        any = true;
        fprintf(cli->out, "      %s\n", cli_text(c, "line"));
    }
    fprintf(cli->out, "\n");
}

static void print_blind(struct cli *cli, const json_t *list)
{
    size_t i;
    json_t *c;
    const char *cluster = "";
    json_array_foreach(list, i, c)
    {
        if (strcmp(cluster, cli_text(c, "cluster")) != 0) {
            cluster = cli_text(c, "cluster");
            fprintf(cli->out,
                    "%s: no query shows these; the option file of every server needs them:\n",
                    cluster);
        }
        fprintf(cli->out, "      %s\n", cli_text(c, "line"));
    }
}

void cli_print_check(struct cli *cli, const json_t *data)
{
    const json_t *list = json_object_get(data, "checks");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (is_first_of_server(list, i))
            print_server(cli, list, json_array_get(list, i));
    if (json_array_size(list) == 0)
        fprintf(cli->out, "Every setting that can be read keeps its promise.\n");
    else
        cli->exit_code = CLI_FAILED;
    print_blind(cli, json_object_get(data, "not_readable"));
    fprintf(cli->out,
            "Settings are read every 10 s, grants every 5 minutes (1 while one is missing).\n");
}
