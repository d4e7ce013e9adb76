/* tests/unit/backup/repository/test_object_name.c - names say what they say, and only ours do. */
#include "tests/unit/backup/repository/repository_samples.h"

static void every_place_comes_back(void **state)
{
    static const struct {
        enum object_place place;
        const char *name;
    } rows[] = {
        {PLACE_REPO, "repo.json"},
        {PLACE_KEY, "keys/0123456789abcdef0123456789abcdef/00000002.00ff00ff00ff00ff.json"},
        {PLACE_SHREDDED, "keys/0123456789abcdef0123456789abcdef/shredded.json"},
        {PLACE_CLUSTER, "c/shop/cluster.json"},
        {PLACE_LINEAGE, "c/shop/l/00112233445566aa/lineage.json"},
        {PLACE_CLOSED, "c/shop/l/00112233445566aa/closed.json"},
        {PLACE_DATA, SAMPLE_DATA},
        {PLACE_MANIFEST, "c/shop/l/00112233445566aa/s/20261120t023000z-0000abcd/manifest.json"},
        {PLACE_SEGMENT, "c/shop/l/00112233445566aa/w/2026112010/0000000a-00000000000001ff.msl"},
        {PLACE_INDEX, "c/shop/l/00112233445566aa/i/20261120.json"},
        {PLACE_GAP, "c/shop/g/01hf0000000000000000000000.json"},
        {PLACE_EVENT, "c/shop/e/01hf0000000000000000000000.json"},
        {PLACE_HOLD, "c/shop/hold/01hf0000000000000000000000.json"},
        {PLACE_LEASE, "c/shop/lease/archive.json"},
        {PLACE_TRASH, "trash/01hf0000000000000000000000.json"},
    };
    char back[OBJECT_NAME_MAX];
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        struct object_name name = object_name_parse(rows[i].name);
        if (name.place != rows[i].place)
            fail_msg("%s is taken for %s", rows[i].name, object_place_text(name.place));
        object_name_format(&name, back);
        assert_string_equal(back, rows[i].name);
    }
    struct object_name segment = object_name_parse(rows[8].name);
    assert_int_equal(segment.epoch, 10);
    assert_int_equal(segment.seq, 511);
    assert_string_equal(segment.hour, "2026112010");
}

static void nearly_ours_is_not_ours(void **state)
{
    static const char *const names[] = {
        "repo.json.bak",
        "x/repo.json",
        "keys/0123/00000002.00ff00ff00ff00ff.json",
        "keys/0123456789abcdef0123456789abcdef/2.00ff00ff00ff00ff.json",
        "c/shop/l/00112233445566aa/w/2026112010/0000000a-00000000000001ff.msl.tmp",
        "c/shop/l/00112233445566aa/w/2026112010/0000000a-1ff.msl",
        "c/shop/l/00112233445566aa/w/x/2026112010/0000000a-00000000000001ff.msl",
        "c/shop/l/00112233445566/lineage.json",
        "c/shop/g/short.json",
        "c/shop_db/cluster.json",
        "c/shop/s/20261120t023000z-0000abcd/manifest.json",
        "a/b/c/d/e/f/g/h/i/j/k/l/m/n",
    };
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(names); i++)
        if (object_name_parse(names[i]).place != PLACE_UNKNOWN)
            fail_msg("%s is taken for ours", names[i]);
}

static void long_names_end(void **state)
{
    char part[80], whole[400];
    (void)state;
    memset(part, 'a', sizeof part);
    part[64] = '\0';
    assert_true(object_name_is_permitted(part));
    part[64] = 'a';
    part[65] = '\0';
    assert_false(object_name_is_permitted(part));
    memset(whole, 'a', sizeof whole);
    for (size_t i = 10; i < sizeof whole; i += 10)
        whole[i] = '/';
    whole[OBJECT_NAME_MAX - 1] = '\0';
    assert_true(object_name_is_permitted(whole));
    whole[OBJECT_NAME_MAX - 1] = 'a';
    whole[OBJECT_NAME_MAX] = '\0';
    assert_false(object_name_is_permitted(whole));
}

static void odd_bytes_are_shown_as_text(void **state)
{
    char shown[40];
    (void)state;
    object_name_escape(shown, sizeof shown, "a\n\x1b[31m'\\\xff");
    assert_string_equal(shown, "a\\x0a\\x1b[31m\\x27\\x5c\\xff");
    object_name_escape(shown, 12, "0123456789abcdef");
    assert_string_equal(shown, "01234...");
}

static void ids_sort_by_time(void **state)
{
    static const uint8_t low[10] = {0},
                         high[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    char first[ULID_TEXT], second[ULID_TEXT], text[SNAPSHOT_ID_TEXT], hour[11];
    (void)state;
    ulid_format(INT64_C(1469922850259000), low, first); /* the first 10 as in the ULID's text */
    assert_memory_equal(first, "01arz3ndek", 10);
    ulid_format(INT64_C(1469922850258999), high, second);
    assert_true(strcmp(second, first) < 0);
    assert_string_equal(second + 10, "zzzzzzzzzzzzzzzz");
    snapshot_id_format(INT64_C(1763634667000000), 0x1a2b3c4d, text);
    assert_string_equal(text, "20251120t103107z-1a2b3c4d");
    segment_hour_format(INT64_C(1763634667000000), hour);
    assert_string_equal(hour, "2025112010");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_comes_back), cmocka_unit_test(nearly_ours_is_not_ours),
        cmocka_unit_test(long_names_end),         cmocka_unit_test(odd_bytes_are_shown_as_text),
        cmocka_unit_test(ids_sort_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
