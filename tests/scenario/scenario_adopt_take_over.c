/* Two controllers, one cluster: a second one with a state file of its own sees the first one's
 * heartbeat and refuses to adopt; with --take-over it adopts above the other's epoch, the first one
 * sees that and only watches from then on, and a crash is answered once, by the second.
 * ENGINES: mariadb mysql */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "tests/lib/scenario.h"

extern char **environ;

/* `what` by `with` once, in a text that has room for it. */
static char *replaced(const char *text, const char *what, const char *with)
{
    const char *at = strstr(text, what);
    SCENARIO_CHECK(at != NULL, "the lab's configuration has no %s", what);
    return stay_sprintf("%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
}

static char *without_line(const char *text, const char *begin)
{
    const char *at = strstr(text, begin), *end = at == NULL ? NULL : strchr(at, '\n');
    SCENARIO_CHECK(end != NULL, "the lab's configuration has no line %s", begin);
    return stay_sprintf("%.*s%s", (int)(at - text), text, end + 1);
}

static void write_file(struct lab *lab, const char *name, const char *text)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/%s", lab_dir(lab), name);
    FILE *out = fopen(path, "we");
    SCENARIO_CHECK(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0, "%s", path);
}

static pid_t other = -1;

static void end_other(void)
{
    if (other > 0 && kill(other, SIGKILL) == 0)
        (void)waitpid(other, NULL, 0);
}

/* The first controller goes on with its state file, on another socket. */
static void start_other(struct lab *lab, const char *config)
{
    STAY_AUTO(stay_free_charp) char *a = replaced(config, "mainstay.sock", "other.sock");
    STAY_AUTO(stay_free_charp) char *b = without_line(a, "  listen = ");
    STAY_AUTO(stay_free_charp) char *c = replaced(b, "state/runbook.txt", "state/other.txt");
    STAY_AUTO(stay_free_charp) char *d = replaced(c, "state/recorder", "state/other");
    write_file(lab, "other.conf", d);
    const char *folder = getenv("MAINSTAY_BIN");
    STAY_AUTO(stay_free_charp)
    char *program = stay_sprintf("%s/mainstayd", folder == NULL ? "build/rel/bin" : folder);
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/other.conf", lab_dir(lab));
    STAY_AUTO(stay_free_charp) char *log = stay_sprintf("%s/log/other.log", lab_dir(lab));
    char *argv[] = {program, (char *)(uintptr_t) "--config", path, NULL};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int rc = posix_spawn(&other, program, &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    SCENARIO_CHECK(rc == 0, "%s: %s", program, strerror(rc));
    (void)atexit(end_other);
}

static bool wait_log(struct lab *lab, const char *word, int timeout_s)
{
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND; lab_now_us() < due;) {
        STAY_AUTO(stay_free_charp) char *log = scenario_file(lab, "log/other.log");
        if (strstr(log, word) != NULL)
            return true;
        (void)usleep(100000);
    }
    return false;
}

static json_int_t epoch_of(struct lab *lab)
{
    STAY_AUTO(stay_json_drop) json_t *cluster = state_cluster(lab);
    return json_integer_value(json_object_get(cluster, "epoch"));
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    STAY_AUTO(stay_free_charp) char *good = scenario_file(lab, "mainstay.conf");
    json_int_t epoch = epoch_of(lab);
    LAB_MUST(lab, lab_stop_controller(lab));
    start_other(lab, good);
    SCENARIO_CHECK(wait_log(lab, "ready", 15), "the first controller does not come back");
    LAB_MUST(lab, lab_edit_config(lab, "state/state.db", "state/second.db"));
    LAB_MUST(lab, lab_start_controller(lab));
    scenario_load(lab);
    int code = 0;
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "adopt", "shop", "--yes");
    printf("adopt exits %d: %s\n", code, told);
    SCENARIO_CHECK(code == 3 && strstr(told, "another controller") != NULL,
                   "adopt was not refused");
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "adopt", "shop", "--yes", "--take-over",
                          "the old host is given back", NULL));
    SCENARIO_CHECK(code == 0, "adopt --take-over exits %d: %s", code, lab_error(lab));
    SCENARIO_CHECK(epoch_of(lab) > epoch, "epoch %d is not above the other's %d",
                   (int)epoch_of(lab), (int)epoch);
    SCENARIO_CHECK(wait_log(lab, "another mainstayd acts here", 20), "the first one goes on");
    scenario_story(lab, "adopt");
    scenario_ready(lab, 40);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 30);
    scenario_write_on(500);
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    (void)scenario_settled(lab, "db1", 60); /* MySQL: it may hold what nobody was told */
    STAY_AUTO(stay_free_charp) char *log = scenario_file(lab, "log/other.log");
    SCENARIO_CHECK(strstr(log, " begins: ") == NULL, "the first one began a plan");
    scenario_check(lab, now, 100);
    scenario_pass("adopt", "a second controller adopts while the first one writes its heartbeat",
                  "refused; with --take-over above its epoch, the first one only watches", "S1 S2");
}
