/* Bad input: a corrupt, a foreign and a full state file. mainstayd refuses to start, names the file
 * and what to do, and touches no server; put right, it starts again with all it knew.
 * ENGINES: mariadb */
#include "tests/lib/server_talk.h"
#include "tests/lib/state_disk.h"

static void write_file(const char *path, const char *from, const char *to)
{
    FILE *in = from == NULL ? NULL : fopen(from, "re"), *out = fopen(path, "we");
    char block[4096];
    SCENARIO_CHECK(out != NULL && (from == NULL || in != NULL), "%s", path);
    for (size_t n; in != NULL && (n = fread(block, 1, sizeof block, in)) > 0;)
        (void)fwrite(block, 1, n, out);
    for (int i = 0; to != NULL && i < 2000; i++)
        (void)fputs(to, out);
    (void)fclose(out);
    if (in != NULL)
        fclose(in);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    STAY_AUTO(stay_free_charp) char *file = stay_sprintf("%s/state/state.db", lab_dir(lab));
    STAY_AUTO(stay_free_charp) char *copy = stay_sprintf("%s/state.copy", lab_dir(lab));
    LAB_MUST(lab, lab_stop_controller(lab));
    write_file(copy, file, NULL);
    write_file(file, NULL, "this is no state file\n");
    scenario_refuses_start(lab, "foreign file", "state.db");
    write_file(file, copy, NULL);
    FILE *out = fopen(file, "r+e");
    SCENARIO_CHECK(out != NULL && fseek(out, 4096, SEEK_SET) == 0, "%s", file);
    for (int i = 0; i < 3 * 4096; i++)
        (void)fputc(0x5a, out);
    (void)fclose(out);
    scenario_refuses_start(lab, "corrupt pages", "state.db");
    state_disk_mount(lab, 64);
    state_disk_fill();
    scenario_refuses_start(lab, "full disk", "state.db");
    state_disk_remove();
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    write_file(file, copy, NULL);
    LAB_MUST(lab, lab_start_controller(lab));
    scenario_ready(lab, 30);
    scenario_pass("bad state file", "foreign, corrupt, full disk",
                  "refuses to start with file and fix named; restored, it goes on", "S4 S14");
}
