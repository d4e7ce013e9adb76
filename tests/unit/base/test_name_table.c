/* tests/unit/base/test_name_table.c - thousands of entries: found by name, walked once each, taken
 * out from anywhere in their chain. */
#include "base/name_table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { MANY = 5000 }; /* several in each chain */

struct entry {
    struct name_link link;
    unsigned seen;
};

static struct entry entries[MANY];
static struct name_table table;

static const char *name_of(unsigned i)
{
    static char name[16];
    (void)snprintf(name, sizeof name, "c%u", i);
    return name;
}

static int fill(void **state)
{
    (void)state;
    memset(&table, 0, sizeof table);
    memset(entries, 0, sizeof entries);
    for (unsigned i = 0; i < MANY; i++)
        name_table_put(&table, &entries[i].link, name_of(i));
    return 0;
}

static void each_is_found_by_its_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        assert_ptr_equal(name_table_find(&table, name_of(i)), &entries[i]);
    assert_null(name_table_find(&table, "c5000"));
    assert_null(name_table_find(&table, ""));
}

static void each_is_walked_once(void **state)
{
    (void)state;
    for (struct entry *e = NULL; (e = name_table_each(&table, e)) != NULL;)
        e->seen++;
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(entries[i].seen, 1);
}

static void what_is_taken_is_gone_and_the_rest_is_not(void **state)
{
    unsigned left = 0;
    (void)state;
    for (unsigned i = 0; i < MANY; i += 3)
        assert_ptr_equal(name_table_take(&table, name_of(i)), &entries[i]);
    for (unsigned i = 0; i < MANY; i++)
        assert_ptr_equal(name_table_find(&table, name_of(i)), i % 3 == 0 ? NULL : &entries[i]);
    assert_null(name_table_take(&table, "c0"));
    while (name_table_drain(&table) != NULL)
        left++;
    assert_int_equal(left, MANY - (MANY + 2) / 3);
    assert_null(name_table_each(&table, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_is_found_by_its_name, fill),
        cmocka_unit_test_setup(each_is_walked_once, fill),
        cmocka_unit_test_setup(what_is_taken_is_gone_and_the_rest_is_not, fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
