/* base/gtid_text.c - GTID sets as the servers print them: parsing and formatting, both flavors.
 *
 * MySQL, "GTID Sets" in the manual: uuid:interval[:interval].. with, since 8.3, tags before
 * intervals: uuid:1-5:tag:1-3. MariaDB: d-s-n, comma separated. Whitespace is dropped first, as
 * both servers break long sets into lines. */
#include "base/gtid_private.h"
#include "base/str.h"
#include <ctype.h>

#define UUID_TEXT 36
#define SHOWN     40 /* bytes of the input quoted in an error */

/* One list element being read. */
struct reader {
    const char *at;    /* next byte */
    const char *start; /* of this element, for errors */
    struct gtid_set set;
    struct stay_error *err;
};

static enum stay_rc malformed(const struct reader *r, const char *why)
{
    size_t length = strcspn(r->start, ",");
    int shown = length > SHOWN ? SHOWN : (int)length;
    return stay_error(r->err, STAY_EINVALID, "GTID set: '%.*s': %s", shown, r->start, why);
}

static bool read_u64(struct reader *r, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;
    const char *p = r->at;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v) || v > max)
            return false;
    }
    if (p == r->at)
        return false;
    r->at = p;
    *ret = v;
    return true;
}

static bool read_char(struct reader *r, char c)
{
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

static void append(struct gtid_set *set, const struct gtid_range *range)
{
    if (set->n == set->cap) {
        set->cap = set->cap == 0 ? 4 : set->cap * 2;
        set->v = stay_realloc(set->v, set->cap, sizeof *set->v);
    }
    set->v[set->n++] = *range;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool read_uuid(struct reader *r, uint8_t source[16])
{
    size_t byte = 0;
    for (size_t i = 0; i < UUID_TEXT;) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (!read_char(r, '-'))
                return false;
            i++;
            continue;
        }
        int high = hex_value(r->at[0]);
        int low = high < 0 ? -1 : hex_value(r->at[1]);
        if (low < 0)
            return false;
        source[byte++] = (uint8_t)(high * 16 + low);
        r->at += 2;
        i += 2;
    }
    return true;
}

static bool read_tag(struct reader *r, char tag[33])
{
    size_t n = 0;
    for (; isalnum((unsigned char)*r->at) || *r->at == '_'; r->at++) {
        if (n == 32)
            return false;
        tag[n++] = (char)tolower((unsigned char)*r->at);
    }
    tag[n] = '\0';
    return true; /* the caller saw a letter or '_' first */
}

static bool is_element_end(const struct reader *r)
{
    return *r->at == ',' || *r->at == '\0';
}

