/* tests/fuzz/fuzz_binlog.c - any bytes as events of a binary log: no crash, no read past the end,
 * and rows that are understood can be undone into events that are understood again. */
#include "backup/binlog_expand.h"
#include "backup/row_events.h"
#include "tests/fuzz/replay.h"
#include "tests/unit/backup/binlog_samples.h"

static enum stay_rc read_again(void *arg, const struct binlog_table *table, const uint8_t *events,
                               size_t length, struct stay_error *err)
{
    (void)table;
    (void)err;
    STAY_AUTO(str_clear) struct str out = {.max = 65536};
    tell_events(&out, events, length);
    must(out.is_cut || strstr(str_text(&out), "error ") == NULL ||
         strstr(str_text(&out), "not known") != NULL);
    (*(unsigned *)arg)++;
    return STAY_OK;
}

static enum stay_rc pass_over(void *ctx, const char *what, struct stay_error *err)
{
    (void)ctx;
    (void)what;
    (void)err;
    return STAY_OK;
}

static void undo(const uint8_t *data, size_t size)
{
    unsigned events = 0;
    struct stay_error err = {0};
    struct row_log *log = row_log_new();
    struct binlog_walk walk = {.ctx = log, .on_rows = row_log_note, .on_obstacle = pass_over};
    struct row_events how = {.server_id = 1, .emit = read_again, .arg = &events};
    for (size_t at = 0; at < size;) {
        struct binlog_event event;
        if (binlog_inner_parse(data + at, size - at, &event, &err) != STAY_OK ||
            walk_event(&walk, &event, &err) != STAY_OK)
            break;
        at += event.length;
    }
    if (row_log_emit(log, true, &how, &err) != STAY_OK)
        events = 0;
    walk_clear(&walk);
    row_log_free(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    STAY_AUTO(str_clear) struct str out = {.max = 65536};
    struct binlog_event event;
    struct binlog_format format = {0};
    char name[64];
    uint64_t position;
    tell_events(&out, data, size);
    undo(data, size);
    if (binlog_event_parse(data, size, &format, &event, NULL) == STAY_OK) {
        if (binlog_format_parse(&event, &format, NULL) == STAY_OK)
            must(format.is_known);
        if (binlog_rotate_parse(&event, name, sizeof name, &position, NULL) == STAY_OK)
            must(strlen(name) < sizeof name);
    }
    return 0;
}
