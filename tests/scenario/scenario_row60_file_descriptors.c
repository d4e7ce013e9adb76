/* Row 60: the controller may open no further file. What it has open goes on: the servers are asked,
 * nothing fails over, it does not die; callers are turned away. With room again it fails over.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    char done[120];
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    int refused = 0, code = -1;
    scenario_load(lab);
    int before = lab_open_files(lab, "controller");
    LAB_MUST(lab, lab_limit_files(lab, "controller", 10));
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 8000; scenario_write_on(200)) {
        bool answered = lab_cli(lab, &code, NULL, "status", "shop", NULL) && code == 0;
        refused += !answered;
        SCENARIO_CHECK(lab_is_running(lab, "controller"), "the controller died");
        SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    }
    LAB_MUST(lab, lab_limit_files(lab, "controller", 20000));
    scenario_ready(lab, 40);
    SCENARIO_CHECK(state_count_plans(lab, "failover") == 0, "a failover was started");
    int after = lab_open_files(lab, "controller");
    SCENARIO_CHECK(after <= before + 6, "descriptors: %d, then %d", before, after);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 40);
    scenario_write_on(500);
    scenario_check(lab, now, 200);
    snprintf(done, sizeof done, "%d calls turned away, no failover, alive; room again: fails over",
             refused);
    scenario_pass("60", "the controller's limit of open files set below what it has open, 8 s",
                  done, "S14 S2");
}
