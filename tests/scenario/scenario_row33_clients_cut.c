/* Row 33: the primary is cut from every client and both proxies; controller and replicas see it.
 * The database is well: nothing fails over, and the writes go on once the path is mended.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "db1", "proxy-a", false) && lab_cut(lab, "db1", "proxy-b", false) &&
                      lab_cut(lab, "db1", "client", false));
    scenario_write_on(500);
    long before = talk_number(lab, "db1", WORD_ROWS);
    scenario_stays(lab, "db1", 6);
    SCENARIO_CHECK(talk_number(lab, "db1", WORD_ROWS) == before, "clients still write");
    SCENARIO_CHECK(state_wait_rule(lab, 100, 2), "it is not judged healthy");
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    for (int64_t begun = lab_now_us(); talk_number(lab, "db1", WORD_ROWS) <= before;)
        SCENARIO_CHECK(talk_ms_since(begun) < 15000, "writes do not go on");
    scenario_ready(lab, 30);
    scenario_check(lab, "db1", 200);
    scenario_pass("33", "primary cut from clients and proxies for 6 s",
                  "no failover, it stays healthy for us (nobody asks from the clients' side, so no "
                  "alert either); mended, writes go on",
                  "S14 S2");
}
