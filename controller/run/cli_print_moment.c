/* What stood decided at a moment, for people: `mainstay explain CLUSTER@TIME`. */
#include "base/table.h"
#include "base/units.h"
#include "controller/run/cli.h"

static void line(struct cli *cli, const char *name, const char *value)
{
    if (value[0] != '\0')
        fprintf(cli->out, "  %-10s %s\n", name, value);
}

static void print_facts(struct cli *cli, const json_t *facts)
{
    static const char *const values[] = {"yes", "no", "unknown"};
    for (size_t v = 0; v < STAY_COUNT(values); v++) {
        char text[400] = "";
        size_t used = 0;
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)facts, key, value)
        {
            if (strcmp(json_string_value(value), values[v]) == 0 && used < sizeof text)
                used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                         used > 0 ? ", " : "", key);
        }
        if (used > 0) {
            fprintf(cli->out, "  %-10s %s:\n", v == 0 ? "facts" : "", values[v]);
            cli_wrap(cli, cli->out, 15, text);
        }
    }
}

static void print_servers(struct cli *cli, const json_t *nodes)
{
    static const struct table_column columns[] = {
        {"SERVER", TABLE_LEFT, false},       {"ASKED", TABLE_RIGHT, false},
        {"GOT AS FAR AS", TABLE_LEFT, true}, {"ANSWERED", TABLE_RIGHT, false},
        {"VERDICT", TABLE_LEFT, true},
    };
    STAY_AUTO(table_clear) struct table t;
    size_t i;
    json_t *node;
    table_init(&t, columns, STAY_COUNT(columns));
    json_array_foreach(nodes, i, node)
    {
        char asked[32], answered[32];
        const json_t *verdict = json_object_get(node, "verdict");
        const char *aside = cli_text(node, "set_aside");
        table_cell(&t, cli_text(node, "node"));
        table_cell(&t, cli_duration(node, "asked_ago_us", asked));
        table_cellf(&t, "%s%s%s", cli_text(node, "layer"),
                    cli_text(node, "outcome")[0] == '\0' ? "" : ": ", cli_text(node, "outcome"));
        table_cell(&t, cli_duration(node, "answered_ago_us", answered));
        if (json_is_object(verdict))
            table_cellf(&t, "%d %s%s%s", (int)json_integer_value(json_object_get(verdict, "rule")),
                        cli_text(verdict, "name"), aside[0] == '\0' ? "" : "; set aside: ", aside);
        else
            table_cell(&t, "the primary");
    }
    fprintf(cli->out, "\n  What was asked last, how long before, and the last whole answer:\n");
    cli_put_table(cli, &t, NULL);
}

static void print_plan(struct cli *cli, const json_t *d)
{
    const json_t *plan = json_object_get(d, "plan");
    char text[400], age[32];
    bool is_over = json_object_get(plan, "ended_ago_us") != NULL;
    if (json_is_object(plan) && cli_text(plan, "id")[0] != '\0') {
        snprintf(text, sizeof text, "%s %s, %s%s%s, %s %s before", cli_text(plan, "id"),
                 cli_text(plan, "kind"), cli_text(plan, "state"), is_over ? "" : " at ",
                 is_over ? "" : cli_text(plan, "step"), is_over ? "ended" : "begun",
                 cli_duration(plan, is_over ? "ended_ago_us" : "begun_ago_us", age));
        line(cli, is_over ? "last plan" : "plan", text);
    }
    if (cli_true(d, "asks_human"))
        line(cli, "asked",
             "a human: nothing is started until `mainstay release` or a plan by hand");
    if (cli_true(d, "suspicion")) {
        snprintf(text, sizeof text, "every server, again each %s: suspicion",
                 cli_duration(d, "suspicion_interval_us", age));
        line(cli, "asked", text);
    }
}

void cli_print_moment(struct cli *cli, const json_t *d)
{
    const json_t *v = json_object_get(d, "verdict"), *guards = json_object_get(d, "refused_by");
    char text[600];
    size_t i;
    json_t *guard;
    fprintf(cli->out, "%s  %s  primary %s, epoch %d, %s%s\n", cli_text(d, "cluster"),
            cli_text(d, "time"),
            cli_text(d, "primary")[0] == '\0' ? "unknown" : cli_text(d, "primary"),
            (int)json_integer_value(json_object_get(d, "epoch")), cli_text(d, "mode"),
            cli_true(d, "lossless_stands") ? ", stands" : "");
    if (cli_text(d, "next")[0] != '\0')
        snprintf(text, sizeof text, "until %s: %s", cli_text(d, "next"),
                 cli_text(d, "next_verdict"));
    else
        snprintf(text, sizeof text, "nothing else is recorded since");
    line(cli, "stood", text);
    snprintf(text, sizeof text, "%d %s, about %s",
             (int)json_integer_value(json_object_get(v, "rule")), cli_text(v, "name"),
             cli_text(d, "about"));
    line(cli, "verdict", text);
    cli_wrap(cli, cli->out, 13, cli_text(v, "why"));
    line(cli, "action", cli_text(d, "action"));
    line(cli, "wanted", cli_text(d, "want"));
    cli_wrap(cli, cli->out, 13, cli_text(d, "outcome"));
    json_array_foreach(guards, i, guard)
    {
        line(cli, "held by", cli_text(guard, "guard"));
        cli_wrap(cli, cli->out, 13, cli_text(guard, "what"));
    }
    print_plan(cli, d);
    print_facts(cli, json_object_get(d, "facts"));
    print_servers(cli, json_object_get(d, "nodes"));
    fprintf(cli->out, "\n  %s (%s:%d)\n",
            cli_true(d, "same_now") ? "Judged again now it is the same, bit for bit."
                                    : "Judged now it is DIFFERENT: `mainstay replay` shows where.",
            cli_text(d, "file"), (int)json_integer_value(json_object_get(d, "line")));
}