static enum stay_rc read_mysql(struct reader *r)
{
    struct gtid_range range = {0};
    bool may_end = false; /* at least one interval since the uuid or the last tag */
    if (!read_uuid(r, range.source))
        return malformed(r, "expected a server uuid, such as "
                            "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
    while (!is_element_end(r)) {
        if (!read_char(r, ':'))
            return malformed(r, "expected ':' before an interval or a tag");
        if (isalpha((unsigned char)*r->at) || *r->at == '_') {
            if (range.tag[0] != '\0' && !may_end)
                return malformed(r, "a tag without an interval");
            if (!read_tag(r, range.tag))
                return malformed(r, "a tag longer than 32 characters");
            may_end = false;
            continue;
        }
        if (!read_u64(r, INT64_MAX, &range.first) || range.first == 0)
            return malformed(r, "expected a number from 1 to 2^63-1");
        range.last = range.first;
        if (read_char(r, '-') && !read_u64(r, INT64_MAX, &range.last))
            return malformed(r, "expected a number after '-'");
        if (range.last < range.first)
            return malformed(r, "an interval that ends before it starts");
        append(&r->set, &range);
        may_end = true;
    }
    return may_end ? STAY_OK : malformed(r, "no interval after the uuid or tag");
}

static void put_u32(uint8_t *dst, uint64_t v)
{
    for (int i = 0; i < 4; i++)
        dst[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *src)
{
    return (uint32_t)src[0] << 24 | (uint32_t)src[1] << 16 | (uint32_t)src[2] << 8 | src[3];
}

static enum stay_rc read_mariadb(struct reader *r)
{
    uint64_t domain, server, last, first = 1;
    if (!read_u64(r, UINT32_MAX, &domain) || !read_char(r, '-') ||
        !read_u64(r, UINT32_MAX, &server) || !read_char(r, '-') || !read_u64(r, UINT64_MAX, &last))
        return malformed(r, "expected domain-server-sequence, such as 0-1-100");
    if (read_char(r, '.')) { /* our own notation of a difference: d-s-first..last */
        first = last;
        if (!read_char(r, '.') || first == 0 || !read_u64(r, UINT64_MAX, &last) || last < first)
            return malformed(r, "expected first..last after the server id");
    }
    if (!is_element_end(r))
        return malformed(r, "expected ',' after domain-server-sequence");
    if (last == 0)
        return STAY_OK; /* a position before the first transaction holds none */
    struct gtid_range range = {.first = first, .last = last};
    put_u32(range.source, domain);
    put_u32(range.source + 4, server);
    append(&r->set, &range);
    return STAY_OK;
}

/* `text` without whitespace; the caller frees it. */
static char *squeeze(const char *text, size_t length)
{
    char *copy = stay_malloc(length + 1);
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        if (!isspace((unsigned char)text[i]))
            copy[n++] = text[i];
    }
    copy[n] = '\0';
    return copy;
}

enum stay_rc gtid_set_parse(enum gtid_flavor flavor, const char *text, struct gtid_set *ret_set,
                            struct stay_error *err)
{
    if (flavor != GTID_MARIADB && flavor != GTID_MYSQL)
        return stay_error(err, STAY_EINVALID, "GTID set: neither of MariaDB nor of MySQL");
    size_t length = strnlen(text, GTID_TEXT_MAX + 1);
    if (length > GTID_TEXT_MAX)
        return stay_error(err, STAY_ELIMIT, "GTID set: longer than %d bytes", GTID_TEXT_MAX);
    STAY_AUTO(stay_free_charp) char *tight = squeeze(text, length);
    struct reader r = {.at = tight, .set = {.flavor = flavor}, .err = err};
    enum stay_rc rc = STAY_OK;
    while (rc == STAY_OK && *tight != '\0') {
        r.start = r.at;
        rc = flavor == GTID_MYSQL ? read_mysql(&r) : read_mariadb(&r);
        if (rc == STAY_OK && !read_char(&r, ','))
            break; /* the end of the text */
    }
    if (rc != STAY_OK) {
        gtid_set_clear(&r.set);
        return rc;
    }
    gtid_set_normalize(&r.set);
    gtid_set_clear(ret_set);
    *ret_set = r.set;
    return STAY_OK;
}

static void add_uuid(struct str *s, const uint8_t source[16])
{
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            str_add_char(s, '-');
        str_addf(s, "%02x", source[i]);
    }
}

static void add_mysql(struct str *s, const struct gtid_set *set, size_t i)
{
    const struct gtid_range *range = &set->v[i], *before = i > 0 ? range - 1 : NULL;
    bool is_new = before == NULL || memcmp(before->source, range->source, 16) != 0;
    if (is_new) {
        if (before != NULL)
            str_add_char(s, ',');
        add_uuid(s, range->source);
    }
    if (range->tag[0] != '\0' && (is_new || strcmp(before->tag, range->tag) != 0))
        str_addf(s, ":%s", range->tag);
    str_addf(s, ":%llu", (unsigned long long)range->first);
    if (range->last != range->first)
        str_addf(s, "-%llu", (unsigned long long)range->last);
}

static void add_mariadb(struct str *s, const struct gtid_set *set, size_t i)
{
    const struct gtid_range *range = &set->v[i];
    str_addf(s, "%s%u-%u-", i > 0 ? "," : "", get_u32(range->source), get_u32(range->source + 4));
    if (range->first != 1)
        str_addf(s, "%llu..", (unsigned long long)range->first);
    str_addf(s, "%llu", (unsigned long long)range->last);
}

char *gtid_set_format(const struct gtid_set *set)
{
    struct str s;
    str_init(&s, SIZE_MAX / 4); /* bounded by the set, which is bounded by GTID_TEXT_MAX */
    for (size_t i = 0; i < set->n; i++) {
        if (set->flavor == GTID_MARIADB)
            add_mariadb(&s, set, i);
        else
            add_mysql(&s, set, i);
    }
    return str_take(&s);
}

char *gtid_set_format_mariadb_pos(const struct gtid_set *set)
{
    struct str s;
    str_init(&s, SIZE_MAX / 4);
    for (size_t i = 0; i < set->n;) {
        size_t best = i, next = i;
        for (; next < set->n && memcmp(set->v[next].source, set->v[i].source, 4) == 0; next++) {
            if (set->v[next].last > set->v[best].last)
                best = next;
        }
        str_addf(&s, "%s%u-%u-%llu", i > 0 ? "," : "", get_u32(set->v[best].source),
                 get_u32(set->v[best].source + 4), (unsigned long long)set->v[best].last);
        i = next;
    }
    return str_take(&s);
}

uint64_t gtid_set_digest(const struct gtid_set *set)
{
    char *text = gtid_set_format(set);
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a: to know it again, not a proof */
    for (const char *c = text; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
    free(text);
    return hash == 0 ? 1 : hash;
}
