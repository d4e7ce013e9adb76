/* Sums, reach table and JSON of a simulation run. */
#include "tests/simulation/sim_report.h"

void report_add(struct sim_stats *sum, const struct sim_stats *part)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)part;
    _Static_assert(sizeof *sum % sizeof *to == 0, "struct sim_stats holds counters only");
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

static uint64_t count_violations(const struct sim_stats *s)
{
    uint64_t n = 0;
    for (int i = INV_NONE + 1; i < INV_COUNT; i++)
        n += s->violations[i];
    return n;
}

#define LLU(x) ((unsigned long long)(x))

void report_summary(const struct sim_stats *s, double seconds, double cpu_seconds)
{
    printf("%llu lives, %llu events, %llu writes acknowledged, %llu refused, %llu unknown\n",
           LLU(s->scenarios), LLU(s->events), LLU(s->acked), LLU(s->failed), LLU(s->unknown));
    printf("%llu plans, %llu failovers promoted: %llu lossless, %llu bounded; %llu writes lost and "
           "declared so\n",
           LLU(s->plans), LLU(s->failovers), LLU(s->lossless), LLU(s->bounded),
           LLU(s->lost_declared));
    printf("ends: %llu converged, %llu wait for a human\n", LLU(s->converged), LLU(s->human_ends));
    if (s->replayed > 0)
        printf("%llu turns were recorded and judged again\n", LLU(s->replayed));
    printf("violations: %llu\n", LLU(count_violations(s)));
    for (int i = INV_NONE + 1; i < INV_COUNT; i++)
        if (s->violations[i] > 0)
            printf("  %-50s %llu\n", sim_invariant_text((enum sim_invariant)i),
                   LLU(s->violations[i]));
    if (seconds > 0 && cpu_seconds > 0)
        printf("%.1f s, %.0f lives per second; %.1f s of processor, %.0f lives per second and "
               "core\n",
               seconds, (double)s->scenarios / seconds, cpu_seconds,
               (double)s->scenarios / cpu_seconds);
}

struct reach_count {
    const struct sim_stats *stats;
    uint32_t zeros;
};

static void cell(struct reach_count *r, const char *what, const char *name, uint64_t hits)
{
    r->zeros += hits == 0;
    printf("  %-10s %-46s %10llu%s\n", what, name, LLU(hits), hits == 0 ? "  ZERO" : "");
}

static void on_rule(void *ctx, uint16_t id, enum verdict_subject subject, const char *name,
                    const char *why, enum verdict_action action)
{
    (void)why;
    (void)action;
    struct reach_count *r = ctx;
    char text[80];
    if (subject == SUBJECT_CONFORMANCE || subject == SUBJECT_OBJECTIVES ||
        subject == SUBJECT_ZONE)
        return; /* counted by the golden cases: settings and rehearsals, not events */
    (void)snprintf(text, sizeof text, "%u %s", id, name);
    cell(r, "rule", text, id < STAY_COUNT(r->stats->rule) ? r->stats->rule[id] : 0);
}

/* Has the step a boundary to die at: an effect, or a save of its own? */
static bool has_boundary(enum step_kind step)
{
    if (step_kind_class(step) != CLASS_PURE)
        return true;
    for (int kind = 0; kind < PLAN_KIND_COUNT; kind++) {
        size_t count = 0;
        const struct plan_row *rows = plan_rows((enum plan_kind)kind, &count);
        for (size_t i = 0; i < count; i++)
            if (rows[i].step == step && !(rows[i].flags & ROW_NO_SAVE))
                return true;
    }
    return false;
}

static void reach_steps(struct reach_count *r)
{
    for (int step = STEP_NONE + 1; step < STEP_KIND_COUNT; step++) {
        const char *name = step_kind_text((enum step_kind)step);
        if (step == STEP_REWIND) /* as its plan */
            continue;
        cell(r, "step", name, r->stats->step[step]);
        if (!has_boundary((enum step_kind)step))
            continue;
        char text[80];
        (void)snprintf(text, sizeof text, "dies before %s", name);
        cell(r, "crash", text, r->stats->crash[step][0]);
        (void)snprintf(text, sizeof text, "dies after %s", name);
        cell(r, "crash", text, r->stats->crash[step][1]);
    }
}

