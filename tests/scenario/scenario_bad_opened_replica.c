/* A replica with the semi-sync source role on is writable (its own configuration opened it): its
 * applier waits for acknowledgements that nobody gives, and on MariaDB read_only hangs behind it.
 * The fence closes it all the same, at once, and it follows again.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static void say(struct lab *lab, const char *verb)
{
    int code = -1;
    LAB_MUST(lab, lab_cli(lab, &code, NULL, verb, "shop", NULL));
    SCENARIO_CHECK(code == 0, "%s exits %d", verb, code);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    say(lab, "pause"); /* or the role is taken away before the applier waits */
    talk_do(lab, "db2", WORD_SOURCE_ON);
    talk_do(lab, "db2", WORD_WRITABLE);
    talk_insert(lab, "db1", 1); /* acknowledged */
    talk_wait(lab, "db2", WORD_WAITERS, "1", 10);
    scenario_load(lab);
    say(lab, "resume");
    int64_t begun = lab_now_us();
    SCENARIO_CHECK(state_wait_plans(lab, "fence", 1, 20), "no plan \"fence\" in history");
    LAB_MUST(lab, lab_wait_sql(lab, "db2", "SELECT @@GLOBAL.read_only", "1", 5));
    printf("closed %d ms after the resume\n", talk_ms_since(begun));
    scenario_story(lab, "fence");
    scenario_ready(lab, 40);
    scenario_check(lab, "db1", 100);
    scenario_pass("bad", "a replica is writable, its applier waits for acknowledgements",
                  "closed at once; it follows again", "S1");
}
