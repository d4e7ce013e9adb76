/* Row 4: the killed primary is started again at several moments of the recovery. Before the intent
 * is stored it may stay primary; after it the failover completes and the returner follows.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

static const int delays_ms[] = {0, 150, 400, 1000};

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    char primary[16] = "db1", story[128] = "";
    /* MySQL keeps an un-acknowledged tail, so its returner may have to be reseeded: one moment. */
    size_t moments = lab_engine_of(lab) == LAB_MARIADB ? STAY_COUNT(delays_ms) : 1;
    scenario_load(lab);
    for (size_t i = 0; i < moments; i++) {
        LAB_MUST(lab, lab_kill(lab, primary));
        scenario_write_on(delays_ms[i]);
        LAB_MUST(lab, lab_start(lab, primary, NULL));
        char old[16];
        (void)stay_copy(old, sizeof old, primary);
        const char *writable = "";
        for (int64_t due = lab_now_us() + 30 * STAY_SECOND;
             lab_now_us() < due && (writable[0] == '\0' || writable[0] == '?');
             scenario_write_on(50))
            writable = lab_writable(lab);
        SCENARIO_CHECK(writable[0] == 'd', "writable 30 s later: '%s'", writable);
        (void)stay_copy(primary, sizeof primary, writable);
        printf("back %d ms after the kill: %s is primary\n", delays_ms[i], primary);
        if (lab_engine_of(lab) == LAB_MARIADB)
            scenario_ready(lab, 40);
        else if (strcmp(primary, old) != 0)
            (void)scenario_settled(lab, old, 40);
        size_t used = strlen(story);
        snprintf(story + used, sizeof story - used, "%s%d ms: %s", i == 0 ? "" : ", ", delays_ms[i],
                 strcmp(primary, old) == 0 ? "stays" : "failover");
        scenario_write_on(300);
    }
    scenario_check(lab, primary, 50);
    scenario_pass("4", "primary killed and started again during the recovery", story, "S1 S4 S2");
}
