/* Who holds a server's connections, counted in few places from any number of sessions, whatever
 * names they bear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "probes/read_mysql_private.h"

static void sessions(struct mysql_reader *r, const char *user, const char *host,
                     const char *command, const char *seconds, unsigned count)
{
    static const char *const names[] = {"Id", "User", "Host", "db", "Command", "Time"};
    const char *values[] = {"9", user, host, NULL, command, seconds};
    for (unsigned i = 0; i < count; i++)
        mysql_reader_row(r, PART_DUMPS, 6, names, values);
}

static void expect(const struct mysql_reader *r, const char *want)
{
    char text[FACT_TEXT_MAX];
    mysql_holders_text(r, text, sizeof text);
    assert_string_equal(text, want);
}

static void those_who_hold_most_come_first(void **state)
{
    (void)state;
    struct server_facts facts = {0};
    struct mysql_reader r;
    mysql_reader_init(&r, ENGINE_MARIADB, &facts);
    sessions(&r, "app", "10.0.0.5:40112", "Query", "900", 1);
    sessions(&r, "app", "10.0.0.5:40113", "Sleep", "512", 1);
    sessions(&r, "app", "10.0.0.5:40114", "Sleep", "3", 3);
    expect(&r, ""); /* so few exhaust nothing */
    sessions(&r, "batch", "fd00::7:40112", "Query", "0", 7);
    sessions(&r, "root", "localhost", "Sleep", NULL, 1);
    sessions(&r, "late", "10.0.0.9:1", "Sleep", "1", 2);
    sessions(&r, "system user", "", "Daemon", NULL, 20);
    sessions(&r, "event_scheduler", "localhost", "Daemon", "77", 20);
    sessions(&r, NULL, "10.0.0.9:1", "Sleep", "1", 20);
    expect(&r, "batch@fd00::7 7 (idle up to 0 s), app@10.0.0.5 5 (idle up to 512 s), "
               "late@10.0.0.9 2 (idle up to 1 s)");
    mysql_reader_clear(&r);
}

/* Hundreds of small ones come before and between: it has its place all the same, and its count is
 * never said too high. */
static void one_who_holds_many_is_found_among_many(void **state)
{
    (void)state;
    struct server_facts facts = {0};
    struct mysql_reader r;
    char user[16];
    mysql_reader_init(&r, ENGINE_MYSQL, &facts);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(user, sizeof user, "u%d", i);
        sessions(&r, user, "10.0.0.5:1", "Sleep", "5", 1);
        sessions(&r, "hog", "10.0.0.6:1", "Sleep", "60", 1);
    }
    char text[FACT_TEXT_MAX];
    unsigned count = 0;
    mysql_holders_text(&r, text, sizeof text);
    if (sscanf(text, "hog@10.0.0.6 at least %u", &count) != 1 &&
        sscanf(text, "hog@10.0.0.6 %u", &count) != 1)
        fail_msg("%s", text);
    assert_true(count > 250 && count <= 300);
    mysql_reader_clear(&r);
}

static void names_are_cut_and_cannot_speak(void **state)
{
    (void)state;
    struct server_facts facts = {0};
    struct mysql_reader r;
    mysql_reader_init(&r, ENGINE_MARIADB, &facts);
    sessions(&r, "a b,c@d'\n\x80", NULL, "Sleep", "x", 9);
    expect(&r, "a?b?c?d???@ 9 (idle up to 0 s)");
    mysql_reader_clear(&r);
    mysql_reader_init(&r, ENGINE_MARIADB, &facts);
    sessions(&r, "a-name-of-more-than-thirty-one-characters", "10.0.0.5:1", "Sleep", "1", 9);
    sessions(&r, "another-name-of-more-than-thirty-one",
             "a-host-of-more-than-forty-seven-characters."
             "example:1",
             "Sleep", "2", 8);
    expect(&r, "a-name-of-more-than-thirty-one-@10.0.0.5 9 (idle up to 1 s)"); /* no half of one */
    mysql_reader_clear(&r);
}

static void the_fact_is_of_this_answer(void **state)
{
    (void)state;
    struct server_facts facts = {.holders = "of before"};
    struct mysql_reader r;
    const char *names[] = {"server_id", "Uptime", "read_only", "gtid_binlog_state"};
    const char *values[] = {"7", "120", "OFF", "0-1-10"};
    mysql_reader_init(&r, ENGINE_MARIADB, &facts);
    mysql_reader_row(&r, PART_VALUES, 4, names, values);
    assert_int_equal(mysql_reader_finish(&r, FACTS_STATUS, NULL), STAY_OK);
    assert_string_equal(facts.holders, "");
    mysql_reader_clear(&r);
    server_facts_clear(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_who_hold_most_come_first),
        cmocka_unit_test(one_who_holds_many_is_found_among_many),
        cmocka_unit_test(names_are_cut_and_cannot_speak),
        cmocka_unit_test(the_fact_is_of_this_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
