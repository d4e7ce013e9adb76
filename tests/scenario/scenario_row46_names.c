/* Row 46: names do not resolve any more: hosts file empty, name server silent, for servers and
 * controller. Nothing that a failover needs has a name (a node configured by one is refused): it is
 * healthy, and a primary that dies then is failed over as ever.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static void refuse_name(struct lab *lab)
{
    int code = 0;
    STAY_AUTO(stay_free_charp)
    char *number = stay_sprintf("address = \"%s:3306\"", lab_address(lab, "db2"));
    LAB_MUST(lab, lab_edit_config(lab, number, "address = \"db2:3306\""));
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "reload", NULL, NULL);
    printf("a node by name: exit %d, %s %s\n", code, told, lab_error(lab));
    SCENARIO_CHECK(code != 0 && strstr(told, "is a name") != NULL, "it was taken");
    LAB_MUST(lab, lab_edit_config(lab, "address = \"db2:3306\"", number));
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.names = true}, 0);
    refuse_name(lab);
    scenario_load(lab);
    LAB_MUST(lab, lab_names(lab, false));
    scenario_kill_sessions(lab, "db1", "mainstay_monitor"); /* connected anew, nothing resolved */
    scenario_kill_sessions(lab, "db2", "mainstay_monitor");
    scenario_stays(lab, "db1", 6);
    SCENARIO_CHECK(state_wait_rule(lab, 100, 10), "it is not seen healthy without names");
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 40);
    scenario_story(lab, "failover");
    scenario_write_on(500);
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    (void)scenario_settled(lab, "db1", 40);
    scenario_check(lab, now, 100);
    scenario_pass("46", "a node configured by name; resolver silent, SIGKILL of the primary",
                  "the name is refused; without names: healthy, failover as ever", "S14 L2 S2");
}
