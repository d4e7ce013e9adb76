/* Row 68: somebody wants to rebuild the last good copy: the primary, then the only server that
 * holds what it acknowledges, then that server while the primary is dead. Refused each time, with
 * the reason, before anything is touched; the failover that follows finds every row on it.
 * ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/server_talk.h"

static void refuse(struct lab *lab, const char *node, const char *word)
{
    int code = 0;
    STAY_AUTO(stay_json_drop) json_t *answer = NULL;
    LAB_MUST(lab, lab_cli(lab, &code, &answer, "reseed", "shop", node, "--yes", "--drop",
                          "it was told so", NULL));
    STAY_AUTO(stay_free_charp) char *told = answer == NULL ? NULL : json_dumps(answer, 0);
    printf("reseed of %s exits %d: %s\n", node, code, told == NULL ? lab_error(lab) : told);
    SCENARIO_CHECK(code != 0, "the last good copy, %s, was rebuilt", node);
    SCENARIO_CHECK(told != NULL && strstr(told, word) != NULL, "'%s' is not said", word);
    SCENARIO_CHECK(state_count_plans(lab, "reseed") == 0, "a reseed was begun");
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    int code = -1;
    scenario_load(lab);
    refuse(lab, "db1", "is the primary");
    refuse(lab, "db2", "fewer than 1 ackers");
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "maintenance", "start", "shop", "--yes", NULL));
    SCENARIO_CHECK(code == 0, "maintenance exits %d", code);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    SCENARIO_CHECK(state_wait_rule(lab, 120, 20), "the death is not seen");
    long rows = talk_number(lab, "db2", WORD_ROWS);
    refuse(lab, "db2", "db1");
    SCENARIO_CHECK(talk_number(lab, "db2", WORD_ROWS) >= rows, "rows are gone");
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "maintenance", "end", "shop", "--yes", NULL));
    const char *now = scenario_failover_either(lab, "db1", 40);
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass("68", "reseed of the primary; of the only acker; of it while the primary is dead",
                  "refused each time with the reason, untouched; it takes over whole",
                  "S10 S14 S2");
}
