/* tests/unit/base/test_names.c - names that are safe everywhere, and addresses with and without
 * brackets; each refusal says what to write instead. */
#include "base/names.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void ids_are_short_lower_case_words(void **state)
{
    static const char *const good[] = {"a", "db1", "shop-eu-1", "0",
                                       "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const bad[] = {"",
                                      "-a",
                                      "a-",
                                      "-",
                                      "Shop",
                                      "a_b",
                                      "a.b",
                                      "a b",
                                      "a/../b",
                                      "\xc3\xa9",
                                      "abcdefghijklmnopqrstuvwxyz0123456"};
    struct stay_error err = {0};
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(good); i++)
        assert_int_equal(names_check_id("node name", good[i], NULL), STAY_OK);
    for (size_t i = 0; i < STAY_COUNT(bad); i++)
        assert_int_equal(names_check_id("node name", bad[i], &err), STAY_EINVALID);
    (void)!names_check_id("node name", "Shop", &err);
    assert_string_equal(err.text,
                        "node name 'Shop': use 1 to 32 of a-z, 0-9 and '-', not starting or "
                        "ending with '-'");
}

static void schema_names_cannot_leave_their_quotes(void **state)
{
    char longest[NAMES_SCHEMA_MAX + 2];
    struct stay_error err = {0};
    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[NAMES_SCHEMA_MAX + 1] = '\0';
    assert_false(names_is_schema(longest));
    longest[NAMES_SCHEMA_MAX] = '\0';
    assert_true(names_is_schema(longest));
    assert_int_equal(names_check_schema("schema", "My_app$1-x", &err), STAY_OK);
    static const char *const bad[] = {"", "a`b", "a.b", "a b", "a;b", "a'b", "a\\"};
    for (size_t i = 0; i < STAY_COUNT(bad); i++)
        assert_int_equal(names_check_schema("schema", bad[i], &err), STAY_EINVALID);
}

/* Every byte, against the list of good ones. */
static void each_character_is_judged(void **state)
{
    static const char id[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char schema[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$-";
    static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    (void)state;
    for (int c = 1; c < 256; c++) {
        char one[2] = {(char)c, '\0'}, address[] = {'h', (char)c, ':', '1', '\0'};
        char v6[] = {'[', ':', (char)c, ']', ':', '1', '\0'};
        struct names_address a;
        assert_int_equal(names_is_id(one), strchr(id, c) != NULL);
        assert_int_equal(names_is_schema(one), strchr(schema, c) != NULL);
        assert_int_equal(names_parse_address(address, 0, &a, NULL) == STAY_OK,
                         strchr(host, c) != NULL);
        bool is_v6 = strchr(host, c) != NULL ? c != '_' && c != '-' : c == ':' || c == '%';
        assert_int_equal(names_parse_address(v6, 0, &a, NULL) == STAY_OK, is_v6);
    }
}

static void addresses_are_read_and_written(void **state)
{
    static const struct {
        const char *text, *host, *back;
        uint16_t default_port, port;
    } cases[] = {
        {"db1:3306", "db1", "db1:3306", 0, 3306},
        {"db1", "db1", "db1:3306", 3306, 3306},
        {"10.0.0.1:1", "10.0.0.1", "10.0.0.1:1", 3306, 1},
        {"[fd00::1]:65535", "fd00::1", "[fd00::1]:65535", 0, 65535},
        {"[fe80::1%eth0]", "fe80::1%eth0", "[fe80::1%eth0]:3306", 3306, 3306},
        {"db_1.example.org:03306", "db_1.example.org", "db_1.example.org:3306", 0, 3306},
    };
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        struct names_address a = {0};
        struct stay_error err = {0};
        char back[NAMES_ADDRESS_MAX];
        if (names_parse_address(cases[i].text, cases[i].default_port, &a, &err) != STAY_OK)
            fail_msg("%s", err.text);
        assert_string_equal(a.host, cases[i].host);
        assert_int_equal(a.port, cases[i].port);
        names_format_address(back, sizeof back, &a);
        assert_string_equal(back, cases[i].back);
    }
}

static void bad_addresses_say_what_to_write(void **state)
{
    char huge[NAMES_HOST_MAX + 10];
    const char *const cases[][2] = {
        {"", "expected host:port"},
        {":3306", "expected host:port"},
        {"a b:1", "expected host:port"},
        {"a/b:1", "expected host:port"},
        {"[]:1", "expected host:port"},
        {"[abc]:1", "expected host:port"},
        {"[a b::]:1", "expected host:port"},
        {"fd00::1", "in brackets: [fd00::1]:3306"},
        {"[fd00::1", "no ']'"},
        {"[fd00::1]x", "expected ':' and a port"},
        {"db1", "the port is missing"},
        {"db1:", "from 1 to 65535"},
        {"db1:0", "from 1 to 65535"},
        {"db1:65536", "from 1 to 65535"},
        {"db1:1234567", "from 1 to 65535"},
        {"db1:33x6", "from 1 to 65535"},
        {"db1:-1", "from 1 to 65535"},
        {huge, "expected host:port"},
    };
    (void)state;
    memset(huge, 'x', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        struct names_address a = {.port = 7};
        struct stay_error err = {0};
        assert_int_equal(names_parse_address(cases[i][0], 0, &a, &err), STAY_EINVALID);
        if (strstr(err.text, cases[i][1]) == NULL)
            fail_msg("'%s': '%s' does not say '%s'", cases[i][0], err.text, cases[i][1]);
        assert_int_equal(a.port, 7);
    }
}

static void equal_addresses_ignore_case(void **state)
{
    struct names_address a = {"DB1", 3306}, b = {"db1", 3306}, c = {"db1", 3307}, d = {"db2", 3306};
    (void)state;
    assert_true(names_address_equal(&a, &b));
    assert_false(names_address_equal(&b, &c));
    assert_false(names_address_equal(&b, &d));
}

/* FNV-1a's own test values. */
static void names_are_hashed_as_published(void **state)
{
    (void)state;
    assert_int_equal(names_hash(""), UINT32_C(0x811c9dc5));
    assert_int_equal(names_hash("a"), UINT32_C(0xe40c292c));
    assert_int_equal(names_hash("foobar"), UINT32_C(0xbf9cf968));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_short_lower_case_words),
        cmocka_unit_test(schema_names_cannot_leave_their_quotes),
        cmocka_unit_test(each_character_is_judged),
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(bad_addresses_say_what_to_write),
        cmocka_unit_test(equal_addresses_ignore_case),
        cmocka_unit_test(names_are_hashed_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
