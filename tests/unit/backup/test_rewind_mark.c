/* tests/unit/backup/test_rewind_mark.c - what the mark of an earlier rewind says of a server now:
 * go on, forget it, or refuse, for the server was written to in between. */
#include <mysql.h>

#include <setjmp.h>
#include <stdarg.h>
#include "backup/rewind_mark.h"
#include <cmocka.h>

static enum rewind_stage judge(enum gtid_flavor flavor, const char *executed, const char *followed,
                               const char *common, const char *extra)
{
    const char *const texts[] = {executed, followed, common, extra};
    struct gtid_set sets[4] = {0};
    for (size_t i = 0; i < 4; i++)
        if (texts[i] != NULL)
            assert_int_equal(gtid_set_parse(flavor, texts[i], &sets[i], NULL), STAY_OK);
    enum rewind_stage stage =
        rewind_mark_judge(&sets[0], &sets[1], &sets[2], extra == NULL ? NULL : &sets[3]);
    for (size_t i = 0; i < 4; i++)
        gtid_set_clear(&sets[i]);
    return stage;
}

#define MARIADB(executed, followed)                                                                \
    judge(GTID_MARIADB, executed, followed, "0-1-100,0-2-90", "0-3-140")

static void it_goes_on_before_and_after_the_reset(void **state)
{
    (void)state;
    assert_int_equal(MARIADB("0-1-100,0-2-90,0-3-140", "0-2-90"), REWIND_UNDONE);
    assert_int_equal(MARIADB("", "0-2-90"), REWIND_UNDONE);
    assert_int_equal(MARIADB("", ""), REWIND_UNDONE);
    assert_int_equal(MARIADB("", "0-1-100"), REWIND_UNDONE);
    assert_int_equal(MARIADB("0-1-100,0-2-90", "0-1-100"), REWIND_UNDONE);
}

static void one_that_was_written_to_since_is_refused(void **state)
{
    (void)state;
    assert_int_equal(MARIADB("0-1-100,0-2-90,0-3-141", "0-2-90"), REWIND_WRITTEN);
    assert_int_equal(MARIADB("0-3-1", ""), REWIND_WRITTEN);   /* after the reset */
    assert_int_equal(MARIADB("", "0-1-120"), REWIND_WRITTEN); /* it followed, unlogged */
}

static void one_that_followed_on_is_over(void **state)
{
    (void)state;
    assert_int_equal(MARIADB("0-1-200,0-2-90", "0-1-200"), REWIND_OVER);
}

#define U "11111111-2222-3333-4444-555555555555:"
#define V "66666666-2222-3333-4444-555555555555:"
static void mysql_is_judged_alike(void **state)
{
    (void)state;
    assert_int_equal(judge(GTID_MYSQL, U "1-100," V "1-9", "", U "1-100", V "1-9"), REWIND_UNDONE);
    assert_int_equal(judge(GTID_MYSQL, "", "", U "1-100", V "1-9"), REWIND_UNDONE);
    assert_int_equal(judge(GTID_MYSQL, U "1-100", "", U "1-100", V "1-9"), REWIND_UNDONE);
    assert_int_equal(judge(GTID_MYSQL, U "1-100," V "1-10", "", U "1-100", V "1-9"),
                     REWIND_WRITTEN);
    assert_int_equal(judge(GTID_MYSQL, U "1-120," V "1-9", "", U "1-100", V "1-9"), REWIND_WRITTEN);
    assert_int_equal(judge(GTID_MYSQL, U "1-120", "", U "1-100", V "1-9"), REWIND_OVER);
}

/* What was undone is not known any more: only a server that was reset already is told. */
static void without_its_bundle_nothing_is_guessed(void **state)
{
    (void)state;
    assert_int_equal(judge(GTID_MYSQL, U "1-100," V "1-9", "", U "1-100", NULL), REWIND_WRITTEN);
    assert_int_equal(judge(GTID_MYSQL, U "1-120", "", U "1-100", NULL), REWIND_WRITTEN);
    assert_int_equal(judge(GTID_MYSQL, "", "", U "1-100", NULL), REWIND_UNDONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_before_and_after_the_reset),
        cmocka_unit_test(one_that_was_written_to_since_is_refused),
        cmocka_unit_test(one_that_followed_on_is_over),
        cmocka_unit_test(mysql_is_judged_alike),
        cmocka_unit_test(without_its_bundle_nothing_is_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
