/* base/log.h - the log as an interface: mains set a sink and write; libraries report errors
 * instead.
 *
 * Layer: base. The sink is this program's one mutable global: set it once, before threads start.
 * Without a sink messages go nowhere. The real sink is base/io/log_sink.h. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "base/error.h"
#include <stdarg.h>

#define LOG_FIELDS_MAX 16
#define LOG_TEXT_MAX   2048 /* longer messages are cut */

enum log_level {
    LOG_LEVEL_NONE = 0,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_COUNT
};

/* Key: upper case letters, digits and '_', as the journal wants. A NULL value is left out. */
struct log_field {
    const char *key;
    const char *value;
};

struct log_record {
    enum log_level level;
    const char *text;
    const struct log_field *fields;
    size_t field_count;
};

/* Must be safe to call from any thread; the record is borrowed. */
typedef void (*log_sink_fn)(const struct log_record *record, void *user);

/* sink (NULL: none) gets what is no more verbose than most_verbose; user is borrowed for the
 * program's life. */
void log_set_sink(log_sink_fn sink, void *user, enum log_level most_verbose);
bool log_is_enabled(enum log_level level);
/* Writes one message: log_write(LOG_LEVEL_NOTICE, fields, STAY_COUNT(fields), "plan %s", id). */
void log_write(enum log_level level, const struct log_field *fields, size_t field_count,
               const char *fmt, ...) STAY_PRINTF(4, 5);
/* Without fields. */
void log_plain(enum log_level level, const char *fmt, ...) STAY_PRINTF(2, 3);

const char *log_level_text(enum log_level level); /* "error" ... "debug" */

#endif
