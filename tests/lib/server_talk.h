/* tests/lib/server_talk.h - what scenarios say to database servers in either engine's words, and a
 * client that may hang in its commit while the scenario goes on.
 *
 * Layer: tests. Not pure; blocking. Everything but the waiter's answer ends the program when the
 * server refuses: a scenario cannot go on without it. */
#ifndef TESTS_LIB_SERVER_TALK_H
#define TESTS_LIB_SERVER_TALK_H
#include "tests/lib/scenario.h"

enum talk_word {
    WORD_STOP_RECEIVER = 0,
    WORD_START_RECEIVER,
    WORD_STOP_APPLIER,
    WORD_START_APPLIER,
    WORD_STOP_BOTH,
    WORD_START_BOTH,
    WORD_CHANGE_HEARTBEAT, /* CHANGE MASTER / CHANGE REPLICATION SOURCE of the heartbeat alone */
    WORD_SOURCE_ON,        /* semi-sync source role */
    WORD_SOURCE_OFF,
    WORD_REPLICA_ON, /* semi-sync replica variable */
    WORD_REPLICA_OFF,
    WORD_READ_ONLY, /* super_read_only on MySQL */
    WORD_WRITABLE,
    WORD_EXECUTED, /* these below answer one value */
    WORD_ROWS,     /* rows of shop.ledger */
    WORD_CLIENTS,  /* connected semi-sync clients of a source */
    WORD_WAITERS,
    WORD_SOURCE_STATUS, /* ON or OFF */
    WORD_REPLICA_STATUS,
    WORD_NO_TX,
    WORD_YES_TX,
    WORD_NO_TIMES,
    WORD_COUNT
};

/* The statement in the words of the lab's engine; static. */
const char *talk_word(const struct lab *lab, enum talk_word word);
/* Runs the word's statement as root over the server's own socket. */
void talk_do(struct lab *lab, const char *node, enum talk_word word);
char *talk_ask(struct lab *lab, const char *node, enum talk_word word); /* caller frees */
long talk_number(struct lab *lab, const char *node, enum talk_word word);
/* Waits until the word's value is `expected`; ends the program after timeout_s. */
void talk_wait(struct lab *lab, const char *node, enum talk_word word, const char *expected,
               int timeout_s);
/* A ledger row by hand on a read-only replica, which stays read-only. */
void talk_diverge(struct lab *lab, const char *node);
/* Inserts `n` ledger rows of client 900, each a commit of its own that must be acknowledged. */
void talk_insert(struct lab *lab, const char *node, int n);
/* Waits until `node` has executed all that `primary` had; itself: nothing. On a busy machine a
 * server that came back may be thousands of transactions behind. */
void talk_come_up(struct lab *lab, const char *node, const char *primary, int timeout_s);
/* One column of SHOW ALL SLAVES STATUS / SHOW REPLICA STATUS, "" when it has no source. */
char *talk_replica(struct lab *lab, const char *node, const char *mariadb, const char *mysql);
/* Milliseconds since a lab_now_us(). */
int talk_ms_since(int64_t since_us);

/* A client of its own process. It speaks over the server's socket as `user` ("app", "root"). */
struct waiter;
struct waiter *waiter_start(struct lab *lab, const char *node, const char *user,
                            const char *statement);
/* Has it an answer within timeout_ms? *ret_code (may be NULL): 0 for OK, else the server's or the
 * client library's error number. */
bool waiter_has_answer(struct waiter *waiter, int timeout_ms, unsigned *ret_code);
/* Its process is killed if it still waits; the waiter is freed. */
void waiter_end(struct waiter *waiter);

#endif
