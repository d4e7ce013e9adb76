/* The end of an answer is found however its bytes are cut: the forwarder of ./bench probes hands
 * out what it kept, and half an answer would hang a client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/lib/answer_end.h"

#define COLUMN                                                                                     \
    "\x03\0\0\x02"                                                                                 \
    "def"
#define EOF_(n, status) "\x05\0\0" n "\xfe\0\0" status "\0"
#define ROW                                                                                        \
    "\x02\0\0\x04\x01"                                                                             \
    "7"
#define MORE        "\x08"
#define LAST        "\x02"
#define SET(status) "\x01\0\0\x01\x01" COLUMN EOF_("\x03", "\0") ROW ROW EOF_("\x05", status)
#define OK_(status) "\x07\0\0\x01\0\xfc\x01\x02\0" status "\0"
#define ERR         "\x0a\0\0\x01\xff\x10\x04#HY000x"

/* Whole, cut at each place, and byte by byte: the end is where it is, and not before. */
static void check(const char *bytes, size_t length)
{
    for (size_t cut = 0; cut < length; cut++) {
        struct answer_end scan = {0};
        assert_false(answer_end_scan(&scan, bytes, cut));
        assert_true(answer_end_scan(&scan, bytes + cut, length - cut));
    }
    struct answer_end scan = {0};
    for (size_t i = 0; i < length; i++)
        assert_int_equal(answer_end_scan(&scan, bytes + i, 1), i == length - 1);
}

static void one_result_ends_with_its_second_eof(void **state)
{
    (void)state;
    check(SET(LAST), sizeof(SET(LAST)) - 1);
}

static void more_results_follow_until_one_says_no(void **state)
{
    (void)state;
    check(SET(MORE) SET(MORE) SET(LAST), sizeof(SET(MORE) SET(MORE) SET(LAST)) - 1);
    check(SET(MORE) OK_(LAST), sizeof(SET(MORE) OK_(LAST)) - 1);
    check(OK_(MORE) SET(LAST), sizeof(OK_(MORE) SET(LAST)) - 1);
}

static void an_error_ends_it(void **state)
{
    (void)state;
    check(ERR, sizeof(ERR) - 1);
    check(SET(MORE) ERR, sizeof(SET(MORE) ERR) - 1);
}

static void a_long_row_is_not_taken_for_an_end(void **state)
{
    (void)state;
    char bytes[2048];
    size_t used = sizeof("\x01\0\0\x01\x01" COLUMN EOF_("\x03", "\0")) - 1;
    memcpy(bytes, "\x01\0\0\x01\x01" COLUMN EOF_("\x03", "\0"), used);
    memcpy(bytes + used, "\x84\x03\0\x04\xfe", 5); /* a value of 64 bits' length */
    memset(bytes + used + 5, 0xfe, 899);
    used += 904;
    memcpy(bytes + used, EOF_("\x05", LAST), 9);
    check(bytes, used + 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_result_ends_with_its_second_eof),
        cmocka_unit_test(more_results_follow_until_one_says_no),
        cmocka_unit_test(an_error_ends_it),
        cmocka_unit_test(a_long_row_is_not_taken_for_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
