/* tests/unit/base/test_gtid.c - GTID algebra against a brute-force model: every set is also a table
 * of booleans over a small universe, and each operation must agree with the obvious loop over it.
 */
#include "base/gtid.h"
#include "base/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define KEYS    5 /* (source, tag) pairs */
#define NUMBERS 14
#define ROUNDS  20000

struct model {
    bool has[KEYS][NUMBERS + 1];
};

static struct gtid_range range_of(unsigned key, uint64_t first, uint64_t last)
{
    static const char *const tags[KEYS] = {"", "", "alpha", "", "beta"};
    static const uint8_t sources[KEYS] = {1, 2, 2, 200, 200};
    struct gtid_range r = {.first = first, .last = last};
    r.source[0] = sources[key];
    r.source[15] = (uint8_t)(255 - sources[key]);
    (void)stay_copy(r.tag, sizeof r.tag, tags[key]);
    return r;
}

static void random_pair(struct random *rnd, struct gtid_set *set, struct model *m)
{
    uint64_t count = random_below(rnd, 12);
    *set = (struct gtid_set){0};
    *m = (struct model){0};
    for (uint64_t i = 0; i < count; i++) {
        unsigned key = (unsigned)random_below(rnd, KEYS);
        uint64_t first = 1 + random_below(rnd, NUMBERS);
        uint64_t last = first + random_below(rnd, 4);
        if (last > NUMBERS)
            last = NUMBERS;
        struct gtid_range r = range_of(key, first, last);
        gtid_set_add_range(set, GTID_MYSQL, &r);
        for (uint64_t n = first; n <= last; n++)
            m->has[key][n] = true;
    }
}

/* Canonical: sorted, neither overlapping nor touching, exactly the model's members. */
static void assert_same(const struct gtid_set *set, const struct model *m)
{
    struct model seen = {0};
    uint64_t count = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct gtid_range *r = &set->v[i];
        unsigned key = 0;
        struct gtid_range of_key = range_of(key, 1, 1);
        while (memcmp(of_key.source, r->source, 16) != 0 || strcmp(of_key.tag, r->tag) != 0)
            of_key = range_of(++key, 1, 1);
        assert_true(r->first >= 1 && r->first <= r->last && r->last <= NUMBERS);
        for (uint64_t n = r->first; n <= r->last; n++)
            seen.has[key][n] = true;
        assert_true(r->first == 1 || !seen.has[key][r->first - 1]);
        if (i > 0) {
            int order = memcmp(set->v[i - 1].source, r->source, 16);
            if (order == 0)
                order = strcmp(set->v[i - 1].tag, r->tag);
            assert_true(order < 0 || (order == 0 && set->v[i - 1].last + 1 < r->first));
        }
    }
    assert_memory_equal(&seen, m, sizeof seen);
    for (unsigned k = 0; k < KEYS; k++) {
        for (unsigned n = 1; n <= NUMBERS; n++)
            count += m->has[k][n];
    }
    assert_int_equal(gtid_set_count(set), count);
    assert_int_equal(gtid_set_is_empty(set), count == 0);
}

static bool model_contains(const struct model *outer, const struct model *inner)
{
    for (unsigned k = 0; k < KEYS; k++) {
        for (unsigned n = 1; n <= NUMBERS; n++) {
            if (inner->has[k][n] && !outer->has[k][n])
                return false;
        }
    }
    return true;
}

static void model_combine(struct model *dst, const struct model *other, bool is_union)
{
    for (unsigned k = 0; k < KEYS; k++) {
        for (unsigned n = 1; n <= NUMBERS; n++)
            dst->has[k][n] =
                is_union ? dst->has[k][n] || other->has[k][n] : dst->has[k][n] && !other->has[k][n];
    }
}

static void check_round(struct random *rnd)
{
    struct gtid_set a, b;
    struct model ma, mb;
    random_pair(rnd, &a, &ma);
    random_pair(rnd, &b, &mb);
    assert_same(&a, &ma);
    assert_same(&b, &mb);
    assert_int_equal(gtid_set_contains(&a, &b), model_contains(&ma, &mb));
    assert_int_equal(gtid_set_contains(&b, &a), model_contains(&mb, &ma));
    assert_int_equal(gtid_set_equal(&a, &b), memcmp(&ma, &mb, sizeof ma) == 0);

    struct gtid_set both = {0}, left = {0};
    struct model mboth = ma, mleft = ma;
    gtid_set_copy(&both, &a);
    gtid_set_union(&both, &b);
    model_combine(&mboth, &mb, true);
    assert_same(&both, &mboth);
    assert_true(gtid_set_contains(&both, &a) && gtid_set_contains(&both, &b));
    gtid_set_copy(&left, &a);
    gtid_set_subtract(&left, &b);
    model_combine(&mleft, &mb, false);
    assert_same(&left, &mleft);
    gtid_set_union(&left, &b); /* (a - b) | b == a | b */
    assert_true(gtid_set_equal(&left, &both));
    gtid_set_clear(&a);
    gtid_set_clear(&b);
    gtid_set_clear(&both);
    gtid_set_clear(&left);
}

