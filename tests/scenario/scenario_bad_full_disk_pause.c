/* Bad input: the disk of the state file fills up in the write pause of a switchover. Losing the
 * store never demotes a healthy primary: it is opened again while the disk is full still, and the
 * journal follows when there is room. Or SQLite finds room in its own log between two refusals, and
 * the switchover ends; clients wait for neither.
 * ENGINES: mariadb */
#include "tests/lib/server_talk.h"
#include "tests/lib/state_disk.h"

#define OPEN_AGAIN_MS 6000 /* a second of patience, the undo, and a slow machine */

/* Undone for the one reason, or ended. */
static void check_story(struct lab *lab, const char *writable)
{
    STAY_AUTO(stay_free_charp) char *id = state_last_plan(lab, "switchover");
    json_t *story = state_explain(lab, id);
    STAY_AUTO(stay_free_charp) char *text = json_dumps(story, JSON_COMPACT);
    SCENARIO_CHECK(text != NULL &&
                       (strcmp(writable, "db2") == 0 || strstr(text, "undone without it") != NULL),
                   "%s", text);
    json_decref(story);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    int code = -1;
    state_disk_mount(lab, 4096);
    scenario_crash_at("switchover:quiesce:after:stop");
    scenario_start_controller(lab, true);
    scenario_load(lab);
    scenario_ready(lab, 30);
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "switchover", "shop", "--yes", "--no-wait", NULL));
    SCENARIO_CHECK(scenario_wait_crash(lab, true, 20), "it never came to the write pause");
    SCENARIO_CHECK(lab_writable(lab)[0] == '\0', "'%s' takes writes", lab_writable(lab));
    state_disk_fill();
    int64_t begun = lab_now_us();
    LAB_MUST(lab, lab_thaw(lab, "controller"));
    char writable[33] = "";
    while (strcmp(writable, "db1") != 0 && strcmp(writable, "db2") != 0) {
        SCENARIO_CHECK(talk_ms_since(begun) < OPEN_AGAIN_MS, "writable: '%s'", writable);
        (void)stay_copy(writable, sizeof writable, lab_writable(lab));
    }
    printf("%s takes writes after %lld ms, the disk is full\n", writable,
           (long long)talk_ms_since(begun));
    scenario_write_on(1500);
    state_disk_free();
    SCENARIO_CHECK(state_wait_plans(lab, "switchover", 1, 40), "its end was not stored");
    scenario_story(lab, "switchover");
    check_story(lab, writable);
    scenario_ready(lab, 60);
    scenario_check(lab, writable, 50);
    scenario_pass("bad input", "the state file's disk is full in a switchover's write pause",
                  "the old primary is opened again without the store, its journal follows", "L4");
}
