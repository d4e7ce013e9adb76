/* tests/unit/base/test_gtid_text.c - GTID sets as servers print them: what is read, what is
 * written, what is refused and how the refusal reads. */
#include "base/gtid.h"
#include "base/str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define U1 "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define U2 "ffffffff-71ca-11e1-9e33-c80aa9429562"

static void assert_formats(enum gtid_flavor flavor, const char *text, const char *want)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set set = {0};
    struct stay_error err = {0};
    if (gtid_set_parse(flavor, text, &set, &err) != STAY_OK)
        fail_msg("'%s': %s", text, err.text);
    assert_int_equal(set.flavor, flavor);
    STAY_AUTO(stay_free_charp) char *have = gtid_set_format(&set);
    assert_string_equal(have, want);
    STAY_AUTO(gtid_set_drop) struct gtid_set again = {0};
    assert_int_equal(gtid_set_parse(flavor, have, &again, NULL), STAY_OK);
    assert_true(gtid_set_equal(&set, &again));
}

static void assert_refused(enum gtid_flavor flavor, const char *text, const char *why)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set set = {0};
    struct stay_error err = {0};
    assert_int_equal(gtid_set_parse(flavor, "", &set, NULL), STAY_OK);
    if (gtid_set_parse(flavor, text, &set, &err) != STAY_EINVALID)
        fail_msg("'%s' was not refused", text);
    if (strstr(err.text, why) == NULL)
        fail_msg("'%s': '%s' does not say '%s'", text, err.text, why);
    assert_true(gtid_set_is_empty(&set)); /* as it was */
    assert_int_equal(set.flavor, flavor);
}

static void mysql_sets_round_trip(void **state)
{
    (void)state;
    assert_formats(GTID_MYSQL, "", "");
    assert_formats(GTID_MYSQL, " \n\t", "");
    assert_formats(GTID_MYSQL, U1 ":1-5", U1 ":1-5");
    assert_formats(GTID_MYSQL, U1 ":7", U1 ":7");
    assert_formats(GTID_MYSQL, U1 ":1-5:11-18:7", U1 ":1-5:7:11-18");
    assert_formats(GTID_MYSQL, U1 ":4-6:1-3:5-9", U1 ":1-9");
    assert_formats(GTID_MYSQL, "3E11FA47-71CA-11E1-9E33-C80AA9429562:1", U1 ":1");
    assert_formats(GTID_MYSQL, U2 ":1-3,\n" U1 ":2", U1 ":2," U2 ":1-3");
    assert_formats(GTID_MYSQL, U1 ":1," U1 ":2", U1 ":1-2");
    assert_formats(GTID_MYSQL, U1 ":9223372036854775807", U1 ":9223372036854775807");
}

static void mysql_tags_are_sources_of_their_own(void **state)
{
    (void)state;
    assert_formats(GTID_MYSQL, U1 ":1-3:Tag_1:5:7:b:1", U1 ":1-3:b:1:tag_1:5:7");
    assert_formats(GTID_MYSQL, U1 ":_x:1-2," U2 ":_x:3", U1 ":_x:1-2," U2 ":_x:3");
    assert_formats(GTID_MYSQL, U1 ":t:1:t:2", U1 ":t:1-2");
    assert_formats(GTID_MYSQL, U1 ":abcdefghijklmnopqrstuvwxyz012345:1",
                   U1 ":abcdefghijklmnopqrstuvwxyz012345:1");
}

static void mysql_nonsense_is_refused_with_a_reason(void **state)
{
    static const char *const bad[][2] = {
        {"x", "server uuid"},
        {"3e11fa47", "server uuid"},
        {"3e11fa47+71ca-11e1-9e33-c80aa9429562:1", "server uuid"},
        {"3e11fa4g-71ca-11e1-9e33-c80aa9429562:1", "server uuid"},
        {"3e11fag7-71ca-11e1-9e33-c80aa9429562:1", "server uuid"},
        {U1, "no interval"},
        {U1 ":", "a number"},
        {U1 ":0", "a number"},
        {U1 ":-5", "a number"},
        {U1 ":1-", "after '-'"},
        {U1 ":5-4", "ends before"},
        {U1 ":9223372036854775808", "a number"},
        {U1 ":99999999999999999999999999", "a number"},
        {U1 ":1-99999999999999999999999999", "after '-'"},
        {U1 ":1;2", "':'"},
        {U1 ":1:tag", "no interval"},
        {U1 ":one:two:1", "without an interval"},
        {U1 ":abcdefghijklmnopqrstuvwxyz0123456:1", "longer than 32"},
        {U1 ":1,", "server uuid"},
        {"," U1 ":1", "server uuid"},
        {"0-1-100", "server uuid"},
    };
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(bad); i++)
        assert_refused(GTID_MYSQL, bad[i][0], bad[i][1]);
}

