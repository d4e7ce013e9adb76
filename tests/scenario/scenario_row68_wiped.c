/* Row 68: a replica's disk is gone. It gets another's data while clients write: MySQL by CLONE into
 * a server initialised empty, MariaDB by the shipped script over ssh, each host reached through a
 * daemon with keys of its own. Its rows are compared with the primary's afterwards.
 * ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/server_talk.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SSH_PORT 20022

static pid_t sshd;

static void end_sshd(void)
{
    if (sshd > 0 && kill(sshd, SIGTERM) == 0)
        (void)waitpid(sshd, NULL, 0);
}

static pid_t start(const char *const argv[])
{
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    SCENARIO_CHECK(pid > 0, "fork: %m");
    return pid;
}

static void make_keys(const char *dir)
{
    int status = -1;
    STAY_AUTO(stay_free_charp)
    char *command = stay_sprintf("cd %s && mkdir -p ssh /run/sshd && cd ssh && "
                                 "ssh-keygen -q -t ed25519 -N '' -f host && "
                                 "ssh-keygen -q -t ed25519 -N '' -f key && cp key.pub allowed",
                                 dir);
    pid_t pid = start((const char *[]){"/bin/sh", "-c", command, NULL});
    SCENARIO_CHECK(waitpid(pid, &status, 0) == pid && status == 0, "%s", command);
}

/* Own host key, own key, own port, on loopback; then the configuration's shells go through it. */
static void reach_by_ssh(struct lab *lab)
{
    const char *dir = lab_dir(lab);
    if (access("/usr/sbin/sshd", X_OK) != 0)
        scenario_skip("openssh-server is not installed (.ci/packages.txt)");
    make_keys(dir);
    STAY_AUTO(stay_free_charp)
    char *config = stay_sprintf(
        "Port %d\nListenAddress 127.0.0.1\nHostKey %s/ssh/host\nPidFile none\nUsePAM no\n"
        "AuthorizedKeysFile %s/ssh/allowed\nStrictModes no\nPasswordAuthentication no\n"
        "PermitRootLogin prohibit-password\n",
        SSH_PORT, dir, dir);
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/ssh/sshd_config", dir);
    STAY_AUTO(stay_free_charp) char *log = stay_sprintf("%s/log/sshd.log", dir);
    FILE *out = fopen(path, "we");
    SCENARIO_CHECK(out != NULL && fputs(config, out) >= 0 && fclose(out) == 0, "%s", path);
    sshd = start((const char *[]){"/usr/sbin/sshd", "-D", "-f", path, "-E", log, NULL});
    (void)atexit(end_sshd);
    STAY_AUTO(stay_free_charp)
    char *words = stay_sprintf("ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o "
                               "UserKnownHostsFile=%s/ssh/known -i %s/ssh/key -p %d root@127.0.0.1",
                               dir, dir, SSH_PORT);
    STAY_AUTO(stay_free_charp)
    char *shells = stay_sprintf("\"--donor\", \"%s\", \"--recipient\", \"%s\"", words, words);
    LAB_MUST(lab, lab_edit_config(
                      lab, "\"--donor\", \"/bin/sh -c\", \"--recipient\", \"/bin/sh -c\"", shells));
}

/* A place where it cannot follow from: what it would need is purged. */
static void purge(struct lab *lab)
{
    LAB_MUST(lab, lab_sql(lab, "db1", "FLUSH BINARY LOGS", NULL));
    STAY_AUTO(stay_free_charp)
    char *file = scenario_value(lab, "db1",
                                scenario_pick(lab, "SELECT @@gtid_binlog_pos",
                                              "SELECT SUBSTRING("
                                              "JSON_UNQUOTE(JSON_EXTRACT(LOCAL, "
                                              "'$.binary_log_file')), 1) FROM "
                                              "performance_schema.log_status"));
    STAY_AUTO(stay_free_charp) char *sql = stay_sprintf("PURGE BINARY LOGS TO '%s'", file);
    if (lab_engine_of(lab) == LAB_MYSQL)
        LAB_MUST(lab, lab_sql(lab, "db1", sql, NULL));
}

int main(int argc, char **argv)
{
    int code = -1;
    struct lab *lab =
        scenario_begin(argc, argv, (struct lab_options){.acker = true}, SCENARIO_NO_CONTROLLER);
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    if (!mysql)
        reach_by_ssh(lab);
    scenario_start_controller(lab, true);
    LAB_MUST(lab, lab_load_start(lab, &(struct lab_load_options){.writers = 4, .rate = 100}));
    scenario_write_on(1000);
    LAB_MUST(lab, lab_wipe(lab, "db3"));
    purge(lab);
    if (mysql)
        LAB_MUST(lab, lab_start(lab, "db3", NULL));
    for (int64_t begun = lab_now_us(); code != 0 && talk_ms_since(begun) < 60000;
         scenario_write_on(1000)) { /* it is being seen, or another plan runs */
        STAY_AUTO(stay_json_drop) json_t *said = NULL;
        LAB_MUST(lab, lab_cli(lab, &code, &said, "reseed", "shop", "db3", "--drop",
                              "its disk is new", "--verify", "--yes", NULL));
        STAY_AUTO(stay_free_charp)
        char *text = said == NULL ? NULL : json_dumps(said, JSON_COMPACT);
        printf("reseed exits %d: %s\n", code, text == NULL ? "" : text);
    }
    scenario_story(lab, "reseed");
    SCENARIO_CHECK(code == 0, "reseed --verify exits %d", code);
    scenario_ready(lab, 120);
    scenario_check(lab, "db1", 100);
    STAY_AUTO(stay_free_charp) char *sum = scenario_value(lab, "db1", "CHECKSUM TABLE shop.ledger");
    talk_come_up(lab, "db3", "db1", 120);
    LAB_MUST(lab, lab_wait_sql(lab, "db3", "CHECKSUM TABLE shop.ledger", sum, 20));
    STAY_AUTO(stay_free_charp)
    char *told = mysql ? stay_strdup("") : scenario_file(lab, "log/sshd.log");
    SCENARIO_CHECK(mysql || strstr(told, "Accepted publickey") != NULL, "not by ssh: %s", told);
    scenario_pass("68",
                  mysql ? "a replica's disk is gone, an empty server in its place"
                        : "a replica's disk is gone; both hosts by ssh only",
                  mysql ? "rebuilt by CLONE under load, every row equal"
                        : "rebuilt by the script over ssh under load, every row equal",
                  "S2 S9");
}
