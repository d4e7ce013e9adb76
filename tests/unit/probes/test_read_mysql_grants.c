/* A missing grant is named with the statement that mends it; both spellings of a privilege count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "probes/read_mysql.h"

static bool check(const char *const *lines, enum engine engine, enum mysql_account_kind kind,
                  char *ret_text, size_t size)
{
    struct mysql_grants g = {0};
    for (; *lines != NULL; lines++)
        mysql_grants_add(&g, *lines);
    bool ok = mysql_grants_check(&g, engine, kind, "m", ret_text, size);
    mysql_grants_clear(&g);
    return ok;
}

static void the_shipped_grants_are_enough(void **state)
{
    (void)state;
    char text[160];
    const char *const mariadb_monitor[] = {
        "GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO `m`@`%` IDENTIFIED BY PASSWORD '*'",
        "GRANT SELECT ON `mainstay`.* TO `m`@`%`", NULL};
    const char *const mysql_operate[] = {
        "GRANT RELOAD, PROCESS, REPLICATION CLIENT ON *.* TO `m`@`%`",
        "GRANT CONNECTION_ADMIN,REPLICATION_SLAVE_ADMIN,SYSTEM_VARIABLES_ADMIN ON *.* TO `m`@`%`",
        "GRANT BINLOG_ADMIN,CLONE_ADMIN,SYSTEM_USER ON *.* TO `m`@`%`",
        "GRANT SELECT ON *.* TO `m`@`%`",
        "GRANT SELECT ON `performance_schema`.* TO `m`@`%`",
        "GRANT SELECT, INSERT, CREATE, DROP ON `mainstay`.* TO `m`@`%`",
        NULL};
    const char *const canary[] = {
        "GRANT USAGE ON *.* TO `m`@`%`",
        "GRANT SELECT, INSERT, UPDATE ON `mainstay`.`heartbeat` TO `m`@`%`", NULL};
    assert_true(check(mariadb_monitor, ENGINE_MARIADB, ACCOUNT_OF_MONITOR, text, sizeof text));
    assert_string_equal(text, "");
    assert_true(check(mysql_operate, ENGINE_MYSQL, ACCOUNT_OF_OPERATE, text, sizeof text));
    assert_true(check(canary, ENGINE_MYSQL, ACCOUNT_OF_CANARY, text, sizeof text));
}

static void other_spellings_and_all_privileges_count(void **state)
{
    (void)state;
    char text[160];
    const char *const renamed[] = {
        "GRANT PROCESS, REPLICATION CLIENT, REPLICA MONITOR ON *.* TO `m`",
        "GRANT SELECT ON `mainstay`.* TO `m`@`%`", NULL};
    const char *const all[] = {"GRANT ALL PRIVILEGES ON *.* TO `m`@`%` WITH GRANT OPTION", NULL};
    assert_true(check(renamed, ENGINE_MARIADB, ACCOUNT_OF_MONITOR, text, sizeof text));
    assert_true(check(all, ENGINE_MARIADB, ACCOUNT_OF_OPERATE, text, sizeof text));
    assert_true(check(all, ENGINE_MYSQL, ACCOUNT_OF_REPLICATE, text, sizeof text));
}

static void the_first_lack_is_named_with_its_grant(void **state)
{
    (void)state;
    char text[160];
    const char *const some[] = {"GRANT PROCESS ON *.* TO `m`@`%`", NULL};
    assert_false(check(some, ENGINE_MARIADB, ACCOUNT_OF_MONITOR, text, sizeof text));
    assert_string_equal(text, "m lacks 3, first: GRANT SLAVE MONITOR ON *.* TO 'm'@'%'");
    assert_false(check(some, ENGINE_MYSQL, ACCOUNT_OF_CANARY, text, sizeof text));
    assert_string_equal(text, "m lacks 3, first: GRANT SELECT ON mainstay.heartbeat TO 'm'@'%'");
    assert_false(check(some, ENGINE_MYSQL, ACCOUNT_OF_REPLICATE, text, sizeof text));
    assert_string_equal(text, "m lacks: GRANT REPLICATION SLAVE ON *.* TO 'm'@'%'");
}

/* The grants shipped before errant transactions were, or where nobody may give SYSTEM_USER:
 * everything else works with them. */
