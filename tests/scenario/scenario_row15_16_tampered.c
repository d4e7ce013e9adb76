/* Rows 15, 16: somebody lowers the semi-sync time-out, switches it off, or off and on again behind
 * our back. The promise is withdrawn and restored through the barrier; nothing fails over.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static json_int_t since(struct lab *lab)
{
    json_t *cluster = state_cluster(lab);
    json_int_t t = json_integer_value(json_object_get(cluster, "lossless_since_wall_us"));
    json_decref(cluster);
    return t;
}

/* The promise is another one than before: withdrawn in between, standing again. */
static void expect_restored(struct lab *lab, const char *what, json_int_t before)
{
    bool withdrawn = false;
    int64_t begun = lab_now_us();
    while (!withdrawn && talk_ms_since(begun) < 10000)
        withdrawn = since(lab) != before;
    int took = talk_ms_since(begun);
    SCENARIO_CHECK(withdrawn, "%s: lossless still claimed since %lld", what, (long long)before);
    scenario_ready(lab, 30);
    printf("%s: seen after %d ms, stands again after %d ms\n", what, took, talk_ms_since(begun));
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    json_int_t before = since(lab);
    LAB_MUST(lab, lab_sql(lab, "db1",
                          scenario_pick(lab, "SET GLOBAL rpl_semi_sync_master_timeout=1000",
                                        "SET GLOBAL rpl_semi_sync_source_timeout=1000"),
                          NULL));
    expect_restored(lab, "time-out 1 s", before);
    before = since(lab);
    talk_do(lab, "db1", WORD_SOURCE_OFF);
    expect_restored(lab, "semi-sync off", before);
    before = since(lab);
    talk_do(lab, "db1", WORD_SOURCE_OFF);
    talk_do(lab, "db1", WORD_SOURCE_ON);
    expect_restored(lab, "off and on again", before);
    STAY_AUTO(stay_free_charp)
    char *timeout =
        scenario_value(lab, "db1",
                       scenario_pick(lab, "SELECT @@global.rpl_semi_sync_master_timeout",
                                     "SELECT @@global.rpl_semi_sync_source_timeout"));
    SCENARIO_CHECK(strtoull(timeout, NULL, 10) > 86400000, "the time-out is still %s", timeout);
    SCENARIO_CHECK(state_count_plans(lab, "failover") == 0, "something failed over");
    scenario_check(lab, "db1", 50);
    scenario_pass("15, 16", "semi-sync time-out lowered; off; off and on again",
                  "lossless withdrawn each time, restored through the barrier", "S9 S3");
}
