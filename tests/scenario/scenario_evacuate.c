/* A zone is emptied under load: two clusters, one of them paused; the controller is killed with the
 * order given. The flag stands over the kill, each primary leaves in good order, nobody moves back,
 * no switchover goes in; a primary that dies with nobody else left is replaced there all the same.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

enum { CLUSTERS = 2 };

static struct lab *each[CLUSTERS];
static const char *const names[CLUSTERS] = {"shop", "sho2"};

static void second_down(void)
{
    if (each[1] != NULL)
        (void)lab_down(each[1]);
}

/* `mainstay evacuate zone:a OPTION` ends with `code` and says `words`, within a while. */
static void evacuate(const char *option, int code, const char *words)
{
    int got = -1;
    for (int64_t begun = lab_now_us();; scenario_write_on(200)) {
        STAY_AUTO(stay_free_charp)
        char *said = scenario_say(each[0], &got, "evacuate", "zone:a", option);
        if (got == code && strstr(said, words) != NULL)
            return;
        SCENARIO_CHECK(talk_ms_since(begun) < 150000, "exit %d, not \"%s\": %s", got, words, said);
    }
}

static void wait_writable(int i, const char *node)
{
    for (int64_t begun = lab_now_us(); strcmp(lab_writable(each[i]), node) != 0;)
        SCENARIO_CHECK(talk_ms_since(begun) < 150000, "%s: not writable: %s", names[i], node);
}

int main(int argc, char **argv)
{
    struct lab_options options = {.acker = true};
    each[0] = scenario_begin(argc, argv, options, SCENARIO_NO_CONTROLLER);
    (void)atexit(second_down);
    options.name = stay_sprintf("%s-1", argv[4]);
    options.engine = lab_engine_of(each[0]);
    each[1] = lab_new(&options);
    LAB_MUST(each[1], lab_up(each[1]));
    scenario_take_in(each[0], each[1], names[1]);
    scenario_start_controller(each[0], true);
    LAB_MUST(each[0], lab_cli(each[0], NULL, NULL, "adopt", names[1], "--yes", NULL));
    for (int i = 0; i < CLUSTERS; i++)
        LAB_MUST(each[i],
                 lab_load_start(each[i], &(struct lab_load_options){.writers = 8, .rate = 150}));
    evacuate("--dry-run", 0, "its turn comes");
    SCENARIO_CHECK(strcmp(lab_writable(each[0]), "db1") == 0, "a dry run moved it");
    LAB_MUST(each[0], lab_cli(each[0], NULL, NULL, "pause", names[1], NULL));
    LAB_MUST(each[0], lab_cli(each[0], NULL, NULL, "evacuate", "zone:a", "--yes", "--no-wait",
                              "--reason", "power", NULL));
    LAB_MUST(each[0], lab_kill_controller(each[0]) && lab_start_controller(each[0]));
    wait_writable(0, "db2");
    scenario_ready(each[0], 40);
    evacuate("--yes", 1, "paused"); /* sho2 stands in its way: said, and the rest is done */
    SCENARIO_CHECK(strcmp(lab_writable(each[1]), "db1") == 0, "a paused cluster was moved");
    LAB_MUST(each[0], lab_cli(each[0], NULL, NULL, "resume", names[1], NULL));
    wait_writable(1, "db2"); /* by itself: the order stands */
    evacuate(NULL, 0, "\"phase\": \"done\"");
    int code = -1;
    LAB_MUST(each[0],
             lab_cli(each[0], &code, NULL, "switchover", "shop", "--to", "db1", "--yes", NULL));
    SCENARIO_CHECK(code == 3, "a switchover into the zone: exit %d", code);
    scenario_ready(each[0], 40);
    LAB_MUST(each[0], lab_kill(each[0], "db2"));
    wait_writable(0, "db1"); /* nobody else may be promoted: data and writes before the flag */
    LAB_MUST(each[0], lab_start(each[0], "db2", NULL));
    evacuate("--end", 0, "\"stands\": false");
    (void)scenario_settled(each[0], "db2", 60); /* MySQL keeps the tail that nobody acknowledged */
    SCENARIO_CHECK(strcmp(lab_writable(each[1]), "db2") == 0, "it moved back by itself");
    scenario_check(each[1], "db2", 100);
    scenario_check(each[0], "db1", 100);
    scenario_pass("-", "a zone evacuated with two clusters under load, the controller killed",
                  "both left in good order, the paused one once resumed; nothing lost", "S2 S5");
}
