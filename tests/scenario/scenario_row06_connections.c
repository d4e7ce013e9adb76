/* Row 6: max_connections is exhausted, and our own sessions are ended. "Too many connections" is an
 * answer: alive, nothing fails over, the clients' writes go on; with room again all is well.
 * ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/server_talk.h"

/* Takes the room away and gives it back 20 s later, in one session that stays: nobody else could
 * log in to do it. Everybody of ours is ended in between. */
static struct waiter *exhaust(struct lab *lab)
{
    STAY_AUTO(stay_free_charp)
    char *kills = scenario_value(lab, "db1",
                                 "SELECT COALESCE(GROUP_CONCAT(CONCAT('KILL ', id) SEPARATOR "
                                 "'; '), 'DO 1') FROM information_schema.processlist WHERE user "
                                 "LIKE 'mainstay%' AND user <> 'mainstay_replicate'");
    STAY_AUTO(stay_free_charp)
    char *statements = stay_sprintf("SET GLOBAL max_connections = 12; %s; DO SLEEP(20); "
                                    "SET GLOBAL max_connections = 400",
                                    kills);
    printf("%s\n", statements);
    return waiter_start(lab, "db1", "root", statements);
}

/* What the cluster's status says of it, or NULL; caller frees. */
static char *said(struct lab *lab, int *ret_rule)
{
    STAY_AUTO(stay_json_drop) json_t *cluster = state_cluster(lab);
    const char *text = json_string_value(json_object_get(cluster, "text"));
    *ret_rule =
        (int)json_integer_value(json_object_get(json_object_get(cluster, "verdict"), "rule"));
    return text == NULL ? NULL : stay_strdup(text);
}

/* No place is left beside those that others hold, the reserved ones neither; the limit itself is
 * read each 10 s where somebody is let in. */
static void expect_saturated(struct lab *lab, int64_t begun)
{
    bool seen = state_wait_rule(lab, 124, 8);
    int rule = 0;
    STAY_AUTO(stay_free_charp) char *holders = said(lab, &rule);
    printf("%s, after %d ms\n", holders, talk_ms_since(begun));
    SCENARIO_CHECK(seen, "the rule is %d", rule);
    SCENARIO_CHECK(holders != NULL && strstr(holders, " connections: app@") != NULL,
                   "who holds the connections is not said: %s", holders);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    unsigned code = 1;
    scenario_load(lab);
    int64_t begun = lab_now_us();
    struct waiter *room = exhaust(lab);
    expect_saturated(lab, begun);
    long before = talk_number(lab, "db2", WORD_ROWS);
    for (int i = 0, rule = 0; !waiter_has_answer(room, 1000, &code); i++) {
        free(said(lab, &rule));
        SCENARIO_CHECK(i < 40, "the room is not given back");
        SCENARIO_CHECK(rule == 124 || rule == 190 || rule == 100, "the rule is %d", rule);
        SCENARIO_CHECK(state_count_plans(lab, "failover") == 0, "a failover was started");
    }
    waiter_end(room);
    SCENARIO_CHECK(code == 0 && talk_ms_since(begun) >= 10000,
                   "error %u after %d ms: no room was "
                   "taken",
                   code, talk_ms_since(begun));
    LAB_MUST(lab, lab_sql(lab, "db1", "SET GLOBAL max_connections = 400", NULL));
    SCENARIO_CHECK(talk_number(lab, "db2", WORD_ROWS) > before, "the clients' writes stopped");
    scenario_ready(lab, 40);
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    scenario_check(lab, "db1", 500);
    scenario_pass("6", "max_connections below what the clients hold for 20 s, our sessions ended",
                  "verdict 124 names who holds them; no failover, clients' writes go on; room "
                  "again: healthy",
                  "S14 S2");
}
