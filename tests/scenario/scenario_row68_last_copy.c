/* Row 68: somebody wants to rebuild the last good copy: the primary, then the only server that
 * holds what it acknowledges, then that server while the primary is dead. Refused each time, with
 * the reason, before anything is touched; the failover that follows finds every row on it.
 * ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/server_talk.h"

#include <sys/wait.h>
#include <unistd.h>

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

/* MariaDB: the script itself, told the wrong hosts: the primary as the recipient, and a server as
 * its own donor. It ends before it stops or moves anything. */
static void refuse_script(struct lab *lab, const char *node, const char *donor, const char *word)
{
    const char *dir = lab_dir(lab);
    STAY_AUTO(stay_free_charp) char *config = scenario_file(lab, "mainstay.conf");
    char *script = strstr(config, "command = [ \"");
    SCENARIO_CHECK(script != NULL, "no reseed.command");
    script += strlen("command = [ \"");
    script[strcspn(script, "\"")] = '\0';
    STAY_AUTO(stay_free_charp)
    char *command = stay_sprintf(
        "%s --plan by-hand --name %s --donor '/bin/sh -c' "
        "--recipient '/bin/sh -c' --datadir %s/data/%s --donor-datadir %s/data/%s --stop 'touch "
        "%s/stopped' --start 'touch %s/stopped' --donor-options '--user=root --socket=%s/data/%s"
        ".sock' --client '--user=root --socket=%s/data/%s.sock' --lock-dir %s >%s/script.txt 2>&1",
        script, node, dir, node, dir, donor, dir, dir, dir, donor, dir, node, dir, dir);
    (void)fflush(NULL);
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    SCENARIO_CHECK(waitpid(pid, &status, 0) == pid && status != 0, "the script went on");
    STAY_AUTO(stay_free_charp) char *told = scenario_file(lab, "script.txt");
    STAY_AUTO(stay_free_charp) char *stopped = stay_sprintf("%s/stopped", dir);
    printf("script, %s from %s: %s", node, donor, told);
    SCENARIO_CHECK(strstr(told, word) != NULL, "'%s' is not said", word);
    SCENARIO_CHECK(access(stopped, F_OK) != 0 && lab_is_running(lab, node), "it was stopped");
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    int code = -1;
    scenario_load(lab);
    refuse(lab, "db1", "is the primary");
    refuse(lab, "db2", "fewer than 1 ackers");
    if (lab_engine_of(lab) == LAB_MARIADB) {
        refuse_script(lab, "db1", "db2", "takes writes");
        refuse_script(lab, "db2", "db2", "donor and recipient are one");
    }
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