static void algebra_agrees_with_brute_force(void **state)
{
    struct random rnd;
    (void)state;
    random_init(&rnd, 4);
    for (unsigned i = 0; i < ROUNDS; i++)
        check_round(&rnd);
}

static struct gtid_set parsed(enum gtid_flavor flavor, const char *text)
{
    struct gtid_set set = {0};
    struct stay_error err = {0};
    if (gtid_set_parse(flavor, text, &set, &err) != STAY_OK)
        fail_msg("%s", err.text);
    return set;
}

/* A shorter number of another server does not hide a diverged tail. */
static void diverged_tail_is_visible_per_server(void **state)
{
    (void)state;
    STAY_AUTO(gtid_set_drop) struct gtid_set old = parsed(GTID_MARIADB, "0-1-100");
    STAY_AUTO(gtid_set_drop) struct gtid_set new = parsed(GTID_MARIADB, "0-1-98,0-2-120");
    assert_false(gtid_set_contains(&new, &old));
    gtid_set_subtract(&old, &new);
    STAY_AUTO(stay_free_charp) char *extra = gtid_set_format(&old);
    assert_string_equal(extra, "0-1-99..100");
    assert_int_equal(gtid_set_count(&old), 2);
}

static void flavors_do_not_compare(void **state)
{
    (void)state;
    STAY_AUTO(gtid_set_drop) struct gtid_set maria = parsed(GTID_MARIADB, "1-1-5");
    STAY_AUTO(gtid_set_drop)
    struct gtid_set my = parsed(GTID_MYSQL, "00000001-0000-0001-0000-000000000000:1-5");
    STAY_AUTO(gtid_set_drop) struct gtid_set empty = {0};
    assert_false(gtid_set_contains(&maria, &my));
    assert_false(gtid_set_equal(&maria, &my));
    gtid_set_union(&maria, &my);
    gtid_set_subtract(&maria, &my);
    assert_int_equal(gtid_set_count(&maria), 5);
    assert_true(gtid_set_contains(&maria, &empty));
    assert_true(gtid_set_contains(&empty, &empty));
    assert_false(gtid_set_contains(&empty, &my));
    STAY_AUTO(gtid_set_drop) struct gtid_set none = parsed(GTID_MARIADB, "");
    assert_true(gtid_set_equal(&none, &empty));
    gtid_set_union(&none, &my); /* an empty set takes the other's flavor */
    assert_int_equal(none.flavor, GTID_MYSQL);
    assert_true(gtid_set_equal(&none, &my));
    assert_false(gtid_set_equal(&none, &empty));
}

static void numbers_at_the_edge_do_not_wrap(void **state)
{
    (void)state;
    struct gtid_set set = {0};
    struct gtid_range top = range_of(0, UINT64_MAX, UINT64_MAX), all = range_of(0, 1, UINT64_MAX);
    gtid_set_add_range(&set, GTID_MARIADB, &top);
    assert_int_equal(gtid_set_count(&set), 1);
    gtid_set_add_range(&set, GTID_MARIADB, &set.v[0]); /* from inside itself */
    assert_int_equal(set.n, 1);
    gtid_set_add_range(&set, GTID_MARIADB, &all);
    assert_int_equal(set.n, 1);
    assert_true(gtid_set_count(&set) == UINT64_MAX);
    struct gtid_range other = range_of(1, 1, UINT64_MAX);
    gtid_set_add_range(&set, GTID_MARIADB, &other);
    assert_true(gtid_set_count(&set) == UINT64_MAX); /* saturates */
    struct gtid_set hole = {.v = &top, .n = 1, .cap = 1, .flavor = GTID_MARIADB};
    gtid_set_subtract(&set, &hole);
    assert_true(set.v[0].last == UINT64_MAX - 1);
    gtid_set_subtract(&set, &set); /* a set less itself */
    assert_true(gtid_set_is_empty(&set));
    gtid_set_clear(&set);
}

static void copy_and_self_operations_keep_the_set(void **state)
{
    (void)state;
    STAY_AUTO(gtid_set_drop) struct gtid_set a = parsed(GTID_MARIADB, "0-1-7,1-1-3");
    STAY_AUTO(gtid_set_drop) struct gtid_set b = {0};
    gtid_set_copy(&a, &a);
    gtid_set_union(&a, &a);
    gtid_set_copy(&b, &a);
    assert_true(gtid_set_equal(&a, &b));
    assert_true(gtid_set_contains(&a, &a));
    STAY_AUTO(gtid_set_drop) struct gtid_set none = {0};
    gtid_set_subtract(&a, &none);
    gtid_set_subtract(&none, &a);
    assert_int_equal(gtid_set_count(&a), 10);
    gtid_set_copy(&b, &none);
    assert_true(gtid_set_is_empty(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(algebra_agrees_with_brute_force),
        cmocka_unit_test(diverged_tail_is_visible_per_server),
        cmocka_unit_test(flavors_do_not_compare),
        cmocka_unit_test(numbers_at_the_edge_do_not_wrap),
        cmocka_unit_test(copy_and_self_operations_keep_the_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
