/* Server fact (semisync-measured 16): stopping the receiver of a frozen primary takes as long as
 * the kill-connection time-out, which is part of the outage; 1 s after adoption.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static int stop_receiver_ms(struct lab *lab, const char *timeout)
{
    if (timeout != NULL) {
        LAB_MUST(lab, lab_sql(lab, "db2", timeout, NULL));
        talk_do(lab, "db2", WORD_STOP_RECEIVER);
        talk_do(lab, "db2", WORD_START_RECEIVER);
    }
    talk_wait(lab, "db1", WORD_CLIENTS, "1", 10);
    talk_insert(lab, "db1", 1);
    LAB_MUST(lab, lab_hang(lab, "db1"));
    scenario_write_on(700); /* the receiver is idle now, in its read */
    int64_t begun = lab_now_us();
    talk_do(lab, "db2", WORD_STOP_RECEIVER);
    int took = talk_ms_since(begun);
    LAB_MUST(lab, lab_thaw(lab, "db1"));
    talk_do(lab, "db2", WORD_START_RECEIVER);
    return took;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    bool mariadb = lab_engine_of(lab) == LAB_MARIADB;
    int one = stop_receiver_ms(lab, NULL); /* the lab's servers have 1 s */
    printf("the receiver stopped after %d ms\n", one);
    SCENARIO_CHECK(one < 1800, "%d ms", one);
    if (mariadb) { /* it gives up after 2 s at the latest */
        int three = stop_receiver_ms(lab, "SET GLOBAL rpl_semi_sync_slave_kill_conn_timeout=3");
        printf("with a kill-connection time-out of 3 s after %d ms\n", three);
        SCENARIO_CHECK(three > one + 500, "%d ms: the time-out no longer matters", three);
    }
    scenario_pass(
        "fact: stop of a receiver", "SIGSTOP of the primary, then the receiver is stopped",
        mariadb ? "takes the kill-connection time-out" : "does not wait for the primary", "L2");
}
