/* tests/unit/base/test_table.c - tables for people: aligned, cut to the terminal, safe to print. */
#include "base/table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct table_column columns[] = {
    {.title = "node"},
    {.title = "lag", .align = TABLE_RIGHT},
    {.title = "why", .room = TABLE_CUT},
};

static void fill(struct table *t)
{
    table_init(t, columns, STAY_COUNT(columns));
    table_cell(t, "db1");
    table_cellf(t, "%d ms", 5);
    table_cell(t, "answers");
    table_cell(t, "db2-long");
    table_cell(t, NULL);
    table_cell(t, "");
}

static void columns_are_aligned(void **state)
{
    STAY_AUTO(table_clear) struct table t;
    (void)state;
    fill(&t);
    assert_int_equal(table_row_count(&t), 2);
    STAY_AUTO(stay_free_charp) char *text = table_format(&t, 0);
    assert_string_equal(text, "node       lag  why\n"
                              "db1       5 ms  answers\n"
                              "db2-long     -\n");
}

static void incomplete_row_and_empty_table_print(void **state)
{
    STAY_AUTO(table_clear) struct table t;
    (void)state;
    table_init(&t, columns, STAY_COUNT(columns));
    STAY_AUTO(stay_free_charp) char *empty = table_format(&t, TABLE_WIDTH_DEFAULT);
    assert_string_equal(empty, "node  lag  why\n");
    table_cell(&t, "x");
    assert_int_equal(table_row_count(&t), 1);
    STAY_AUTO(stay_free_charp) char *text = table_format(&t, TABLE_WIDTH_DEFAULT);
    assert_string_equal(text, "node  lag  why\nx\n");
}

static void widest_column_that_may_gives_way(void **state)
{
    STAY_AUTO(table_clear) struct table t;
    (void)state;
    fill(&t);
    table_cell(&t, "db3");
    table_cell(&t, "1 s");
    table_cell(&t, "a reason that is much too long for this terminal");
    STAY_AUTO(stay_free_charp) char *text = table_format(&t, 30);
    assert_string_equal(text, "node       lag  why\n"
                              "db1       5 ms  answers\n"
                              "db2-long     -\n"
                              "db3        1 s  a reason tha..\n");
    STAY_AUTO(stay_free_charp) char *narrow = table_format(&t, 5); /* nothing more gives way */
    assert_string_equal(narrow, "node       lag  why\n"
                                "db1       5 ms  an..\n"
                                "db2-long     -\n"
                                "db3        1 s  a ..\n");
}

static void two_columns_share_the_cut(void **state)
{
    static const struct table_column both[] = {{.title = "a", .room = TABLE_CUT},
                                               {.title = "b", .room = TABLE_CUT}};
    STAY_AUTO(table_clear) struct table t;
    (void)state;
    table_init(&t, both, 2);
    table_cell(&t, "0123456789");
    table_cell(&t, "abcdefghijklmnopqrst");
    STAY_AUTO(stay_free_charp) char *text = table_format(&t, 18);
    assert_string_equal(text, "a         b\n012345..  abcdef..\n");
}

static void last_column_may_wrap(void **state)
{
    static const struct table_column wrapped[] = {{.title = "n", .align = TABLE_RIGHT},
                                                  {.title = "on"},
                                                  {.title = "why", .room = TABLE_WRAP}};
    STAY_AUTO(table_clear) struct table t;
    (void)state;
    table_init(&t, wrapped, STAY_COUNT(wrapped));
    table_cell(&t, "1");
    table_cell(&t, "db1");
    table_cell(&t, "so that no client of it is answered any more, whatever it does");
    table_cell(&t, "2");
    table_cell(&t, "db2");
    table_cell(&t, "short");
    table_cell(&t, "3");
    table_cell(&t, "db2");
    table_cell(&t, "one_word_that_is_longer_than_the_whole_column");
    STAY_AUTO(stay_free_charp) char *text = table_format(&t, 36);
    assert_string_equal(text, "n  on   why\n"
                              "1  db1  so that no client of it is\n"
                              "        answered any more, whatever\n"
                              "        it does\n"
                              "2  db2  short\n"
                              "3  db2  one_word_that_is_longer_than\n"
                              "        _the_whole_column\n");
    assert_int_equal(table_row_lines(&t, 0, 36), 3);
    assert_int_equal(table_row_lines(&t, 1, 36), 1);
    assert_int_equal(table_row_lines(&t, 2, 36), 2);
    assert_int_equal(table_row_lines(&t, 0, 0), 1);
    STAY_AUTO(stay_free_charp) char *wide = table_format(&t, 0);
    assert_non_null(strstr(wide, "whatever it does\n2  db2"));
}

static void terminal_control_is_not_passed_on(void **state)
{
    STAY_AUTO(table_clear) struct table t;
    (void)state;
    table_init(&t, columns, 1);
    table_cell(&t, "a\x1b[2J\nb\x7f\xc3\xa9");
    STAY_AUTO(stay_free_charp) char *text = table_format(&t, 0);
    assert_string_equal(text, "node\na?[2J?b?\xc3\xa9\n");
}

static void many_rows_keep_their_order(void **state)
{
    STAY_AUTO(table_clear) struct table t;
    (void)state;
    table_init(&t, columns, 1);
    for (int i = 0; i < 100; i++)
        table_cellf(&t, "%04d", i);
    STAY_AUTO(stay_free_charp) char *text = table_format(&t, 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(strtol(text + 5 * (i + 1), NULL, 10), i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(incomplete_row_and_empty_table_print),
        cmocka_unit_test(widest_column_that_may_gives_way),
        cmocka_unit_test(two_columns_share_the_cut),
        cmocka_unit_test(last_column_may_wrap),
        cmocka_unit_test(terminal_control_is_not_passed_on),
        cmocka_unit_test(many_rows_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
