/* A returner whose own ssl_ca does not vouch for the new primary's certificate: mainstay gives a
 * MariaDB receiver that file (a receiver without one reads the whole system store, 80 ms inside a
 * switchover's pause), sees it refused, and falls back to TLS without it.
 * ENGINES: mariadb */
#include "tests/lib/server_talk.h"

/* An authority that signed nobody here: db2's own certificate as a lonely root. */
static const char *other_authority(struct lab *lab)
{
    static char extra[400];
    (void)snprintf(extra, sizeof extra, "--ssl-ca=%s/tls/db2.pem", lab_dir(lab));
    return extra;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    scenario_write_on(500);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    (void)scenario_failover(lab, "db1", 30);
    LAB_MUST(lab, lab_start(lab, "db1", other_authority(lab)));
    const char *how = scenario_settled(lab, "db1", 40);
    SCENARIO_CHECK(strcmp(how, "replica") == 0, "%s", how);
    scenario_ready(lab, 40);
    STAY_AUTO(stay_free_charp)
    char *used = scenario_file(lab, "data/db1/master.info");
    SCENARIO_CHECK(strstr(used, "tls/db2.pem") == NULL, "it still trusts the wrong file");
    scenario_check(lab, "db2", 100);
    scenario_pass("fact: other authority", "returner's ssl_ca does not fit the primary",
                  "attached over TLS without it", "S7 L3");
}
