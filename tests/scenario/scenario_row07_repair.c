/* Row 7, without_acker = "block", under load: both ackers receive and no longer acknowledge (their
 * role is off), then both receivers are stopped. Verdict 123; mainstay makes them acknowledge what
 * they hold, and attaches them; writes go on, lossless is kept, nothing is lost or fails over.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static const char *const ackers[] = {"db2", "db3"};

/* Clients are answered again: many more rows than were waiting. */
static int writes_again(struct lab *lab, int64_t begun_us, int deadline_ms)
{
    long before = talk_number(lab, "db1", WORD_ROWS);
    while (talk_number(lab, "db1", WORD_ROWS) < before + 100)
        SCENARIO_CHECK(talk_ms_since(begun_us) < deadline_ms, "writes do not go on");
    return talk_ms_since(begun_us);
}

static int blocks_and_is_repaired(struct lab *lab, bool by_role)
{
    int64_t begun_us = lab_now_us();
    for (size_t i = 0; i < STAY_COUNT(ackers); i++) {
        if (by_role)
            talk_do(lab, ackers[i], WORD_REPLICA_OFF);
        talk_do(lab, ackers[i], WORD_STOP_RECEIVER);
        if (by_role)
            talk_do(lab, ackers[i], WORD_START_RECEIVER);
    }
    SCENARIO_CHECK(state_wait_rule(lab, 123, 20), "verdict 123 not seen");
    return writes_again(lab, begun_us, 40000);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(
        argc, argv, (struct lab_options){.without_acker = "block", .acker = true}, 0);
    const struct lab_load_options patient = {.writers = 16, .rate = 400, .read_timeout_s = 60};
    LAB_MUST(lab, lab_load_start(lab, &patient));
    scenario_write_on(800);
    int role_ms = blocks_and_is_repaired(lab, true);
    SCENARIO_CHECK(state_count_plans(lab, "repair acker") > 0, "no acker was repaired");
    scenario_story(lab, "repair acker");
    printf("roles off: clients are answered again after %d ms\n", role_ms);
    scenario_ready(lab, 60);
    int stopped_ms = blocks_and_is_repaired(lab, false);
    scenario_story(lab, "rejoin");
    printf("receivers stopped: clients are answered again after %d ms\n", stopped_ms);
    json_t *cluster = state_cluster(lab);
    const char *mode = json_string_value(json_object_get(cluster, "mode"));
    SCENARIO_CHECK(mode != NULL && strcmp(mode, "lossless") == 0, "mode is %s", mode);
    SCENARIO_CHECK(json_is_true(json_object_get(cluster, "lossless_stands")), "lossless fell");
    json_decref(cluster);
    SCENARIO_CHECK(state_count_plans(lab, "mode degrade") == 0, "the mode was weakened");
    scenario_stays(lab, "db1", 2);
    scenario_write_on(1000);
    scenario_check(lab, "db1", 200);
    scenario_pass("7 repair", "both ackers' roles off, then both receivers stopped, under load",
                  "they are made to acknowledge what they hold; writes go on, lossless kept",
                  "S9 S2 S14");
}
