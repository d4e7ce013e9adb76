/* How questions are answered on paper 80 columns wide: status, topology, problems, verdict, check.
 */
#include "base/table.h"
#include "controller/run/cli.h"

static enum cli_color color_of_node(const json_t *node)
{
    const char *role = cli_text(node, "role");
    if (strcmp(role, "down") == 0 || strcmp(role, "quarantined") == 0)
        return CLI_RED;
    if (strcmp(role, "none") == 0)
        return CLI_YELLOW;
    if (strcmp(role, "replica") == 0 && strcmp(cli_text(node, "receiver"), "running") != 0)
        return CLI_YELLOW;
    return CLI_PLAIN;
}

/* One word on how it is, and what is wrong with it. */
static const char *state_of(const json_t *node)
{
    if (cli_true(node, "up"))
        return "up";
    const char *reach = cli_text(node, "reach");
    return reach[0] == '\0' ? "not asked" : strcmp(reach, "ok") == 0 ? "stale" : reach;
}

static void remark_of(const json_t *node, char *dst, size_t size)
{
    const json_t *verdict = json_object_get(node, "verdict");
    json_int_t rule = json_integer_value(json_object_get(verdict, "rule"));
    const char *quarantine = cli_text(node, "quarantine");
    const char *role = cli_text(node, "role");
    const json_t *read_only = json_object_get(node, "read_only");
    dst[0] = '\0';
    if (quarantine[0] != '\0')
        snprintf(dst, size, "%s", quarantine);
    else if (rule == 290 && !cli_true(node, "up"))
        snprintf(dst, size, "%s", cli_text(node, "reach_text"));
    else if (rule > 200 && strcmp(role, "primary") != 0)
        snprintf(dst, size, "%d %s", (int)rule, cli_text(verdict, "name"));
    else if (strcmp(role, "primary") == 0 && json_is_true(read_only))
        snprintf(dst, size, "read-only");
    else if (strcmp(role, "primary") == 0 && json_is_false(read_only))
        snprintf(dst, size, "writable");
    else if (strcmp(role, "replica") == 0 && json_is_false(read_only))
        snprintf(dst, size, "writable!");
    else if (!cli_true(node, "up"))
        snprintf(dst, size, "%s", cli_text(node, "reach_text"));
}

static void print_nodes(struct cli *cli, const json_t *nodes)
{
    static const struct table_column columns[] = {
        {"NODE", TABLE_LEFT, TABLE_KEEP},   {"ROLE", TABLE_LEFT, TABLE_KEEP},
        {"ZONE", TABLE_LEFT, TABLE_CUT},    {"STATE", TABLE_LEFT, TABLE_CUT},
        {"LAG", TABLE_RIGHT, TABLE_KEEP},   {"SEMI-SYNC", TABLE_LEFT, TABLE_KEEP},
        {"REMARK", TABLE_LEFT, TABLE_WRAP},
    };
    STAY_AUTO(table_clear) struct table t;
    enum cli_color colors[64] = {CLI_PLAIN};
    size_t i;
    json_t *node;
    table_init(&t, columns, STAY_COUNT(columns));
    json_array_foreach(nodes, i, node)
    {
        char lag[32], remark[160];
        const char *semi_sync = cli_text(node, "semi_sync");
        bool primary = strcmp(cli_text(node, "role"), "primary") == 0;
        if (i < STAY_COUNT(colors))
            colors[i] = color_of_node(node);
        remark_of(node, remark, sizeof remark);
        table_cell(&t, cli_text(node, "name"));
        table_cell(&t, cli_text(node, "role"));
        table_cell(&t, cli_text(node, "zone"));
        table_cell(&t, state_of(node));
        /* What a server that is down said last is history, not state. */
        bool up = cli_true(node, "up");
        table_cell(&t, primary || !up ? "-" : cli_duration(node, "lag_us", lag));
        table_cell(&t, semi_sync[0] == '\0' || !up ? "-" : semi_sync);
        table_cell(&t, remark);
    }
    if (json_array_size(nodes) <= STAY_COUNT(colors))
        cli_put_table(cli, &t, colors);
}

static enum cli_color color_of_rule(json_int_t rule)
{
    return rule == 100                                                               ? CLI_GREEN
           : rule == 120 || rule == 121 || rule == 131 || rule == 133 || rule == 136 ? CLI_RED
                                                                                     : CLI_YELLOW;
}

