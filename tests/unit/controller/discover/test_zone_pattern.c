/* Zones come out of addresses and host names as the pattern says, or the pattern is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include "base/base.h"
#include "controller/discover/zone_pattern.h"
#include <cmocka.h>

static void the_first_glob_that_matches_counts(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *address, *hostname, *zone; /* NULL: none */
    } cases[] = {
        {"10.1.*=eu-1a,10.2.*=eu-1b", "10.2.0.11", "db2", "eu-1b"},
        {"10.1.*=eu-1a,10.2.*=eu-1b", "10.3.0.11", "db2", NULL},
        {"10.1.*=a,*=b", "10.1.0.1", "", "a"},
        {"10.1.*=a,*=b", "10.9.0.1", "", "b"},
        {"10.{}.0.*=zone-{}", "10.12.0.3", "", "zone-12"},
        {"*.{}.example.com={}", "10.0.0.1", "db1.EU-1a.example.com", "eu-1a"},
        {"db1=a,db2=b", "10.0.0.1", "DB2", "b"},
        {"db1=a,db2=b", "10.0.0.1", "db22", NULL},
        {"fd00:{}:*=z{}", "fd00:7::1", "", "z7"},
        {"a*b*c=x", "abbc", "", "x"},
        {"a*b*c=x", "abb", "", NULL},
        {"*=x", "", "", NULL}, /* nothing is known of it */
    };
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        const char *texts[] = {cases[i].address, cases[i].hostname};
        char zone[33] = "";
        assert_int_equal(zone_pattern_check(cases[i].pattern, NULL), STAY_OK);
        enum stay_rc rc = zone_pattern_find(cases[i].pattern, texts, 2, zone, sizeof zone, NULL);
        assert_int_equal(rc, cases[i].zone == NULL ? STAY_ENOTFOUND : STAY_OK);
        assert_string_equal(zone, cases[i].zone == NULL ? "" : cases[i].zone);
    }
}

static void a_zone_that_is_no_name_is_refused(void **state)
{
    (void)state;
    const char *texts[] = {"10.1.0.1", "db_1.x"};
    struct stay_error err = {0};
    char zone[33] = "kept";
    assert_int_equal(zone_pattern_find("{}.x={}", texts, 2, zone, sizeof zone, &err),
                     STAY_EINVALID);
    assert_string_equal(err.text, "\"{}.x={}\" makes \"db_1\", which is no zone name");
    assert_int_equal(zone_pattern_find("10.{}.0.1={}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", texts, 2,
                                       zone, sizeof zone, &err),
                     STAY_EINVALID);
    assert_string_equal(zone, "kept");
}

static void wrong_patterns_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",        "10.1", "=a",      "10.*=",     "10.*=a,,b=c",
        "{}-{}=x", "x={}", "{}={}{}", "10.*=Zone", "10.*=a b",
    };
    for (size_t i = 0; i < STAY_COUNT(wrong); i++) {
        struct stay_error err = {0};
        if (zone_pattern_check(wrong[i], &err) != STAY_EINVALID || err.text[0] == '\0')
            fail_msg("\"%s\" was accepted", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_glob_that_matches_counts),
        cmocka_unit_test(a_zone_that_is_no_name_is_refused),
        cmocka_unit_test(wrong_patterns_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
