/* Row 43: the replica's link is held to 1 Mbit/s. In bounded mode the lag grows (in lossless mode
 * commits wait: row 29), and that nobody could take over within the objective is told before
 * anything dies. Dead all the same, nothing is promoted past it.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static bool is_told(struct lab *lab, char **ret_text)
{
    int code = -1;
    free(*ret_text);
    *ret_text = scenario_say(lab, &code, "problems", "shop", NULL);
    return strstr(*ret_text, "406") != NULL || strstr(*ret_text, "205") != NULL;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    STAY_AUTO(stay_free_charp) char *told = NULL;
    talk_do(lab, "db1", WORD_SOURCE_OFF); /* bounded: no commit waits for the link */
    LAB_MUST(lab, lab_edit_config(lab, "mode = \"lossless\"; acks = 1", "mode = \"bounded\"") &&
                      lab_edit_config(lab, "accept = \"lossless\"", "accept = \"bounded\"") &&
                      lab_edit_config(lab, "    failover = {",
                                      "    objectives = { loss_bytes = \"200kB\"; };\n"
                                      "    failover = {"));
    scenario_start_controller(lab, true);
    scenario_load(lab);
    LAB_MUST(lab, lab_narrow(lab, "db2", 1000));
    int64_t begun = lab_now_us();
    while (!is_told(lab, &told))
        SCENARIO_CHECK(talk_ms_since(begun) < 75000, "the growing loss is not told: %s", told);
    printf("told after %d ms: %s\n", talk_ms_since(begun), told);
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    LAB_MUST(lab, lab_kill(lab, "db1"));
    for (begun = lab_now_us(); talk_ms_since(begun) < 8000; scenario_write_on(100))
        SCENARIO_CHECK(lab_writable(lab)[0] == '\0', "'%s' was promoted", lab_writable(lab));
    scenario_story(lab, "failover");
    scenario_pass(
        "43", "bounded mode, the replica's link held to 1 Mbit/s, SIGKILL when it is told",
        "the growing loss is told before; not promoted past the objective alone", "S3 L4");
}
