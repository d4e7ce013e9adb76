/* Row 11: the primary's disk is slow (it stands still most of the time), then hangs for 8 s, then
 * works again. Slow is no death: nothing fails over; the hang is told while it lasts.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* 122; MySQL's reads may hang behind the writes: then what its replica receives speaks (110). */
static bool is_told(struct lab *lab)
{
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 20000;)
        if (state_wait_rule(lab, 122, 1) || state_wait_rule(lab, 110, 1))
            return true;
    return false;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.disks = true}, 0);
    char done[120];
    const struct lab_load_options patient = {.writers = 16, .rate = 800, .read_timeout_s = 60};
    LAB_MUST(lab, lab_load_start(lab, &patient));
    scenario_write_on(800);
    long rows = talk_number(lab, "db1", WORD_ROWS);
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 10000; scenario_write_on(150)) {
        LAB_MUST(lab, lab_freeze_disk(lab, "db1", true));
        scenario_write_on(500);
        LAB_MUST(lab, lab_freeze_disk(lab, "db1", false));
    }
    long slow = (talk_number(lab, "db1", WORD_ROWS) - rows) / 10;
    scenario_stays(lab, "db1", 1);
    scenario_ready(lab, 30);
    LAB_MUST(lab, lab_freeze_disk(lab, "db1", true));
    SCENARIO_CHECK(is_told(lab), "it is called healthy while its disk hangs");
    scenario_stays(lab, "db1", 4);
    LAB_MUST(lab, lab_freeze_disk(lab, "db1", false));
    scenario_ready(lab, 40);
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    scenario_check(lab, "db1", 200);
    snprintf(done, sizeof done,
             "%ld rows/s and no failover; told (122 or 110) while it hangs, healthy after", slow);
    scenario_pass("11", "disk stands still 0.5 s of each 0.65 s for 10 s, then 4 s and more", done,
                  "L1 S14 S2");
}
