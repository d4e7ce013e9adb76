/* One value between its text and its place in a struct: types, units, ranges. */
#include "base/units.h"
#include "controller/settings/settings_private.h"
#include "controller/settings/suggest.h"

bool settings_value_is_text(enum option_type type)
{
    switch (type) {
    case OPTION_ID:
    case OPTION_NAME:
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_FILE:
    case OPTION_ADDRESS:
    case OPTION_SERVER:
    case OPTION_LOOPBACK:
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_WORD:
        return true;
    case OPTION_NONE:
    case OPTION_GROUP:
    case OPTION_LIST:
    case OPTION_FREE:
    case OPTION_SOCKETS:
    case OPTION_ARGV:
    case OPTION_NUMBER:
    case OPTION_BOOL:
    case OPTION_SECRET:
    case OPTION_TYPE_COUNT:
        return false;
    }
    return false;
}

static bool set_text(const struct option *o, const char *text, char *dst, struct stay_error *err)
{
    if (text[0] == '\0') {
        (void)stay_error(err, STAY_EINVALID, "is empty");
        return false;
    }
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            (void)stay_error(err, STAY_EINVALID, "holds a control character");
            return false;
        }
    }
    if (!stay_copy(dst, o->size, text)) {
        (void)stay_error(err, STAY_EINVALID, "is longer than %zu characters", o->size - 1);
        return false;
    }
    return true;
}

static bool set_path(const struct option *o, const char *text, char *dst, struct stay_error *err)
{
    if (text[0] == '/')
        return set_text(o, text, dst, err);
    (void)stay_error(err, STAY_EINVALID, "\"%.100s\" is not an absolute path; it must begin with /",
                     text);
    return false;
}

static bool set_server(const char *text, struct node_config *node, struct stay_error *err)
{
    struct names_address address;
    if (names_parse_address(text, 3306, &address, err) != STAY_OK)
        return false;
    if (!stay_copy(node->host, sizeof node->host, address.host)) {
        (void)stay_error(err, STAY_EINVALID, "host \"%.80s\" is longer than %zu characters", text,
                         sizeof node->host - 1);
        return false;
    }
    node->port = address.port;
    return true;
}

static bool set_address(const struct option *o, const char *text, char *dst, struct stay_error *err)
{
    struct names_address address;
    if (names_parse_address(text, 0, &address, err) != STAY_OK)
        return false;
    bool loopback = strncmp(address.host, "127.", 4) == 0 || strcmp(address.host, "::1") == 0 ||
                    strcmp(address.host, "localhost") == 0;
    if (o->type == OPTION_LOOPBACK && !loopback) {
        (void)stay_error(
            err, STAY_EINVALID,
            "\"%.100s\" is not a loopback address: plain HTTP is served on 127.0.0.1 or "
            "[::1] only; anything else needs tls, which is not built yet",
            text);
        return false;
    }
    return set_text(o, text, dst, err);
}

/* "a|b|c": how many words, and is this one of them. */
static bool set_word(const struct option *o, const char *text, void *dst, struct stay_error *err)
{
    char words[200], list[240] = "";
    struct suggest near;
    int position = 0;
    bool ok = stay_copy(words, sizeof words, o->range);
    must(ok);
    suggest_init(&near, text);
    for (char *word = words, *end; word != NULL; word = end, position++) {
        end = strchr(word, '|');
        if (end != NULL)
            *end++ = '\0';
        if (strcmp(word, text) == 0) {
            int value = o->first_value + position;
            memcpy(dst, &value, sizeof value);
            return true;
        }
        suggest_offer(&near, word);
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s\"%s\"",
                 position == 0 ? ""
                 : end == NULL ? " or "
                               : ", ",
                 word);
    }
    (void)stay_error(err, STAY_EINVALID, "\"%.60s\" is not possible; write %s%s%s%s", text, list,
                     near.best == NULL ? "" : " (did you mean \"",
                     near.best == NULL ? "" : near.best, near.best == NULL ? "" : "\"?)");
    return false;
}

static void split_range(const struct option *o, char low[32], char high[32])
{
    const char *dots = strstr(o->range, "..");
    must(dots != NULL);
    snprintf(low, 32, "%.*s", (int)(dots - o->range), o->range);
    snprintf(high, 32, "%s", dots + 2);
}

static bool out_of_range(const char *text, const char *low, const char *high,
                         struct stay_error *err)
{
    (void)stay_error(err, STAY_EINVALID, "%.60s is out of range; write %s to %s", text, low, high);
    return false;
}

