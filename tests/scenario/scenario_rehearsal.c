/* Rehearsal: what-if names the candidate and the certificate that the real failover then has; the
 * second failover's outage is foretold within a second by the first one's steps; without a replica
 * nobody could take over, and that is problem 406 before anything dies.
 * ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/scenario.h"

static json_t *asked(struct lab *lab, const char *verb, const char *a, const char *b)
{
    int code = -1;
    json_t *json = NULL;
    STAY_AUTO(stay_free_charp) char *text = scenario_say(lab, &code, verb, a, b);
    SCENARIO_CHECK(code == 0 && stay_json_parse(text, strlen(text), &json, NULL) == STAY_OK,
                   "%s %s: exit %d: %s", verb, b, code, text);
    return json;
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(state_find(json, key));
    return text == NULL ? "" : text;
}

/* Rehearsed before it dies, compared after; returns the new primary (static). */
static const char *foretold(struct lab *lab, const char *primary, bool measured)
{
    char lose[32];
    snprintf(lose, sizeof lose, "--lose=node:%s", primary);
    scenario_write_on(8000); /* a round of rehearsals after the last plan */
    STAY_AUTO(stay_json_drop) json_t *said = asked(lab, "what-if", "shop", lose);
    SCENARIO_CHECK(json_is_true(json_object_get(said, "failable")), "%s: %s", lose,
                   text_of(said, "blocks"));
    LAB_MUST(lab, lab_kill(lab, primary));
    const char *now = scenario_failover(lab, primary, 30);
    SCENARIO_CHECK(state_wait_plans(lab, "failover", measured ? 2 : 1, 30), "%s", primary);
    STAY_AUTO(stay_free_charp) char *id = state_last_plan(lab, "failover");
    STAY_AUTO(stay_json_drop) json_t *story = state_explain(lab, id);
    const json_t *kept = state_find(story, "predicted");
    SCENARIO_CHECK(json_is_object(kept), "nothing foretold is kept with %s", id);
    SCENARIO_CHECK(strcmp(text_of(said, "candidate"), now) == 0, "%s", now);
    SCENARIO_CHECK(strcmp(text_of(kept, "candidate"), now) == 0, "%s", now);
    SCENARIO_CHECK(strcmp(text_of(kept, "certificate"),
                          text_of(state_find(story, "summary"), "certificate")) == 0,
                   "%s", text_of(kept, "certificate"));
    const json_t *error = json_object_get(kept, "error_us");
    SCENARIO_CHECK(json_is_integer(error) == measured, "foretold by steps: %d", measured);
    if (measured) {
        double s = (double)json_integer_value(error) / 1e6;
        printf("outage foretold %.3f s too short\n", s);
        SCENARIO_CHECK(s > -1 && s < 1, "%.3f s", s);
    }
    return now;
}

static void wait_problem(struct lab *lab, int rule, int timeout_s)
{
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND; lab_now_us() < due;) {
        STAY_AUTO(stay_json_drop) json_t *out = asked(lab, "problems", "shop", "--no-color");
        const json_t *list = json_object_get(out, "problems");
        for (size_t i = 0; i < json_array_size(list); i++)
            if (json_integer_value(json_object_get(json_array_get(list, i), "rule")) == rule)
                return;
        scenario_write_on(500);
    }
    scenario_fail("no problem %d within %d s", rule, timeout_s);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    char now[16];
    scenario_load(lab);
    (void)stay_copy(now, sizeof now, foretold(lab, "db1", false));
    if (lab_engine_of(lab) == LAB_MARIADB) { /* MySQL's returner may have to be reseeded */
        LAB_MUST(lab, lab_start(lab, "db1", NULL));
        scenario_ready(lab, 60);
        (void)stay_copy(now, sizeof now, foretold(lab, now, true));
    }
    wait_problem(lab, 406, 75); /* the old primary is down: nobody is left */
    scenario_check(lab, now, 50);
    scenario_pass("rehearsal", "kills of the primary, each rehearsed before",
                  "as foretold; then, without a replica, 406", "predicted within 1 s");
}
