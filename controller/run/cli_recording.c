/* Which recording is meant, and which time. */
#include "base/units.h"
#include "controller/run/cli_recording.h"
#include "controller/settings/settings.h"
#include <time.h>
#include <unistd.h>

#define RECORDER_DEFAULT "/var/lib/mainstay/recorder"

static bool own_recorder(struct cli *cli, char *dst, size_t size)
{
    const char *path = cli_config_path(cli);
    STAY_AUTO(settings_drop) struct settings *settings = NULL;
    struct stay_error err = {0};
    (void)stay_copy(dst, size, RECORDER_DEFAULT);
    if (settings_load(path, SETTINGS_WITHOUT_SECRETS, &settings, NULL, &err) == STAY_OK)
        return stay_copy(dst, size, settings->recorder);
    if (cli->config != NULL) {
        cli_usage_error(cli, "%s", err.text);
        return false;
    }
    return true;
}

bool cli_recording_open(struct cli *cli, struct recording *r)
{
    char own[512] = "";
    struct stay_error err = {0};
    const char *path = json_string_value(json_object_get(cli->args, "file"));
    if (path == NULL && !own_recorder(cli, own, sizeof own))
        return false;
    if (recording_open(r, path == NULL ? own : path, &err) == STAY_OK)
        return true;
    cli_usage_error(cli,
                    "%s: name a recorder's file or folder, such as controller.recorder of the "
                    "configuration (%s)",
                    err.text, path == NULL ? own : RECORDER_DEFAULT);
    return false;
}

const char *cli_recording_unfit(const struct recorder_frame *frame)
{
    if (frame->format == RECORDER_FORMAT)
        return NULL;
    return frame->format < RECORDER_FORMAT
               ? "an older mainstay wrote it, without all that was decided from: it cannot be "
                 "judged again; what is recorded from now on can"
               : "a newer mainstay wrote it: judge it with that version";
}

/* Digits of a fraction as microseconds; further ones are dropped. */
static int64_t fraction_us(const char *digits, size_t count)
{
    int64_t us = 0;
    for (size_t i = 0; i < 6; i++)
        us = us * 10 + (i < count ? digits[i] - '0' : 0);
    return us;
}

/* "04:05", "04:05:06", "04:05:06.789", to the end of what it names. */
static bool read_clock(const char *text, struct tm *tm, int64_t *ret_us)
{
    static const int64_t unit_us[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    int hour, minute, second = 0, end = 0;
    *ret_us = 0;
    if (sscanf(text, "%2d:%2d%n", &hour, &minute, &end) != 2 || hour < 0 || minute < 0)
        return false;
    const char *at = text + end;
    if (*at == ':') {
        if (sscanf(at, ":%2d%n", &second, &end) != 1 || second < 0)
            return false;
        at += end;
        size_t digits = *at == '.' ? strspn(at + 1, "0123456789") : 0;
        *ret_us = fraction_us(at + 1, digits) + unit_us[digits < 6 ? digits : 6] - 1;
        at += digits > 0 ? digits + 1 : 0;
    }
    tm->tm_hour = hour;
    tm->tm_min = minute;
    tm->tm_sec = second;
    return hour < 24 && minute < 60 && second <= 60 && (*at == '\0' || strcmp(at, "Z") == 0);
}

bool cli_recording_time(const char *text, int64_t now_wall_us, int64_t *ret_wall_us)
{
    int64_t us = 0;
    int end = 0;
    struct tm tm = {0};
    if (strcmp(text, "last") == 0) {
        *ret_wall_us = INT64_MAX;
        return true;
    }
    if (units_parse_duration(text, &us, NULL) == STAY_OK) {
        *ret_wall_us = now_wall_us - us;
        return true;
    }
    if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &end) == 3) {
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        bool is_day = tm.tm_mon >= 0 && tm.tm_mon < 12 && tm.tm_mday >= 1 && tm.tm_mday <= 31;
        if (!is_day || (text[end] != 'T' && text[end] != ' ') ||
            !read_clock(text + end + 1, &tm, &us))
            return false;
        *ret_wall_us = (int64_t)timegm(&tm) * STAY_SECOND + us;
        return true;
    }
    time_t now_s = (time_t)(now_wall_us / STAY_SECOND);
    if (gmtime_r(&now_s, &tm) == NULL || !read_clock(text, &tm, &us))
        return false;
    *ret_wall_us = (int64_t)timegm(&tm) * STAY_SECOND + us;
    if (*ret_wall_us - us > now_wall_us)
        *ret_wall_us -= INT64_C(24) * 3600 * STAY_SECOND;
    return true;
}
