/* base/log.c - levels and the one sink. */
#include "base/log.h"

/* Set once before threads start; read by all. */
static struct {
    log_sink_fn sink;
    void *user;
    enum log_level most_verbose;
} current;

static const char *const level_names[LOG_LEVEL_COUNT] = {
    [LOG_LEVEL_NONE] = "none",     [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_NOTICE] = "notice", [LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
};

void log_set_sink(log_sink_fn sink, void *user, enum log_level most_verbose)
{
    current.sink = sink;
    current.user = user;
    current.most_verbose = most_verbose;
}

bool log_is_enabled(enum log_level level)
{
    return current.sink != NULL && level != LOG_LEVEL_NONE && level <= current.most_verbose;
}

static void write_record(enum log_level level, const struct log_field *fields, size_t field_count,
                         const char *fmt, va_list args) STAY_PRINTF(4, 0);

static void write_record(enum log_level level, const struct log_field *fields, size_t field_count,
                         const char *fmt, va_list args)
{
    char text[LOG_TEXT_MAX];
    must(field_count <= LOG_FIELDS_MAX);
    if (!log_is_enabled(level))
        return;
    (void)vsnprintf(text, sizeof text, fmt, args);
    current.sink(
        &(struct log_record){
            .level = level, .text = text, .fields = fields, .field_count = field_count},
        current.user);
}

void log_write(enum log_level level, const struct log_field *fields, size_t field_count,
               const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    write_record(level, fields, field_count, fmt, args);
    va_end(args);
}

void log_plain(enum log_level level, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    write_record(level, NULL, 0, fmt, args);
    va_end(args);
}

const char *log_level_text(enum log_level level)
{
    return level < LOG_LEVEL_COUNT ? level_names[level] : "none";
}
