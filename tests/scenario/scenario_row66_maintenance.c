/* Row 66: the primary dies during maintenance, and is cut off during a pause. Both suppress the
 * action and never the detection: the verdict stands, nothing is done, and when they end it is.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static void say(struct lab *lab, const char *verb, const char *a, const char *b)
{
    int code = -1;
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, verb, a, b);
    SCENARIO_CHECK(code == 0, "%s %s exits %d: %s %s", verb, a, code, told, lab_error(lab));
}

/* Seen, and nothing done, for 5 s. */
static void is_watched_only(struct lab *lab, int rule, int plans)
{
    SCENARIO_CHECK(state_wait_rule(lab, rule, 20), "verdict %d not seen", rule);
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 5000; scenario_write_on(200))
        SCENARIO_CHECK(state_count_plans(lab, "failover") == plans, "it acted");
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    char now[16];
    scenario_load(lab);
    say(lab, "maintenance", "start", "shop");
    LAB_MUST(lab, lab_kill(lab, "db1"));
    is_watched_only(lab, 120, 0);
    say(lab, "maintenance", "end", "shop");
    (void)stay_copy(now, sizeof now, scenario_failover_either(lab, "db1", 40));
    scenario_write_on(500);
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    bool follows = strcmp(scenario_settled(lab, "db1", 40), "replica") == 0;
    if (follows && lab_engine_of(lab) == LAB_MARIADB) {
        scenario_ready(lab, 40);
        say(lab, "pause", "shop", "--yes");
        LAB_MUST(lab, lab_cut(lab, "db2", "all", false));
        is_watched_only(lab, 120, 1);
        say(lab, "resume", "shop", "--yes");
        (void)stay_copy(now, sizeof now, scenario_failover(lab, "db2", 40));
        scenario_write_on(500);
        LAB_MUST(lab, lab_heal(lab, NULL, NULL));
        (void)scenario_settled(lab, "db2", 40);
    }
    SCENARIO_CHECK(strcmp(lab_writable(lab), now) == 0, "writable: '%s'", lab_writable(lab));
    scenario_check(lab, now, 50);
    scenario_pass("66",
                  follows && lab_engine_of(lab) == LAB_MARIADB
                      ? "SIGKILL during maintenance; primary cut off during a pause"
                      : "SIGKILL during maintenance",
                  "seen (120), nothing done while it lasts, failed over when it ends", "S5 S2");
}
