/* Plans on paper: what one would do, one under way, one that ended and why; switches and reloads.
 */
#include "base/table.h"
#include "base/units.h"
#include "controller/decide/plan.h"
#include "controller/run/cli.h"

/* Only these have a proof and a certificate of their own. */
static bool moves_primary(const char *kind)
{
    return plan_kind_has(plan_kind_named(kind), TRAIT_MOVES_PRIMARY);
}

void cli_print_plan(struct cli *cli, const json_t *data)
{
    static const struct table_column columns[] = {{"", TABLE_RIGHT, TABLE_KEEP},
                                                  {"STEP", TABLE_LEFT, TABLE_KEEP},
                                                  {"ON", TABLE_LEFT, TABLE_CUT},
                                                  {"WITHIN", TABLE_RIGHT, TABLE_KEEP},
                                                  {"WHY", TABLE_LEFT, TABLE_WRAP}};
    STAY_AUTO(table_clear) struct table t;
    const json_t *cert = json_object_get(data, "certificate");
    const char *refused = cli_text(data, "refused");
    char rules[200];
    size_t i, shown = 0;
    json_t *row;
    cli_names(json_object_get(data, "refused_by"), rules, sizeof rules);
    fprintf(cli->out, "%s of %s, as it would run now; nothing was changed\n",
            cli_text(data, "kind"), cli_text(data, "cluster"));
    if (cli_text(data, "donor")[0] != '\0')
        fprintf(cli->out, "  copies the data of  %s\n", cli_text(data, "donor"));
    else if (cli_text(data, "candidate")[0] != '\0')
        fprintf(cli->out, "  new primary  %s\n", cli_text(data, "candidate"));
    if (json_is_object(cert)) {
        fprintf(cli->out, "  certificate  %s (%s)\n", cli_text(cert, "kind"),
                cli_text(cert, "proof"));
        cli_wrap(cli, cli->out, 4, cli_text(cert, "reason"));
    }
    if (refused[0] != '\0' || strcmp(rules, "-") != 0) {
        enum cli_color red = CLI_RED;
        fprintf(cli->out, "  %sit would be refused%s%s%s\n", cli_color(cli, red),
                cli_color_end(cli, red), strcmp(rules, "-") == 0 ? "" : " by ",
                strcmp(rules, "-") == 0 ? "" : rules);
        cli_wrap(cli, cli->out, 4, refused);
        cli->exit_code = CLI_REFUSED;
    }
    table_init(&t, columns, STAY_COUNT(columns));
    json_array_foreach(json_object_get(data, "rows"), i, row)
    {
        char on[160], within[32];
        if (cli_true(row, "skipped"))
            continue;
        cli_names(json_object_get(row, "targets"), on, sizeof on);
        units_format_duration_short(within, sizeof within,
                                    json_integer_value(json_object_get(row, "deadline_ms")) *
                                        STAY_MS);
        table_cellf(&t, "%zu", ++shown);
        table_cell(&t, cli_text(row, "step"));
        table_cell(&t, on);
        table_cell(&t, within);
        table_cell(&t, cli_text(row, "why"));
    }
    if (shown > 0)
        cli_put_table(cli, &t, NULL);
}

void cli_print_outcome(struct cli *cli, const json_t *data)
{
    const json_t *cert = json_object_get(data, "certificate");
    char took[32];
    if (cli_true(data, "scheduled")) {
        char at[40];
        bool none = json_integer_value(json_object_get(data, "at_wall_us")) == 0;
        fprintf(cli->out,
                none ? "No switchover of %s is scheduled%s.\n"
                     : "A switchover of %s is scheduled for %s UTC; it is judged then.\n",
                cli->cluster, none ? "" : cli_time(data, "at_wall_us", at));
        return;
    }
    if (cli_text(data, "plan")[0] != '\0') { /* --no-wait */
        fprintf(cli->out, "Plan %s has begun; `mainstay explain %s` tells how it ends.\n",
                cli_text(data, "plan"), cli_text(data, "plan"));
        return;
    }
    fprintf(cli->out, "Plan %s (%s) %s in %s.\n", cli_text(data, "id"), cli_text(data, "kind"),
            cli_text(data, "state"), cli_duration(data, "took_us", took));
    cli_wrap(cli, cli->out, 2, cli_text(data, "text"));
    if (moves_primary(cli_text(data, "kind")) && cli_text(data, "candidate")[0] != '\0')
        fprintf(cli->out, "  %s is primary; certificate %s (%s)\n", cli_text(data, "candidate"),
                cli_text(cert, "kind"), cli_text(cert, "proof"));
    fprintf(cli->out, "`mainstay explain %s` shows every step.\n", cli_text(data, "id"));
}

