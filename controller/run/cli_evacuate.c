/* `mainstay evacuate zone:Z`: shows what would be moved; with --yes gives the order, then looks
 * until nothing of it goes on, and says of each cluster what became of it; with --end gives the
 * zone back. The order is the controller's: it goes on when this command does not. */
#include "base/io/real_clock.h"
#include "base/table.h"
#include "controller/decide/evacuation.h"
#include "controller/run/cli.h"
#include <time.h>

#define LOOK_US    (300 * STAY_MS)
#define SETTLED_US (5 * STAY_SECOND) /* so long nothing may be able to go */
#define WAIT_US    (600 * STAY_SECOND)

static bool is_state(const json_t *row, enum evacuation_state state)
{
    return strcmp(cli_text(row, "state"), evacuation_state_text(state)) == 0;
}

/* --- printing -------------------------------------------------------------------------------- */

static void add_row(struct table *t, const json_t *row, bool is_plan)
{
    bool goes = is_plan && is_state(row, EVACUATION_DUE);
    const char *why = cli_text(row, "why"), *warns = cli_text(row, "warning");
    const char *to = cli_text(row, "to");
    json_int_t us = json_integer_value(json_object_get(row, "duration_us"));
    table_cell(t, cli_text(row, "cluster"));
    table_cell(t, cli_text(row, "from")[0] == '\0' ? "-" : cli_text(row, "from"));
    table_cell(t, to[0] == '\0' ? "-" : to);
    table_cell(t, goes ? "would move" : cli_text(row, "state"));
    if (json_is_integer(json_object_get(row, "duration_us")))
        table_cellf(t, "%.1f", (double)us / 1e6);
    else
        table_cell(t, "-");
    table_cellf(t, "%s%s%s", why, why[0] != '\0' && warns[0] != '\0' ? "; " : "", warns);
}

static void print_table(struct cli *cli, const json_t *data, bool is_plan)
{
    static const struct table_column columns[] = {
        {"CLUSTER", TABLE_LEFT, TABLE_KEEP},  {"FROM", TABLE_LEFT, TABLE_KEEP},
        {"TO", TABLE_LEFT, TABLE_KEEP},       {"RESULT", TABLE_LEFT, TABLE_KEEP},
        {"SECONDS", TABLE_RIGHT, TABLE_KEEP}, {"WHY", TABLE_LEFT, TABLE_WRAP}};
    STAY_AUTO(table_clear) struct table t;
    size_t i;
    json_t *row;
    table_init(&t, columns, STAY_COUNT(columns));
    json_array_foreach(json_object_get(data, "clusters"), i, row) add_row(&t, row, is_plan);
    if (table_row_count(&t) > 0)
        cli_put_table(cli, &t, NULL);
    else
        fprintf(cli->out, "No cluster has a server there.\n");
    fflush(cli->out);
}

static void print_json(struct cli *cli, const json_t *data)
{
    STAY_AUTO(stay_free_charp)
    char *text = cli->out_is_terminal ? stay_json_dump_pretty(data) : stay_json_dump_compact(data);
    fprintf(cli->out, "%s\n", text);
}

static void print_plan(struct cli *cli, const json_t *data)
{
    fprintf(cli->out,
            "Evacuating zone %s: each primary there moves by a switchover, %d at a time; "
            "its servers take part in no promotion until --end.\n",
            cli_text(data, "zone"), (int)json_integer_value(json_object_get(data, "at_once")));
    if (cli_true(data, "controller_inside"))
        fprintf(cli->out,
                "%sThis controller stands in that zone%s: it goes down with it, and "
                "nobody fails over until it is back.\n",
                cli_color(cli, CLI_YELLOW), cli_color_end(cli, CLI_YELLOW));
    print_table(cli, data, true);
}

static void print_end(struct cli *cli, const json_t *data)
{
    const char *phase = cli_text(data, "phase"), *zone = cli_text(data, "zone");
    print_table(cli, data, false);
    if (strcmp(phase, "done") == 0)
        fprintf(cli->out,
                "No primary stands in zone %s. It stays marked: afterwards `mainstay "
                "evacuate zone:%s --end`.\n",
                zone, zone);
    else if (strcmp(phase, "stopped") == 0)
        fprintf(cli->out,
                "Stopped at the first that did not move; the zone stays marked. Once that "
                "is set right, give the order again.\n");
    else
        fprintf(cli->out,
                "%d cluster%s left in zone %s; the zone stays marked, and one that can "
                "move later does.\n",
                (int)json_integer_value(json_object_get(data, "left")),
                json_integer_value(json_object_get(data, "left")) == 1 ? "" : "s", zone);
}

