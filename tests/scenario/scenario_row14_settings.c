/* Row 14, the rest of the settings that spoil a promise: a replica starts with a binary log that is
 * not synced (538) and leaves a database out (541), its checksums are switched off (539), and the
 * primary would not wait with no acker (540). Each is told by its number, of its server, with what
 * mends it; mended, none is left.
 * ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/server_talk.h"

static const struct {
    int rule;
    const char *node, *detail;
} rows[] = {{538, "db2", "sync_binlog"},
            {539, "db2", "binlog_checksum"},
            {540, "db1", "wait_no_"},
            {541, "db2", "binlog-ignore-db"}};

/* How many of the rows `mainstay check` tells; printed where `show`. */
static size_t told(struct lab *lab, bool show)
{
    STAY_AUTO(stay_json_drop) json_t *answer = NULL;
    const json_t *check;
    size_t index, count = 0;
    int code = -1;
    LAB_MUST(lab, lab_cli(lab, &code, &answer, "check", "shop", NULL));
    json_array_foreach(state_find(answer, "checks"), index, check)
    {
        const char *node = json_string_value(json_object_get(check, "node"));
        const char *detail = json_string_value(json_object_get(check, "detail"));
        const char *fix = json_string_value(json_object_get(check, "fix"));
        for (size_t i = 0; i < STAY_COUNT(rows); i++) {
            if (json_integer_value(json_object_get(check, "rule")) != rows[i].rule ||
                node == NULL || strcmp(node, rows[i].node) != 0 || detail == NULL ||
                strstr(detail, rows[i].detail) == NULL || fix == NULL || fix[0] == '\0')
                continue;
            count++;
            if (show)
                printf("%d %s: %s: %s\n", rows[i].rule, node, detail, fix);
        }
    }
    return count;
}

static void expect_told(struct lab *lab, size_t count)
{
    for (int64_t begun = lab_now_us(); told(lab, false) != count; scenario_write_on(200))
        SCENARIO_CHECK(talk_ms_since(begun) < 60000, "%zu of 4 are told", told(lab, true));
    (void)told(lab, true);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    const char *waits = scenario_pick(lab, "SET GLOBAL rpl_semi_sync_master_wait_no_slave = ",
                                      "SET GLOBAL rpl_semi_sync_source_wait_no_replica = ");
    STAY_AUTO(stay_free_charp) char *off = stay_sprintf("%sOFF", waits);
    STAY_AUTO(stay_free_charp) char *on = stay_sprintf("%sON", waits);
    LAB_MUST(lab, lab_load_start(lab, &(struct lab_load_options){.writers = 4, .rate = 50}));
    expect_told(lab, 0);
    LAB_MUST(lab, lab_stop(lab, "db2"));
    LAB_MUST(lab, lab_start(lab, "db2", "--sync-binlog=0 --binlog-ignore-db=elsewhere"));
    LAB_MUST(lab, lab_sql(lab, "db2", "SET GLOBAL binlog_checksum = NONE", NULL));
    LAB_MUST(lab, lab_sql(lab, "db1", off, NULL));
    expect_told(lab, STAY_COUNT(rows));
    LAB_MUST(lab, lab_sql(lab, "db1", on, NULL));
    LAB_MUST(lab, lab_stop(lab, "db2") && lab_start(lab, "db2", NULL));
    expect_told(lab, 0);
    scenario_ready(lab, 40);
    scenario_check(lab, "db1", 50);
    scenario_pass("14 settings", "sync_binlog 0 at start, a log filter, no checksums, no waiting",
                  "538 539 540 541 told of the server, with what mends it; mended: gone", "S9 S2");
}