void cli_print_switch(struct cli *cli, const json_t *data)
{
    char time[40];
    (void)data;
    fprintf(cli->out, "%s%s%s: done.", cli->verb->name, cli->cluster == NULL ? "" : " ",
            cli->cluster == NULL ? "" : cli->cluster);
    if (json_is_integer(json_object_get(data, "until_wall_us")))
        fprintf(cli->out, " Until %s.", cli_time(data, "until_wall_us", time));
    fputc('\n', cli->out);
}

void cli_print_reload(struct cli *cli, const json_t *data)
{
    fprintf(cli->out, "%s is in force.\n", cli_text(data, "file"));
    if (cli_text(data, "needs_restart")[0] != '\0')
        fprintf(cli->out, "Not taken before a restart of mainstayd: %s\n",
                cli_text(data, "needs_restart"));
}

/* One line per step while a plan runs. */
void cli_print_event(struct cli *cli, const json_t *event)
{
    FILE *to = (cli->verb->flags & CLI_STREAMS) != 0 ? cli->out : cli->err;
    const char *what = cli_text(event, "event"), *state = cli_text(event, "row_state");
    char took[32];
    if (strcmp(what, "step begun") == 0 || strcmp(state, "skipped") == 0)
        return;
    if (strcmp(what, "step ended") == 0)
        fprintf(to, "%s  %2d/%d  %-20s %-7s %8s%s%s\n", cli_text(event, "plan"),
                (int)json_integer_value(json_object_get(event, "row")) + 1,
                (int)json_integer_value(json_object_get(event, "rows")), cli_text(event, "step"),
                state, cli_duration(event, "took_us", took),
                cli_text(event, "text")[0] == '\0' ? "" : "  ", cli_text(event, "text"));
    else
        fprintf(to, "%s  %s %s%s%s\n", cli_text(event, "plan"), cli_text(event, "kind"),
                strcmp(what, "plan begun") == 0 ? "begins" : cli_text(event, "state"),
                cli_text(event, "text")[0] == '\0' ? "" : ": ", cli_text(event, "text"));
}

void cli_print_history(struct cli *cli, const json_t *data)
{
    static const struct table_column columns[] = {
        {"PLAN", TABLE_LEFT, TABLE_KEEP},       {"BEGUN (UTC)", TABLE_LEFT, TABLE_KEEP},
        {"KIND", TABLE_LEFT, TABLE_KEEP},       {"STATE", TABLE_LEFT, TABLE_KEEP},
        {"TO", TABLE_LEFT, TABLE_KEEP},         {"OUTAGE", TABLE_RIGHT, TABLE_KEEP},
        {"CERTIFICATE", TABLE_LEFT, TABLE_CUT},
    };
    STAY_AUTO(table_clear) struct table t;
    size_t i;
    json_t *p;
    table_init(&t, columns, STAY_COUNT(columns));
    json_array_foreach(json_object_get(data, "plans"), i, p)
    {
        char begun[40], outage[32];
        bool moved = moves_primary(cli_text(p, "kind"));
        table_cell(&t, cli_text(p, "id"));
        table_cell(&t, cli_time(p, "begun_wall_us", begun));
        table_cell(&t, cli_text(p, "kind"));
        table_cell(&t, cli_text(p, "state"));
        table_cell(&t, cli_text(p, "candidate")[0] == '\0' ? "-" : cli_text(p, "candidate"));
        table_cell(&t, cli_duration(p, "outage_us", outage));
        table_cell(&t, moved ? cli_text(p, "certificate") : "-");
    }
    if (table_row_count(&t) == 0)
        fprintf(cli->out, "No plan was run yet.\n");
    else
        cli_put_table(cli, &t, NULL);
}

