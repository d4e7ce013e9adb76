/* What is wrong in a configuration, noted with its file and line: in the operator's words what
 * stands there and what is needed. */
#include "controller/settings/settings_private.h"
#include <stdarg.h>

static void note(struct settings_reader *r, bool is_error, const config_setting_t *at,
                 const char *shown, const char *fmt, va_list args)
{
    char text[512];
    const char *file = at == NULL ? NULL : config_setting_source_file(at);
    unsigned line = at == NULL ? 0 : config_setting_source_line(at);
    int used = snprintf(text, sizeof text, "%s:%u: %s%s", file == NULL ? r->name : file,
                        line == 0 ? 1 : line, shown, shown[0] == '\0' ? "" : ": ");
    if (used > 0 && (size_t)used < sizeof text)
        vsnprintf(text + used, sizeof text - (size_t)used, fmt, args);
    if (is_error && r->first.rc == STAY_OK)
        (void)stay_error(&r->first, STAY_EINVALID, "%s", text);
    if (r->notes == NULL)
        return;
    *(is_error ? &r->notes->error_count : &r->notes->warning_count) += 1;
    if (r->notes->line_count < SETTINGS_NOTES_MAX) {
        struct settings_note *line_note = &r->notes->lines[r->notes->line_count++];
        line_note->is_error = is_error;
        (void)stay_copy(line_note->text, sizeof line_note->text, text);
    }
}

void settings_note_error(struct settings_reader *reader, const config_setting_t *at,
                         const char *shown, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    note(reader, true, at, shown, fmt, args);
    va_end(args);
}

void settings_note_warning(struct settings_reader *reader, const config_setting_t *at,
                           const char *shown, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    note(reader, false, at, shown, fmt, args);
    va_end(args);
}

static void describe_found(const config_setting_t *s, char *dst, size_t size)
{
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_GROUP:
        snprintf(dst, size, "a group { ... }");
        break;
    case CONFIG_TYPE_LIST:
        snprintf(dst, size, "a list ( ... )");
        break;
    case CONFIG_TYPE_ARRAY:
        snprintf(dst, size, "an array [ ... ]");
        break;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        snprintf(dst, size, "the number %lld", config_setting_get_int64(s));
        break;
    case CONFIG_TYPE_FLOAT:
        snprintf(dst, size, "the number %g", config_setting_get_float(s));
        break;
    case CONFIG_TYPE_BOOL:
        snprintf(dst, size, "%s", config_setting_get_bool(s) ? "true" : "false");
        break;
    case CONFIG_TYPE_STRING:
        snprintf(dst, size, "the text \"%.60s\"", config_setting_get_string(s));
        break;
    default:
        snprintf(dst, size, "nothing");
    }
}

static const char *wanted_text(enum option_type type)
{
    switch (type) {
    case OPTION_GROUP:
    case OPTION_FREE:
        return "a group { ... }";
    case OPTION_LIST:
        return "a list of groups ( { ... }, { ... } )";
    case OPTION_SOCKETS:
        return "a list of sockets [ \"host:port\", \"/path\" ]";
    case OPTION_ARGV:
        return "a list [ \"/path/to/program\", \"argument\" ]";
    case OPTION_DURATION:
        return "a duration in quotes with its unit, such as \"500ms\" or \"10m\"";
    case OPTION_SIZE:
        return "a size in quotes with its unit, such as \"160MB\" or \"8MiB\"";
    case OPTION_NUMBER:
        return "a whole number without quotes";
    case OPTION_BOOL:
        return "true or false without quotes";
    case OPTION_SECRET:
        return "a reference { file = \"/path\" } or { credential = \"name\" }; a secret is never "
               "written here";
    case OPTION_NONE:
    case OPTION_ID:
    case OPTION_NAME:
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_FILE:
    case OPTION_ADDRESS:
    case OPTION_SERVER:
    case OPTION_LOOPBACK:
    case OPTION_WORD:
    case OPTION_TYPE_COUNT:
        break;
    }
    return "text in quotes";
}

void settings_note_type(struct settings_reader *r, const config_setting_t *s, const char *shown,
                        enum option_type type)
{
    char found[100];
    if (type == OPTION_SECRET && config_setting_type(s) == CONFIG_TYPE_STRING)
        snprintf(found, sizeof found, "text"); /* it may be the secret itself: not repeated */
    else
        describe_found(s, found, sizeof found);
    settings_note_error(r, s, shown, "needs %s, found %s", wanted_text(type), found);
}
