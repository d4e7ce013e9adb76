/* The loss checker itself is checked: every kind of wrong it must find is planted here, and a clean
 * history must pass. A checker that cannot fail proves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/lib/loss_check.h"

struct world {
    struct load_record record;
    struct ledger ledger;
    struct loss_report report;
};

static void attempt(struct world *w, unsigned client, uint64_t seq, int64_t start_ms,
                    int64_t end_ms, enum load_outcome outcome, unsigned server)
{
    load_record_add(&w->record, &(struct load_attempt){.client = client,
                                                       .seq = seq,
                                                       .start_us = start_ms * STAY_MS,
                                                       .end_us = end_ms * STAY_MS,
                                                       .outcome = outcome,
                                                       .server_id = server});
}

/* 2 clients, 10 writes each on server 1 in 0..100 ms, then 10 each on server 2 from 600 ms on. */
static int begin(void **state)
{
    struct world *w = stay_calloc(1, sizeof *w);
    for (uint64_t i = 1; i <= 20; i++)
        for (unsigned client = 1; client <= 2; client++) {
            int64_t at = i <= 10 ? (int64_t)i * 10 - 10 : 490 + (int64_t)i * 10;
            attempt(w, client, i, at, at + 5, LOAD_OK, i <= 10 ? 1 : 2);
            ledger_add(&w->ledger, client, i);
        }
    *state = w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    load_record_clear(&w->record);
    ledger_clear(&w->ledger);
    free(w);
    return 0;
}

static void check(struct world *w)
{
    loss_check(&w->record, &w->ledger, 97 * STAY_MS, &w->report);
}

static void clean_history_passes_and_its_outage_is_measured(void **state)
{
    struct world *w = *state;
    check(w);
    assert_true(loss_report_is_clean(&w->report));
    assert_int_equal(w->report.acked, 40);
    assert_int_equal(w->report.switches, 1);
    assert_int_equal(w->report.runs_count, 2);
    assert_int_equal(w->report.outage_us, (605 - 95) * STAY_MS);
    assert_true(w->report.recovered);
}

static void planted_losses_are_counted_exactly(void **state)
{
    struct world *w = *state;
    for (size_t n = 1; n <= 7; n += 3) {
        size_t before = w->report.lost;
        assert_int_equal(loss_plant(&w->ledger, &w->record, n), n);
        check(w);
        assert_int_equal(w->report.lost, before + n);
    }
    assert_int_equal(loss_plant(&w->ledger, &w->record, 1000), 40 - 12);
    check(w);
    assert_int_equal(w->report.lost, 40);
}

static void rows_nobody_wrote_are_unexpected(void **state)
{
    struct world *w = *state;
    ledger_add(&w->ledger, 1, 999);
    ledger_add(&w->ledger, 77, 1);
    check(w);
    assert_int_equal(w->report.unexpected, 2);
    assert_false(loss_report_is_clean(&w->report));
}

static void rows_written_while_the_ledger_was_read_are_found_in_the_later_log(void **state)
{
    struct world *w = *state;
    struct world later = {0};
    for (size_t i = 0; i < w->record.count; i++)
        load_record_add(&later.record, &w->record.attempts[i]);
    attempt(&later, 1, 21, 700, 705, LOAD_OK, 2);
    attempt(&later, 2, 21, 700, 705, LOAD_FAIL, 2);
    attempt(&later, 1, 22, 706, 711, LOAD_OK, 2); /* not in the ledger read before it: not lost */
    ledger_add(&w->ledger, 1, 21);
    ledger_add(&w->ledger, 1, 21);
    ledger_add(&w->ledger, 2, 21);
    ledger_add(&w->ledger, 2, 22); /* nobody wrote it */
    assert_int_equal(loss_take_later(&w->record, &later.record, &w->ledger), 1);
    load_record_clear(&later.record);
    check(w);
    assert_int_equal(w->report.lost, 0);
    assert_int_equal(w->report.duplicates, 1);
    assert_int_equal(w->report.unexpected, 2);
}

static void refused_write_that_is_there_is_unexpected_unknown_one_is_not(void **state)
{
    struct world *w = *state;
    attempt(w, 1, 21, 700, 705, LOAD_FAIL, 2);
    attempt(w, 2, 21, 700, 705, LOAD_UNKNOWN, 2);
    attempt(w, 2, 22, 706, 710, LOAD_UNKNOWN, 2);
    ledger_add(&w->ledger, 1, 21);
    ledger_add(&w->ledger, 2, 21);
    check(w);
    assert_int_equal(w->report.unexpected, 1);
    assert_int_equal(w->report.unknown_found, 1);
    assert_int_equal(w->report.unknown_missing, 1);
    assert_int_equal(w->report.lost, 0);
}

static void duplicates_and_wrong_order_are_found(void **state)
{
    struct world *w = *state;
    ledger_add(&w->ledger, 2, 20);
    check(w);
    assert_int_equal(w->report.duplicates, 1);
    assert_int_equal(w->report.order_violations, 0);
    ledger_add(&w->ledger, 1, 3);
    check(w);
    assert_int_equal(w->report.duplicates, 2);
    assert_int_equal(w->report.order_violations, 1);
}

static void two_servers_acknowledging_at_once_overlap(void **state)
{
    struct world *w = *state;
    attempt(w, 3, 1, 80, 91, LOAD_OK, 2); /* begun before server 1's last acknowledgement */
    ledger_add(&w->ledger, 3, 1);
    check(w);
    assert_true(w->report.overlaps > 0);
}

static void failing_back_later_is_no_overlap(void **state)
{
    struct world *w = *state;
    attempt(w, 3, 1, 900, 905, LOAD_OK, 1);
    ledger_add(&w->ledger, 3, 1);
    check(w);
    assert_int_equal(w->report.overlaps, 0);
    assert_int_equal(w->report.switches, 2);
}

static void writes_that_never_come_back_are_no_recovery(void **state)
{
    struct world *w = *state;
    attempt(w, 3, 1, 2000, 9000, LOAD_UNKNOWN, 2);
    loss_check(&w->record, &w->ledger, 800 * STAY_MS, &w->report);
    assert_false(w->report.recovered);
    assert_int_equal(w->report.outage_us, (9000 - 695) * STAY_MS);
}

static void waiters_in_flight_at_the_fault_are_counted(void **state)
{
    struct world *w = *state;
    attempt(w, 3, 1, 90, 200, LOAD_UNKNOWN, 1);
    check(w);
    assert_int_equal(w->report.waiting_at_fault, 1);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(clean_history_passes_and_its_outage_is_measured),
        CASE(planted_losses_are_counted_exactly),
        CASE(rows_nobody_wrote_are_unexpected),
        CASE(rows_written_while_the_ledger_was_read_are_found_in_the_later_log),
        CASE(refused_write_that_is_there_is_unexpected_unknown_one_is_not),
        CASE(duplicates_and_wrong_order_are_found),
        CASE(two_servers_acknowledging_at_once_overlap),
        CASE(failing_back_later_is_no_overlap),
        CASE(writes_that_never_come_back_are_no_recovery),
        CASE(waiters_in_flight_at_the_fault_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
