/* `mainstay replay`: each recorded decision is judged again by this program, and what it says now
 * is compared with what was recorded, bit for bit. Asks no controller and no server. */
#include "base/table.h"
#include "controller/decide/decision.h"
#include "controller/run/cli_recording.h"

#define DIFFERENCES_MAX 40 /* of one decision */

struct tally {
    json_t *decisions, *unreadable;
    unsigned same, different;
};

/* As the last one, further on in the same file: counted there. */
static bool is_again(const struct tally *t, const char *path, const char *error)
{
    size_t count = json_array_size(t->unreadable);
    json_t *last = count == 0 ? NULL : json_array_get(t->unreadable, count - 1);
    if (last == NULL || strcmp(cli_text(last, "file"), path) != 0 ||
        strcmp(cli_text(last, "error"), error) != 0)
        return false;
    stay_json_set_int(last, "records", json_integer_value(json_object_get(last, "records")) + 1);
    return true;
}

static void add_unreadable(struct tally *t, const char *path, unsigned line, const char *error,
                           const char *fix)
{
    if (is_again(t, path, error))
        return;
    json_t *one = json_object();
    stay_json_set_int(one, "records", 1);
    stay_json_set_string(one, "file", path);
    stay_json_set_int(one, "line", line);
    stay_json_set_string(one, "error", error);
    stay_json_set_string(one, "fix", fix);
    stay_json_append(t->unreadable, one);
}

static json_t *differences(const struct replay *replay)
{
    json_t *list = json_array();
    struct replay_difference found;
    size_t at = 0;
    while (json_array_size(list) < DIFFERENCES_MAX && replay_next_difference(replay, &at, &found)) {
        json_t *one = json_object();
        stay_json_set_string(one, "field", found.field);
        stay_json_set_string(one, "recorded", found.recorded);
        stay_json_set_string(one, "now", found.judged);
        stay_json_append(list, one);
    }
    return list;
}

static void set_field(json_t *obj, const char *key, const struct replay *replay, const char *field)
{
    char value[200] = "";
    (void)replay_output_field(replay->recorded, field, value, sizeof value);
    stay_json_set_string(obj, key, value);
}

static void judge_frame(struct tally *t, const struct recording *r,
                        const struct recorder_frame *frame)
{
    STAY_AUTO(replay_drop) struct replay *replay = NULL;
    struct stay_error err = {0};
    unsigned line = 0;
    const char *fix = cli_recording_unfit(frame);
    if (fix != NULL) {
        char text[80];
        snprintf(text, sizeof text, "a record of format %u", frame->format);
        add_unreadable(t, r->path, r->line, text, fix);
        return;
    }
    if (replay_new(frame->text, frame->length, &replay, &line, &err) != STAY_OK) {
        add_unreadable(t, r->path, r->line + line, err.text, CLI_RECORDING_FIX_TEXT);
        return;
    }
    json_t *one = json_object();
    stay_json_set_string(one, "file", r->path);
    stay_json_set_int(one, "line", r->line);
    stay_json_set_string(one, "time", frame->wall);
    stay_json_set_string(one, "cluster", frame->cluster);
    set_field(one, "verdict", replay, "decision.verdict");
    set_field(one, "want", replay, "decision.want");
    set_field(one, "refused_by", replay, "decision.vetoes");
    stay_json_set_bool(one, "same", replay->is_same);
    if (!replay->is_same)
        stay_json_set(one, "differences", differences(replay));
    stay_json_append(t->decisions, one);
    t->same += replay->is_same;
    t->different += !replay->is_same;
}

/* --- for people ------------------------------------------------------------------------------ */

static bool is_like(const json_t *a, const json_t *b)
{
    return a != NULL && cli_true(a, "same") && cli_true(b, "same") &&
           strcmp(cli_text(a, "cluster"), cli_text(b, "cluster")) == 0 &&
           strcmp(cli_text(a, "verdict"), cli_text(b, "verdict")) == 0 &&
           strcmp(cli_text(a, "want"), cli_text(b, "want")) == 0 &&
           strcmp(cli_text(a, "refused_by"), cli_text(b, "refused_by")) == 0;
}

static void add_row(struct table *t, const json_t *d, unsigned count)
{
    const char *want = cli_text(d, "want"), *held = cli_text(d, "refused_by");
    table_cell(t, cli_text(d, "time"));
    table_cell(t, cli_text(d, "cluster"));
    table_cell(t, cli_text(d, "verdict"));
    table_cell(t, strcmp(want, "none") == 0 ? "-" : want);
    table_cell(t, held[0] == '\0' ? "-" : held);
    table_cellf(t, "%u", count);
    table_cell(t, cli_true(d, "same") ? "same" : "DIFFERS");
}

