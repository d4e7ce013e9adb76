/* Row 68: a server is to be rebuilt. Not the primary, not the acker that lossless needs; one
 * that diverged gets another's data, once a human dropped what it held more, while clients write
 * and although the controller is killed in the middle, and lossless stands again.
 * ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/server_talk.h"

/* Once no other plan runs. */
static void expect_refused(struct lab *lab, const char *node, int code_wanted, const char *why)
{
    int code = -1;
    char *said = NULL;
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 30000; scenario_write_on(100)) {
        json_t *json = NULL;
        LAB_MUST(lab, lab_cli(lab, &code, &json, "reseed", "shop", node, "--yes", NULL));
        free(said);
        said = json_dumps(json, JSON_COMPACT);
        json_decref(json);
        if (said == NULL || strstr(said, "busy") == NULL)
            break;
    }
    printf("%s: exit %d %s\n", node, code, said == NULL ? "" : said);
    SCENARIO_CHECK(code == code_wanted && said != NULL && strstr(said, why) != NULL,
                   "%s was not refused by '%s'", node, why);
    free(said);
}

/* By hand, on the replica db3; set aside with what it holds more. */
static void diverge(struct lab *lab)
{
    talk_diverge(lab, "db3");
    LAB_MUST(lab, state_wait_node_rule(lab, "db3", 208, 30));
}

/* Killed while the copy is under way; the next controller ends the plan. */
static void reseed_through_a_kill(struct lab *lab)
{
    int code = -1, before = state_count_plans(lab, "reseed");
    for (int64_t begun = lab_now_us(); code != 0; scenario_write_on(200)) {
        STAY_AUTO(stay_json_drop) json_t *said = NULL; /* another plan may run */
        LAB_MUST(lab, lab_cli(lab, &code, &said, "reseed", "shop", "db3", "--drop", "a row by hand",
                              "--yes", "--no-wait", NULL));
        STAY_AUTO(stay_free_charp) char *text = json_dumps(said, JSON_ENCODE_ANY);
        SCENARIO_CHECK(code == 0 || talk_ms_since(begun) < 30000, "exit %d: %s", code, text);
    }
    for (int64_t begun = lab_now_us();; scenario_write_on(50)) {
        STAY_AUTO(stay_free_charp) char *reason = state_quarantine(lab, "db3");
        if (reason != NULL && strcmp(reason, "reseed") == 0)
            break;
        SCENARIO_CHECK(talk_ms_since(begun) < 30000, "its data was not given up");
    }
    LAB_MUST(lab, lab_kill_controller(lab));
    scenario_write_on(500);
    LAB_MUST(lab, lab_start_controller(lab));
    SCENARIO_CHECK(state_wait_plans(lab, "reseed", before + 1, 300), "the reseed did not end");
    scenario_story(lab, "reseed");
    scenario_ready(lab, 120);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    scenario_load(lab);
    expect_refused(lab, "db1", 3, "is the primary");
    LAB_MUST(lab, lab_stop(lab, "db3"));
    scenario_write_on(1500);
    expect_refused(lab, "db2", 3, "lossless needs it");
    LAB_MUST(lab, lab_start(lab, "db3", NULL));
    scenario_ready(lab, 60);
    diverge(lab);
    reseed_through_a_kill(lab);
    scenario_check(lab, "db1", 500);
    STAY_AUTO(stay_free_charp) char *sum = scenario_value(lab, "db1", "CHECKSUM TABLE shop.ledger");
    talk_come_up(lab, "db3", "db1", 120);
    LAB_MUST(lab, lab_wait_sql(lab, "db3", "CHECKSUM TABLE shop.ledger", sum, 20));
    scenario_pass("68", "the primary, the last acker, a diverged replica to be rebuilt; kill -9",
                  "refused; then rebuilt by another's data, equal and acking again", "S2 S9");
}
