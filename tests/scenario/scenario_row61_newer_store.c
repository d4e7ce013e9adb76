/* Row 61: the state file was written by a newer version (a downgrade): its schema version is one
 * that this mainstayd does not know. It refuses to start, never guesses, leaves the file as it is.
 * ENGINES: mariadb */
#include "tests/lib/server_talk.h"

enum { USER_VERSION = 60 }; /* big-endian, in SQLite's file header */

static void write_version(struct lab *lab, int version)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/state/state.db", lab_dir(lab));
    FILE *file = fopen(path, "r+e");
    SCENARIO_CHECK(file != NULL && fseek(file, USER_VERSION + 3, SEEK_SET) == 0, "%s", path);
    (void)fputc(version, file);
    SCENARIO_CHECK(fclose(file) == 0, "%s", path);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    LAB_MUST(lab, lab_stop_controller(lab));
    write_version(lab, 2);
    scenario_copy(lab, "state/state.db", "before.db");
    SCENARIO_CHECK(!lab_start_controller(lab), "it started on a file it does not know");
    STAY_AUTO(stay_free_charp) char *log = scenario_file(lab, "log/controller.log");
    const char *told = strstr(log, "schema version 2");
    SCENARIO_CHECK(told != NULL, "not said: %s", log);
    printf("%.200s\n", told);
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    STAY_AUTO(stay_free_charp) char *a = scenario_file(lab, "before.db");
    STAY_AUTO(stay_free_charp) char *b = scenario_file(lab, "state/state.db");
    SCENARIO_CHECK(memcmp(a, b, 1 << 20) == 0, "the file was changed");
    write_version(lab, 1);
    LAB_MUST(lab, lab_start_controller(lab));
    scenario_ready(lab, 30);
    scenario_pass(
        "61", "state file of a newer schema version",
        "refused with the versions named, file and servers untouched; the known one goes on",
        "S4 S5");
}
