/* base/io/log_sink.c - log messages to the journal or to a descriptor, one line each. */
#include "base/io/log_sink.h"
#include "base/io/real_clock.h"
#include "base/str.h"
#include "base/units.h"
#include <errno.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION 1
#include <systemd/sd-journal.h>

#define LINE_MAX_BYTES 16384

/* Set by log_sink_open before threads start. */
static struct {
    char program[32];
    int fd;
    bool has_time;
} out = {.fd = STDERR_FILENO};

/* As text in one line: a backslash escape for everything that could start another one. */
static void add_escaped(struct str *s, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '\n')
            str_add(s, "\\n");
        else if (c == '\t')
            str_add(s, "\\t");
        else if (c < 0x20 || c == 0x7f)
            str_addf(s, "\\x%02x", c);
        else
            str_add_char(s, *p);
    }
}

/* One write for a line: the kernel keeps it whole up to PIPE_BUF, which no lock could improve. */
static void write_line(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(out.fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break; /* nowhere to complain */
        text += n;
        length -= (size_t)n;
    }
}

static void to_descriptor(const struct log_record *record, void *user)
{
    struct str s;
    (void)user;
    str_init(&s, LINE_MAX_BYTES);
    if (out.has_time) {
        char when[UNITS_TEXT_MAX];
        units_format_wall(when, sizeof when, real_clock_wall_us());
        str_addf(&s, "%s ", when);
    }
    str_addf(&s, "%s ", log_level_text(record->level));
    add_escaped(&s, record->text);
    for (size_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].value == NULL)
            continue;
        str_addf(&s, " %s=", record->fields[i].key);
        add_escaped(&s, record->fields[i].value);
    }
    s.max = LINE_MAX_BYTES + 1; /* the newline always fits */
    str_add_char(&s, '\n');
    write_line(s.text, s.length);
    str_clear(&s);
}

static int priority_of(enum log_level level)
{
    static const int priorities[LOG_LEVEL_COUNT] = {7, 3, 4, 5, 6, 7}; /* syslog's numbers */
    return priorities[level < LOG_LEVEL_COUNT ? level : LOG_LEVEL_DEBUG];
}

static struct iovec field_of(const char *key, const char *value)
{
    char *text = stay_sprintf("%s=%s", key, value);
    return (struct iovec){.iov_base = text, .iov_len = strlen(text)};
}

/* The journal keeps newlines as data; its readers show them escaped. */
static void to_journal(const struct log_record *record, void *user)
{
    struct iovec v[LOG_FIELDS_MAX + 3];
    int n = 0;
    char priority[8];
    struct str s;
    (void)user;
    str_init(&s, LINE_MAX_BYTES);
    add_escaped(&s, record->text);
    (void)snprintf(priority, sizeof priority, "%d", priority_of(record->level));
    v[n++] = field_of("MESSAGE", str_text(&s));
    v[n++] = field_of("PRIORITY", priority);
    v[n++] = field_of("SYSLOG_IDENTIFIER", out.program);
    for (size_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].value != NULL)
            v[n++] = field_of(record->fields[i].key, record->fields[i].value);
    }
    if (sd_journal_sendv(v, n) < 0)
        to_descriptor(record, user);
    for (int i = 0; i < n; i++)
        free(v[i].iov_base);
    str_clear(&s);
}

/* systemd sets JOURNAL_STREAM=device:inode of the stream it connected stderr to. */
static bool is_stderr_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_sink_open(const char *program, enum log_level most_verbose)
{
    (void)stay_copy(out.program, sizeof out.program, program);
    if (is_stderr_journal())
        log_set_sink(to_journal, NULL, most_verbose);
    else
        log_sink_open_fd(STDERR_FILENO, true, most_verbose);
}

void log_sink_open_fd(int fd, bool has_time, enum log_level most_verbose)
{
    out.fd = fd;
    out.has_time = has_time;
    log_set_sink(to_descriptor, NULL, most_verbose);
}