static void line(struct cli *cli, const char *name, const char *value)
{
    if (value[0] != '\0' && strcmp(value, "-") != 0)
        fprintf(cli->out, "  %-12s %s\n", name, value);
}

static void print_times(struct cli *cli, const json_t *timeline)
{
    static const struct {
        const char *key, *name, *what;
    } spans[] = {
        {"detection_us", "detection", "from the first sign to the verdict"},
        {"intent_us", "intent", "until the new epoch was stored"},
        {"proof_us", "proof", "fence, freeze, drain, certificate"},
        {"promotion_us", "promotion", "until the new primary was writable"},
        {"outage_us", "path closed", "first sign to route open, a commit proved before it"},
        {"outage_at_most_us", "at most", "by the canary, one write a second"},
    };
    for (size_t i = 0; i < STAY_COUNT(spans); i++) {
        char text[32];
        const char *took = cli_duration(timeline, spans[i].key, text);
        if (strcmp(took, "-") != 0)
            fprintf(cli->out, "  %-12s %-10s %s\n", spans[i].name, took, spans[i].what);
    }
}

static void print_loss(struct cli *cli, const json_t *summary, const json_t *cert)
{
    const json_t *measured = json_object_get(summary, "measured");
    if (json_is_object(measured)) {
        json_int_t n = json_integer_value(json_object_get(measured, "extra_transactions"));
        fprintf(cli->out,
                "  loss         measured: %lld transaction%s of %s are not on the new one\n",
                (long long)n, n == 1 ? "" : "s", cli_text(measured, "node"));
        cli_wrap(cli, cli->out, 15, cli_text(measured, "extra_set"));
        if (n > 0 && strcmp(cli_text(cert, "kind"), "LOSSLESS") == 0)
            cli_wrap(cli, cli->out, 15,
                     "none of them was acknowledged to a client, by the certificate");
    } else if (strcmp(cli_text(cert, "proof"), "F1 confirmed") == 0 &&
               strcmp(cli_text(cert, "kind"), "LOSSLESS") == 0) {
        line(cli, "loss", "none: the old primary was read after its last write");
    } else if (strcmp(cli_text(summary, "state"), "succeeded") == 0) {
        line(cli, "loss", "not measured yet: the old primary was not compared since");
    }
}

/* What was rehearsed of it before, beside what then happened. */
static void print_predicted(struct cli *cli, const json_t *timeline, const json_t *summary)
{
    const json_t *p = json_object_get(timeline, "predicted");
    char took[32], measured[32], text[240];
    if (!json_is_object(p))
        return;
    const char *next = cli_text(p, "candidate"), *cert = cli_text(p, "certificate");
    snprintf(text, sizeof text, "%s, %s, path closed %s (measured: %s)",
             next[0] == '\0' ? "nobody" : next, cert[0] == '\0' ? "no certificate" : cert,
             json_is_integer(json_object_get(p, "closed_us")) ? cli_duration(p, "closed_us", took)
                                                              : "not measured before",
             cli_duration(timeline, "outage_us", measured));
    line(cli, "predicted", text);
    bool as_said = strcmp(next, cli_text(summary, "candidate")) == 0 &&
                   strcmp(cert, cli_text(summary, "certificate")) == 0;
    snprintf(text, sizeof text, "rehearsed as %s, %s before%s", cli_text(p, "lose"),
             cli_duration(p, "age_us", took), as_said ? "" : "; it came otherwise");
    cli_wrap(cli, cli->out, 15, text);
}

