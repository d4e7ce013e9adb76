/* Server fact (semisync-measured 10): semi-sync switched off and on again around an insert leaves
 * the status ON and the no-ack counter as it was; only the count of times it was off has moved.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    talk_insert(lab, "db1", 1);
    long no_tx = talk_number(lab, "db1", WORD_NO_TX),
         times = talk_number(lab, "db1", WORD_NO_TIMES);
    long yes = talk_number(lab, "db1", WORD_YES_TX);
    talk_do(lab, "db2", WORD_STOP_RECEIVER);
    talk_do(lab, "db1", WORD_SOURCE_OFF);
    talk_insert(lab, "db1", 1); /* on no other server */
    talk_do(lab, "db1", WORD_SOURCE_ON);
    talk_do(lab, "db2", WORD_START_RECEIVER);
    talk_wait(lab, "db1", WORD_CLIENTS, "1", 10);
    talk_wait(lab, "db1", WORD_SOURCE_STATUS, "ON", 10);
    long moved_tx = talk_number(lab, "db1", WORD_NO_TX) - no_tx;
    long moved_times = talk_number(lab, "db1", WORD_NO_TIMES) - times;
    long moved_yes = talk_number(lab, "db1", WORD_YES_TX) - yes;
    printf("status ON; no-ack commits +%ld, times off +%ld, acknowledged commits +%ld\n", moved_tx,
           moved_times, moved_yes);
    SCENARIO_CHECK(moved_tx == 0, "the no-ack counter counts such a commit now");
    SCENARIO_CHECK(moved_times == 1, "the times-off counter moved by %ld", moved_times);
    SCENARIO_CHECK(moved_yes == 0, "%ld commits count as acknowledged", moved_yes);
    scenario_pass("fact: toggled semi-sync", "off, insert, on again behind our back",
                  "status says ON, no-ack counter still, only times-off moved", "S9");
}
