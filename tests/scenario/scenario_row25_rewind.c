/* Row 25: an old primary returns with 1,000 transactions that the new one lacks, while clients
 * write. They are kept as a bundle and shown, undone by `errant reset`, and it follows again with
 * every table as the primary's.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

#define EXTRA 1000

static void insert_extra(struct lab *lab)
{
    for (int i = 1; i <= EXTRA; i++) {
        char sql[120];
        snprintf(sql, sizeof sql, "INSERT INTO shop.ledger (client, seq) VALUES (7777, %d)", i);
        LAB_MUST(lab, lab_sql(lab, "db1", sql, NULL));
    }
}

/* MariaDB is cut off, for restarted it would truncate its tail and give those numbers again; MySQL
 * keeps its log, and is not failed over while it may live. */
static const char *diverge(struct lab *lab)
{
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    LAB_MUST(lab, mysql ? lab_kill(lab, "db1") : lab_cut(lab, "db1", "all", false));
    const char *now = scenario_failover(lab, "db1", 40);
    if (mysql)
        LAB_MUST(lab, lab_cli(lab, NULL, NULL, "pause", "shop", NULL));
    if (mysql)
        LAB_MUST(lab, lab_start(lab, "db1", NULL));
    talk_do(lab, "db1", WORD_SOURCE_OFF);
    talk_do(lab, "db1", WORD_WRITABLE);
    insert_extra(lab);
    if (mysql)
        LAB_MUST(lab, lab_cli(lab, NULL, NULL, "resume", "shop", NULL));
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    return now;
}

static void expect_bundle(struct lab *lab)
{
    json_int_t kept = 0, rows = 0;
    STAY_AUTO(stay_free_charp) char *conf = stay_sprintf("%s/mainstay.conf", lab_dir(lab));
    for (int64_t begun = lab_now_us(); kept < EXTRA && talk_ms_since(begun) < 40000;
         scenario_write_on(100)) {
        json_t *list = NULL;
        (void)lab_cli(lab, NULL, &list, "errant", "list", "shop", "--config", conf, NULL);
        const json_t *bundle = json_array_get(list, 0);
        kept = json_integer_value(json_object_get(bundle, "transactions"));
        SCENARIO_CHECK(kept == 0 || json_is_true(json_object_get(bundle, "can_rewind")),
                       "why not?");
        json_decref(list);
    }
    SCENARIO_CHECK(kept >= EXTRA, "%lld transactions are kept", (long long)kept);
    json_t *shown = NULL;
    LAB_MUST(lab,
             lab_cli(lab, NULL, &shown, "errant", "show", "shop", "db1", "--config", conf, NULL));
    const json_t *list = json_object_get(shown, "list");
    for (size_t i = 0; i < json_array_size(list); i++)
        rows += (json_int_t)json_array_size(json_object_get(json_array_get(list, i), "rows"));
    SCENARIO_CHECK(rows >= EXTRA, "%lld rows are shown", (long long)rows);
    json_decref(shown);
}

int main(int argc, char **argv)
{
    int code = -1;
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    scenario_load(lab);
    const char *now = diverge(lab);
    expect_bundle(lab);
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "errant", "reset", "shop", "db1", "--yes", NULL));
    scenario_story(lab, "rewind");
    SCENARIO_CHECK(code == 0, "errant reset exits %d", code);
    scenario_ready(lab, 40);
    scenario_check(lab, now, 500);
    LAB_MUST(lab, lab_wait_sql(lab, "db1", "SELECT COUNT(*) FROM shop.ledger WHERE client = 7777",
                               "0", 20));
    talk_wait(lab, "db1", WORD_ROWS, talk_ask(lab, now, WORD_ROWS), 20);
    STAY_AUTO(stay_free_charp) char *rows = scenario_value(lab, now, "CHECKSUM TABLE shop.ledger");
    LAB_MUST(lab, lab_wait_sql(lab, "db1", "CHECKSUM TABLE shop.ledger", rows, 20));
    scenario_pass("25", "1,000 transactions on an old primary that is no longer one",
                  "kept, shown, undone; it follows, checksums equal", "S1 S2 S7");
}
