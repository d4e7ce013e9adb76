/* The texts by which a table's rows are compared: slices that leave no row out, sums that tell
 * every value from every other. That they do so on servers: tests/scenario/scenario_verify.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "backup/compare_table.h"

static struct compare_column columns[] = {
    {.name = (char *)"id", .data_type = (char *)"bigint"},
    {.name = (char *)"a`b",
     .data_type = (char *)"varchar",
     .charset = (char *)"latin1",
     .collation = (char *)"latin1_bin"},
    {.name = (char *)"t", .data_type = (char *)"longtext"},
    {.name = (char *)"f", .data_type = (char *)"float"},
};

static const struct compare_table keyed = {.schema = (char *)"s",
                                           .name = (char *)"x`y",
                                           .columns = columns,
                                           .column_count = STAY_COUNT(columns),
                                           .keys = {0, 1},
                                           .key_count = 2};
static const struct compare_table bare = {
    .schema = (char *)"s", .name = (char *)"n", .columns = columns, .column_count = 1};
static const struct compare_bound open_end;
static struct compare_bound low = {.literals = {(char *)"5", (char *)"_latin1 x'41'"}, .n = 2};
static struct compare_bound high = {.literals = {(char *)"9", (char *)"_latin1 x'42'"}, .n = 2};

static void expect(char *text, const char *wanted)
{
    assert_string_equal(text, wanted);
    free(text);
}

/* A large value by its own sum, a float by all its digits, NULL like no value. */
static void test_sum(void **state)
{
    (void)state;
    expect(compare_sum_sql(&keyed, &open_end, &open_end),
           "SELECT COUNT(*), COUNT(h), IFNULL(SUM(CAST(CONV(LEFT(h, 16), 16, 10) AS UNSIGNED)), 0) "
           "FROM (SELECT SHA2(CONCAT(IFNULL(CONCAT(LENGTH(`id`), ':', CAST(`id` AS BINARY)), '-'), "
           "IFNULL(CONCAT(LENGTH(`a``b`), ':', CAST(`a``b` AS BINARY)), '-'), "
           "IFNULL(SHA2(`t`, 256), '-'), IFNULL(CONCAT('f', `f` * 1e0, ';'), '-')), 256) AS h "
           "FROM `s`.`x``y` FORCE INDEX (PRIMARY)) AS slice");
    expect(compare_sum_sql(&bare, &open_end, &open_end),
           "SELECT COUNT(*), COUNT(h), IFNULL(SUM(CAST(CONV(LEFT(h, 16), 16, 10) AS UNSIGNED)), 0) "
           "FROM (SELECT SHA2(CONCAT(IFNULL(CONCAT(LENGTH(`id`), ':', CAST(`id` AS BINARY)), "
           "'-')), 256) AS h FROM `s`.`n` USE INDEX ()) AS slice");
}

/* What is above a bound and what is up to it are all rows, each once. */
static void test_slices(void **state)
{
    (void)state;
    expect(compare_lock_sql(&keyed, &low, &high, false),
           "SELECT COUNT(*) FROM `s`.`x``y` FORCE INDEX (PRIMARY) WHERE "
           "(`id` >= 5 AND ((`id` > 5) OR (`id` = 5 AND `a``b` > _latin1 x'41'))) AND "
           "(`id` <= 9 AND ((`id` < 9) OR (`id` = 9 AND `a``b` <= _latin1 x'42'))) "
           "LOCK IN SHARE MODE");
    expect(compare_lock_sql(&bare, &open_end, &open_end, true),
           "SELECT COUNT(*) FROM `s`.`n` USE INDEX () FOR SHARE");
    expect(compare_next_sql(&keyed, &low, &open_end, 100),
           "SELECT CAST(`id` AS CHAR), CONCAT('_latin1 x''', HEX(CAST(`a``b` AS BINARY)), ''' "
           "COLLATE latin1_bin') FROM `s`.`x``y` FORCE INDEX (PRIMARY) WHERE "
           "(`id` >= 5 AND ((`id` > 5) OR (`id` = 5 AND `a``b` > _latin1 x'41'))) "
           "ORDER BY `id`, `a``b` LIMIT 1 OFFSET 99");
    assert_null(compare_next_sql(&bare, &open_end, &open_end, 100));
}

static void test_words(void **state)
{
    (void)state;
    expect(compare_slice_text(&keyed, &low, &high),
           "id, a`b above 5, _latin1 x'41' to 9, _latin1 x'42'");
    expect(compare_slice_text(&keyed, &open_end, &open_end), "id, a`b: all");
    expect(compare_slice_text(&bare, &open_end, &open_end), "all of it");
    struct compare_bound copy = {0};
    compare_bound_copy(&copy, &low);
    assert_int_equal(copy.n, 2);
    assert_string_equal(copy.literals[0], "5");
    compare_bound_clear(&copy);
    assert_int_equal(copy.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
