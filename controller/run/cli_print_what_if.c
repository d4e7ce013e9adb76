/* What would happen if a server or a zone died now, on paper. */
#include "base/table.h"
#include "controller/run/cli.h"

static void print_prediction(struct cli *cli, const json_t *p)
{
    char outage[32], sign[32], detection[32], steps[32];
    int plans = (int)json_integer_value(json_object_get(p, "plans"));
    if (!json_is_integer(json_object_get(p, "outage_us"))) {
        fprintf(cli->out, "  outage       not measured: %s\n",
                plans == 0 ? "no failover after such a death was run yet"
                           : "nothing would be waited for");
        return;
    }
    fprintf(cli->out, "  outage       %s, by the steps of %d failover%s of this kind\n",
            cli_duration(p, "outage_us", outage), plans, plans == 1 ? "" : "s");
    fprintf(cli->out, "               seen after %s, verdict %s later, then %s to the open route\n",
            cli_duration(p, "sign_us", sign), cli_duration(p, "detection_us", detection),
            cli_duration(p, "steps_us", steps));
    if (json_integer_value(json_object_get(p, "drain_us")) > 0)
        fprintf(cli->out, "               of that %s for the candidate's lag\n",
                cli_duration(p, "drain_us", steps));
    if (json_integer_value(json_object_get(p, "wait_us")) > 0)
        fprintf(cli->out, "               of that %s for lost servers that are asked\n",
                cli_duration(p, "wait_us", steps));
}

static void print_candidates(struct cli *cli, const json_t *candidates)
{
    static const struct table_column columns[] = {
        {"NODE", TABLE_LEFT, false}, {"MAY LEAD", TABLE_LEFT, false}, {"WHY", TABLE_LEFT, true}};
    STAY_AUTO(table_clear) struct table t;
    size_t i;
    json_t *row;
    table_init(&t, columns, STAY_COUNT(columns));
    json_array_foreach(candidates, i, row)
    {
        table_cell(&t, cli_text(row, "node"));
        table_cell(&t, cli_true(row, "eligible") ? "yes" : "no");
        table_cell(&t, cli_text(row, "why"));
    }
    if (table_row_count(&t) > 0)
        cli_put_table(cli, &t, NULL);
}

static void print_blocks(struct cli *cli, const json_t *loss)
{
    char rules[200];
    size_t i;
    json_t *text;
    json_array_foreach(json_object_get(loss, "blocks"), i, text)
    {
        fprintf(cli->out, "  %sblocked%s\n", cli_color(cli, CLI_RED), cli_color_end(cli, CLI_RED));
        cli_wrap(cli, cli->out, 4, json_string_value(text));
    }
    cli_names(json_object_get(loss, "refused_by"), rules, sizeof rules);
    if (strcmp(rules, "-") != 0)
        fprintf(cli->out, "  %sheld by%s      %s\n", cli_color(cli, CLI_YELLOW),
                cli_color_end(cli, CLI_YELLOW), rules);
}

static void print_loss(struct cli *cli, const json_t *loss)
{
    const json_t *cert = json_object_get(loss, "certificate");
    const json_t *verdict = json_object_get(loss, "verdict");
    const char *want = cli_text(loss, "want");
    bool failable = cli_true(loss, "failable"), moves = cli_true(loss, "primary_lost");
    bool held = json_array_size(json_object_get(loss, "refused_by")) > 0;
    enum cli_color color = !failable ? CLI_RED : held && moves ? CLI_YELLOW : CLI_GREEN;
    fprintf(cli->out, "%s of %s lost now: %s%s%s\n", cli_text(loss, "lose"),
            cli_text(loss, "cluster"), cli_color(cli, color),
            !moves      ? "the primary is not touched"
            : !failable ? "nobody would take over"
            : held      ? "nothing would start by itself"
                        : "it would be survived",
            cli_color_end(cli, color));
    fprintf(cli->out, "  verdict      %d %s%s%s\n",
            (int)json_integer_value(json_object_get(verdict, "rule")), cli_text(verdict, "name"),
            want[0] == '\0' ? "" : "; wants ", want);
    if (cli_text(loss, "candidate")[0] != '\0')
        fprintf(cli->out, "  new primary  %s\n", cli_text(loss, "candidate"));
    if (json_is_object(cert)) {
        fprintf(cli->out, "  certificate  %s (%s)\n", cli_text(cert, "kind"),
                cli_text(cert, "proof"));
        cli_wrap(cli, cli->out, 15, cli_text(cert, "reason"));
    }
    if (moves && failable)
        print_prediction(cli, json_object_get(loss, "predicted"));
    print_blocks(cli, loss);
    if (moves)
        print_candidates(cli, json_object_get(loss, "candidates"));
}

void cli_print_what_if(struct cli *cli, const json_t *data)
{
    const json_t *losses = json_object_get(data, "losses");
    size_t i;
    json_t *loss;
    if (!json_is_array(losses)) {
        print_loss(cli, data);
        return;
    }
    json_array_foreach(losses, i, loss)
    {
        if (i > 0)
            fputc('\n', cli->out);
        print_loss(cli, loss);
    }
}