/* A duration in microseconds, which is never negative, or a size in bytes. */
static enum stay_rc parse_units(enum option_type type, const char *text, uint64_t *ret,
                                struct stay_error *err)
{
    int64_t us = 0;
    if (type == OPTION_SIZE)
        return units_parse_size(text, ret, err);
    enum stay_rc rc = units_parse_duration(text, &us, err);
    if (rc == STAY_OK)
        *ret = (uint64_t)us;
    return rc;
}

static bool set_units(const struct option *o, const char *text, void *dst, struct stay_error *err)
{
    uint64_t value, low, high;
    if (parse_units(o->type, text, &value, err) != STAY_OK)
        return false;
    if (o->range != NULL) {
        char low_text[32], high_text[32];
        split_range(o, low_text, high_text);
        enum stay_rc a = parse_units(o->type, low_text, &low, NULL);
        enum stay_rc b = parse_units(o->type, high_text, &high, NULL);
        must(a == STAY_OK && b == STAY_OK);
        if (value < low || value > high)
            return out_of_range(text, low_text, high_text, err);
    }
    memcpy(dst, &value, sizeof value); /* the place of a duration is an int64_t: as wide */
    return true;
}

bool settings_value_set_number(const struct option *option, long long value, void *base,
                               struct stay_error *err)
{
    char low_text[32], high_text[32], text[32];
    split_range(option, low_text, high_text);
    snprintf(text, sizeof text, "%lld", value);
    if (value < strtoll(low_text, NULL, 10) || value > strtoll(high_text, NULL, 10))
        return out_of_range(text, low_text, high_text, err);
    uint32_t number = (uint32_t)value;
    memcpy((char *)base + option->offset, &number, sizeof number);
    return true;
}

static bool set_bool(const char *text, void *dst)
{
    bool value = strcmp(text, "true") == 0;
    memcpy(dst, &value, sizeof value);
    return true;
}

bool settings_value_set(const struct option *option, const char *text, void *base,
                        struct stay_error *err)
{
    char *dst = (char *)base + option->offset;
    switch (option->type) {
    case OPTION_ID:
        return names_check_id("name", text, err) == STAY_OK && set_text(option, text, dst, err);
    case OPTION_NAME:
        return names_check_schema("name", text, err) == STAY_OK && set_text(option, text, dst, err);
    case OPTION_TEXT:
        return set_text(option, text, dst, err);
    case OPTION_PATH:
    case OPTION_FILE:
        return set_path(option, text, dst, err);
    case OPTION_ADDRESS:
    case OPTION_LOOPBACK:
        return set_address(option, text, dst, err);
    case OPTION_SERVER:
        return set_server(text, base, err);
    case OPTION_DURATION:
    case OPTION_SIZE:
        return set_units(option, text, dst, err);
    case OPTION_WORD:
        return set_word(option, text, dst, err);
    case OPTION_NUMBER:
        return settings_value_set_number(option, strtoll(text, NULL, 10), base, err);
    case OPTION_BOOL:
        return set_bool(text, dst);
    case OPTION_NONE:
    case OPTION_GROUP:
    case OPTION_LIST:
    case OPTION_FREE:
    case OPTION_SOCKETS:
    case OPTION_ARGV:
    case OPTION_SECRET:
    case OPTION_TYPE_COUNT:
        break;
    }
    must(!"a type with a value");
    return false;
}

static void format_word(const struct option *o, int value, char *dst, size_t size)
{
    const char *word = o->range;
    for (int i = o->first_value; i < value && word != NULL; i++) {
        word = strchr(word, '|');
        word = word == NULL ? NULL : word + 1;
    }
    snprintf(dst, size, "%.*s", word == NULL ? 0 : (int)strcspn(word, "|"),
             word == NULL ? "" : word);
}

void settings_value_format(const struct option *option, const void *base, char *dst, size_t size)
{
    const char *at = (const char *)base + option->offset;
    int64_t duration;
    uint64_t bytes;
    uint32_t number;
    int word;
    if (option->type == OPTION_DURATION) {
        memcpy(&duration, at, sizeof duration);
        units_format_duration(dst, size, duration);
    } else if (option->type == OPTION_SIZE) {
        memcpy(&bytes, at, sizeof bytes);
        units_format_size(dst, size, bytes);
    } else if (option->type == OPTION_NUMBER) {
        memcpy(&number, at, sizeof number);
        snprintf(dst, size, "%u", number);
    } else if (option->type == OPTION_WORD) {
        memcpy(&word, at, sizeof word);
        format_word(option, word, dst, size);
    } else if (option->type == OPTION_BOOL) {
        snprintf(dst, size, "%s", *(const bool *)at ? "true" : "false");
    } else {
        snprintf(dst, size, "%s", at);
    }
}
