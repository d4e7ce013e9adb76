/* Row 7, without_acker = "block": the replica is cut from the primary and commits wait. Nobody is
 * answered, lossless stays recorded, nothing fails over; healed, every waiter gets its answer.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.without_acker = "block"}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_load_stop(lab));
    struct waiter *clients[3];
    LAB_MUST(lab, lab_cut(lab, "db1", "db2", false));
    for (size_t i = 0; i < STAY_COUNT(clients); i++)
        clients[i] = waiter_start(lab, "db1", "app",
                                  "INSERT INTO shop.ledger (client, seq) VALUES (9999, 1)");
    SCENARIO_CHECK(state_wait_rule(lab, 123, 20), "verdict 123 not seen");
    scenario_stays(lab, "db1", 8);
    json_t *cluster = state_cluster(lab);
    const char *mode = json_string_value(json_object_get(cluster, "mode"));
    for (size_t i = 0; i < STAY_COUNT(clients); i++)
        SCENARIO_CHECK(!waiter_has_answer(clients[i], 0, NULL), "a commit was answered");
    SCENARIO_CHECK(mode != NULL && strcmp(mode, "lossless") == 0, "mode is %s", mode);
    json_decref(cluster);
    printf("8 s later: verdict 123, 3 commits wait, lossless recorded, no plan\n");
    if (lab_engine_of(lab) == LAB_MARIADB) /* or no client connects after the heal, for seconds */
        SCENARIO_CHECK(state_wait_plans(lab, "end stream", 1, 20), "its old stream was not ended");
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    for (size_t i = 0; i < STAY_COUNT(clients); i++) {
        unsigned code = 1;
        SCENARIO_CHECK(waiter_has_answer(clients[i], 30000, &code) && code == 0, "code %u", code);
        waiter_end(clients[i]);
    }
    scenario_ready(lab, 30);
    SCENARIO_CHECK(talk_number(lab, "db2", WORD_ROWS) == talk_number(lab, "db1", WORD_ROWS),
                   "the servers differ");
    scenario_pass("7 block", "replica cut from the primary, healed later",
                  "writes hang, lossless kept, nothing fails over; healed, they are answered",
                  "S9 S2 S14");
}
