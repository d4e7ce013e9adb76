/* Row 68: two clusters of one controller each have a replica that diverged; reseed.automatic, and
 * controller.reseeds = 1. One is rebuilt, the other waits and says for what, then it is rebuilt
 * too: never both at once. ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/server_talk.h"

static struct lab *both[2];
static const char *const names[2] = {"shop", "sho2"};

static void second_down(void)
{
    if (both[1] != NULL)
        (void)lab_down(both[1]);
}

static void set_automatic(struct lab *lab)
{
    LAB_MUST(lab, lab_edit_config(lab, "reseed = { ", "reseed = { automatic = true; "));
}

/* By hand, on db3, when nobody may close it at once. */
static void diverge(struct lab *lab)
{
    talk_diverge(lab, "db3");
}

struct seen {
    bool runs[2], ended[2], waited;
};

/* Of one cluster's status: does its reseed run, has one ended, is it held by the limit? */
static void look(struct seen *seen, int i)
{
    STAY_AUTO(stay_json_drop) json_t *answer = NULL;
    int code = -1;
    (void)lab_cli(both[0], &code, &answer, "status", names[i], NULL);
    const json_t *plan = state_find(answer, "plan"), *last = state_find(answer, "last_plan");
    const char *kind = json_string_value(json_object_get(plan, "kind"));
    const char *before = json_string_value(json_object_get(last, "kind"));
    const char *state = json_string_value(json_object_get(last, "state"));
    seen->runs[i] = kind != NULL && strcmp(kind, "reseed") == 0;
    seen->ended[i] |= before != NULL && strcmp(before, "reseed") == 0 && state != NULL &&
                      strcmp(state, "succeeded") == 0;
    STAY_AUTO(stay_free_charp) char *text = json_dumps(answer, JSON_COMPACT);
    seen->waited |= text != NULL && strstr(text, "reseed-limit") != NULL;
}

int main(int argc, char **argv)
{
    char name[40];
    struct seen seen = {0};
    bool once[2] = {false};
    both[0] =
        scenario_begin(argc, argv, (struct lab_options){.acker = true}, SCENARIO_NO_CONTROLLER);
    (void)atexit(second_down);
    (void)snprintf(name, sizeof name, "%s-2", argv[4]);
    both[1] = lab_new(&(struct lab_options){
        .name = name, .engine = lab_engine_of(both[0]), .acker = true, .listen = "127.0.0.1:8421"});
    LAB_MUST(both[1], lab_up(both[1]));
    LAB_MUST(both[0], lab_edit_config(both[0], "failovers_per_hour = 0;",
                                      "failovers_per_hour = 0; reseeds = 1;"));
    for (int i = 0; i < 2; i++)
        set_automatic(both[i]);
    scenario_take_in(both[0], both[1], names[1]);
    scenario_start_controller(both[0], true);
    LAB_MUST(both[0], lab_cli(both[0], NULL, NULL, "adopt", names[1], "--yes", NULL));
    for (int i = 0; i < 2; i++)
        LAB_MUST(both[0], lab_cli(both[0], NULL, NULL, "pause", names[i], NULL));
    for (int i = 0; i < 2; i++)
        diverge(both[i]);
    for (int i = 0; i < 2; i++)
        LAB_MUST(both[0], lab_cli(both[0], NULL, NULL, "resume", names[i], NULL));
    for (int64_t begun = lab_now_us(); !(seen.ended[0] && seen.ended[1]); scenario_write_on(20)) {
        SCENARIO_CHECK(talk_ms_since(begun) < 240000, "ended: %d %d", seen.ended[0], seen.ended[1]);
        for (int i = 0; i < 2; i++) {
            look(&seen, i);
            if (seen.runs[i] && !once[i])
                printf("%s: a reseed runs after %d ms\n", names[i], talk_ms_since(begun));
            once[i] |= seen.runs[i];
        }
        look(&seen, 0); /* both answers of one moment: the first again behind the second */
        SCENARIO_CHECK(!(seen.runs[0] && seen.runs[1]), "two at once");
    }
    SCENARIO_CHECK(seen.waited, "nobody was held by reseed-limit");
    for (int i = 0; i < 2; i++) {
        STAY_AUTO(stay_free_charp)
        char *sum = scenario_value(both[i], "db1", "CHECKSUM TABLE shop.ledger");
        talk_come_up(both[i], "db3", "db1", 120);
        LAB_MUST(both[i], lab_wait_sql(both[i], "db3", "CHECKSUM TABLE shop.ledger", sum, 20));
    }
    scenario_pass("68", "two replicas to be rebuilt, controller.reseeds = 1",
                  "one at a time, the second held by reseed-limit, then rebuilt", "S14 S9");
}
