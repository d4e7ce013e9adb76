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

void daemon_crash_point(enum exec_note note, const struct plan_run *run, uint32_t row)
{
    static bool is_spent;
    const char *at = getenv("MAINSTAY_CRASH_AT");
    if (is_spent || !at || (note != EXEC_ROW_BEGUN && note != EXEC_ROW_ENDED))
        return;
    const char *row_word = strchr(at, ':');
    const char *when = row_word ? strchr(row_word + 1, ':') : NULL;
    if (!when || !word_is(at, plan_kind_text(run->kind)) || !row_is(row_word + 1, run, row) ||
        !word_is(when + 1, note == EXEC_ROW_BEGUN ? "before" : "after"))
        return;
    is_spent = true;
    log_plain(LOG_LEVEL_WARNING, "crash point %s reached", at);
    if (strstr(when, ":stop"))
        (void)raise(SIGSTOP);
    else
        _exit(137);
}
#else
/* ISO C wants a declaration in every file. */
struct daemon_crash_unused;
#endif
