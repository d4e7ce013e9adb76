/* Row 27: a switchover while a transaction of minutes is open, then while a prepared one stands. It
 * ends, or is undone and says why; either way somebody takes writes again at once and nothing that
 * was acknowledged is lost.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* Switches over; the primary after it (static). Writes come back within `ms`. */
static const char *switch_over(struct lab *lab, const char *what)
{
    static char now[16];
    int code = -1;
    int64_t begun = lab_now_us();
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "switchover", "shop", "--yes");
    printf("%s: switchover exits %d after %d ms: %.300s\n", what, code, talk_ms_since(begun), told);
    for (begun = lab_now_us(); lab_writable(lab)[0] != 'd'; scenario_write_on(20))
        SCENARIO_CHECK(talk_ms_since(begun) < 2000, "%s: 2 s later nobody takes writes", what);
    (void)stay_copy(now, sizeof now, lab_writable(lab));
    scenario_story(lab, "switchover");
    scenario_ready(lab, 40);
    return now;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    static const char open_one[] = "BEGIN; INSERT INTO shop.ledger (client, seq) VALUES (9998, 1); "
                                   "DO SLEEP(50); COMMIT";
    static const char prepare[] = "XA START 'x'; INSERT INTO shop.ledger (client, seq) VALUES "
                                  "(9999, 1); XA END 'x'; XA PREPARE 'x'";
    char first[16], done[100];
    unsigned code = 1;
    scenario_load(lab);
    struct waiter *slow = waiter_start(lab, "db1", "app", open_one);
    LAB_MUST(lab, lab_wait_sql(lab, "db1",
                               "SELECT COUNT(*) FROM information_schema.processlist WHERE "
                               "info LIKE 'DO SLEEP%'",
                               "1", 10));
    (void)stay_copy(first, sizeof first, switch_over(lab, "open transaction"));
    bool answered = waiter_has_answer(slow, 0, &code);
    SCENARIO_CHECK(!answered || code != 0, "the open transaction was told OK");
    waiter_end(slow);
    scenario_kill_sessions(lab, "db1", "app");
    LAB_MUST(lab, lab_sql(lab, first, prepare, NULL));
    const char *second = switch_over(lab, "prepared transaction");
    (void)lab_sql(lab, second, "XA ROLLBACK 'x'", NULL);
    scenario_check(lab, second, 50);
    snprintf(done, sizeof done, "open: %s; prepared: %s; writes at once, nothing lost",
             strcmp(first, "db1") == 0 ? "undone" : "ended it and moved",
             strcmp(second, first) == 0 ? "undone" : "moved");
    scenario_pass("27", "switchover with a transaction open for 50 s; with an XA prepared", done,
                  "S14 L5 S2");
}
