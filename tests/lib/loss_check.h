/* tests/lib/loss_check.h - compares what clients were told with what the surviving primary holds.
 *
 * Pure (heap only). Layer: tests; shares nothing with the controller. The ledger's rows are given
 * in the order of their ids (the order the servers wrote them). */
#ifndef TESTS_LIB_LOSS_CHECK_H
#define TESTS_LIB_LOSS_CHECK_H
#include <jansson.h>

#include "tests/lib/load_log.h"

struct ledger_row {
    unsigned client;
    uint64_t seq;
};
struct ledger {
    struct ledger_row *rows;
    size_t count, capacity;
}; /* rows: owned */

enum { LOSS_RUNS_MAX = 64 };

/* Consecutive acknowledgements by one server. */
struct ack_run {
    unsigned server_id;
    size_t acks;
    int64_t first_start_us, first_ack_us, last_ack_us;
};

struct loss_report {
    size_t attempts, acked, failed, unknown, connect_failures;
    size_t lost;             /* acknowledged, not in the ledger: must be 0 in lossless mode */
    size_t unexpected;       /* in the ledger, never attempted or refused by the server */
    size_t duplicates;       /* rows beyond the first of one (client, seq) */
    size_t order_violations; /* a client's row stands before one it wrote earlier */
    size_t unknown_found, unknown_missing;
    size_t overlaps;         /* one server's acked write began before another's last ack */
    size_t switches;         /* how often the acknowledging server changed */
    size_t waiting_at_fault; /* attempts in flight at the fault: 0 proves little */
    size_t planted;
    bool recovered;    /* acknowledgements after the fault */
    int64_t outage_us; /* longest gap between two acknowledgements that ends after the fault */
    int64_t outage_from_us, outage_to_us;
    double acked_per_second; /* before the fault */
    struct ack_run runs[LOSS_RUNS_MAX];
    size_t runs_count;
    struct ledger_row first_lost;
};

/* One row that was read from the server. */
void ledger_add(struct ledger *ledger, unsigned client, uint64_t seq);
void ledger_clear(struct ledger *ledger);
/* Takes n rows that were acknowledged out of the ledger, spread over it; returns how many. */
size_t loss_plant(struct ledger *ledger, const struct load_record *record, size_t n);
/* The load ran on while the ledger was read: adds to *record those attempts of `later`, a later
 * reading of the same log, that are not in it and whose row the ledger holds. Returns the number of
 * rows that stay without an attempt. Call before loss_check. */
size_t loss_take_later(struct load_record *record, const struct load_record *later,
                       const struct ledger *ledger);
/* fault_us: 0 when there was none. Sorts the record by end time. */
void loss_check(struct load_record *record, const struct ledger *ledger, int64_t fault_us,
                struct loss_report *ret);
json_t *loss_report_json(const struct loss_report *report); /* caller json_decref */
/* Nothing lost, unexpected, duplicate, out of order or overlapping. */
bool loss_report_is_clean(const struct loss_report *report);

#endif
