/* Reads the load's record back (format in load_log.h). */
#include <errno.h>

#include "tests/lib/load_log.h"

static const char *const names[LOAD_OUTCOME_COUNT] = {"none", "ok", "fail", "unknown"};

const char *load_outcome_text(enum load_outcome outcome)
{
    return names[outcome];
}

void load_record_add(struct load_record *record, const struct load_attempt *attempt)
{
    if (record->count == record->capacity) {
        record->capacity = record->capacity == 0 ? 4096 : record->capacity * 2;
        record->attempts =
            stay_realloc(record->attempts, record->capacity, sizeof *record->attempts);
    }
    record->attempts[record->count++] = *attempt;
}

void load_record_clear(struct load_record *record)
{
    free(record->attempts);
    *record = (struct load_record){0};
}

static bool note_end(struct load_record *record, int64_t end_us)
{
    record->ended_us = end_us > record->ended_us ? end_us : record->ended_us;
    return true;
}

static bool take_line(struct load_record *record, const char *line)
{
    struct load_attempt a = {0};
    char outcome[16] = "";
    if (line[0] == 'C') {
        record->connect_failures++;
        return sscanf(line, "C %*u %*d %ld", &a.end_us) == 1 && note_end(record, a.end_us);
    }
    if (sscanf(line, "load 1 writers %u started_us %ld base %lu", &record->writers,
               &record->started_us, &record->base_seq) == 3)
        return true;
    if (sscanf(line, "W %u %lu %ld %ld %15s %u %u", &a.client, &a.seq, &a.start_us, &a.end_us,
               outcome, &a.server_id, &a.error) != 7)
        return false;
    for (int i = 1; i < LOAD_OUTCOME_COUNT; i++)
        if (strcmp(outcome, names[i]) == 0)
            a.outcome = (enum load_outcome)i;
    if (a.outcome == LOAD_NONE)
        return false;
    load_record_add(record, &a);
    return note_end(record, a.end_us);
}

bool load_record_read(const char *path, struct load_record *ret, char *why, size_t size)
{
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        (void)snprintf(why, size, "%s: %s", path, strerror(errno));
        return false;
    }
    struct load_record record = {0};
    char *line = NULL;
    size_t room = 0, number = 0;
    bool ok = true;
    for (ssize_t n = getline(&line, &room, in); ok && n > 0; n = getline(&line, &room, in)) {
        number++;
        if (line[n - 1] == '\n')
            ok = take_line(&record, line);
    }
    free(line);
    fclose(in);
    if (!ok) {
        (void)snprintf(why, size, "%s: line %zu is no record of a load", path, number);
        load_record_clear(&record);
        return false;
    }
    *ret = record;
    return true;
}
