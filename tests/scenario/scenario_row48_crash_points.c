/* Row 48: the controller dies before or after a row of a failover and is started again. It resumes
 * or rolls back and begins anew; the end is that of an uninterrupted run: the replica is primary,
 * the old one follows, lossless stands, nothing is lost. Short: eight points; long: all of them.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

enum { FAILOVER_ROWS = 25 };

/* The record tells an acker from its successor once its process is 8 s old: before that a
 * controller that starts while the primary is dead asks. */
static void grow_old(struct lab *lab)
{
    static const char *const sql[] = {
        "SELECT variable_value > 10 FROM information_schema.global_status WHERE "
        "variable_name = 'uptime'",
        "SELECT variable_value > 10 FROM performance_schema.global_status WHERE "
        "variable_name = 'uptime'"};
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    LAB_MUST(lab, lab_wait_sql(lab, "db1", sql[mysql], "1", 20));
    LAB_MUST(lab, lab_wait_sql(lab, "db2", sql[mysql], "1", 20));
    scenario_ready(lab, 30);
    scenario_write_on(1500); /* seen, and stored */
}

static void one_point(struct lab *lab, const char *old, const char *point)
{
    grow_old(lab);
    LAB_MUST(lab, lab_stop_controller(lab));
    scenario_crash_at(point);
    LAB_MUST(lab, lab_start_controller(lab));
    scenario_crash_at(NULL);
    scenario_ready(lab, 30);
    scenario_load(lab);
    LAB_MUST(lab, lab_kill(lab, old));
    bool is_skipped_row = false;
    if (!scenario_wait_crash(lab, false, 15)) /* rows a plan has no work for are skipped */
        is_skipped_row = true;
    else
        LAB_MUST(lab, lab_start_controller(lab));
    STAY_AUTO(stay_free_charp) char *now = stay_strdup(scenario_failover(lab, old, 40));
    scenario_write_on(300);
    LAB_MUST(lab, lab_start(lab, old, NULL));
    bool follows = strcmp(scenario_settled(lab, old, 40), "replica") == 0;
    if (follows)
        scenario_ready(lab, 40);
    scenario_check(lab, now, 20);
    printf("%s: %s; %s is primary, %s %s\n", point, is_skipped_row ? "not reached" : "died there",
           now, old, follows ? "follows" : "is quarantined");
    if (!follows && scenario_is_long())
        scenario_pass("48", point, "stopped early: the returner kept its tail", "S5 S8");
}

int main(int argc, char **argv)
{
    static const char *const few[] = {"failover:intent:after",        "failover:freeze:before",
                                      "failover:drain:after",         "failover:certify:after",
                                      "failover:detach:after",        "failover:record-mode:before",
                                      "failover:make-writable:after", "failover:open-route:before"};
    char done[64], point[48];
    scenario_crash_at(few[0]); /* skips at once where there are none */
    scenario_crash_at(NULL);
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    /* MySQL keeps its tail: one round per lab, from a row behind the intent, for of a primary that
     * died while no controller ran nobody can say how. */
    bool mysql = lab_engine_of(lab) == LAB_MYSQL, all = scenario_is_long() && !mysql;
    int points = mysql ? 1 : all ? 2 * FAILOVER_ROWS : (int)STAY_COUNT(few);
    for (int i = 0; i < points; i++) {
        const char *old = i % 2 == 0 ? "db1" : "db2";
        snprintf(point, sizeof point, "failover:%d:%s", i / 2, i % 2 == 0 ? "before" : "after");
        one_point(lab, old, all ? point : few[mysql ? 4 : i]);
        LAB_MUST(lab, lab_sql(lab, old, "DO 1", NULL));
    }
    snprintf(done, sizeof done, "%d points: resumed or rolled back, same end", points);
    scenario_pass("48", "controller dies before or after a row of the failover", done, "S5 S8 S2");
}
