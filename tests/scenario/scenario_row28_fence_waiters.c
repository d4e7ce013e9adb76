/* Row 28: commits wait on the living primary (its ackers are cut off) and an operator fails over.
 * The fence ends the clients first: none of them is told OK, and read-only does not hang. On
 * MariaDB a group whose leader is killed may be answered OK (scenario_fact_killed_leader.c): there
 * the certificate is BOUNDED, the primary is opened again, and the operator accepts loss.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static void accept_loss(struct lab *lab, int *code)
{
    for (int64_t begun = lab_now_us(); strcmp(lab_writable(lab), "db1") != 0;) {
        SCENARIO_CHECK(talk_ms_since(begun) < 10000, "refused, and db1 was not opened again");
        scenario_write_on(50);
    }
    LAB_MUST(lab, lab_cli(lab, code, NULL, "failover", "shop", "--accept-loss", "cut off", "--yes",
                          NULL));
    printf("refused and undone; with --accept-loss it exits %d\n", *code);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(
        argc, argv, (struct lab_options){.acker = true, .without_acker = "block"}, 0);
    struct waiter *clients[12]; /* several groups of commits */
    int code = -1, errors = 0;
    LAB_MUST(lab, lab_cut(lab, "db1", "db2", false) && lab_cut(lab, "db1", "db3", false));
    for (size_t i = 0; i < STAY_COUNT(clients); i++)
        clients[i] = waiter_start(lab, "db1", "app",
                                  "INSERT INTO shop.ledger (client, seq) VALUES (9999, 1)");
    LAB_MUST(lab, lab_wait_sql(lab, "db1",
                               "SELECT COUNT(*) FROM information_schema.processlist WHERE "
                               "user = 'app' AND info LIKE 'INSERT%'",
                               "12", 10));
    int64_t begun = lab_now_us();
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "failover", "shop", "--yes");
    printf("failover exits %d after %d ms: %s\n", code, talk_ms_since(begun), told);
    for (size_t i = 0; i < STAY_COUNT(clients); i++) {
        unsigned answer = 0;
        bool has_one = waiter_has_answer(clients[i], 1000, &answer);
        SCENARIO_CHECK(!has_one || answer != 0, "a waiter was told OK: an acknowledged loss");
        errors += has_one;
        waiter_end(clients[i]);
    }
    printf("%d of 12 waiters were told of an error, none OK\n", errors);
    scenario_story(lab, "failover");
    if (lab_engine_of(lab) == LAB_MARIADB && code != 0)
        accept_loss(lab, &code);
    SCENARIO_CHECK(code == 0, "the failover did not go through");
    const char *now = scenario_failover(lab, "db1", 5);
    SCENARIO_CHECK(strcmp(lab_writable(lab), now) == 0, "writable: '%s'", lab_writable(lab));
    SCENARIO_CHECK(talk_number(lab, now, WORD_ROWS) == 0, "%s has a row nobody was told of", now);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    (void)scenario_settled(lab, "db1", 40);
    scenario_pass("28", "failover while commits wait on the living primary",
                  "clients ended first, read-only at once, nobody was told OK", "S2");
}