static void mariadb_positions_round_trip(void **state)
{
    (void)state;
    assert_formats(GTID_MARIADB, "0-1-100", "0-1-100");
    assert_formats(GTID_MARIADB, "1-2-3, 0-1-100,\n0-2-120", "0-1-100,0-2-120,1-2-3");
    assert_formats(GTID_MARIADB, "0-1-98,0-1-100,0-1-7", "0-1-100");
    assert_formats(GTID_MARIADB, "0-1-0", "");
    assert_formats(GTID_MARIADB, "4294967295-4294967295-18446744073709551615",
                   "4294967295-4294967295-18446744073709551615");
    assert_formats(GTID_MARIADB, "0-1-99..100,0-1-5", "0-1-5,0-1-99..100");
}

static void mariadb_nonsense_is_refused_with_a_reason(void **state)
{
    static const char *const bad[][2] = {
        {"0-1", "domain-server-sequence"},
        {"0", "domain-server-sequence"},
        {"a-1-1", "domain-server-sequence"},
        {"0-b-1", "domain-server-sequence"},
        {"0-1-", "domain-server-sequence"},
        {"0-4294967296-1", "domain-server-sequence"},
        {"4294967296-1-1", "domain-server-sequence"},
        {"0-1-18446744073709551616", "domain-server-sequence"},
        {"0-1-184467440737095516150", "domain-server-sequence"},
        {"0-1-5x", "','"},
        {"0-1-5,", "domain-server-sequence"},
        {"0-1-5.6", "first..last"},
        {"0-1-0..6", "first..last"},
        {"0-1-7..6", "first..last"},
        {"0-1-7..", "first..last"},
        {U1 ":1-5", "domain-server-sequence"},
    };
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(bad); i++)
        assert_refused(GTID_MARIADB, bad[i][0], bad[i][1]);
}

static void mariadb_wait_position_is_the_highest_per_domain(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"0-1-100", "0-1-100"},
        {"0-1-98,0-2-120,1-9-4,1-3-7", "0-2-120,1-3-7"},
        {"0-1-120,0-2-98", "0-1-120"},
    };
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        STAY_AUTO(gtid_set_drop) struct gtid_set set = {0};
        assert_int_equal(gtid_set_parse(GTID_MARIADB, cases[i][0], &set, NULL), STAY_OK);
        STAY_AUTO(stay_free_charp) char *have = gtid_set_format_mariadb_pos(&set);
        assert_string_equal(have, cases[i][1]);
    }
}

static void limits_and_flavors_are_checked(void **state)
{
    struct gtid_set set = {0};
    struct stay_error err = {0};
    (void)state;
    assert_int_equal(gtid_set_parse(GTID_NONE, "0-1-1", &set, &err), STAY_EINVALID);
    char *huge = stay_malloc(GTID_TEXT_MAX + 2);
    memset(huge, ' ', GTID_TEXT_MAX + 1);
    huge[GTID_TEXT_MAX + 1] = '\0';
    assert_int_equal(gtid_set_parse(GTID_MYSQL, huge, &set, &err), STAY_ELIMIT);
    huge[GTID_TEXT_MAX] = '\0';
    assert_int_equal(gtid_set_parse(GTID_MYSQL, huge, &set, &err), STAY_OK);
    free(huge);
    gtid_set_clear(&set);
}

/* A hostile order must not cost quadratic time: 60,000 sources, largest first. */
static void reversed_input_of_the_largest_size_is_quick(void **state)
{
    struct str s;
    (void)state;
    str_init(&s, GTID_TEXT_MAX);
    for (unsigned i = 60000; i > 0; i--)
        str_addf(&s, "%s%u-1-%u", i < 60000 ? "," : "", i, i);
    STAY_AUTO(gtid_set_drop) struct gtid_set set = {0};
    assert_int_equal(gtid_set_parse(GTID_MARIADB, str_text(&s), &set, NULL), STAY_OK);
    assert_int_equal(set.n, 60000);
    assert_int_equal(gtid_set_count(&set), UINT64_C(60000) * 60001 / 2);
    str_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mysql_sets_round_trip),
        cmocka_unit_test(mysql_tags_are_sources_of_their_own),
        cmocka_unit_test(mysql_nonsense_is_refused_with_a_reason),
        cmocka_unit_test(mariadb_positions_round_trip),
        cmocka_unit_test(mariadb_nonsense_is_refused_with_a_reason),
        cmocka_unit_test(mariadb_wait_position_is_the_highest_per_domain),
        cmocka_unit_test(limits_and_flavors_are_checked),
        cmocka_unit_test(reversed_input_of_the_largest_size_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
