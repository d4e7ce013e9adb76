/* base/units.c - durations and byte counts as people write and read them. */
#include "base/units.h"
#include <ctype.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Durations in microseconds, largest first. */
static const struct unit durations[] = {
    {"w", UINT64_C(604800000000)}, {"d", UINT64_C(86400000000)}, {"h", UINT64_C(3600000000)},
    {"m", UINT64_C(60000000)},     {"s", UINT64_C(1000000)},     {"ms", UINT64_C(1000)},
    {"us", UINT64_C(1)},
};
#define DURATION_UNITS "us, ms, s, m, h, d or w"

/* Sizes in bytes, largest first; of equal parsability the formatter takes the first that divides.
 */
static const struct unit sizes[] = {
    {"TiB", UINT64_C(1) << 40},   {"TB", UINT64_C(1000000000000)}, {"GiB", UINT64_C(1) << 30},
    {"GB", UINT64_C(1000000000)}, {"MiB", UINT64_C(1) << 20},      {"MB", UINT64_C(1000000)},
    {"KiB", UINT64_C(1) << 10},   {"kB", UINT64_C(1000)},          {"B", UINT64_C(1)},
};
#define SIZE_UNITS "B, kB, MB, GB, TB (decimal) or KiB, MiB, GiB, TiB (binary)"

/* A decimal number: whole part and up to nine digits of fraction, in billionths. */
struct number {
    uint64_t whole;
    uint64_t billionths;
};

static bool read_number(const char **at, struct number *ret)
{
    const char *p = *at;
    struct number v = {0};
    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p); p++) {
        if (__builtin_mul_overflow(v.whole, 10, &v.whole) ||
            __builtin_add_overflow(v.whole, (uint64_t)(*p - '0'), &v.whole))
            return false;
    }
    if (*p == '.') {
        uint64_t weight = UINT64_C(100000000);
        p++;
        if (!isdigit((unsigned char)*p))
            return false;
        for (; isdigit((unsigned char)*p); p++, weight /= 10)
            v.billionths += weight * (uint64_t)(*p - '0');
    }
    *at = p;
    *ret = v;
    return true;
}

static const struct unit *read_unit(const char **at, const struct unit *units, size_t count)
{
    size_t length = 0;
    while (isalpha((unsigned char)(*at)[length]))
        length++;
    for (size_t i = 0; i < count; i++) {
        if (strlen(units[i].name) == length && memcmp(units[i].name, *at, length) == 0) {
            *at += length;
            return &units[i];
        }
    }
    return NULL;
}

/* number x factor; false on overflow past `max`. */
static bool scale(struct number number, uint64_t factor, uint64_t max, uint64_t *ret)
{
    unsigned __int128 v = (unsigned __int128)number.whole * factor +
                          (unsigned __int128)number.billionths * factor / 1000000000u;
    if (v > max)
        return false;
    *ret = (uint64_t)v;
    return true;
}

