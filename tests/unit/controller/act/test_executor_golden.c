/* tests/unit/controller/act/test_executor_golden.c - whole plans run in the small world: every
 * effect and save in order, how the run ended, what the store says then. Faults are lines "fault
 * STEP NODE OUTCOME TIMES [did]" (spaces in step names as '-'); "run KIND [NODE]" starts. */
#include "tests/unit/controller/act/exec_world.h"
#include "tests/unit/controller/decide/golden_file.h"

static void dash(char *text)
{
    for (; *text != '\0'; text++)
        *text = *text == ' ' ? '-' : *text;
}

static enum step_kind step_named(const char *name)
{
    for (int step = 0; step < STEP_KIND_COUNT; step++) {
        char text[40];
        (void)stay_copy(text, sizeof text, step_kind_text((enum step_kind)step));
        dash(text);
        if (strcmp(text, name) == 0)
            return (enum step_kind)step;
    }
    fail_msg("no step %s", name);
    return STEP_NONE;
}

static enum plan_kind kind_named(const char *name)
{
    for (int kind = 0; kind < PLAN_KIND_COUNT; kind++) {
        char text[40];
        (void)stay_copy(text, sizeof text, plan_kind_text((enum plan_kind)kind));
        dash(text);
        if (strcmp(text, name) == 0)
            return (enum plan_kind)kind;
    }
    fail_msg("no plan %s", name);
    return PLAN_NONE;
}

static void set_fault(struct world *w, const char *line)
{
    char step[40] = "", node[40] = "", outcome[40] = "", did[40] = "";
    unsigned times = 1;
    assert_true(sscanf(line, "fault %39s %39s %39s %u %39s", step, node, outcome, &times, did) >=
                3);
    w->fault_step = step_named(step);
    w->fault_node = case_node(&w->c, node);
    w->fault_outcome = strcmp(outcome, "unknown") == 0 ? OUTCOME_UNKNOWN : OUTCOME_NOT_DONE;
    w->fault_times = times;
    w->fault_did_it = strcmp(did, "did") == 0;
    w->fault_after = strncmp(did, "after", 5) == 0 ? (uint32_t)strtoul(did + 5, NULL, 10) : 0;
}

static void end_text(struct world *w, struct str *out)
{
    static const char *const modes[] = {"unknown", "unsafe", "bounded", "lossless"};
    const struct plan_run *run = executor_run(w->x);
    str_addf(out, "%s: %s%s%s\n", run->id, plan_state_text(run->state), run->text[0] ? ": " : "",
             run->text);
    if (run->kind == PLAN_FAILOVER || run->kind == PLAN_SWITCHOVER)
        str_addf(out, "certificate %s by %s\n", certificate_kind_text(run->certificate.kind),
                 proof_kind_text(run->certificate.proof));
    str_addf(out, "primary %s, mode %s, epoch %llu, plan \"%s\", route %s\n", w->stored.primary,
             modes[w->stored.mode], (unsigned long long)w->stored.epoch, w->stored.plan_id,
             w->route == NO_NODE ? "closed" : w->c.config.nodes[w->route].name);
    for (uint32_t node = 0; node < w->c.config.node_count; node++)
        if (w->stored.quarantine[node] != QUARANTINE_NONE)
            str_addf(out, "%s is quarantined (%u)\n", w->c.config.nodes[node].name,
                     w->stored.quarantine[node]);
    str_addf(out, "%s", w->two_writable != 0 ? "TWO WRITABLE\n" : "");
    assert_int_equal(w->ends, 1);
}

static void run_text(char *facts, struct str *out)
{
    struct world w;
    struct stay_error err = {0};
    char kind[40] = "", node[40] = "";
    char fault[200] = "";
    char *at = strstr(facts, "fault ");
    if (at != NULL) {
        (void)stay_copy(fault, sizeof fault, at);
        fault[strcspn(fault, "\n")] = '\0';
        memset(at, '#', strcspn(at, "\n"));
    }
    world_open(&w, facts);
    if (fault[0] != '\0')
        set_fault(&w, fault);
    assert_true(sscanf(w.c.command, "run %39s %39s", kind, node) >= 1);
    uint32_t subject = node[0] == '\0' ? NO_NODE : case_node(&w.c, node);
    if (world_plan(&w, kind_named(kind), subject, &err) != STAY_OK) {
        str_addf(out, "refused: %s\n", err.text);
    } else {
        world_run(&w);
        str_add(out, str_text(&w.log));
        end_text(&w, out);
    }
    world_close(&w);
}

static void golden_runs_are_as_recorded(void **state)
{
    (void)state;
    assert_true(golden_run("plan", "run-", run_text) >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_runs_are_as_recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
