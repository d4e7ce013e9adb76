/* Row 18: bounded mode, and the only replica is further behind than the objective when the primary
 * dies. Nothing is promoted alone; the question comes with numbers; a human accepts, and no more is
 * lost than was said.
 * ENGINES: mariadb mysql */
#include <limits.h>

#include "base/json.h"
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    int code = -1;
    LAB_MUST(lab, lab_edit_config(lab, "mode = \"lossless\"; acks = 1", "mode = \"bounded\"") &&
                      lab_edit_config(lab, "accept = \"lossless\"", "accept = \"bounded\"") &&
                      lab_edit_config(lab, "    failover = {",
                                      "    objectives = { loss_bytes = \"50kB\"; };\n"
                                      "    failover = {"));
    scenario_start_controller(lab, true);
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "db1", "db2", false));
    for (int64_t begun = lab_now_us();
         talk_number(lab, "db1", WORD_ROWS) < talk_number(lab, "db2", WORD_ROWS) + 800;) {
        SCENARIO_CHECK(talk_ms_since(begun) < 40000, "bounded mode, and writes do not go on");
        scenario_write_on(100); /* a source role that was on is switched off first */
    }
    LAB_MUST(lab, lab_kill(lab, "db1"));
    SCENARIO_CHECK(state_wait_rule(lab, 120, 20), "the death is not seen");
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 6000; scenario_write_on(100))
        SCENARIO_CHECK(lab_writable(lab)[0] == '\0', "'%s' was promoted alone", lab_writable(lab));
    scenario_story(lab, "failover");
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "verdict", "shop", NULL);
    printf("verdict: %s\n", told);
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "failover", "shop", "--yes", "--accept-loss",
                          "the old disk is gone", NULL));
    SCENARIO_CHECK(code == 0, "failover --accept-loss exits %d: %s", code, lab_error(lab));
    const char *now = scenario_failover(lab, "db1", 20);
    STAY_AUTO(stay_free_charp) char *id = state_last_plan(lab, "failover");
    STAY_AUTO(stay_json_drop) json_t *story = state_explain(lab, id);
    int64_t said = json_integer_value(state_find(story, "lost_transactions_max"));
    STAY_AUTO(stay_free_charp) char *text = json_dumps(story, 0);
    printf("accepted: %.1500s\n", text);
    scenario_write_on(500);
    scenario_check_bounded(lab, now, 50, said > 0 ? (int)said : INT_MAX);
    scenario_pass("18", "bounded mode, objective 50 kB, replica 800 rows behind, SIGKILL",
                  "refused alone, asked with numbers; accepted: no more lost than said", "S3");
}
