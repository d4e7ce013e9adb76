/* tests/lib/server_position.h - what a replica's relay logs hold, against what it has executed and
 * what it claims to have received.
 *
 * Executed, as the controller counts it: on MariaDB what is in the binary log or applied (one
 * domain, the lab's), on MySQL gtid_executed. Layer: tests. Not pure; blocking. */
#ifndef TESTS_LIB_SERVER_POSITION_H
#define TESTS_LIB_SERVER_POSITION_H
#include "tests/lib/lab.h"

/* Transactions in the node's relay logs that it has not executed. False, with lab_error(): the
 * server did not show a log, which happens while it rotates them; ask again. */
bool position_unapplied(struct lab *lab, const char *node, uint32_t *ret);
/* It says it received more than it has executed (Gtid_IO_Pos; MySQL's received_transaction_set).
 * Ends the program when the server refuses. */
bool position_claims_more(struct lab *lab, const char *node);

#endif
