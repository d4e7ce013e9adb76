/* Bad input: the disk of the state file fills up while the controller runs. It says so, holds and
 * starts nothing, not even for a dead primary: an intent that cannot be stored is none. With room
 * again it goes on by itself and fails over.
 * ENGINES: mariadb */
#include "tests/lib/server_talk.h"
#include "tests/lib/state_disk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    int code = -1;
    state_disk_mount(lab, 4096);
    scenario_start_controller(lab, true);
    scenario_load(lab);
    state_disk_fill();
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "pause", NULL, NULL);
    printf("pause exits %d: %s\n", code, told);
    SCENARIO_CHECK(code == 1 && strstr(told, "disk is full") != NULL &&
                       strstr(told, "until this controller restarts") != NULL,
                   "pause: %s", told);
    SCENARIO_CHECK(state_wait_rule(lab, 150, 10), "it does not hold");
    LAB_MUST(lab, lab_kill(lab, "db1"));
    scenario_stays(lab, "db1", 4);
    SCENARIO_CHECK(lab_writable(lab)[0] == '\0', "'%s' was opened", lab_writable(lab));
    state_disk_free();
    for (int64_t begun = lab_now_us(); code != 0 && talk_ms_since(begun) < 20000;)
        LAB_MUST(lab, lab_cli(lab, &code, NULL, "resume", NULL));
    const char *now = scenario_failover(lab, "db1", 30);
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass("bad input", "the state file's disk is full while it runs",
                  "said, holds, starts nothing; goes on with room again", "S2 L1");
}
