/* tests/unit/backup/catalog/test_log_chain.c - a hole in the log is never taken for its end, and
 * never for nothing. */
#include "backup/catalog/log_chain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MAX 16

static struct segment_about abouts[MAX];
static struct chain_segment segments[MAX];
static size_t count;

/* Position "P" before, "Q" after; its hash is `hash`, it names `prev` (0: the first). */
static void add(uint64_t seq, uint32_t epoch, uint8_t hash, uint8_t prev, const char *before,
                const char *after)
{
    struct segment_about *a = &abouts[count];
    *a = (struct segment_about){.seq = seq, .epoch = epoch, .has_prev = prev != 0};
    a->before = stay_strdup(before);
    a->after = stay_strdup(after);
    memset(a->prev, prev, SHA256_BYTES);
    segments[count] = (struct chain_segment){.about = a};
    memset(segments[count].hash, hash, SHA256_BYTES);
    count++;
}

static int clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < count; i++)
        segment_about_clear(&abouts[i]);
    count = 0;
    return 0;
}

static size_t runs(const struct chain_gap *gaps, size_t gap_count, struct chain_run ret[MAX])
{
    struct chain_run *list = NULL;
    size_t n = log_chain_runs(segments, count, gaps, gap_count, &list);
    assert_true(n <= MAX);
    if (n > 0)
        memcpy(ret, list, n * sizeof *list);
    free(list);
    return n;
}

static void what_follows_is_one_run(void **state)
{
    struct chain_run r[MAX];
    (void)state;
    assert_int_equal(runs(NULL, 0, r), 0);
    add(3, 1, 3, 2, "c", "d"); /* names are no order, and the oldest expire */
    add(5, 2, 5, 4, "e", "f");
    add(4, 1, 4, 3, "d", "e");
    assert_int_equal(runs(NULL, 0, r), 1);
    assert_int_equal(r[0].first, 0);
    assert_int_equal(r[0].last, 2);
    assert_int_equal(segments[2].about->seq, 5);
}

static void each_kind_of_hole_is_named(void **state)
{
    struct chain_run r[MAX];
    const struct chain_gap gap = {"e", "g", false};
    (void)state;
    add(1, 1, 1, 0, "a", "b");
    add(2, 1, 2, 1, "b", "c");
    add(4, 1, 4, 3, "d", "e"); /* 3 is lost */
    add(5, 1, 5, 4, "g", "h"); /* e to g: a gap */
    add(6, 1, 6, 5, "i", "j"); /* h to i: nobody said so */
    add(7, 1, 7, 9, "j", "k"); /* it names another 6 */
    assert_int_equal(runs(&gap, 1, r), 5);
    assert_int_equal(r[0].last, 1);
    assert_int_equal(r[1].seam, SEAM_LOST);
    assert_int_equal(r[2].seam, SEAM_GAP);
    assert_int_equal(r[3].seam, SEAM_HOLE);
    assert_int_equal(r[4].seam, SEAM_CHANGED);
}

static void a_gap_of_elsewhere_or_a_healed_one_explains_nothing(void **state)
{
    struct chain_run r[MAX];
    const struct chain_gap gaps[] = {{"b", "d", false}, {"b", "c", true}};
    (void)state;
    add(1, 1, 1, 0, "a", "b");
    add(2, 1, 2, 1, "c", "d");
    assert_int_equal(runs(gaps, 2, r), 2);
    assert_int_equal(r[1].seam, SEAM_HOLE);
}

static void of_two_with_one_number_the_successor_decides(void **state)
{
    struct chain_run r[MAX];
    (void)state;
    add(1, 1, 1, 0, "a", "b");
    add(2, 1, 20, 1, "b", "c");
    add(2, 2, 21, 1, "b", "x"); /* the higher epoch, but the log went on from the other */
    add(3, 3, 3, 20, "c", "d");
    add(3, 1, 30, 21, "x", "y"); /* a lower epoch, without a successor */
    assert_int_equal(runs(NULL, 0, r), 1);
    assert_int_equal(r[0].first, 0);
    assert_int_equal(segments[1].about->epoch, 1);
    assert_false(segments[1].is_stray);
    assert_true(segments[2].is_stray);
    assert_true(segments[3].is_stray); /* 3 of epoch 1 */
    assert_int_equal(r[0].last, 4);
}

static void the_newest_of_the_highest_epoch_is_the_log(void **state)
{
    struct chain_run r[MAX];
    (void)state;
    add(1, 1, 1, 0, "a", "b");
    add(2, 7, 21, 1, "b", "c");
    add(2, 6, 20, 1, "b", "x");
    assert_int_equal(runs(NULL, 0, r), 1);
    assert_int_equal(segments[r[0].last].about->epoch, 7);
}

static void what_a_segment_says_comes_back(void **state)
{
    STAY_AUTO(segment_about_clear) struct segment_about back = {0};
    struct segment_about a = {.lineage = "00112233445566aa",
                              .epoch = 3,
                              .seq = 77,
                              .has_prev = true,
                              .prev = {1, 2, 3},
                              .before = "0-1-5",
                              .after = "0-1-9",
                              .first_commit_us = 1,
                              .last_commit_us = 2,
                              .transactions = 4,
                              .source_id = 4000000000U,
                              .skew_us = -5,
                              .is_cut = true};
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"lineage\":\"0011223344556677889\"}",
        "{\"after\":\"\",\"before\":\"\",\"epoch\":1,\"first_commit_us\":0,\"last_commit_us\":0,"
        "\"lineage\":\"a\",\"prev\":\"zz\",\"seq\":1,\"skew_us\":0,\"source_id\":1,\"tail\":"
        "\"clean\",\"transactions\":0}",
    };
    (void)state;
    STAY_AUTO(stay_free_charp) char *text = segment_about_format(&a);
    assert_int_equal(segment_about_parse(text, &back, NULL), STAY_OK);
    STAY_AUTO(stay_free_charp) char *again = segment_about_format(&back);
    assert_string_equal(text, again);
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        struct segment_about none = {0};
        assert_int_not_equal(segment_about_parse(bad[i], &none, NULL), STAY_OK);
    }
}

int main(void)
{
#define IN(test) cmocka_unit_test_teardown(test, clear)
    const struct CMUnitTest tests[] = {
        IN(what_follows_is_one_run),
        IN(each_kind_of_hole_is_named),
        IN(a_gap_of_elsewhere_or_a_healed_one_explains_nothing),
        IN(of_two_with_one_number_the_successor_decides),
        IN(the_newest_of_the_highest_epoch_is_the_log),
        IN(what_a_segment_says_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
