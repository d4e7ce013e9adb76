/* Row 40: the primary's link goes up and down at random. At most one failover comes of it (the
 * cooldown is the configured hour), and nobody is acknowledged twice or forgotten.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* The same periods each run: 0.2 to 3.4 s. */
static int period_ms(void)
{
    static uint32_t state = 12345;
    state = state * 1664525U + 1013904223U;
    return 200 + (int)((state >> 8) % 3200);
}

int main(int argc, char **argv)
{
    char done[120];
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    int seconds = scenario_is_long() ? 120 : 40, flaps = 0;
    LAB_MUST(lab, lab_edit_config(lab, "cooldown = \"0s\"", "cooldown = \"1h\""));
    scenario_start_controller(lab, true);
    scenario_load(lab);
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < seconds * 1000; flaps++) {
        LAB_MUST(lab, lab_cut(lab, "db1", "all", false));
        scenario_write_on(period_ms());
        LAB_MUST(lab, lab_heal(lab, NULL, NULL));
        scenario_write_on(period_ms());
    }
    char writable[16] = "";
    for (int64_t begun = lab_now_us(); writable[0] != 'd'; scenario_write_on(100)) {
        SCENARIO_CHECK(talk_ms_since(begun) < 40000, "writable: '%s'", lab_writable(lab));
        (void)stay_copy(writable, sizeof writable, lab_writable(lab));
    }
    (void)scenario_settled(lab, strcmp(writable, "db1") == 0 ? "db2" : "db1", 60);
    int failovers = strcmp(writable, "db1") != 0;
    scenario_story(lab, "failover");
    SCENARIO_CHECK(strcmp(lab_writable(lab), writable) == 0, "it moved again");
    scenario_check(lab, writable, 50);
    snprintf(done, sizeof done, "%d flaps: %d failover%s, one writer, converged", flaps, failovers,
             failovers == 1 ? "" : "s");
    scenario_pass("40", "the primary's link down 0.2-3.4 s and up 0.2-3.4 s, again and again", done,
                  "S5 S1 S2");
}
