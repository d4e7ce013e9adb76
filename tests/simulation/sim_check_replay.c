/* Every turn as the recorder would keep it, judged again from its text alone: what `mainstay
 * replay` promises of a real recording. Costs more than the turn itself, so only when asked for. */
#include "tests/simulation/sim.h"

void check_replay(struct sim *s, struct decision_memory *before, const struct decision *d)
{
    struct sim_controller *c = &s->controller;
    struct decision_turn turn = {.view = c->view,
                                 .running = executor_run(c->exec),
                                 .fleet = &c->fleet,
                                 .now_mono_us = s->now,
                                 .now_wall_us = s->now + s->wall_offset};
    STAY_AUTO(stay_free_charp) char *text = decision_record_text(&turn, before, d);
    STAY_AUTO(replay_drop) struct replay *replay = NULL;
    struct stay_error err = {0};
    struct replay_difference found = {.field = "the order of lines"};
    unsigned line = 0;
    size_t at = 0;
    s->stats->replayed++;
    if (replay_new(text, strlen(text), &replay, &line, &err) != STAY_OK) {
        sim_violate(s, INV_R1, "line %u: %s", line, err.text);
        return;
    }
    if (replay->is_same)
        return;
    (void)replay_next_difference(replay, &at, &found);
    sim_violate(s, INV_R1, "%s was '%s', is '%s'", found.field, found.recorded, found.judged);
}
