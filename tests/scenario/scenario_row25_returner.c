/* Row 25: the old primary returns with a commit nobody acknowledged, in each start role. Truncated:
 * it is attached. Kept (MariaDB init_rpl_role=MASTER, MySQL always): quarantined, its set shown.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* A commit waits on `old`, which is killed; the other is promoted; `old` starts with `extra`. */
static const char *round_of(struct lab *lab, const char *old, const char *next, const char *extra)
{
    LAB_MUST(lab, lab_cut(lab, old, next, false));
    struct waiter *client =
        waiter_start(lab, old, "app", "INSERT INTO shop.ledger (client, seq) VALUES (9999, 1)");
    talk_wait(lab, old, WORD_WAITERS, "1", 4);
    LAB_MUST(lab, lab_kill(lab, old));
    waiter_end(client);
    (void)scenario_failover_unseen(lab, old, 30);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    LAB_MUST(lab, lab_start(lab, old, extra));
    return scenario_settled(lab, old, 40);
}

static void expect_quarantine(struct lab *lab, const char *node)
{
    int code = -1;
    STAY_AUTO(stay_free_charp) char *shown = scenario_say(lab, &code, "problems", "shop", NULL);
    STAY_AUTO(stay_free_charp) char *reason = state_quarantine(lab, node);
    STAY_AUTO(stay_free_charp)
    char *own = scenario_value(
        lab, node,
        scenario_pick(lab, "SELECT CONCAT('0-', @@server_id, '-')", "SELECT @@server_uuid"));
    printf("%s: %s; problems: %s\n", node, reason, shown);
    SCENARIO_CHECK(strcmp(reason, "diverged") == 0, "%s", reason);
    SCENARIO_CHECK(strstr(shown, own) != NULL, "the extra set (%s...) is not shown", own);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    if (lab_engine_of(lab) == LAB_MYSQL) {
        SCENARIO_CHECK(strcmp(round_of(lab, "db1", "db2", NULL), "quarantined") == 0, "attached");
        expect_quarantine(lab, "db1");
    } else {
        SCENARIO_CHECK(strcmp(round_of(lab, "db1", "db2", "--init-rpl-role=SLAVE"), "replica") == 0,
                       "the truncated returner was not attached");
        scenario_ready(lab, 40);
        const char *how = round_of(lab, "db2", "db1", "--init-rpl-role=MASTER");
        SCENARIO_CHECK(strcmp(how, "quarantined") == 0, "%s", how);
        expect_quarantine(lab, "db2");
    }
    scenario_pass("25", "old primary killed with a waiting commit, restarted in each start role",
                  "truncated: attached; kept: quarantined, its set shown", "S7 S2");
}
