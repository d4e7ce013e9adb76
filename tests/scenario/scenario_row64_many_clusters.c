/* Row 64: one controller keeps four clusters, and the primaries of all die in the same moment.
 * Above the limit over all clusters (two an hour here) it holds and says so; the others wait for a
 * human, who releases them one by one. Nothing is lost in any.
 * ENGINES: mariadb */
#include "tests/lib/server_talk.h"

enum { CLUSTERS = 4, LIMIT = 2 };

static struct lab *each[CLUSTERS];

static void more_down(void)
{
    for (int i = 1; i < CLUSTERS; i++)
        if (each[i] != NULL)
            (void)lab_down(each[i]);
}

static const char *const names[CLUSTERS] = {"shop", "sho2", "sho3", "sho4"};

static int count_writable(bool have[CLUSTERS])
{
    int count = 0;
    for (int i = 0; i < CLUSTERS; i++) {
        have[i] = strcmp(lab_writable(each[i]), "db2") == 0;
        count += have[i];
    }
    return count;
}

int main(int argc, char **argv)
{
    bool have[CLUSTERS];
    char name[40];
    int code = -1;
    each[0] = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    (void)atexit(more_down);
    LAB_MUST(each[0], lab_edit_config(each[0], "failovers_per_hour = 0", "failovers_per_hour = 2"));
    for (int i = 1; i < CLUSTERS; i++) {
        (void)snprintf(name, sizeof name, "%s-%d", argv[4], i);
        each[i] = lab_new(&(struct lab_options){.name = stay_strdup(name)});
        LAB_MUST(each[i], lab_up(each[i]));
        scenario_take_in(each[0], each[i], names[i]);
    }
    scenario_start_controller(each[0], true);
    for (int i = 1; i < CLUSTERS; i++)
        LAB_MUST(each[0], lab_cli(each[0], NULL, NULL, "adopt", names[i], "--yes", NULL));
    scenario_write_on(10000); /* every promise stands, and was rehearsed */
    for (int i = 0; i < CLUSTERS; i++) {
        talk_insert(each[i], "db1", 5);
        LAB_MUST(each[i], lab_kill(each[i], "db1"));
    }
    int64_t begun = lab_now_us();
    while (count_writable(have) < LIMIT)
        SCENARIO_CHECK(talk_ms_since(begun) < 40000, "only %d fail over", count_writable(have));
    for (begun = lab_now_us(); talk_ms_since(begun) < 8000; scenario_write_on(200))
        SCENARIO_CHECK(count_writable(have) == LIMIT, "%d failed over", count_writable(have));
    STAY_AUTO(stay_free_charp) char *told = scenario_say(each[0], &code, "status", NULL, NULL);
    SCENARIO_CHECK(strstr(told, "hourly-limit") != NULL, "the limit is not named: %s", told);
    for (int i = 0; i < CLUSTERS; i++)
        if (!have[i])
            LAB_MUST(each[0], lab_cli(each[0], NULL, NULL, "failover", names[i], "--yes", NULL));
    SCENARIO_CHECK(count_writable(have) == CLUSTERS, "%d of 4", count_writable(have));
    for (int i = 0; i < CLUSTERS; i++)
        SCENARIO_CHECK(talk_number(each[i], "db2", WORD_ROWS) == 5, "%s lost rows", names[i]);
    scenario_pass("64", "primaries of four clusters killed at once, failovers_per_hour = 2",
                  "two fail over, then held, the limit named; a human's go on", "S14 L4 S2");
}
