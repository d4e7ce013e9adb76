/* Row 67: two operators ask for a switchover at once, then an operator asks for a failover while
 * the automation is at it. One wins, the other is told so; never two plans, never two primaries.
 * ENGINES: mariadb mysql */
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/server_talk.h"

/* Runs the verb in a process of its own; its exit code by waitpid. */
static pid_t operator_asks(struct lab *lab, const char *verb)
{
    fflush(NULL);
    pid_t pid = fork();
    must(pid >= 0);
    if (pid != 0)
        return pid;
    int code = 99;
    (void)lab_cli(lab, &code, NULL, verb, "shop", "--yes", "--timeout=30s", NULL);
    if (code != 0)
        printf("%s exits %d: %s\n", verb, code, lab_error(lab));
    fflush(stdout);
    _exit(code);
}

static int exit_of(pid_t pid)
{
    int status = 0;
    must(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    char now[16];
    LAB_MUST(lab, lab_load_start(lab, &(struct lab_load_options){.writers = 8, .rate = 100}));
    scenario_write_on(1000);
    pid_t one = operator_asks(lab, "switchover"), two = operator_asks(lab, "switchover");
    int first = exit_of(one), second = exit_of(two);
    printf("two switchovers at once: %d and %d\n", first, second);
    SCENARIO_CHECK((first == 0) != (second == 0), "exits %d and %d: not one of two", first, second);
    SCENARIO_CHECK(state_count_plans(lab, "switchover") == 1, "%d switchovers",
                   state_count_plans(lab, "switchover"));
    scenario_ready(lab, 40);
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db2") == 0, "writable: '%s'", lab_writable(lab));
    LAB_MUST(lab, lab_kill(lab, "db2"));
    one = operator_asks(lab, "failover");
    (void)stay_copy(now, sizeof now, scenario_failover_either(lab, "db2", 40));
    first = exit_of(one);
    printf("failover asked for while the automation acts: %d\n", first);
    /* MySQL: the operator's may be refused (BOUNDED), then asked for again */
    SCENARIO_CHECK(lab_engine_of(lab) == LAB_MYSQL || state_count_plans(lab, "failover") == 1,
                   "%d failovers", state_count_plans(lab, "failover"));
    SCENARIO_CHECK(strcmp(lab_writable(lab), now) == 0, "writable: '%s'", lab_writable(lab));
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass("67", "two switchovers at once; a failover asked for while the automation acts",
                  "one wins, the other is told of the conflict; one plan each, one primary",
                  "S5 S6 S2");
}
