/* A server shows a certificate of the right authority that was made for another one. It is not
 * spoken to: the error names it and the settings, nothing is adopted; tls.verify_name = false lets
 * it pass after a reload.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* db2 restarted with db1's certificate. */
static void show_wrong_certificate(struct lab *lab)
{
    char extra[500];
    snprintf(extra, sizeof extra, "--ssl-cert=%s/tls/db1.pem --ssl-key=%s/tls/db1.key",
             lab_dir(lab), lab_dir(lab));
    LAB_MUST(lab, lab_stop(lab, "db2"));
    LAB_MUST(lab, lab_start(lab, "db2", extra));
    talk_do(lab, "db2", WORD_START_BOTH);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    show_wrong_certificate(lab);
    scenario_start_controller(lab, false);
    STAY_AUTO(stay_free_charp) char *said = NULL;
    bool is_named = false;
    int code = -1;
    for (int64_t begun = lab_now_us(); !is_named && talk_ms_since(begun) < 15000;) {
        free(said);
        said = scenario_say(lab, &code, "status", "shop", NULL);
        is_named = strstr(said, "tls.verify_name") != NULL;
        scenario_write_on(100);
    }
    SCENARIO_CHECK(is_named, "status does not name the certificate: %s", said);
    free(said);
    said = scenario_say(lab, &code, "adopt", "shop", "--yes");
    SCENARIO_CHECK(code == 3 && strstr(said, "db2") != NULL, "adopt exits %d: %s", code, said);
    printf("adopt: %s\n", said);
    LAB_MUST(lab,
             lab_edit_config(lab, "required = true;", "required = true; verify_name = false;"));
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "reload", NULL));
    SCENARIO_CHECK(code == 0, "reload exits %d", code);
    code = -1;
    for (int64_t begun = lab_now_us(); code != 0; scenario_write_on(200)) {
        free(said);
        said = scenario_say(lab, &code, "adopt", "shop", "--yes");
        SCENARIO_CHECK(talk_ms_since(begun) < 15000, "adopt exits %d: %s", code, said);
    }
    scenario_ready(lab, 20);
    scenario_pass("bad input", "a certificate made for another server",
                  "refused by name, passes with tls.verify_name = false", "never acts");
}
