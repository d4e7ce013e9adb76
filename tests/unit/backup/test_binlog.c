/* tests/unit/backup/test_binlog.c - binary logs of both engines are read exactly, and what is no
 * binary log is refused: checksums, cut events, impossible lengths, compressed ones. */
#include "tests/unit/backup/binlog_samples.h"
#include "backup/binlog_expand.h"
#include "backup/row_events.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Every type, by the golden text, which was compared with what the server selects; compressed
 * transactions (MySQL 40, MariaDB 167) and a tagged GTID among them. */
static void assert_told(const char *name)
{
    size_t length = 0;
    STAY_AUTO(stay_free_charp) char *bytes = sample(name, &length);
    STAY_AUTO(stay_free_charp) char *want = NULL;
    STAY_AUTO(stay_free_charp)
    char *path = stay_sprintf("%s/binlog/%s.txt", MAINSTAY_GOLDEN_DIR, name);
    STAY_AUTO(str_clear) struct str have = {0};
    tell_events(&have, bytes, length);
    if (getenv("GOLDEN_ACCEPT") != NULL)
        assert_int_equal(
            file_write_atomic(path, str_text(&have), have.length, 0644, NULL), STAY_OK);
    assert_int_equal(file_read(path, 1 << 20, &want, NULL, NULL), STAY_OK);
    assert_string_equal(str_text(&have), want);
}

static void every_type_of_mariadb_is_read(void **state)
{
    (void)state;
    assert_told("mariadb-whole");
}

static void every_type_of_mysql_is_read(void **state)
{
    (void)state;
    assert_told("mysql-whole");
}

static void a_format_says_whether_events_are_summed(void **state)
{
    static const char *const names[] = {"mariadb-15-0", "mysql-15-0"};
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        size_t length = 0;
        struct binlog_event event;
        struct binlog_format format = {0};
        STAY_AUTO(stay_free_charp) char *bytes = sample(names[i], &length);
        assert_int_equal(
            binlog_event_parse((uint8_t *)bytes, length, &format, &event, NULL), STAY_OK);
        assert_int_equal(binlog_format_parse(&event, &format, NULL), STAY_OK);
        assert_true(format.has_checksum);
        assert_true(strncmp(format.version, i == 0 ? "10.11" : "9.7", i == 0 ? 5 : 3) == 0);
        bytes[30] ^= 1; /* inside the version's name */
        assert_int_equal(
            binlog_event_parse((uint8_t *)bytes, length, &format, &event, NULL), STAY_ECORRUPT);
    }
}

/* Each event of the sample cut at each byte: an error or fewer rows, never more. */
static void a_cut_event_is_refused(void **state)
{
    static const char *const names[] = {"mariadb-whole", "mysql-whole"};
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        size_t length = 0;
        STAY_AUTO(stay_free_charp) char *bytes = sample(names[i], &length);
        for (size_t cut = 1; cut < length; cut++) {
            STAY_AUTO(str_clear) struct str out = {0};
            uint8_t *exact = stay_malloc(cut);
            memcpy(exact, bytes, cut);
            tell_events(&out, exact, cut);
            free(exact);
        }
    }
}

static void lengths_are_not_believed(void **state)
{
    struct binlog_event event;
    const struct binlog_format plain = {0};
    uint8_t header[BINLOG_HEADER] = {0};
    (void)state;
    static const uint32_t lengths[] = {0, 18, 20, 0xffffffff, BINLOG_EVENT_MAX + 1};
    for (size_t i = 0; i < STAY_COUNT(lengths); i++) {
        memcpy(header + 9, &lengths[i], 4);
        assert_int_equal(binlog_event_parse(header, sizeof header, &plain, &event, NULL),
                         STAY_ECORRUPT);
    }
}

static void an_expanded_transaction_is_bounded(void **state)
{
    size_t length = 0, expanded = 0;
    struct binlog_event event;
    uint8_t *bytes = NULL;
    (void)state;
    STAY_AUTO(stay_free_charp) char *raw = sample("mysql-40-18", &length);
    assert_int_equal(binlog_inner_parse((uint8_t *)raw, length, &event, NULL), STAY_OK);
    assert_int_equal(binlog_payload_expand(&event, 64, &bytes, &expanded, NULL), STAY_ELIMIT);
    assert_int_equal(binlog_payload_expand(&event, 1 << 20, &bytes, &expanded, NULL), STAY_OK);
    assert_true(expanded > length);
    free(bytes);
    STAY_AUTO(stay_free_charp) char *rows = sample("mariadb-167-22", &length);
    assert_int_equal(binlog_inner_parse((uint8_t *)rows, length, &event, NULL), STAY_OK);
    assert_int_equal(binlog_event_expand(&event, 64, &bytes, &expanded, NULL), STAY_ELIMIT);
    assert_int_equal(binlog_event_expand(&event, 1 << 20, &bytes, &expanded, NULL), STAY_OK);
    assert_int_equal(bytes[4], BINLOG_UPDATE_ROWS_1);
    free(bytes);
}

