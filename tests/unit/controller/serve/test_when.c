/* tests/unit/controller/serve/test_when.c - moments as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "controller/serve/when.h"

#define NOW (INT64_C(1795375790) * STAY_SECOND) /* 2026-11-22 19:29:50 UTC */

static void moments_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t in_s; /* -1: refused */
    } cases[] = {
        {"+90m", 5400},
        {"19:30", 10},
        {"19:29", 86350}, /* today's is past: tomorrow's */
        {"2026-11-22T19:30", 10},
        {"2026-11-22 19:30:05", 15},
        {"2026-11-23T02:30Z", 25210},
        {"2026-11-22T19:29:50", -1}, /* now */
        {"2026-10-22T19:30", -1},
        {"2027-11-22T19:30", -1},
        {"2026-11-31T19:30", -1},
        {"24:00", -1},
        {"12:60", -1},
        {"noon", -1},
        {"+", -1},
        {"+40d", -1},
        {"", -1},
        {"2026-11-23T02:30+01", -1},
    };
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        struct stay_error err = {0};
        int64_t at = 0;
        enum stay_rc rc = when_parse(cases[i].text, NOW, &at, &err);
        if ((rc == STAY_OK) != (cases[i].in_s >= 0) ||
            (rc == STAY_OK && at != NOW + cases[i].in_s * STAY_SECOND))
            fail_msg("'%s': rc %d, in %lld s; %s", cases[i].text, (int)rc,
                     (long long)((at - NOW) / STAY_SECOND), err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(moments_are_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
