/* Globs with one capture, matched from the left with the shortest text first. */
#include "controller/discover/zone_pattern.h"

#include <ctype.h>

#define GLOB_MAX 128

struct item {
    char glob[GLOB_MAX], zone[GLOB_MAX];
};

struct capture {
    const char *text;
    size_t length;
};

/* Takes one item off *at. */
static enum stay_rc next_item(const char **at, struct item *ret_item, struct stay_error *err)
{
    size_t n = strcspn(*at, ",");
    const char *equals = memchr(*at, '=', n);
    struct item item = {{0}, {0}};
    if (equals == NULL || equals == *at || equals == *at + n - 1)
        return stay_error(err, STAY_EINVALID, "\"%.*s\": write GLOB=ZONE, such as 10.1.*=eu-1a",
                          (int)(n > 100 ? 100 : n), *at);
    size_t glob = (size_t)(equals - *at), zone = n - glob - 1;
    if (glob >= sizeof item.glob || zone >= sizeof item.zone)
        return stay_error(err, STAY_EINVALID, "\"%.60s...\" is too long", *at);
    memcpy(item.glob, *at, glob);
    memcpy(item.zone, equals + 1, zone);
    *at += n + ((*at)[n] == ',');
    *ret_item = item;
    return STAY_OK;
}

static unsigned braces(const char *text)
{
    unsigned n = 0;
    for (const char *at = strstr(text, "{}"); at != NULL; at = strstr(at + 2, "{}"))
        n++;
    return n;
}

enum stay_rc zone_pattern_check(const char *pattern, struct stay_error *err)
{
    const char *at = pattern;
    struct item item = {{0}, {0}};
    do {
        enum stay_rc rc = next_item(&at, &item, err);
        if (rc != STAY_OK)
            return rc;
        unsigned in_glob = braces(item.glob), in_zone = braces(item.zone);
        if (in_glob > 1 || in_zone > 1 || in_zone > in_glob)
            return stay_error(err, STAY_EINVALID,
                              "\"%.60s=%.40s\": write {} once in the glob, and in the zone to "
                              "repeat what it matched",
                              item.glob, item.zone);
        if (in_zone == 0 && !names_is_id(item.zone))
            return names_check_id("zone", item.zone, err);
    } while (*at != '\0');
    return STAY_OK;
}

static bool matches(const char *glob, const char *text, struct capture *capture)
{
    for (; *glob != '\0'; glob++, text++) {
        bool is_capture = strncmp(glob, "{}", 2) == 0;
        if (*glob == '*' || is_capture) {
            for (size_t n = 0;; n++) {
                if (is_capture)
                    *capture = (struct capture){text, n};
                if (matches(glob + (is_capture ? 2 : 1), text + n, capture))
                    return true;
                if (text[n] == '\0')
                    return false;
            }
        }
        if (tolower((unsigned char)*glob) != tolower((unsigned char)*text))
            return false;
    }
    return *text == '\0';
}

static enum stay_rc fill(const struct item *item, const struct capture *capture, char *ret_zone,
                         size_t size, struct stay_error *err)
{
    char zone[2 * GLOB_MAX];
    const char *hole = strstr(item->zone, "{}");
    int n = hole == NULL ? snprintf(zone, sizeof zone, "%s", item->zone)
                         : snprintf(zone, sizeof zone, "%.*s%.*s%s", (int)(hole - item->zone),
                                    item->zone, (int)capture->length, capture->text, hole + 2);
    for (char *at = zone; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    if (n < 0 || (size_t)n >= sizeof zone || (size_t)n >= size || !names_is_id(zone))
        return stay_error(err, STAY_EINVALID, "\"%s=%s\" makes \"%.60s\", which is no zone name",
                          item->glob, item->zone, zone);
    (void)stay_copy(ret_zone, size, zone);
    return STAY_OK;
}

enum stay_rc zone_pattern_find(const char *pattern, const char *const *texts, size_t text_count,
                               char *ret_zone, size_t size, struct stay_error *err)
{
    const char *at = pattern;
    struct item item = {{0}, {0}};
    while (*at != '\0') {
        enum stay_rc rc = next_item(&at, &item, err);
        if (rc != STAY_OK)
            return rc;
        for (size_t i = 0; i < text_count; i++) {
            struct capture capture = {"", 0};
            if (texts[i][0] != '\0' && matches(item.glob, texts[i], &capture))
                return fill(&item, &capture, ret_zone, size, err);
        }
    }
    return stay_error(err, STAY_ENOTFOUND, "no glob matches");
}