static enum stay_rc bad_unit(struct stay_error *err, const char *what, const char *text,
                             const char *unit, const char *units)
{
    int length = (int)strspn(unit, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (*unit == '\0')
        return stay_error(err, STAY_EINVALID, "%s '%.64s' has no unit: use %s", what, text, units);
    if (length == 0)
        length = 1;
    return stay_error(err, STAY_EINVALID, "%s '%.64s': '%.*s' is not a unit: use %s", what, text,
                      length > 32 ? 32 : length, unit, units);
}

enum stay_rc units_parse_duration(const char *text, int64_t *ret_us, struct stay_error *err)
{
    const char *at = text;
    uint64_t total = 0;
    const struct unit *before = NULL;
    if (strcmp(text, "0") == 0) {
        *ret_us = 0;
        return STAY_OK;
    }
    do {
        struct number number;
        uint64_t part;
        if (!read_number(&at, &number))
            return stay_error(err, STAY_EINVALID,
                              "duration '%.64s': expected a number and a unit, such as 500ms, "
                              "10m, 1h30m",
                              text);
        const struct unit *unit = read_unit(&at, durations, STAY_COUNT(durations));
        if (unit == NULL)
            return bad_unit(err, "duration", text, at, DURATION_UNITS);
        if (before != NULL && unit <= before)
            return stay_error(err, STAY_EINVALID,
                              "duration '%.64s': parts go from large units to small ones", text);
        before = unit;
        if (!scale(number, unit->factor, INT64_MAX, &part) || (total += part) > INT64_MAX)
            return stay_error(err, STAY_EINVALID, "duration '%.64s' is too long", text);
    } while (*at != '\0');
    *ret_us = (int64_t)total;
    return STAY_OK;
}

enum stay_rc units_parse_size(const char *text, uint64_t *ret_bytes, struct stay_error *err)
{
    const char *at = text;
    struct number number;
    uint64_t bytes;
    if (strcmp(text, "0") == 0) {
        *ret_bytes = 0;
        return STAY_OK;
    }
    if (!read_number(&at, &number))
        return stay_error(err, STAY_EINVALID,
                          "size '%.64s': expected a number and a unit, such as 160MB or 8MiB",
                          text);
    const struct unit *unit = read_unit(&at, sizes, STAY_COUNT(sizes));
    if (unit == NULL || *at != '\0')
        return bad_unit(err, "size", text, at, SIZE_UNITS);
    if (!scale(number, unit->factor, UINT64_MAX, &bytes))
        return stay_error(err, STAY_EINVALID, "size '%.64s' is too large", text);
    *ret_bytes = bytes;
    return STAY_OK;
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? UINT64_C(0) - (uint64_t)v : (uint64_t)v;
}

void units_format_duration(char *dst, size_t size, int64_t us)
{
    uint64_t rest = magnitude(us);
    char text[128];
    size_t n = 0;
    if (rest == 0) {
        (void)stay_copy(dst, size, "0s");
        return;
    }
    if (us < 0)
        text[n++] = '-';
    for (size_t i = 0; i < STAY_COUNT(durations); i++) {
        if (rest < durations[i].factor)
            continue;
        n += (size_t)snprintf(text + n, sizeof text - n, "%llu%s",
                              (unsigned long long)(rest / durations[i].factor), durations[i].name);
        rest %= durations[i].factor;
    }
    text[n] = '\0';
    (void)stay_copy(dst, size, text);
}

/* v / factor with two digits after the point below 10, one below 100, none above; rounded. */
static void format_three(char *dst, size_t size, uint64_t v, uint64_t factor, const char *unit)
{
    int digits = v / factor < 10 ? 2 : v / factor < 100 ? 1 : 0;
    uint64_t power = digits == 2 ? 100 : digits == 1 ? 10 : 1;
    uint64_t scaled = (uint64_t)(((unsigned __int128)v * power + factor / 2) / factor);
    if (digits == 0)
        (void)snprintf(dst, size, "%llu %s", (unsigned long long)scaled, unit);
    else
        (void)snprintf(dst, size, "%llu.%0*llu %s", (unsigned long long)(scaled / power), digits,
                       (unsigned long long)(scaled % power), unit);
}

void units_format_duration_short(char *dst, size_t size, int64_t us)
{
    uint64_t v = magnitude(us);
    char text[UNITS_TEXT_MAX * 2];
    uint64_t s = v / 1000000;
    if (v == 0)
        (void)snprintf(text, sizeof text, "0");
    else if (v < 1000)
        (void)snprintf(text, sizeof text, "%llu us", (unsigned long long)v);
    else if (v < 999500)
        format_three(text, sizeof text, v, 1000, "ms");
    else if (s < 60)
        format_three(text, sizeof text, v, 1000000, "s");
    else if (s < 3600)
        (void)snprintf(text, sizeof text, "%um %02us", (unsigned)(s / 60), (unsigned)(s % 60));
    else if (s < 86400)
        (void)snprintf(text, sizeof text, "%uh %02um", (unsigned)(s / 3600),
                       (unsigned)(s % 3600 / 60));
    else
        (void)snprintf(text, sizeof text, "%llud %02uh", (unsigned long long)(s / 86400),
                       (unsigned)(s % 86400 / 3600));
    (void)snprintf(dst, size, "%s%s", us < 0 ? "-" : "", text);
}

void units_format_size(char *dst, size_t size, uint64_t bytes)
{
    const struct unit *best = sizes, *bytes_unit = &sizes[STAY_COUNT(sizes) - 1];
    while (best < bytes_unit && (bytes == 0 || bytes % best->factor != 0))
        best++;
    (void)snprintf(dst, size, "%llu%s", (unsigned long long)(bytes / best->factor), best->name);
}

void units_format_size_short(char *dst, size_t size, uint64_t bytes)
{
    static const struct unit decimal[] = {
        {"EB", UINT64_C(1000000000000000000)},
        {"PB", UINT64_C(1000000000000000)},
        {"TB", UINT64_C(1000000000000)},
        {"GB", UINT64_C(1000000000)},
        {"MB", UINT64_C(1000000)},
        {"kB", UINT64_C(1000)},
    };
    for (size_t i = 0; i < STAY_COUNT(decimal); i++) {
        if (bytes >= decimal[i].factor) {
            format_three(dst, size, bytes, decimal[i].factor, decimal[i].name);
            return;
        }
    }
    (void)snprintf(dst, size, "%llu B", (unsigned long long)bytes);
}

void units_format_wall(char *dst, size_t size, int64_t wall_us)
{
    if (wall_us == STAY_NEVER) {
        (void)stay_copy(dst, size, "never");
        return;
    }
    int64_t seconds = wall_us / STAY_SECOND, rest_us = wall_us % STAY_SECOND;
    if (rest_us < 0) {
        rest_us += STAY_SECOND;
        seconds--;
    }
    time_t when = (time_t)seconds;
    struct tm tm;
    must(gmtime_r(&when, &tm) != NULL); /* its years hold every int64_t of microseconds */
    (void)snprintf(dst, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
                   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                   (int)(rest_us / 1000));
}
