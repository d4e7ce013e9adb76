/* Row 47: one of two proxies is dead during the failover and comes back with its old file, the old
 * primary open and the new one closed. The failover does not wait for it, the stale one is told and
 * corrected, and nobody writes to the old primary through it.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* Operational state of a server in the write backend: 2 open, 0 closed, -1 unknown. */
static int state_at(struct lab *lab, const char *zone, const char *node)
{
    STAY_AUTO(stay_free_charp) char *text = NULL, *name = stay_sprintf(" %s ", node);
    if (!lab_proxy_command(lab, zone, "show servers state shop_rw", &text))
        return -1;
    const char *at = strstr(text, name);
    int state = -1;
    return at != NULL && sscanf(at, " %*s %*s %d", &state) == 1 ? state : -1;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_proxy_kill(lab, "b") && lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 40);
    scenario_story(lab, "failover");
    scenario_write_on(1000);
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    int64_t begun = lab_now_us();
    LAB_MUST(lab, lab_proxy_restart(lab, "b"));
    printf("proxy-b is back: db1 %d, db2 %d\n", state_at(lab, "b", "db1"),
           state_at(lab, "b", "db2"));
    while (state_at(lab, "b", "db1") != 0 || state_at(lab, "b", "db2") != 2)
        SCENARIO_CHECK(talk_ms_since(begun) < 20000, "proxy-b is not corrected: db1 %d, db2 %d",
                       state_at(lab, "b", "db1"), state_at(lab, "b", "db2"));
    printf("corrected after %d ms\n", talk_ms_since(begun));
    SCENARIO_CHECK(state_at(lab, "a", "db1") == 0 && state_at(lab, "a", "db2") == 2, "proxy-a");
    (void)scenario_settled(lab, "db1", 40);
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass("47", "proxy-b dead during the failover, back with its old file",
                  "the failover goes on, the stale proxy is corrected, no write went astray",
                  "S1 S4 S2");
}
