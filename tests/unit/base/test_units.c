/* tests/unit/base/test_units.c - durations, sizes, wall times: what is read, what is refused and
 * how the refusal reads, and that exact formats read back as the same value. */
#include "base/random.h"
#include "base/units.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void durations_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"0", 0},
        {"0s", 0},
        {"1us", 1},
        {"500ms", 500000},
        {"1s", 1000000},
        {"1.5s", 1500000},
        {"0.000001s", 1},
        {"10m", INT64_C(600000000)},
        {"1h", INT64_C(3600000000)},
        {"1h30m", INT64_C(5400000000)},
        {"7d", INT64_C(604800000000)},
        {"1w", INT64_C(604800000000)},
        {"1d12h0m1s2ms3us", INT64_C(129601002003)},
        {"9223372036854775807us", INT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        int64_t us = -1;
        struct stay_error err = {0};
        if (units_parse_duration(cases[i].text, &us, &err) != STAY_OK)
            fail_msg("%s", err.text);
        assert_int_equal(us, cases[i].us);
    }
}

static void sizes_are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"0", 0},
        {"7B", 7},
        {"2kB", 2000},
        {"160MB", 160000000},
        {"8MiB", 8 << 20},
        {"1.5KiB", 1536},
        {"2GB", UINT64_C(2000000000)},
        {"3GiB", UINT64_C(3) << 30},
        {"1TB", UINT64_C(1000000000000)},
        {"1TiB", UINT64_C(1) << 40},
        {"18446744073709551615B", UINT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        uint64_t bytes = 1;
        struct stay_error err = {0};
        if (units_parse_size(cases[i].text, &bytes, &err) != STAY_OK)
            fail_msg("%s", err.text);
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void bad_durations_name_the_trouble(void **state)
{
    static const char *const cases[][2] = {
        {"", "expected a number and a unit"},
        {"s", "expected a number and a unit"},
        {"-1s", "expected a number and a unit"},
        {"1.s", "expected a number and a unit"},
        {".5s", "expected a number and a unit"},
        {" 1s", "expected a number and a unit"},
        {"99999999999999999999s", "expected a number and a unit"},
        {"18446744073709551616s", "expected a number and a unit"},
        {"10", "has no unit: use us, ms, s, m, h, d or w"},
        {"10 s", "' ' is not a unit"},
        {"10min", "'min' is not a unit: use us, ms, s, m, h, d or w"},
        {"10S", "'S' is not a unit"},
        {"10averyveryverylongunitwithoutanyend", "'averyveryverylongunitwithoutanye' is not"},
        {"1m1h", "from large units to small ones"},
        {"1s1s", "from large units to small ones"},
        {"9223372036854775808us", "too long"},
        {"99999999999w", "too long"},
        {"9223372036854775807s", "too long"},
        {"106751991d4h54s900000000ms", "too long"},
        {"1h ", "expected a number"},
    };
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        int64_t us = 77;
        struct stay_error err = {0};
        assert_int_equal(units_parse_duration(cases[i][0], &us, &err), STAY_EINVALID);
        if (strstr(err.text, cases[i][1]) == NULL)
            fail_msg("'%s': '%s' does not say '%s'", cases[i][0], err.text, cases[i][1]);
        assert_int_equal(us, 77);
    }
}

static void bad_sizes_name_the_trouble(void **state)
{
    static const char *const cases[][2] = {
        {"", "expected a number and a unit"},
        {"x", "expected a number and a unit"},
        {"10", "has no unit: use B, kB, MB"},
        {"10mb", "'mb' is not a unit: use B, kB, MB, GB, TB (decimal) or KiB"},
        {"10KB", "'KB' is not a unit"},
        {"1MB1kB", "'1' is not a unit"},
        {"18446744073709551616B", "expected a number"},
        {"99999999999TB", "too large"},
    };
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        uint64_t bytes = 77;
        struct stay_error err = {0};
        assert_int_equal(units_parse_size(cases[i][0], &bytes, &err), STAY_EINVALID);
        if (strstr(err.text, cases[i][1]) == NULL)
            fail_msg("'%s': '%s' does not say '%s'", cases[i][0], err.text, cases[i][1]);
        assert_int_equal(bytes, 77);
    }
}

static void exact_formats_read_back(void **state)
{
    struct random rnd;
    char text[UNITS_TEXT_MAX];
    (void)state;
    random_init(&rnd, 1);
    for (int i = 0; i < 20000; i++) {
        int64_t us = (int64_t)(random_u64(&rnd) >> (1 + random_below(&rnd, 63))), back = -1;
        units_format_duration(text, sizeof text, us);
        assert_int_equal(units_parse_duration(text, &back, NULL), STAY_OK);
        assert_int_equal(back, us);
        uint64_t bytes = random_u64(&rnd) >> random_below(&rnd, 64), size = 1;
        units_format_size(text, sizeof text, bytes);
        assert_int_equal(units_parse_size(text, &size, NULL), STAY_OK);
        assert_int_equal(size, bytes);
    }
    units_format_duration(text, sizeof text, INT64_C(5400000000));
    assert_string_equal(text, "1h30m");
    units_format_duration(text, sizeof text, -500000);
    assert_string_equal(text, "-500ms");
    units_format_duration(text, sizeof text, INT64_MIN);
    assert_string_equal(text, "-15250284w3d4h54s775ms808us");
    units_format_size(text, sizeof text, 160000000);
    assert_string_equal(text, "160MB");
    units_format_size(text, sizeof text, 8 << 20);
    assert_string_equal(text, "8MiB");
    units_format_size(text, sizeof text, 0);
    assert_string_equal(text, "0B");
}

static void short_formats_fit_tables(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1, "1 us"},
        {850, "850 us"},
        {1000, "1.00 ms"},
        {12340, "12.3 ms"},
        {999400, "999 ms"},
        {999900, "1.00 s"},
        {1240000, "1.24 s"},
        {-1240000, "-1.24 s"},
        {59900000, "59.9 s"},
        {INT64_C(200000000), "3m 20s"},
        {INT64_C(7500000000), "2h 05m"},
        {INT64_C(608400000000), "7d 01h"},
    };
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {
        {0, "0 B"},
        {999, "999 B"},
        {1500, "1.50 kB"},
        {160000000, "160 MB"},
        {UINT64_MAX, "18.4 EB"},
    };
    char text[UNITS_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        units_format_duration_short(text, sizeof text, cases[i].us);
        assert_string_equal(text, cases[i].text);
    }
    for (size_t i = 0; i < STAY_COUNT(sizes); i++) {
        units_format_size_short(text, sizeof text, sizes[i].bytes);
        assert_string_equal(text, sizes[i].text);
    }
}

static void wall_times_are_utc(void **state)
{
    char text[UNITS_TEXT_MAX];
    (void)state;
    units_format_wall(text, sizeof text, 0);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    units_format_wall(text, sizeof text, INT64_C(1770091506789123));
    assert_string_equal(text, "2026-02-03T04:05:06.789Z");
    units_format_wall(text, sizeof text, -1);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    units_format_wall(text, sizeof text, INT64_MAX);
    assert_string_equal(text, "294247-01-10T04:00:54.775Z");
    units_format_wall(text, sizeof text, STAY_NEVER);
    assert_string_equal(text, "never");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(bad_durations_name_the_trouble),
        cmocka_unit_test(bad_sizes_name_the_trouble),
        cmocka_unit_test(exact_formats_read_back),
        cmocka_unit_test(short_formats_fit_tables),
        cmocka_unit_test(wall_times_are_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
