/* Row 22, bad input: a replica with its primary's server id (on MySQL also its server uuid). It is
 * told, not managed: adopt is refused with the reason and no server is touched.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    LAB_MUST(lab, lab_stop(lab, "db2"));
    if (lab_engine_of(lab) == LAB_MYSQL) {
        STAY_AUTO(stay_free_charp) char *uuid = scenario_file(lab, "data/db1/auto.cnf");
        STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/data/db2/auto.cnf", lab_dir(lab));
        FILE *out = fopen(path, "we");
        SCENARIO_CHECK(out != NULL && fputs(uuid, out) >= 0 && fclose(out) == 0, "%s", path);
    }
    LAB_MUST(lab, lab_start(lab, "db2", "--server-id=1"));
    scenario_start_controller(lab, false);
    SCENARIO_CHECK(state_wait_node_rule(lab, "db1", 210, 15) ||
                       state_wait_node_rule(lab, "db2", 210, 1),
                   "verdict 210 not seen");
    int code = -1;
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "adopt", "shop", "--yes");
    printf("adopt exits %d: %s %s\n", code, told, lab_error(lab));
    SCENARIO_CHECK(code != 0, "a cloned server was adopted");
    STAY_AUTO(stay_free_charp) char *check = scenario_say(lab, &code, "check", "shop", NULL);
    printf("check: %s\n", check);
    SCENARIO_CHECK(strstr(check, "server_id") != NULL, "check does not name it");
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    scenario_pass("22", "replica restarted with the primary's server id",
                  "verdict 210, adopt refused with the reason, nothing touched", "S7");
}