static void what_not_every_plan_needs_is_named_as_such(void **state)
{
    (void)state;
    char text[160];
    const char *const before[] = {
        "GRANT RELOAD, PROCESS, REPLICATION CLIENT ON *.* TO `m`@`%`",
        "GRANT CONNECTION_ADMIN,REPLICATION_SLAVE_ADMIN,SYSTEM_VARIABLES_ADMIN ON *.* TO `m`@`%`",
        "GRANT SELECT ON `performance_schema`.* TO `m`@`%`",
        "GRANT SELECT, CREATE ON `mainstay`.* TO `m`@`%`", NULL};
    assert_false(check(before, ENGINE_MYSQL, ACCOUNT_OF_OPERATE, text, sizeof text));
    assert_string_equal(text, "m lacks 5, first" MISSING_RANK ": GRANT SYSTEM_USER ON *.* TO "
                              "'m'@'%'");
    assert_true(mysql_grants_is_optional(text));
    const char *const ranked[] = {
        before[0], before[1], before[2], before[3], "GRANT SYSTEM_USER ON *.* TO `m`@`%`", NULL};
    assert_false(check(ranked, ENGINE_MYSQL, ACCOUNT_OF_OPERATE, text, sizeof text));
    assert_string_equal(text, "m lacks 4, first" MISSING_ERRANT ": GRANT BINLOG_ADMIN ON *.* TO "
                              "'m'@'%'");
    assert_true(mysql_grants_is_optional(text));
    const char *const less[] = {before[0], before[1], before[3], NULL};
    assert_false(check(less, ENGINE_MYSQL, ACCOUNT_OF_OPERATE, text, sizeof text));
    assert_false(mysql_grants_is_optional(text)); /* what matters more comes first */
}

static void performance_schema_is_a_scope_of_its_own(void **state)
{
    (void)state;
    char text[160];
    const char *const none[] = {"GRANT PROCESS, REPLICATION CLIENT ON *.* TO `m`@`%`",
                                "GRANT SELECT ON `mainstay`.* TO `m`@`%`", NULL};
    const char *const everywhere[] = {"GRANT SELECT, PROCESS, REPLICATION CLIENT ON *.* TO `m`@`%`",
                                      NULL};
    assert_false(check(none, ENGINE_MYSQL, ACCOUNT_OF_MONITOR, text, sizeof text));
    assert_string_equal(text, "m lacks: GRANT SELECT ON performance_schema.* TO 'm'@'%'");
    assert_true(check(everywhere, ENGINE_MYSQL, ACCOUNT_OF_MONITOR, text, sizeof text));
}

static void an_account_of_mysql_needs_an_active_role(void **state)
{
    (void)state;
    char text[160];
    struct mysql_grants g = {.no_role = true};
    mysql_grants_add(&g, "GRANT ALL PRIVILEGES ON *.* TO `m`@`%`");
    assert_false(mysql_grants_check(&g, ENGINE_MYSQL, ACCOUNT_OF_OPERATE, "m", text, sizeof text));
    assert_string_equal(text, "m " MISSING_ROLE);
    assert_true(mysql_grants_check(&g, ENGINE_MYSQL, ACCOUNT_OF_CANARY, "m", text, sizeof text));
    assert_true(mysql_grants_check(&g, ENGINE_MARIADB, ACCOUNT_OF_OPERATE, "m", text, sizeof text));
    mysql_grants_clear(&g);
}

static void a_grant_on_another_schema_or_a_longer_word_is_not_enough(void **state)
{
    (void)state;
    char text[160];
    const char *const elsewhere[] = {"GRANT REPLICATION SLAVE ADMIN ON *.* TO `m`@`%`",
                                     "GRANT REPLICATION SLAVE ON `mainstay`.* TO `m`@`%`", NULL};
    assert_false(check(elsewhere, ENGINE_MARIADB, ACCOUNT_OF_REPLICATE, text, sizeof text));
}

static void lines_that_are_no_grants_are_passed_over(void **state)
{
    (void)state;
    char text[160];
    const char *const odd[] = {
        "", "GRANT", "GRANT `role` TO `m`@`%`", "SET DEFAULT ROLE x FOR m", "GRANT  ON  TO", NULL};
    assert_false(check(odd, ENGINE_MARIADB, ACCOUNT_OF_REPLICATE, text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_grants_are_enough),
        cmocka_unit_test(other_spellings_and_all_privileges_count),
        cmocka_unit_test(the_first_lack_is_named_with_its_grant),
        cmocka_unit_test(what_not_every_plan_needs_is_named_as_such),
        cmocka_unit_test(performance_schema_is_a_scope_of_its_own),
        cmocka_unit_test(an_account_of_mysql_needs_an_active_role),
        cmocka_unit_test(a_grant_on_another_schema_or_a_longer_word_is_not_enough),
        cmocka_unit_test(lines_that_are_no_grants_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