void cli_print_evacuations(struct cli *cli, const json_t *data)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(data, "evacuations"), i, row)
    {
        char since[40];
        int left = (int)json_integer_value(json_object_get(row, "left"));
        fprintf(cli->out,
                "%szone %s is being evacuated%s since %s by %s%s%s: %d primar%s left there; "
                "`mainstay evacuate zone:%s --end`\n",
                cli_color(cli, CLI_YELLOW), cli_text(row, "zone"), cli_color_end(cli, CLI_YELLOW),
                cli_time(row, "since_wall_us", since), cli_text(row, "by"),
                cli_text(row, "reason")[0] == '\0' ? "" : ": ", cli_text(row, "reason"), left,
                left == 1 ? "y" : "ies", cli_text(row, "zone"));
    }
}

/* --- asking ---------------------------------------------------------------------------------- */

static int fetch(struct cli *cli, const char *action, json_t **ret_data)
{
    stay_json_set_string(cli->args, "action", action);
    return cli_fetch(cli, cli->verb, ret_data);
}

/* As fetch, but a controller that is away for a moment is waited for. */
static bool look(struct cli *cli, bool *is_away, json_t **ret_data)
{
    stay_json_set_string(cli->args, "action", "look");
    bool is_there = cli_try_fetch(cli, cli->verb, ret_data);
    if (!is_there && !*is_away)
        fprintf(cli->err, "mainstay: the controller does not answer; the order stands, it goes on "
                          "when it is back\n");
    *is_away = !is_there;
    return is_there;
}

/* Looks until nothing goes on. False: time is up, *ret_data is the last answer or NULL. */
static bool wait_for_moves(struct cli *cli, json_t **ret_data)
{
    const struct timespec pause = {.tv_nsec = LOOK_US * 1000};
    int64_t due = real_clock_mono_us() + (cli->timeout_us == 0 ? WAIT_US : cli->timeout_us);
    int64_t held_us = 0;
    bool is_away = false;
    while (real_clock_mono_us() < due) {
        json_t *data = NULL;
        nanosleep(&pause, NULL);
        if (!look(cli, &is_away, &data)) {
            held_us = 0;
            continue;
        }
        json_decref(*ret_data);
        *ret_data = data;
        const char *phase = cli_text(data, "phase");
        bool holds = strcmp(phase, "held") == 0;
        held_us = !holds ? 0 : held_us == 0 ? real_clock_mono_us() : held_us;
        if (strcmp(phase, "done") == 0 || strcmp(phase, "stopped") == 0 ||
            (holds && real_clock_mono_us() - held_us > SETTLED_US))
            return true;
    }
    return false;
}

static int begin(struct cli *cli)
{
    STAY_AUTO(stay_json_drop) json_t *data = NULL;
    int exit_code = fetch(cli, "begin", &data);
    if (exit_code != CLI_DONE)
        return exit_code;
    bool is_over = cli->no_wait || wait_for_moves(cli, &data);
    if (cli->json)
        print_json(cli, data);
    else if (cli->no_wait)
        fprintf(cli->out, "The order stands; `mainstay evacuate zone:%s` tells how far it is.\n",
                cli_text(data, "zone"));
    else
        print_end(cli, data);
    if (!is_over) {
        fprintf(cli->err, "mainstay: no end within the time given; the order goes on\n");
        return CLI_UNKNOWN;
    }
    return cli->no_wait || strcmp(cli_text(data, "phase"), "done") == 0 ? CLI_DONE : CLI_FAILED;
}

static int end(struct cli *cli)
{
    STAY_AUTO(stay_json_drop) json_t *data = NULL;
    int exit_code = fetch(cli, "end", &data);
    if (exit_code == CLI_DONE && cli->json)
        print_json(cli, data);
    else if (exit_code == CLI_DONE)
        fprintf(cli->out, "Zone %s is in use again. Nothing moved back: `mainstay switchover`.\n",
                cli_text(data, "zone"));
    return exit_code;
}

int cli_evacuate(struct cli *cli)
{
    STAY_AUTO(stay_json_drop) json_t *data = NULL;
    if (cli->end && !cli->dry_run)
        return end(cli);
    int exit_code = fetch(cli, cli->yes ? "plan" : "look", &data);
    if (exit_code != CLI_DONE)
        return exit_code;
    bool begins = cli->yes && !cli->dry_run, stands = cli_true(data, "stands");
    if (cli->json && !begins)
        print_json(cli, data);
    else if (!cli->json && stands)
        print_end(cli, data);
    else if (!cli->json)
        print_plan(cli, data);
    if (begins)
        return begin(cli);
    if (!cli->json && !stands)
        fprintf(cli->out, "Nothing was changed; --yes begins.\n");
    return CLI_DONE;
}
