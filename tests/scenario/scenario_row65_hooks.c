/* Row 65: hooks that hang, fail and fork. At its deadline a hook's whole process group is killed
 * and the outcome is kept; none of them blocks a failover. One that may veto stops a switchover.
 * ENGINES: mariadb */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/json.h"
#include "tests/lib/server_talk.h"

/* Processes whose command line holds this number: the hooks' sleeps. */
static int left_over(const char *number)
{
    int count = 0;
    DIR *all = opendir("/proc");
    for (struct dirent *e = all == NULL ? NULL : readdir(all); e != NULL; e = readdir(all)) {
        char path[300], text[200] = "";
        (void)snprintf(path, sizeof path, "/proc/%s/cmdline", e->d_name);
        int fd = strtol(e->d_name, NULL, 10) > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        if (fd >= 0)
            close(fd);
        count += n > 0 && memmem(text, (size_t)n, number, strlen(number)) != NULL;
    }
    if (all != NULL)
        closedir(all);
    return count;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    char number[24];
    int code = 0;
    (void)snprintf(number, sizeof number, "6%d.5", (int)getpid());
    STAY_AUTO(stay_free_charp)
    char *hooks = stay_sprintf(
        "    hooks = (\n"
        "      { when = \"pre_failover\"; command = [ \"/bin/sleep\", \"%s\" ]; deadline = "
        "\"1s\"; },\n"
        "      { when = \"pre_failover\"; command = [ \"/bin/false\" ]; },\n"
        "      { when = \"post_failover\"; command = [ \"/bin/sh\", \"-c\", "
        "\"for i in 1 2 3 4 5 6 7 8; do sleep %s & done; wait\" ]; deadline = \"1s\"; },\n"
        "      { when = \"pre_switchover\"; command = [ \"/bin/false\" ]; may_veto = true; } );\n"
        "    failover = {",
        number, number);
    LAB_MUST(lab, lab_edit_config(lab, "    failover = {", hooks));
    scenario_start_controller(lab, true);
    scenario_load(lab);
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "switchover", "shop", "--yes");
    printf("switchover exits %d: %s\n", code, told);
    SCENARIO_CHECK(code != 0 && strcmp(lab_writable(lab), "db1") == 0, "the veto was not heard");
    scenario_ready(lab, 30);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 30);
    SCENARIO_CHECK(state_wait_plans(lab, "failover", 1, 20), "the plan does not end");
    STAY_AUTO(stay_free_charp) char *id = state_last_plan(lab, "failover");
    STAY_AUTO(stay_json_drop) json_t *story = state_explain(lab, id);
    STAY_AUTO(stay_free_charp) char *text = json_dumps(story, JSON_COMPACT);
    SCENARIO_CHECK(strstr(text, "killed") != NULL && strstr(text, "false") != NULL,
                   "the hooks' ends are not kept: %s", text);
    SCENARIO_CHECK(left_over(number) == 0, "%d processes of hooks are left", left_over(number));
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass("65", "hooks: sleep for ever, exit 1, eight children; a veto before a switchover",
                  "killed at the deadline with their group, kept, none blocks; the veto stops it",
                  "L5 S2");
}
