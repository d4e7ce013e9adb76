/* A moment as people write it: a time of day, a date with a time, or how long from now. */
#include "controller/serve/when.h"

#include <time.h>

#include "base/units.h"

#define DAY_US  (INT64_C(86400) * STAY_SECOND)
#define FAR_US  (30 * DAY_US)
#define MANUALS "write 02:30 or 2026-11-23T02:30 (UTC), or +90m"

static bool parse_day(const char *text, int64_t *ret_wall_us)
{
    struct tm tm = {0};
    char rest[4] = "";
    int n = sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%3s", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, rest);
    if (n == 5)
        n = sscanf(text, "%*4d-%*2d-%*2d%*1[T ]%*2d:%*2d%3s", rest) == 1 ? 7 : 6;
    bool plain = n == 6 || (n == 7 && strcmp(rest, "Z") == 0);
    if (!plain || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int day = tm.tm_mday;
    *ret_wall_us = (int64_t)timegm(&tm) * STAY_SECOND;
    return tm.tm_mday == day; /* no 31st of February */
}

static bool parse_clock(const char *text, int64_t now_wall_us, int64_t *ret_wall_us)
{
    unsigned hour = 0, minute = 0;
    char rest[3] = "";
    int n = sscanf(text, "%2u:%2u%2s", &hour, &minute, rest);
    if ((n != 2 && !(n == 3 && strcmp(rest, "Z") == 0)) || hour > 23 || minute > 59)
        return false;
    int64_t at = now_wall_us - now_wall_us % DAY_US + (hour * 60 + minute) * 60 * STAY_SECOND;
    *ret_wall_us = at > now_wall_us ? at : at + DAY_US;
    return true;
}

enum stay_rc when_parse(const char *text, int64_t now_wall_us, int64_t *ret_wall_us,
                        struct stay_error *err)
{
    int64_t at = 0;
    if (text[0] == '+') {
        enum stay_rc rc = units_parse_duration(text + 1, &at, err);
        if (rc != STAY_OK)
            return rc;
        at += now_wall_us;
    } else if (!parse_day(text, &at) && !parse_clock(text, now_wall_us, &at)) {
        return stay_error(err, STAY_EINVALID, "\"%.40s\" is no time: " MANUALS, text);
    }
    if (at <= now_wall_us)
        return stay_error(err, STAY_EINVALID, "%.40s is past", text);
    if (at - now_wall_us > FAR_US)
        return stay_error(err, STAY_EINVALID, "%.40s is more than 30 days away", text);
    *ret_wall_us = at;
    return STAY_OK;
}