static void print_promise(struct cli *cli, const json_t *c)
{
    char since[40], ackers[160];
    const char *mode = cli_text(c, "mode"), *wanted = cli_text(c, "mode_wanted");
    cli_names(json_object_get(c, "ackers"), ackers, sizeof ackers);
    fprintf(cli->out, "  mode      ");
    if (strcmp(mode, "lossless") != 0)
        fprintf(cli->out, "%s%s%s%s", mode, strcmp(mode, wanted) == 0 ? "" : " (wanted: ",
                strcmp(mode, wanted) == 0 ? "" : wanted, strcmp(mode, wanted) == 0 ? "" : ")");
    else if (cli_true(c, "lossless_stands"))
        fprintf(cli->out, "lossless, stands since %s",
                cli_time(c, "lossless_since_wall_us", since));
    else
        fprintf(cli->out, "%slossless, does not stand%s: waiting for the barrier",
                cli_color(cli, CLI_YELLOW), cli_color_end(cli, CLI_YELLOW));
    fprintf(cli->out, "; acks from %s\n", ackers);
    if (cli_true(c, "unknown_ackers"))
        fprintf(cli->out, "            %san unknown server reads the primary's log%s\n",
                cli_color(cli, CLI_YELLOW), cli_color_end(cli, CLI_YELLOW));
}

/* Deaths that the last round of rehearsals found nobody to take over for; the primary's own is
 * told above. */
static void print_rehearsed(struct cli *cli, const json_t *losses)
{
    size_t i;
    json_t *loss;
    json_array_foreach(losses, i, loss)
    {
        char text[400];
        if (cli_true(loss, "failable") || strncmp(cli_text(loss, "lose"), "zone:", 5) != 0)
            continue;
        snprintf(text, sizeof text, "%s lost: %s", cli_text(loss, "lose"), cli_text(loss, "block"));
        cli_wrap(cli, cli->out, 4, text);
    }
}

static void print_exposure(struct cli *cli, const json_t *c)
{
    const json_t *e = json_object_get(c, "exposure"), *cert = json_object_get(e, "certificate");
    char text[700];
    const char *refused = cli_text(e, "refused"), *candidate = cli_text(e, "candidate");
    const char *primary = cli_text(c, "primary");
    char took[32], after[48] = "", held[200];
    if (json_is_integer(json_object_get(e, "predicted_us")))
        snprintf(after, sizeof after, " after about %s", cli_duration(e, "predicted_us", took));
    if (!cli_true(c, "adopted"))
        snprintf(text, sizeof text, "nothing would be done: the cluster is only observed");
    else if (refused[0] != '\0')
        snprintf(text, sizeof text, "no failover would start now: %s", refused);
    else if (candidate[0] == '\0')
        snprintf(text, sizeof text, "no server could take over now");
    else
        snprintf(
            text, sizeof text, "if %s died now: %s takes over%s, %s%s%s",
            primary[0] == '\0' ? "the primary" : primary, candidate, after, cli_text(cert, "kind"),
            strcmp(cli_text(cert, "kind"), "LOSSLESS") == 0 ? "" : ": ",
            strcmp(cli_text(cert, "kind"), "LOSSLESS") != 0 ? cli_text(cert, "reason")
            : strcmp(cli_text(c, "engine"), "mysql") == 0
                ? " if it is seen to die; of one that is only silent (frozen, cut off) a human "
                  "is asked, for MySQL answers its waiters when it is shut down"
                : "");
    cli_names(json_object_get(e, "refused_by"), held, sizeof held);
    if (cli_true(c, "adopted") && refused[0] == '\0' && strcmp(held, "-") != 0)
        snprintf(text + strlen(text), sizeof text - strlen(text), "; not by itself: held by %s",
                 held);
    fprintf(cli->out, "  exposure\n");
    cli_wrap(cli, cli->out, 4, text);
    print_rehearsed(cli, json_object_get(e, "losses"));
}

static void print_routes(struct cli *cli, const json_t *c)
{
    const json_t *routes = json_object_get(c, "routes");
    int unreachable = (int)json_integer_value(json_object_get(routes, "unreachable"));
    if (unreachable > 0)
        fprintf(cli->out, "  %sroutes%s    %d of %d proxies do not answer\n",
                cli_color(cli, CLI_YELLOW), cli_color_end(cli, CLI_YELLOW), unreachable,
                (int)json_integer_value(json_object_get(routes, "proxies")));
}

