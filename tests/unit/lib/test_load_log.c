/* The load's record is read back as it was written; an unfinished last line is no error, a line
 * that is something else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <unistd.h>

#include "tests/lib/load_log.h"

static char path[64];

static bool read_text(const char *text, struct load_record *ret)
{
    char why[256];
    (void)snprintf(path, sizeof path, "/tmp/test-load-log-%d", (int)getpid());
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
    bool ok = load_record_read(path, ret, why, sizeof why);
    unlink(path);
    return ok;
}

static void record_is_read_back(void **state)
{
    (void)state;
    struct load_record r = {0};
    assert_true(read_text("load 1 writers 2 started_us 5 base 1048576\n"
                          "W 1 1048577 10 20 ok 1 0\n"
                          "W 2 1048577 11 21 fail 1 1290\n"
                          "C 2 22 90 2013\n"
                          "W 1 1048578 20 60 unknown 1 2013\n"
                          "W 1 1048579 61",
                          &r));
    assert_int_equal(r.count, 3);
    assert_int_equal(r.writers, 2);
    assert_int_equal(r.base_seq, 1048576);
    assert_int_equal(r.connect_failures, 1);
    assert_int_equal(r.ended_us, 90);
    assert_int_equal(r.attempts[1].outcome, LOAD_FAIL);
    assert_int_equal(r.attempts[2].error, 2013);
    load_record_clear(&r);
}

static void something_else_is_refused(void **state)
{
    (void)state;
    struct load_record r = {0};
    assert_false(read_text("hello\n", &r));
    assert_false(read_text("W 1 2 3 4 perhaps 1 0\n", &r));
    assert_false(read_text("W 1 2 3\n", &r));
    assert_int_equal(r.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(record_is_read_back),
                                       cmocka_unit_test(something_else_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
