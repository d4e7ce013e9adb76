/* Row 10: the primary's disk is full. Either it stalls and is never called healthy until there is
 * room again, or the server gives itself up and the failover follows; nothing acknowledged is lost.
 * ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/server_talk.h"

/* The verdict's rule, 0 when it is not known. */
static int rule_now(struct lab *lab)
{
    STAY_AUTO(stay_json_drop) json_t *cluster = state_cluster(lab);
    return (int)json_integer_value(json_object_get(json_object_get(cluster, "verdict"), "rule"));
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.disks = true}, 0);
    char end[16], done[160];
    int rule = 0;
    bool gone = false, back = true;
    const struct lab_load_options patient = {.writers = 16, .rate = 800, .read_timeout_s = 60};
    LAB_MUST(lab, lab_load_start(lab, &patient));
    scenario_write_on(800);
    LAB_MUST(lab, lab_fill_disk(lab, "db1", true));
    for (int64_t begun = lab_now_us(); rule == 0 || rule == 100; rule = rule_now(lab))
        SCENARIO_CHECK(talk_ms_since(begun) < 40000, "40 s later it is called healthy");
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 10000 && !gone;) {
        gone = !lab_is_running(lab, "db1");
        scenario_write_on(100);
    }
    if (gone)
        (void)scenario_failover_either(lab, "db1", 40);
    else
        SCENARIO_CHECK((rule = rule_now(lab)) != 100 || strcmp(lab_writable(lab), "db1") != 0,
                       "it is called healthy again");
    printf("db1's process %s; verdict %d\n", gone ? "ended" : "still runs", rule);
    LAB_MUST(lab, lab_fill_disk(lab, "db1", false));
    if (gone || !lab_is_running(lab, "db1"))
        back = lab_start(lab, "db1", NULL); /* MariaDB's Aria log may not survive a full disk */
    for (int64_t begun = lab_now_us(); lab_writable(lab)[0] != 'd'; scenario_write_on(200))
        SCENARIO_CHECK(talk_ms_since(begun) < 90000, "with room again nobody takes writes");
    (void)stay_copy(end, sizeof end, lab_writable(lab));
    if (back)
        (void)scenario_settled(lab, strcmp(end, "db1") == 0 ? "db2" : "db1", 90);
    scenario_write_on(1000);
    scenario_check(lab, end, 100);
    snprintf(done, sizeof done, "never healthy (%d)%s; with room again one writer%s", rule,
             gone ? ", the server ends itself: failover" : ", nothing moved",
             back ? "" : ", the old primary cannot start any more");
    scenario_pass("10", "the primary's disk is full", done, "S14 S2");
}