/* Decisions in a row that say the same are one line. */
static void print_decisions(struct cli *cli, const json_t *decisions)
{
    static const struct table_column columns[] = {
        {"TIME (UTC)", TABLE_LEFT, false}, {"CLUSTER", TABLE_LEFT, true},
        {"VERDICT", TABLE_LEFT, true},     {"WANTS", TABLE_LEFT, true},
        {"HELD BY", TABLE_LEFT, true},     {"N", TABLE_RIGHT, false},
        {"NOW", TABLE_LEFT, false},
    };
    STAY_AUTO(table_clear) struct table t;
    size_t count = json_array_size(decisions), i;
    enum cli_color *colors = stay_calloc(count + 1, sizeof *colors);
    const json_t *first = NULL;
    unsigned run = 0;
    json_t *d;
    table_init(&t, columns, STAY_COUNT(columns));
    json_array_foreach(decisions, i, d)
    {
        if (is_like(first, d)) {
            run++;
            continue;
        }
        if (first != NULL)
            add_row(&t, first, run);
        first = d;
        run = 1;
        colors[table_row_count(&t)] = cli_true(d, "same") ? CLI_PLAIN : CLI_RED;
    }
    if (first != NULL) {
        add_row(&t, first, run);
        cli_put_table(cli, &t, colors);
    }
    free(colors);
}

static void print_differences(struct cli *cli, const json_t *decisions)
{
    size_t i, k;
    json_t *d, *field;
    json_array_foreach(decisions, i, d)
    {
        if (cli_true(d, "same"))
            continue;
        const json_t *list = json_object_get(d, "differences");
        fprintf(cli->out, "\n%s  %s  %s:%d\n", cli_text(d, "time"), cli_text(d, "cluster"),
                cli_text(d, "file"), (int)json_integer_value(json_object_get(d, "line")));
        json_array_foreach(list, k, field)
        {
            const char *was = cli_text(field, "recorded"), *is = cli_text(field, "now");
            fprintf(cli->out, "  %-28s recorded %s\n  %-28s now      %s\n",
                    cli_text(field, "field"), was[0] == '\0' ? "-" : was, "",
                    is[0] == '\0' ? "-" : is);
        }
        if (json_array_size(list) == 0)
            fprintf(cli->out, "  the same lines in another order\n");
    }
}

static void print_summary(struct cli *cli, const struct tally *t, const struct recording *r)
{
    size_t i;
    json_t *one;
    unsigned count = t->same + t->different;
    json_array_foreach(t->unreadable, i, one)
    {
        int more = (int)json_integer_value(json_object_get(one, "records")) - 1;
        char text[40] = "";
        if (more > 0)
            snprintf(text, sizeof text, " (and %d more)", more);
        fprintf(cli->err, "mainstay: %s:%d: %s%s: %s\n", cli_text(one, "file"),
                (int)json_integer_value(json_object_get(one, "line")), cli_text(one, "error"), text,
                cli_text(one, "fix"));
    }
    fprintf(cli->out, "%s%u decision%s in %u file%s: ", count > 0 ? "\n" : "", count,
            count == 1 ? "" : "s", r->files, r->files == 1 ? "" : "s");
    if (count == 0)
        fprintf(cli->out, "nothing to judge.\n");
    else if (t->different == 0)
        fprintf(cli->out, "all are judged the same now, bit for bit.\n");
    else
        fprintf(cli->out, "%u judged the same now, %u differently.\n", t->same, t->different);
    if (r->torn > 0)
        fprintf(cli->out,
                "%u record%s torn and left out (the last at %s:%u): a crash, or just being "
                "written.\n",
                r->torn, r->torn == 1 ? " is" : "s are", r->torn_path, r->torn_line);
}

static void print_json(struct cli *cli, const struct tally *t, const struct recording *r)
{
    json_t *json = json_object();
    stay_json_set_int(json, "files", r->files);
    stay_json_set_int(json, "torn", r->torn);
    stay_json_set_int(json, "same", t->same);
    stay_json_set_int(json, "different", t->different);
    stay_json_set(json, "decisions", json_incref(t->decisions));
    stay_json_set(json, "unreadable", json_incref(t->unreadable));
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_pretty(json);
    fprintf(cli->out, "%s\n", text);
    json_decref(json);
}

static void judge_all(struct tally *t, struct recording *r)
{
    struct recorder_frame frame;
    for (;;) {
        struct stay_error err = {0};
        enum stay_rc rc = recording_next(r, &frame, &err);
        if (rc == STAY_ENOTFOUND)
            return;
        if (rc == STAY_OK)
            judge_frame(t, r, &frame);
        else
            add_unreadable(t, r->path, r->line, err.text, CLI_RECORDING_FIX_BYTES);
    }
}

int cli_replay(struct cli *cli)
{
    struct recording r;
    struct tally t = {.decisions = json_array(), .unreadable = json_array()};
    if (!cli_recording_open(cli, &r)) {
        json_decref(t.decisions);
        json_decref(t.unreadable);
        return CLI_USAGE;
    }
    judge_all(&t, &r);
    if (cli->json) {
        print_json(cli, &t, &r);
    } else {
        print_decisions(cli, t.decisions);
        print_differences(cli, t.decisions);
        print_summary(cli, &t, &r);
    }
    int exit_code = json_array_size(t.unreadable) > 0 ? CLI_USAGE
                    : t.different > 0                 ? CLI_FAILED
                                                      : CLI_DONE;
    json_decref(t.decisions);
    json_decref(t.unreadable);
    recording_close(&r);
    return exit_code;
}
