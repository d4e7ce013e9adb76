/* tests/lib/load_log.h - the load's record of what each writer tried and what it was told.
 *
 * Layer: tests; shares nothing with the controller. One line per attempt, in the order they ended:
 *     W client seq start_us end_us outcome server_id errno
 * and one per failed connection:  C client start_us end_us errno
 * Times are CLOCK_MONOTONIC in microseconds; outcome is ok, fail or unknown; the first line is
 *     load 1 writers N started_us T base B
 * Every seq of this run is greater than B and no other run on this ledger used it. */
#ifndef TESTS_LIB_LOAD_LOG_H
#define TESTS_LIB_LOAD_LOG_H
#include "base/base.h"

/* fail: the server answered with an error that proves nothing was committed. unknown: no answer, or
 * an answer that leaves it open; the row may or may not be there. */
enum load_outcome { LOAD_NONE = 0, LOAD_OK, LOAD_FAIL, LOAD_UNKNOWN, LOAD_OUTCOME_COUNT };

struct load_attempt {
    int64_t start_us, end_us;
    uint64_t seq;
    unsigned client, server_id, error;
    enum load_outcome outcome;
};

struct load_record {
    struct load_attempt *attempts; /* owned */
    size_t count, capacity, connect_failures;
    unsigned writers;
    int64_t started_us, ended_us; /* ended: the last line of either kind */
    uint64_t base_seq;
};

/* As the log spells it; static. */
const char *load_outcome_text(enum load_outcome outcome);
/* Reads a log; an unfinished last line is left out. False with a sentence in why[size]. */
bool load_record_read(const char *path, struct load_record *ret, char *why, size_t size);
void load_record_add(struct load_record *record, const struct load_attempt *attempt);
void load_record_clear(struct load_record *record);

#endif
