/* base/gtid.c - the algebra of GTID sets: sorted, disjoint ranges and merges over two of them.
 *
 * The simulator calls this millions of times on sets of a few ranges: contains never allocates,
 * union and subtract work in a buffer on the stack while the result is small. */
#include "base/gtid.h"
#include "base/gtid_private.h"

#define SMALL 12 /* ranges of work space on the stack */

static uint64_t load_u64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* Orders by (source, tag). */
static int compare_key(const struct gtid_range *a, const struct gtid_range *b)
{
    for (size_t i = 0; i < sizeof a->source; i += sizeof(uint64_t)) {
        uint64_t x = load_u64(a->source + i), y = load_u64(b->source + i);
        if (x != y)
            return x < y ? -1 : 1;
    }
    if (a->tag[0] == '\0' && b->tag[0] == '\0')
        return 0;
    return strcmp(a->tag, b->tag);
}

static int compare_range(const void *left, const void *right)
{
    const struct gtid_range *a = left, *b = right;
    int order = compare_key(a, b);
    if (order != 0)
        return order;
    return a->first < b->first ? -1 : a->first > b->first;
}

/* Work space: `small` when it suffices, else heap; work_end frees it. */
static struct gtid_range *work_begin(struct gtid_range *small, size_t count)
{
    return count <= SMALL ? small : stay_malloc(count * sizeof *small);
}

static void work_end(struct gtid_range *small, struct gtid_range *work)
{
    if (work != small)
        free(work);
}

static void store(struct gtid_set *set, const struct gtid_range *ranges, size_t n)
{
    if (n > set->cap) {
        set->v = stay_realloc(set->v, n, sizeof *set->v);
        set->cap = n;
    }
    if (n > 0)
        memcpy(set->v, ranges, n * sizeof *ranges);
    set->n = n;
}

/* Appends `next`, which sorts at or after the last of out[n], joining it when they meet. */
static size_t append_joined(struct gtid_range *out, size_t n, const struct gtid_range *next)
{
    if (n > 0 && compare_key(&out[n - 1], next) == 0 && next->first - 1 <= out[n - 1].last) {
        if (next->last > out[n - 1].last)
            out[n - 1].last = next->last;
        return n;
    }
    out[n] = *next;
    return n + 1;
}

void gtid_set_clear(struct gtid_set *set)
{
    free(set->v);
    *set = (struct gtid_set){0};
}

void gtid_set_drop(struct gtid_set *set)
{
    gtid_set_clear(set);
}

void gtid_set_copy(struct gtid_set *dst, const struct gtid_set *src)
{
    if (dst == src)
        return;
    store(dst, src->v, src->n);
    dst->flavor = src->flavor;
}

static bool may_mix(const struct gtid_set *a, const struct gtid_set *b)
{
    return a->flavor == b->flavor || a->n == 0 || b->n == 0;
}

void gtid_set_union(struct gtid_set *dst, const struct gtid_set *other)
{
    if (other->n == 0 || !may_mix(dst, other) || gtid_set_contains(dst, other))
        return;
    struct gtid_range small[SMALL], *out = work_begin(small, dst->n + other->n);
    size_t n = 0, i = 0, j = 0;
    while (i < dst->n || j < other->n) {
        bool is_left =
            j == other->n || (i < dst->n && compare_range(&dst->v[i], &other->v[j]) <= 0);
        n = append_joined(out, n, is_left ? &dst->v[i++] : &other->v[j++]);
    }
    store(dst, out, n);
    dst->flavor = other->flavor;
    work_end(small, out);
}

void gtid_set_add_range(struct gtid_set *set, enum gtid_flavor flavor,
                        const struct gtid_range *range)
{
    must(range->first >= 1 && range->first <= range->last);
    struct gtid_range copy = *range; /* it may lie inside set->v */
    struct gtid_set one = {.v = &copy, .n = 1, .cap = 1, .flavor = flavor};
    gtid_set_union(set, &one);
}

/* Writes `from` less the ranges of `other` at and after *at into out, and moves *at past those that
 * end before `from` does. Returns how many ranges were written. */
static size_t cut_range(const struct gtid_range *from, const struct gtid_set *other, size_t *at,
                        struct gtid_range *out)
{
    struct gtid_range rest = *from;
    size_t n = 0;
    for (; *at < other->n; (*at)++) {
        const struct gtid_range *hole = &other->v[*at];
        int order = compare_key(hole, &rest);
        if (order < 0 || (order == 0 && hole->last < rest.first))
            continue; /* wholly before */
        if (order > 0 || hole->first > rest.last)
            break; /* wholly after: the next range may need it */
        if (hole->first > rest.first) {
            out[n] = rest;
            out[n++].last = hole->first - 1;
        }
        if (hole->last >= rest.last)
            return n; /* nothing left; the hole may reach into the next range */
        rest.first = hole->last + 1;
    }
    out[n++] = rest;
    return n;
}

void gtid_set_subtract(struct gtid_set *dst, const struct gtid_set *other)
{
    if (dst->n == 0 || other->n == 0 || !may_mix(dst, other))
        return;
    struct gtid_range small[SMALL], *out = work_begin(small, dst->n + other->n);
    size_t n = 0, at = 0;
    for (size_t i = 0; i < dst->n; i++)
        n += cut_range(&dst->v[i], other, &at, out + n);
    store(dst, out, n);
    work_end(small, out);
}

bool gtid_set_contains(const struct gtid_set *outer, const struct gtid_set *inner)
{
    if (inner->n == 0 || outer == inner)
        return true;
    if (outer->flavor != inner->flavor)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < inner->n; i++) {
        const struct gtid_range *want = &inner->v[i];
        int order = -1;
        while (at < outer->n) {
            order = compare_key(&outer->v[at], want);
            if (order > 0 || (order == 0 && outer->v[at].last >= want->first))
                break;
            at++;
        }
        if (at == outer->n || order != 0 || outer->v[at].first > want->first ||
            outer->v[at].last < want->last)
            return false;
    }
    return true;
}

bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b)
{
    if (a->n != b->n || !may_mix(a, b))
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (compare_key(&a->v[i], &b->v[i]) != 0 || a->v[i].first != b->v[i].first ||
            a->v[i].last != b->v[i].last)
            return false;
    }
    return true;
}

bool gtid_set_is_empty(const struct gtid_set *set)
{
    return set->n == 0;
}

uint64_t gtid_set_count(const struct gtid_set *set)
{
    uint64_t count = 0;
    for (size_t i = 0; i < set->n; i++) {
        uint64_t length = set->v[i].last - set->v[i].first + 1; /* first >= 1: no overflow */
        if (__builtin_add_overflow(count, length, &count))
            return UINT64_MAX;
    }
    return count;
}

void gtid_set_normalize(struct gtid_set *set)
{
    bool is_sorted = true;
    for (size_t i = 1; i < set->n && is_sorted; i++)
        is_sorted = compare_range(&set->v[i - 1], &set->v[i]) <= 0;
    if (!is_sorted)
        qsort(set->v, set->n, sizeof *set->v, compare_range);
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct gtid_range next = set->v[i];
        n = append_joined(set->v, n, &next);
    }
    set->n = n;
}
