/* Row 10, before it: the primary's disk is nearly full. Rule 125, an alert by default; with
 * relieve.disk = "switchover" the primary moves once to the server that has room, and the full one
 * is rule 220; with room again nothing is left of either, and nothing moves back. MySQL's disk is
 * not known without a program on its host.
 * ENGINES: mariadb */
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/lib/server_talk.h"

/* Leaves `left` parts of a thousand of the node's disk free; 0 takes the filler away. */
static void leave_free(struct lab *lab, const char *node, unsigned left)
{
    STAY_AUTO(stay_free_charp) char *at = stay_sprintf("%s/data/%s", lab_dir(lab), node);
    STAY_AUTO(stay_free_charp) char *filler = stay_sprintf("%s/filler", at);
    struct statvfs disk;
    if (left == 0) {
        SCENARIO_CHECK(unlink(filler) == 0, "%s", filler);
        return;
    }
    SCENARIO_CHECK(statvfs(at, &disk) == 0, "%s", at);
    int64_t bytes = (int64_t)disk.f_frsize *
                    ((int64_t)disk.f_bavail - (int64_t)disk.f_blocks * (int64_t)left / 1000);
    int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    SCENARIO_CHECK(fd >= 0 && bytes > 0 && posix_fallocate(fd, 0, bytes) == 0, "%s", filler);
    close(fd);
    printf("%s: %lld MB taken, %u/1000 of its disk are free\n", node, (long long)bytes / 1000000,
           left);
}

/* What rule 125 proposes is done: nobody loses a log that it needs. */
static void purge(struct lab *lab)
{
    json_t *answer = NULL;
    LAB_MUST(lab, lab_cli(lab, NULL, &answer, "verdict", "shop", NULL));
    const char *text = json_string_value(state_find(answer, "text"));
    const char *sql = text == NULL ? NULL : strstr(text, "PURGE BINARY LOGS TO '");
    SCENARIO_CHECK(sql != NULL, "no PURGE is proposed: %s", text);
    printf("%s\n", text);
    LAB_MUST(lab, lab_sql(lab, "db1", sql, NULL));
    json_decref(answer);
}

int main(int argc, char **argv)
{
    struct lab *lab =
        scenario_begin(argc, argv, (struct lab_options){.disks = true, .acker = true}, 0);
    const struct lab_load_options gentle = {.writers = 8, .rate = 100};
    int code = -1;
    LAB_MUST(lab, lab_load_start(lab, &gentle));
    for (int i = 0; i < 3; i++)
        LAB_MUST(lab, lab_sql(lab, "db1", "FLUSH BINARY LOGS", NULL));
    leave_free(lab, "db1", 40);
    SCENARIO_CHECK(state_wait_rule(lab, 125, 60), "rule 125 not seen");
    scenario_stays(lab, "db1", 3);
    SCENARIO_CHECK(state_count_plans(lab, "switchover") == 0, "moved without being allowed to");
    purge(lab); /* 125 stands; an alert, nothing moves */
    LAB_MUST(lab, lab_edit_config(lab, "durability =",
                                  "relieve = { disk = \"switchover\"; };\n    durability ="));
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "reload", NULL));
    SCENARIO_CHECK(code == 0, "reload exits %d", code);
    SCENARIO_CHECK(state_wait_plans(lab, "switchover", 1, 30), "no switchover within 30 s");
    scenario_story(lab, "switchover");
    STAY_AUTO(stay_free_charp) char *now = state_wait_moved(lab, "db1", 10);
    SCENARIO_CHECK(now != NULL && strcmp(now, "db2") == 0, "the primary is %s", now);
    SCENARIO_CHECK(state_wait_node_rule(lab, "db1", 220, 60), "rule 220 not seen");
    leave_free(lab, "db2", 40); /* and now the other one: never to and fro */
    SCENARIO_CHECK(state_wait_rule(lab, 125, 60), "rule 125 not seen on db2");
    leave_free(lab, "db1", 0);
    SCENARIO_CHECK(state_wait_node_rule(lab, "db1", 200, 60), "rule 220 did not end");
    scenario_stays(lab, "db2", 4);
    SCENARIO_CHECK(state_count_plans(lab, "switchover") == 1, "moved to and fro");
    leave_free(lab, "db2", 0);
    SCENARIO_CHECK(state_wait_rule(lab, 100, 60), "rule 125 did not end");
    scenario_check(lab, "db2", 200);
    scenario_pass("10 near full", "the primary's disk has 4 % left, then its successor's",
                  "125: alert, by policy one switchover to the server with room, never back; 220",
                  "S14 S2");
}
