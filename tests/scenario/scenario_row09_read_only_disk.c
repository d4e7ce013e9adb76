/* Row 9: the primary's data folder turns read-only, as a dying disk does. Writes fail while reads
 * may work: it is never called healthy; either verdict 122 stands, or the server gives up and the
 * failover follows. Nothing acknowledged is lost.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.disks = true}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_readonly_disk(lab, "db1"));
    bool stalled = false, moved = false;
    int64_t begun = lab_now_us();
    for (int64_t due = begun + 30 * STAY_SECOND; lab_now_us() < due && !moved && !stalled;) {
        STAY_AUTO(stay_free_charp) char *now = state_wait_moved(lab, "db1", 1);
        moved = now != NULL;
        stalled = !moved && state_wait_rule(lab, 122, 1);
    }
    SCENARIO_CHECK(stalled || moved, "30 s later neither verdict 122 nor a failover");
    printf("after %d ms: %s; db1's process %s\n", (int)((lab_now_us() - begun) / 1000),
           moved ? "failed over" : "verdict 122",
           lab_is_running(lab, "db1") ? "still runs" : "ended");
    if (!moved && lab_is_running(lab, "db1")) { /* the operator's decision, by policy */
        int code = -1;
        json_t *answer = NULL;
        LAB_MUST(lab, lab_cli(lab, &code, &answer, "failover", "shop", "--yes", "--reason",
                              "disk is read-only", NULL));
        STAY_AUTO(stay_free_charp) char *text = answer == NULL ? NULL : json_dumps(answer, 0);
        SCENARIO_CHECK(code == 0, "failover exits %d: %s", code, text == NULL ? "" : text);
        json_decref(answer);
    }
    const char *now = scenario_failover(lab, "db1", 30);
    scenario_story(lab, "failover");
    scenario_write_on(1000);
    scenario_check(lab, now, 100);
    scenario_pass("9", "ext4 error: the primary's data folder turns read-only",
                  moved ? "the server gives up, failover" : "verdict 122, failover on request",
                  "L1 L2 S2");
}
