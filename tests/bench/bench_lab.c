/* tests/bench/bench_lab.c - a lab made ready for failovers; see the header. */
#include "tests/bench/bench_lab.h"

#include <unistd.h>

#include "tests/bench/fleet_config.h"

enum { ADOPT_S = 60 };

/* One that has hundreds to log in to first has not yet seen these. */
static bool adopt(struct lab *lab, int timeout_s, int *ret_code)
{
    int64_t due = lab_now_us() + timeout_s * STAY_SECOND;
    while (!lab_cli(lab, ret_code, NULL, "adopt", "shop", "--yes", "--wait", NULL) ||
           *ret_code != 0) {
        if (lab_now_us() > due)
            return false;
        (void)sleep(1);
    }
    return true;
}

bool bench_lab_up(struct bench_lab *b, enum lab_engine engine, bool acker, const char *accept,
                  const struct probe_stage *among)
{
    *b = (struct bench_lab){.layout = acker ? "primary+replica+acker" : "primary+replica"};
    b->lab = lab_new(&(struct lab_options){
        .name = acker ? "bench1" : "bench0", .engine = engine, .acker = acker});
    int code = -1;
    bool ok = lab_up(b->lab) &&
              (strcmp(accept, "lossless") == 0 ||
               lab_edit_config(b->lab, "accept = \"lossless\"", "accept = \"bounded\"")) &&
              (among == NULL || fleet_config_join(b->lab, among)) && lab_start_controller(b->lab) &&
              adopt(b->lab, among == NULL ? 0 : ADOPT_S, &code);
    if (!ok)
        fprintf(stderr, "bench: %s does not come up (exit %d): %s\n", b->layout, code,
                lab_error(b->lab));
    return ok;
}

int bench_lab_ready_sessions(struct bench_lab *b)
{
    static const char *const names[] = {"db1", "db2", "db3"};
    int count = 0;
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        char *text = NULL;
        if (!lab_is_running(b->lab, names[i]))
            continue;
        if (!lab_sql(b->lab, names[i],
                     "SELECT COUNT(*) FROM information_schema.processlist"
                     " WHERE user = 'mainstay_operate'",
                     &text))
            return -1;
        count += (int)strtol(text, NULL, 10);
        free(text);
    }
    return count;
}

void bench_lab_down(struct bench_lab *b)
{
    if (b->lab == NULL)
        return;
    if (!lab_down(b->lab))
        fprintf(stderr, "bench: %s\n", lab_error(b->lab));
    lab_free(b->lab);
    b->lab = NULL;
}

static void write_json(const char *folder, const char *name, const json_t *json)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/%s", folder, name);
    if (json != NULL && json_dump_file(json, path, JSON_INDENT(1)) != 0)
        fprintf(stderr, "bench: cannot write %s\n", path);
}

char *bench_lab_keep(struct bench_lab *b)
{
    static int kept;
    STAY_AUTO(stay_free_charp) char *from = stay_sprintf("%s/log", lab_dir(b->lab));
    STAY_AUTO(stay_free_charp) char *record = stay_sprintf("%s/load.log", lab_dir(b->lab));
    STAY_AUTO(stay_free_charp) char *inside = stay_sprintf("%s/load-record", from);
    STAY_AUTO(stay_free_charp)
    char *to = stay_sprintf("%s.failed-%d-%d", lab_dir(b->lab), (int)getpid(), ++kept);
    json_t *cluster = state_cluster(b->lab), *history = NULL;
    int code = -1;
    write_json(from, "status.json", cluster);
    if (lab_cli(b->lab, &code, &history, "history", "shop", NULL))
        write_json(from, "history.json", history);
    const json_t *plan = json_array_get(state_find(history, "plans"), 0);
    const char *rule = json_string_value(state_find(json_object_get(cluster, "verdict"), "name"));
    const char *kind = json_string_value(json_object_get(plan, "kind"));
    const char *state = json_string_value(json_object_get(plan, "state"));
    const char *text = json_string_value(json_object_get(plan, "text"));
    char *why = stay_sprintf("%.200s; controller: %s; last plan: %s %s: %s", lab_error(b->lab),
                             rule != NULL ? rule : "does not answer", kind != NULL ? kind : "none",
                             state != NULL ? state : "", text != NULL ? text : "");
    (void)rename(record, inside);
    fprintf(stderr, "bench: %s\nbench: its logs: %s\n", why,
            rename(from, to) == 0 ? to : "could not be kept");
    json_decref(cluster);
    json_decref(history);
    return why;
}

static double in_ms(const json_t *us)
{
    return json_is_number(us) ? json_number_value(us) / 1e3 : -1;
}

void bench_lab_explain(struct bench_lab *b, const char *kind, struct bench_told *ret_told)
{
    STAY_AUTO(stay_free_charp) char *id = state_last_plan(b->lab, kind);
    json_t *plan = id == NULL ? NULL : state_explain(b->lab, id);
    const json_t *predicted = state_find(plan, "predicted"), *summary = state_find(plan, "summary");
    const char *certificate = json_string_value(json_object_get(summary, "certificate"));
    ret_told->detect_ms = in_ms(state_find(plan, "detection_us"));
    ret_told->predicted_ms = in_ms(json_object_get(predicted, "outage_us"));
    (void)stay_copy(ret_told->certificate, sizeof ret_told->certificate,
                    certificate == NULL ? "" : certificate);
    json_decref(plan);
}
