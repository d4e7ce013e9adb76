/* A switchover ordered for a time: kept over a kill -9 of the controller, shown, cancelled by
 * `never`; done at its time, in good order; refused then while it is paused.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

static bool is_scheduled(struct lab *lab)
{
    json_t *cluster = state_cluster(lab);
    bool is = json_is_integer(state_find(cluster, "switch_at_wall_us"));
    json_decref(cluster);
    return is;
}

static void order(struct lab *lab, const char *at)
{
    int code = -1;
    json_t *said = NULL;
    LAB_MUST(lab, lab_cli(lab, &code, &said, "switchover", "shop", "--at", at, "--yes", NULL));
    SCENARIO_CHECK(code == 0, "--at %s: exit %d", at, code);
    json_decref(said);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    order(lab, "+1h");
    SCENARIO_CHECK(is_scheduled(lab), "it is not shown");
    order(lab, "never");
    SCENARIO_CHECK(!is_scheduled(lab), "it is not cancelled");
    order(lab, "+8s");
    LAB_MUST(lab, lab_kill_controller(lab));
    LAB_MUST(lab, lab_start_controller(lab));
    STAY_AUTO(stay_free_charp) char *next = state_wait_moved(lab, "db1", 40);
    SCENARIO_CHECK(next != NULL, "nobody switched over");
    SCENARIO_CHECK(state_wait_plans(lab, "switchover", 1, 20), "no switchover in the history");
    scenario_story(lab, "switchover");
    SCENARIO_CHECK(!is_scheduled(lab), "it is still scheduled");
    scenario_ready(lab, 40);
    scenario_write_on(1000);
    scenario_check(lab, next, 100);
    scenario_pass("-", "a switchover ordered for a time; the controller killed before it",
                  "cancelled one: nothing; the other: at its time, nothing lost", "S2 S5");
}