/* --- undoing -------------------------------------------------------------------------------------- */

static enum stay_rc collect(void *arg, const struct binlog_table *table, const uint8_t *events,
                            size_t length, struct stay_error *err)
{
    struct binlog_event event;
    const struct binlog_format summed = {.is_known = true, .has_checksum = true};
    (void)table;
    for (size_t at = 0; at < length; at += event.length) { /* its sums are right */
        enum stay_rc rc = binlog_event_parse(events + at, length - at, &summed, &event, err);
        if (rc != STAY_OK)
            return rc;
        assert_int_equal(event.server_id, 77);
        uint8_t *plain = stay_malloc(event.length);
        uint32_t shorter = event.length - BINLOG_CHECKSUM;
        memcpy(plain, event.raw, shorter);
        memcpy(plain + 9, &shorter, 4);
        str_add_bytes(arg, plain, shorter);
        free(plain);
    }
    return STAY_OK;
}

/* Undone twice, every row is told as it was, in its order. */
static void the_inverse_of_the_inverse_is_the_same(void **state)
{
    static const char *const names[] = {"mariadb-whole", "mysql-whole"};
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        size_t length = 0;
        STAY_AUTO(stay_free_charp) char *bytes = sample(names[i], &length);
        STAY_AUTO(str_clear) struct str events = {0}, told = {0}, again = {0};
        str_add_bytes(&events, bytes, length);
        for (unsigned turn = 0; turn < 3; turn++) {
            struct row_log *log = row_log_new();
            struct binlog_walk walk = {
                .ctx = log, .on_rows = row_log_note, .on_obstacle = tell_obstacle};
            struct row_events how = {.server_id = 77, .has_checksum = true, .emit = collect};
            STAY_AUTO(str_clear) struct str undone = {0};
            how.arg = &undone;
            for (size_t at = 0; at < events.length;) {
                struct binlog_event event;
                assert_int_equal(binlog_inner_parse((uint8_t *)events.text + at,
                                                    events.length - at, &event, NULL),
                                 STAY_OK);
                at += event.length;
                bool rows = binlog_rows_kind(event.type) != ROWS_NONE ||
                            event.type == BINLOG_TABLE_MAP || event.type == BINLOG_PAYLOAD ||
                            binlog_is_compressed(event.type);
                if (rows)
                    assert_int_equal(walk_event(&walk, &event, NULL), STAY_OK);
            }
            /* the first turn only makes events of our own form */
            assert_int_equal(row_log_emit(log, turn > 0, &how, NULL), STAY_OK);
            str_reset(&events);
            str_add_bytes(&events, undone.text, undone.length);
            if (turn == 0)
                tell_events(&told, events.text, events.length);
            walk_clear(&walk);
            row_log_free(log);
        }
        tell_events(&again, events.text, events.length);
        assert_true(told.length > 1000);
        assert_string_equal(str_text(&told), str_text(&again));
    }
}

/* --- values --------------------------------------------------------------------------------------- */

static void assert_value(uint8_t type, uint16_t meta, const void *bytes, size_t length,
                         const char *want)
{
    STAY_AUTO(str_clear) struct str out = {0};
    struct binlog_column column = {.type = type, .meta = meta};
    (void)binlog_value_text(&column, NULL, bytes, length, &out);
    assert_string_equal(str_text(&out), want);
}

static void values_at_their_ends(void **state)
{
    (void)state;
    assert_value(COLUMN_TINY, 0, "\x80", 1, "-128");
    assert_value(COLUMN_INT24, 0, "\xff\xff\x7f", 3, "8388607");
    assert_value(COLUMN_DATE, 0, "\x5d\xc8\x0f", 3, "2020-02-29");
    assert_value(COLUMN_YEAR, 0, "\0", 1, "0000");
    assert_value(COLUMN_TIME2, 0, "\x80\0\0", 3, "00:00:00");
    assert_value(COLUMN_TIME2, 2, "\x7f\xff\xff\xff", 4, "-00:00:00.01");
    assert_value(COLUMN_TIMESTAMP2, 0, "\0\0\0\0", 4, "0000-00-00 00:00:00");
    assert_value(COLUMN_NEWDECIMAL, 2 << 8 | 1, "\x7e\xfe", 2, "-1.1");
    assert_value(COLUMN_BLOB, 1, "\xff\0", 2, "FF00");
    assert_value(COLUMN_JSON, 4, "\x00\x01\x00\xff\xff", 5, "000100FFFF"); /* no JSON: bytes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_mariadb_is_read),
        cmocka_unit_test(every_type_of_mysql_is_read),
        cmocka_unit_test(a_format_says_whether_events_are_summed),
        cmocka_unit_test(a_cut_event_is_refused),
        cmocka_unit_test(lengths_are_not_believed),
        cmocka_unit_test(an_expanded_transaction_is_bounded),
        cmocka_unit_test(the_inverse_of_the_inverse_is_the_same),
        cmocka_unit_test(values_at_their_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