/* Steps of the store, the routes and of judgement alone concern no single server. */
static bool is_on_nodes(const char *step)
{
    for (int i = 0; i < STEP_KIND_COUNT; i++)
        if (strcmp(step_kind_text((enum step_kind)i), step) == 0)
            return step_kind_class((enum step_kind)i) == CLASS_NODE;
    return false;
}

static void print_steps(struct cli *cli, const json_t *rows)
{
    static const struct table_column columns[] = {
        {"AT", TABLE_RIGHT, TABLE_KEEP},   {"STEP", TABLE_LEFT, TABLE_KEEP},
        {"ON", TABLE_LEFT, TABLE_CUT},     {"STATE", TABLE_LEFT, TABLE_KEEP},
        {"TOOK", TABLE_RIGHT, TABLE_KEEP}, {"RESULT", TABLE_LEFT, TABLE_WRAP}};
    STAY_AUTO(table_clear) struct table t;
    enum cli_color colors[64] = {CLI_PLAIN};
    size_t i;
    json_t *row;
    table_init(&t, columns, STAY_COUNT(columns));
    json_array_foreach(rows, i, row)
    {
        char at[32], took[32], on[160];
        const char *state = cli_text(row, "state");
        if (strcmp(state, "skipped") == 0 || strcmp(state, "pending") == 0)
            continue;
        if (table_row_count(&t) < STAY_COUNT(colors))
            colors[table_row_count(&t)] = strcmp(state, "failed") == 0 ? CLI_RED : CLI_PLAIN;
        cli_names(is_on_nodes(cli_text(row, "step")) ? json_object_get(row, "nodes") : NULL, on,
                  sizeof on);
        table_cell(&t, cli_duration(row, "at_us", at));
        table_cell(&t, cli_text(row, "step"));
        table_cell(&t, on);
        table_cell(&t, state);
        table_cell(&t, cli_duration(row, "duration_us", took));
        table_cell(&t, cli_text(row, "text"));
    }
    if (table_row_count(&t) > 0)
        cli_put_table(cli, &t, colors);
}

void cli_print_explain(struct cli *cli, const json_t *data)
{
    const json_t *s = json_object_get(data, "summary"),
                 *timeline = json_object_get(data, "timeline");
    const json_t *cert = json_object_get(json_object_get(data, "run"), "certificate");
    json_int_t rule = json_integer_value(json_object_get(s, "rule"));
    char begun[40], took[32], text[400];
    fprintf(cli->out, "%s  %s of %s, %s\n", cli_text(s, "id"), cli_text(s, "kind"),
            cli_text(s, "cluster"), cli_text(s, "state"));
    cli_wrap(cli, cli->out, 2, cli_text(s, "text"));
    snprintf(text, sizeof text, "%s UTC, took %s", cli_time(s, "begun_wall_us", begun),
             cli_duration(s, "duration_us", took));
    line(cli, "begun", text);
    bool automatic = cli_true(s, "automatic");
    line(cli, "by", automatic ? "mainstay itself" : cli_text(s, "actor"));
    line(cli, "reason", automatic ? "" : cli_text(s, "reason")); /* the rule is its reason */
    if (rule > 0) {
        snprintf(text, sizeof text, "%d %s", (int)rule, cli_text(timeline, "rule_name"));
        line(cli, "rule", text);
        cli_wrap(cli, cli->out, 15, cli_text(timeline, "rule_why"));
    }
    if (moves_primary(cli_text(s, "kind"))) {
        snprintf(text, sizeof text, "%s -> %s", cli_text(s, "old_primary"),
                 cli_text(s, "candidate")[0] == '\0' ? "?" : cli_text(s, "candidate"));
        line(cli, "primary", text);
        line(cli, "proof", cli_text(timeline, "proof"));
        line(cli, "certificate", cli_text(timeline, "certificate"));
        cli_wrap(cli, cli->out, 15, cli_text(timeline, "certificate_reason"));
        print_loss(cli, s, cert);
    }
    print_times(cli, timeline);
    print_predicted(cli, timeline, s);
    fputc('\n', cli->out);
    print_steps(cli, json_object_get(timeline, "rows"));
}