uint32_t report_reach(const struct sim_stats *s)
{
    struct reach_count r = {.stats = s};
    printf("reach\n");
    verdict_visit(on_rule, &r);
    for (int g = 0; g < GUARD_COUNT; g++)
        if (g != GUARD_ZONE_LIMIT && g != GUARD_ZONE_ORDER && g != GUARD_BLAST_RADIUS &&
            g != GUARD_HOURLY_LIMIT && g != GUARD_CONFIRM && g != GUARD_NOT_ADOPTED &&
            g != GUARD_GRACE && g != GUARD_HOLD && g != GUARD_RESEED_LIMIT)
            /* one cluster, automatic, 150 speaks first: unit tests reach the others */
            cell(&r, "guard", guard_name((enum guard_id)g), s->guard[g]);
    for (int k = PLAN_NONE + 1; k < PLAN_KIND_COUNT; k++) {
        if (k == PLAN_REWIND) /* no rows to undo here: scenario row25_rewind */
            continue;
        cell(&r, "plan", plan_kind_text((enum plan_kind)k), s->plan[k]);
        cell(&r, "succeeded", plan_kind_text((enum plan_kind)k), s->plan_done[k]);
    }
    reach_steps(&r);
    for (int f = 0; f < FAULT_COUNT; f++)
        cell(&r, "fault", sim_fault_text((enum sim_fault)f), s->fault[f]);
    for (int e = ENGINE_MARIADB; e <= ENGINE_MYSQL; e++)
        for (int l = 0; l < LAYOUT_COUNT; l++) {
            char text[80];
            (void)snprintf(text, sizeof text, "%s %s", engine_text((enum engine)e),
                           sim_layout_text((enum sim_layout)l));
            cell(&r, "layout", text, s->layout[e][l]);
        }
    cell(&r, "proof", "received beyond executed at a freeze", s->received_not_executed);
    cell(&r, "proof", "a switchover is ordered for a time", s->schedules);
    cell(&r, "proof", "done at its time", s->scheduled);
    cell(&r, "proof", "missed, and never done late", s->schedules_missed);
    cell(&r, "proof", "cancelled before its time", s->schedules_cancelled);
    cell(&r, "proof", "a zone is evacuated", s->evacuations);
    cell(&r, "proof", "a primary moved out of an evacuated zone", s->evacuated);
    cell(&r, "proof", "a failover into it, nobody elsewhere", s->evacuated_into);
    cell(&r, "proof", "a total outage", s->outages);
    cell(&r, "proof", "started again without loss, proved", s->recovered_lossless);
    cell(&r, "proof", "a relay log executed after a restart", s->replayed_relay);
    cell(&r, "proof", "a waiter in flight when the primary was lost", s->waiter_at_loss);
    printf("reach: %u zeros\n", r.zeros);
    return r.zeros;
}

bool report_json(const char *path, const struct sim_stats *s, double seconds, double cpu_seconds)
{
    json_t *json =
        json_pack("{s:s, s:I, s:f, s:f, s:I, s:I, s:I, s:I}", "bench", "simulation", "runs",
                  (json_int_t)s->scenarios, "seconds", seconds, "per_second_per_core",
                  cpu_seconds > 0 ? (double)s->scenarios / cpu_seconds : 0.0, "violations",
                  (json_int_t)count_violations(s), "failovers", (json_int_t)s->failovers, "acked",
                  (json_int_t)s->acked, "human", (json_int_t)s->human_ends);
    bool ok = json_dump_file(json, path, JSON_COMPACT) == 0;
    json_decref(json);
    return ok;
}