static void print_switches(struct cli *cli, const json_t *c)
{
    char time[40], rules[200];
    const json_t *plan = json_object_get(c, "plan");
    const char *yellow = cli_color(cli, CLI_YELLOW), *end = cli_color_end(cli, CLI_YELLOW);
    if (!cli_true(c, "adopted"))
        fprintf(cli->out, "  %sonly observed%s: `mainstay adopt %s` begins to manage it\n", yellow,
                end, cli_text(c, "name"));
    json_int_t checks = json_integer_value(json_object_get(c, "checks"));
    if (checks > 0)
        fprintf(cli->out, "  %ssettings%s  %d spoil%s a promise: `mainstay check %s`\n", yellow,
                end, (int)checks, checks == 1 ? "s" : "", cli_text(c, "name"));
    if (cli_true(c, "paused"))
        fprintf(cli->out, "  %spaused%s: nothing is acted upon; `mainstay resume%s%s`\n", yellow,
                end, cli_true(c, "paused_all") ? "" : " ",
                cli_true(c, "paused_all") ? "" : cli_text(c, "name"));
    if (cli_true(c, "asks"))
        fprintf(cli->out,
                "  %sa plan asks%s: it stopped%s%s%s; nothing is started or moved. See `mainstay "
                "explain last`, set right by hand or by a plan who is primary, then `mainstay "
                "release %s`\n",
                yellow, end, cli_text(c, "asks_about")[0] ? " when " : "",
                cli_text(c, "asks_about"),
                cli_text(c, "asks_about")[0] ? " may have been opened as the primary" : "",
                cli_text(c, "name"));
    if (json_is_integer(json_object_get(c, "switch_at_wall_us")))
        fprintf(cli->out, "  switchover%s%s at %s, by %s; `mainstay switchover %s --at never`\n",
                cli_text(c, "switch_to")[0] == '\0' ? "" : " to ", cli_text(c, "switch_to"),
                cli_time(c, "switch_at_wall_us", time), cli_text(c, "switch_by"),
                cli_text(c, "name"));
    if (json_is_integer(json_object_get(c, "switch_missed_wall_us")))
        fprintf(cli->out,
                "  %sswitchover missed%s: it was due at %s and not possible within 10 minutes; not "
                "done late. `mainstay release %s`\n",
                yellow, end, cli_time(c, "switch_missed_wall_us", time), cli_text(c, "name"));
    if (!json_is_null(json_object_get(c, "maintenance_until_wall_us")))
        fprintf(cli->out, "  %smaintenance%s until %s\n", yellow, end,
                cli_time(c, "maintenance_until_wall_us", time));
    if (!json_is_null(json_object_get(c, "cooldown_until_wall_us")))
        fprintf(cli->out, "  %scooldown%s until %s; after a look: `mainstay release %s`\n", yellow,
                end, cli_time(c, "cooldown_until_wall_us", time), cli_text(c, "name"));
    if (json_is_object(plan))
        fprintf(cli->out, "  %splan %s%s: %s, step %d of %d: %s\n", yellow, cli_text(plan, "id"),
                end, cli_text(plan, "kind"),
                (int)json_integer_value(json_object_get(plan, "row")) + 1,
                (int)json_integer_value(json_object_get(plan, "rows")), cli_text(plan, "step"));
    if (json_is_object(plan) && cli_text(plan, "progress")[0] != '\0')
        cli_wrap(cli, cli->out, 4, cli_text(plan, "progress"));
    if (cli_text(c, "want")[0] != '\0' && !json_is_object(plan)) {
        cli_names(json_object_get(c, "refused_by"), rules, sizeof rules);
        fprintf(cli->out, "  %swants %s%s\n", yellow, cli_text(c, "want"), end);
        if (json_array_size(json_object_get(c, "refused_by")) > 0)
            fprintf(cli->out, "    held by: %s\n", rules);
        cli_wrap(cli, cli->out, 4, cli_text(c, "refused"));
    }
}

void cli_print_status(struct cli *cli, const json_t *data)
{
    size_t i;
    json_t *c;
    const json_t *self = json_object_get(data, "controller");
    if (cli_text(self, "holds")[0] != '\0') {
        fprintf(cli->out, "The controller acts on nothing now:\n");
        cli_wrap(cli, cli->out, 4, cli_text(self, "holds"));
    } else if (!cli_true(self, "ready"))
        fprintf(cli->out, "The controller is not ready yet: it watches and does not act.\n");
    cli_print_evacuations(cli, data);
    json_array_foreach(json_object_get(data, "clusters"), i, c)
    {
        const json_t *verdict = json_object_get(c, "verdict");
        json_int_t rule = json_integer_value(json_object_get(verdict, "rule"));
        const char *primary = cli_text(c, "primary");
        char why[400];
        fprintf(cli->out, "%s%s  %s  primary %s  epoch %d\n", i > 0 ? "\n" : "",
                cli_text(c, "name"), cli_text(c, "engine"),
                primary[0] == '\0' ? "unknown" : primary,
                (int)json_integer_value(json_object_get(c, "epoch")));
        fprintf(cli->out, "  verdict   %s%d %s%s\n", cli_color(cli, color_of_rule(rule)), (int)rule,
                cli_text(verdict, "name"), cli_color_end(cli, color_of_rule(rule)));
        bool is_new = !cli_true(c, "adopted") && primary[0] == '\0';
        snprintf(why, sizeof why, "%s",
                 is_new ? "nothing is recorded yet: `mainstay adopt` records the writable server"
                        : cli_text(verdict, "why"));
        cli_wrap(cli, cli->out, 4, why);
        print_promise(cli, c);
        cli_print_outage(cli, c);
        print_exposure(cli, c);
        print_routes(cli, c);
        print_switches(cli, c);
        print_nodes(cli, json_object_get(c, "nodes"));
    }
}

