/* Row 13: one byte of what a replica received and has not applied yet is flipped on its disk. Its
 * applier stops on the checksum: told, nothing is skipped, and it is no candidate any more.
 * ENGINES: mariadb mysql */
#include <dirent.h>
#include <sys/stat.h>

#include "tests/lib/server_talk.h"

/* The newest relay log of db2: "relay.000002", "bin" and ".index" left out; caller frees. */
static char *relay_log(struct lab *lab, off_t *ret_size)
{
    STAY_AUTO(stay_free_charp) char *folder = stay_sprintf("%s/data/db2", lab_dir(lab));
    char newest[64] = "";
    DIR *in = opendir(folder);
    SCENARIO_CHECK(in != NULL, "%s", folder);
    for (struct dirent *e = readdir(in); e != NULL; e = readdir(in))
        if (strncmp(e->d_name, "relay.0", 7) == 0 && strcmp(e->d_name, newest) > 0)
            (void)stay_copy(newest, sizeof newest, e->d_name);
    closedir(in);
    struct stat at;
    char *path = stay_sprintf("%s/%s", folder, newest);
    SCENARIO_CHECK(stat(path, &at) == 0, "%s", path);
    *ret_size = at.st_size;
    return path;
}

static void flip(const char *path, off_t at)
{
    FILE *file = fopen(path, "r+e");
    SCENARIO_CHECK(file != NULL && fseeko(file, at, SEEK_SET) == 0, "%s", path);
    int byte = fgetc(file);
    SCENARIO_CHECK(byte != EOF && fseeko(file, at, SEEK_SET) == 0, "%s", path);
    (void)fputc(byte ^ 1, file);
    SCENARIO_CHECK(fclose(file) == 0, "%s", path);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    int code = -1;
    off_t from = 0, to = 0;
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "pause", "shop", "--yes", NULL) && code == 0);
    talk_do(lab, "db2", WORD_STOP_APPLIER);
    free(relay_log(lab, &from));
    talk_insert(lab, "db1", 60);
    STAY_AUTO(stay_free_charp) char *path = relay_log(lab, &to);
    SCENARIO_CHECK(to > from, "%s did not grow: %ld, %ld", path, (long)from, (long)to);
    flip(path, (from + to) / 2);
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "resume", "shop", "--yes", NULL) && code == 0);
    SCENARIO_CHECK(state_wait_node_rule(lab, "db2", 203, 30), "replica's verdict 203 not seen");
    STAY_AUTO(stay_free_charp) char *problems = scenario_say(lab, &code, "problems", "shop", NULL);
    printf("problems: %s\n", problems);
    STAY_AUTO(stay_free_charp)
    char *refused = scenario_say(lab, &code, "switchover", "shop", "--yes");
    printf("switchover exits %d: %s\n", code, refused);
    SCENARIO_CHECK(code != 0, "a switchover to it was done");
    scenario_stays(lab, "db1", 5);
    SCENARIO_CHECK(talk_number(lab, "db2", WORD_ROWS) < 60, "the damaged row was passed over");
    talk_insert(lab, "db1", 10); /* db3 acknowledges */
    SCENARIO_CHECK(talk_number(lab, "db1", WORD_ROWS) == 70, "rows are missing on the primary");
    scenario_pass("13", "one bit of a received, unapplied event flipped on the replica's disk",
                  "its applier stops (203, told), never skipped, no candidate any more", "S7 S10");
}
