/* Crash points; empty unless built with MAINSTAY_CRASH_POINTS. */
#include "base/base.h"
#include "controller/run/daemon_crash.h"

#ifdef MAINSTAY_CRASH_POINTS
#include "base/log.h"
#include <signal.h>
#include <unistd.h>

/* Does `word` (up to ':' or the end) name `text`, '-' standing for a blank? */
static bool word_is(const char *word, const char *text)
{
    while (*text && (*word == *text || (*word == '-' && *text == ' '))) {
        word++;
        text++;
    }
    return *text == '\0' && (*word == '\0' || *word == ':');
}

static bool row_is(const char *word, const struct plan_run *run, uint32_t row)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    if (*word >= '0' && *word <= '9')
        return strtoul(word, NULL, 10) == row;
    return row < count && word_is(word, step_kind_text(rows[row].step));
}

/* Is `at` this note? *ret_stops: it asks for a SIGSTOP. */
static bool is_here(const char *at, enum exec_note note, const struct plan_run *run, uint32_t row,
                    bool *ret_stops)
{
    const char *row_word = strchr(at, ':');
    const char *when = row_word ? strchr(row_word + 1, ':') : NULL;
    *ret_stops = when != NULL && strstr(when, ":stop") != NULL;
    return when != NULL && word_is(at, plan_kind_text(run->kind)) &&
           row_is(row_word + 1, run, row) &&
           word_is(when + 1, note == EXEC_ROW_BEGUN ? "before" : "after");
}

static void stop_or_die(const char *at, bool stops)
{
    log_plain(LOG_LEVEL_WARNING, "crash point %s reached", at);
    if (stops)
        (void)raise(SIGSTOP);
    else
        _exit(137);
}

/* The file is as good as the environment, and can be written anew while the process lives. Reached,
 * it is replaced by FILE.hit, which says whom the row touches (a mask). */
static void file_point(enum exec_note note, const struct plan_run *run, uint32_t row)
{
    const char *path = getenv("MAINSTAY_CRASH_FILE");
    FILE *in = path ? fopen(path, "re") : NULL;
    char at[80] = "", hit[400];
    bool stops = false;
    if (!in)
        return;
    at[fread(at, 1, sizeof at - 1, in)] = '\0';
    (void)fclose(in);
    if (run->state == RUN_UNDOING || !is_here(at, note, run, row, &stops))
        return;
    (void)snprintf(hit, sizeof hit, "%s.hit", path);
    (void)unlink(path);
    FILE *out = fopen(hit, "we");
    if (out) {
        (void)fprintf(out, "%u\n", (unsigned)run->rows[row < PLAN_ROWS_MAX ? row : 0].targets);
        (void)fclose(out);
    }
    stop_or_die(at, stops);
}

void daemon_crash_point(enum exec_note note, const struct plan_run *run, uint32_t row)
{
    static bool is_spent;
    const char *at = getenv("MAINSTAY_CRASH_AT");
    bool stops = false;
    if (note != EXEC_ROW_BEGUN && note != EXEC_ROW_ENDED)
        return;
    file_point(note, run, row);
    if (is_spent || !at || !is_here(at, note, run, row, &stops))
        return;
    is_spent = true;
    stop_or_die(at, stops);
}
#else
/* ISO C wants a declaration in every file. */
struct daemon_crash_unused;
#endif
