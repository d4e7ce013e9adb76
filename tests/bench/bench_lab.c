/* tests/bench/bench_lab.c - a lab made ready for failovers; see the header. */
#include "tests/bench/bench_lab.h"

bool bench_lab_up(struct bench_lab *b, enum lab_engine engine, bool acker, const char *accept)
{
    *b = (struct bench_lab){.layout = acker ? "primary+replica+acker" : "primary+replica"};
    b->lab = lab_new(&(struct lab_options){.name = acker ? "bench1" : "bench0", .engine = engine,
                                           .acker = acker});
    int code = -1;
    bool ok = lab_up(b->lab) &&
              (strcmp(accept, "lossless") == 0 ||
               lab_edit_config(b->lab, "accept = \"lossless\"", "accept = \"bounded\"")) &&
              lab_start_controller(b->lab) &&
              lab_cli(b->lab, &code, NULL, "adopt", "shop", "--yes", "--wait", NULL) && code == 0;
    if (!ok)
        fprintf(stderr, "bench: %s does not come up (exit %d): %s\n", b->layout, code,
                lab_error(b->lab));
    return ok;
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
