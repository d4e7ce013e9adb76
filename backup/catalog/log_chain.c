/* backup/catalog/log_chain.c - which segments are the log, and the seams between them. */
#include "backup/catalog/log_chain.h"

static int by_number(const void *a, const void *b)
{
    const struct segment_about *x = ((const struct chain_segment *)a)->about;
    const struct segment_about *y = ((const struct chain_segment *)b)->about;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return x->epoch < y->epoch ? -1 : x->epoch > y->epoch;
}

static bool names(const struct chain_segment *next, const struct chain_segment *s)
{
    return next->about->has_prev && next->about->seq == s->about->seq + 1 &&
           memcmp(next->about->prev, s->hash, SHA256_BYTES) == 0;
}

/* Of the segments from..to-1, which share a number, the one that is the log. `next` is what follows
 * it, or NULL. */
static size_t choose(const struct chain_segment *segments, size_t from, size_t to,
                     const struct chain_segment *next)
{
    for (size_t i = to; next != NULL && i-- > from;)
        if (names(next, &segments[i]))
            return i;
    return to - 1;
}

/* Backwards: what is the log is settled by its successor. */
static void mark_strays(struct chain_segment *segments, size_t count)
{
    const struct chain_segment *next = NULL;
    for (size_t to = count; to > 0;) {
        size_t from = to - 1;
        while (from > 0 && segments[from - 1].about->seq == segments[to - 1].about->seq)
            from--;
        size_t chosen = choose(segments, from, to, next);
        for (size_t i = from; i < to; i++)
            segments[i].is_stray = i != chosen;
        next = &segments[chosen];
        to = from;
    }
}

static bool is_recorded(const struct chain_gap *gaps, size_t count, const char *after,
                        const char *before)
{
    for (size_t i = 0; i < count; i++)
        if (!gaps[i].is_healed && strcmp(gaps[i].after, after) == 0 &&
            strcmp(gaps[i].before, before) == 0)
            return true;
    return false;
}

static enum chain_seam seam_between(const struct chain_segment *a, const struct chain_segment *b,
                                    const struct chain_gap *gaps, size_t gap_count)
{
    if (b->about->seq != a->about->seq + 1)
        return SEAM_LOST;
    if (!names(b, a))
        return SEAM_CHANGED;
    if (strcmp(a->about->after, b->about->before) == 0)
        return SEAM_FOLLOWS;
    return is_recorded(gaps, gap_count, a->about->after, b->about->before) ? SEAM_GAP : SEAM_HOLE;
}

size_t log_chain_runs(struct chain_segment *segments, size_t count, const struct chain_gap *gaps,
                      size_t gap_count, struct chain_run **ret_runs)
{
    struct chain_run *runs = NULL;
    const struct chain_segment *last = NULL;
    size_t run_count = 0;
    if (count > 0)
        qsort(segments, count, sizeof *segments, by_number);
    mark_strays(segments, count);
    for (size_t i = 0; i < count; i++) {
        if (segments[i].is_stray)
            continue;
        enum chain_seam seam =
            last == NULL ? SEAM_FOLLOWS : seam_between(last, &segments[i], gaps, gap_count);
        if (last == NULL || seam != SEAM_FOLLOWS) {
            runs = stay_realloc(runs, run_count + 1, sizeof *runs);
            runs[run_count++] = (struct chain_run){.first = i, .seam = seam};
        }
        runs[run_count - 1].last = i;
        last = &segments[i];
    }
    *ret_runs = runs;
    return run_count;
}

const char *chain_seam_text(enum chain_seam seam)
{
    static const char *const texts[SEAM_COUNT] = {
        [SEAM_FOLLOWS] = "nothing is missing",
        [SEAM_GAP] = "a recorded gap",
        [SEAM_HOLE] = "transactions are missing and no gap says so",
        [SEAM_LOST] = "segments are missing",
        [SEAM_CHANGED] = "it names another predecessor than the one that is there"};
    return texts[seam];
}
