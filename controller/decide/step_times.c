/* controller/decide/step_times.c - medians of row shares, row by row. */
#include "controller/decide/step_times.h"

#include "controller/decide/plan_private.h"

#define LAG_COUNTS_S 2                    /* less is noise of whole seconds */
#define SHARE_MAX_US (3600 * STAY_SECOND) /* longer: a human was asked meanwhile */

static bool is_silent(const struct plan_run *run)
{
    return (run->lost_first & run->f) == 0;
}

static uint32_t oldest(const struct step_samples *samples)
{
    uint32_t at = 0;
    for (uint32_t i = 1; i < samples->plans; i++)
        if (samples->begun_wall_us[i] < samples->begun_wall_us[at])
            at = i;
    return at;
}

bool step_times_add(struct step_times *times, const struct plan_run *run)
{
    size_t count = 0;
    (void)plan_rows(PLAN_FAILOVER, &count);
    if (run->kind != PLAN_FAILOVER || run->state != RUN_SUCCEEDED)
        return false;
    int64_t share_us[PLAN_ROWS_MAX], front_us = run->begun_mono_us;
    for (size_t row = 0; row < PLAN_ROWS_MAX; row++) {
        const struct row_run *state = &run->rows[row];
        bool ran = row < count && (state->state == ROW_DONE || state->state == ROW_FAILED);
        share_us[row] = -1;
        if (!ran)
            continue;
        if (state->begun_mono_us < run->begun_mono_us ||
            state->ended_mono_us < state->begun_mono_us)
            return false; /* taken up by another process: two clocks */
        share_us[row] = state->ended_mono_us > front_us ? state->ended_mono_us - front_us : 0;
        front_us += share_us[row];
        if (share_us[row] > SHARE_MAX_US)
            return false;
    }
    struct step_samples *samples = is_silent(run) ? &times->silent : &times->ended;
    uint32_t at = samples->plans;
    if (at == STEP_TIMES_KEEP) {
        at = oldest(samples);
        if (samples->begun_wall_us[at] >= run->begun_wall_us)
            return false;
    } else {
        samples->plans++;
    }
    samples->begun_wall_us[at] = run->begun_wall_us;
    memcpy(samples->share_us[at], share_us, sizeof share_us);
    return true;
}

/* The upper middle of an even count: late is the safer guess. -1: never ran. */
static int64_t median_us(const struct step_samples *samples, uint32_t row)
{
    int64_t sorted[STEP_TIMES_KEEP];
    uint32_t n = 0;
    for (uint32_t i = 0; i < samples->plans; i++) {
        int64_t share_us = samples->share_us[i][row];
        if (share_us < 0)
            continue;
        uint32_t at = n++;
        for (; at > 0 && sorted[at - 1] > share_us; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = share_us;
    }
    return n == 0 ? -1 : sorted[n / 2];
}

/* A freeze asks every server that answered lately: one that is silent by now is waited for, until
 * the row's end if it may acknowledge, else for as long as the others have. */
static int64_t silent_wait_us(const struct plan_run *run, uint32_t row, uint32_t targets,
                              uint32_t silent)
{
    const struct plan_row *what = plan_row_at(run, row);
    if (what->step != STEP_FREEZE || (targets & silent) == 0)
        return 0;
    return (targets & silent & run->a) != 0 ? what->deadline_us : PLAN_OTHERS_US;
}

void step_times_foresee(const struct step_times *times, const struct plan_run *run,
                        const struct cluster_view *view, uint32_t silent, int64_t now_mono_us,
                        struct step_forecast *ret_forecast)
{
    uint32_t end = plan_row_of(PLAN_FAILOVER, STEP_ROUTE_OPEN);
    const struct step_samples *samples = is_silent(run) ? &times->silent : &times->ended;
    struct step_forecast f = {.plans = samples->plans};
    for (uint32_t row = 0; row < PLAN_ROWS_MAX; row++) {
        f.row_us[row] = -1;
        if (row > end || samples->plans == 0)
            continue;
        uint32_t targets = plan_foresee_targets(run, view, row, now_mono_us);
        int64_t took_us = targets == 0 ? -1 : median_us(samples, row);
        int64_t wait_us = silent_wait_us(run, row, targets, silent);
        if (wait_us > took_us && wait_us > 0) {
            f.wait_us += wait_us - (took_us > 0 ? took_us : 0);
            took_us = wait_us;
        }
        f.row_us[row] = took_us;
        f.steps_us += took_us > 0 ? took_us : 0;
    }
    int64_t lag_s = run->candidate == NO_NODE ? 0 : view->nodes[run->candidate].facts.lag_s;
    f.drain_us = lag_s >= LAG_COUNTS_S ? lag_s * STAY_SECOND : 0;
    f.steps_us = samples->plans == 0 ? -1 : f.steps_us + f.drain_us;
    *ret_forecast = f;
}
