/* The loss checker's own test: nothing is lost on a healthy pair, and rows taken out of the ledger
 * on purpose are counted, every one, as is a row nobody acknowledged having been written twice.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

static int count(const json_t *report, const char *key)
{
    return (int)json_integer_value(json_object_get(report, key));
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    json_t *clean = NULL, *planted = NULL, *twice = NULL;
    scenario_load(lab);
    LAB_MUST(lab, lab_load_stop(lab));
    LAB_MUST(lab, lab_load_check(lab, "db1", 0, 0, &clean));
    LAB_MUST(lab, lab_load_check(lab, "db1", 0, 7, &planted));
    LAB_MUST(lab, lab_sql(lab, "db1",
                          "INSERT INTO shop.ledger (client, seq) SELECT client, seq FROM "
                          "shop.ledger ORDER BY id DESC LIMIT 2",
                          NULL));
    LAB_MUST(lab, lab_load_check(lab, "db1", 0, 0, &twice));
    printf("acked %d, lost %d; 7 planted: lost %d; 2 copied: duplicates %d\n",
           count(clean, "acked"), count(clean, "lost"), count(planted, "lost"),
           count(twice, "duplicates"));
    SCENARIO_CHECK(count(clean, "acked") > 50, "too few writes to prove anything");
    SCENARIO_CHECK(json_is_true(json_object_get(clean, "clean")), "a healthy pair lost rows");
    SCENARIO_CHECK(count(planted, "lost") == 7, "the checker does not see a planted loss");
    SCENARIO_CHECK(count(twice, "duplicates") == 2, "the checker does not see a duplicate");
    json_decref(clean);
    json_decref(planted);
    json_decref(twice);
    scenario_pass("planted", "7 acknowledged rows hidden, 2 rows copied",
                  "the loss checker counts exactly those", "checker");
}