void cli_print_topology(struct cli *cli, const json_t *data)
{
    size_t i, k;
    json_t *c, *node;
    json_array_foreach(json_object_get(data, "clusters"), i, c)
    {
        fprintf(cli->out, "%s%s\n", i > 0 ? "\n" : "", cli_text(c, "name"));
        json_array_foreach(json_object_get(c, "nodes"), k, node)
        {
            const char *source = cli_text(node, "source");
            char lag[32];
            fprintf(cli->out, "  %s%s%s  %s  %s%s%s", cli_color(cli, color_of_node(node)),
                    cli_text(node, "name"), cli_color_end(cli, color_of_node(node)),
                    cli_text(node, "role"), cli_text(node, "address"),
                    source[0] == '\0' ? "" : "  <- ", source);
            if (source[0] != '\0')
                fprintf(cli->out, "  receiver %s, lag %s", cli_text(node, "receiver"),
                        cli_duration(node, "lag_us", lag));
            fprintf(cli->out, "\n");
            cli_wrap(cli, cli->out, 6, cli_text(node, "executed"));
        }
    }
}

void cli_print_problems(struct cli *cli, const json_t *data)
{
    size_t i;
    json_t *p;
    const json_t *list = json_object_get(data, "problems");
    json_array_foreach(list, i, p)
    {
        bool critical = strcmp(cli_text(p, "severity"), "critical") == 0;
        enum cli_color color = critical ? CLI_RED : CLI_YELLOW;
        fprintf(cli->out, "%s%s%s  %s%s%s  %d %s\n", cli_color(cli, color), cli_text(p, "severity"),
                cli_color_end(cli, color), cli_text(p, "cluster"),
                cli_text(p, "node")[0] == '\0' ? "" : "/", cli_text(p, "node"),
                (int)json_integer_value(json_object_get(p, "rule")), cli_text(p, "name"));
        cli_wrap(cli, cli->out, 4, cli_text(p, "why"));
        cli_wrap(cli, cli->out, 4, cli_text(p, "detail"));
    }
    if (json_array_size(list) == 0)
        fprintf(cli->out, "No problems.\n");
}

void cli_print_verdict(struct cli *cli, const json_t *data)
{
    const json_t *v = json_object_get(data, "verdict");
    json_int_t rule = json_integer_value(json_object_get(v, "rule"));
    const char *key;
    json_t *value, *node;
    size_t i;
    fprintf(cli->out, "%s  %s%d %s%s  action: %s\n", cli_text(data, "cluster"),
            cli_color(cli, color_of_rule(rule)), (int)rule, cli_text(v, "name"),
            cli_color_end(cli, color_of_rule(rule)), cli_text(v, "action"));
    cli_wrap(cli, cli->out, 4, cli_text(v, "why"));
    fprintf(cli->out, "  facts\n");
    json_object_foreach((json_t *)(uintptr_t)json_object_get(data, "facts"), key, value)
        fprintf(cli->out, "    %-18s %s\n", key,
                json_is_null(value)   ? "unknown"
                : json_is_true(value) ? "yes"
                                      : "no");
    json_array_foreach(json_object_get(data, "nodes"), i, node)
    {
        fprintf(cli->out, "  %s  %d %s\n", cli_text(node, "node"),
                (int)json_integer_value(json_object_get(node, "rule")), cli_text(node, "name"));
        cli_wrap(cli, cli->out, 4, cli_text(node, "why"));
    }
    if (cli_text(data, "want")[0] != '\0') {
        char rules[200];
        cli_names(json_object_get(data, "refused_by"), rules, sizeof rules);
        fprintf(cli->out, "  wants %s, held by: %s\n", cli_text(data, "want"), rules);
    }
}

void cli_print_which(struct cli *cli, const json_t *data)
{
    fprintf(cli->out, "%s\n", cli_text(data, "address"));
}
