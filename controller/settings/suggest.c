/* Nearest word by edit distance with neighbours swapped counted as one edit. */
#include "controller/settings/suggest.h"

#define WORD_MAX 48

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance_of(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    if (na > WORD_MAX || nb > WORD_MAX)
        return SIZE_MAX;
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *now = rows[i % 3], *before = rows[(i - 1) % 3], *older = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t swap = a[i - 1] != b[j - 1];
            now[j] = smaller(smaller(before[j] + 1, now[j - 1] + 1), before[j - 1] + swap);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = smaller(now[j], older[j - 2] + 1);
        }
    }
    return rows[na % 3][nb];
}

void suggest_init(struct suggest *s, const char *word)
{
    *s = (struct suggest){.word = word, .distance = SIZE_MAX};
}

void suggest_offer(struct suggest *s, const char *known)
{
    size_t d = distance_of(s->word, known);
    size_t allowed = strlen(known) < 6 ? 1 : strlen(known) / 3;
    /* "grac" for "grace", "failovr": also a word that was typed only in part. */
    if (strlen(s->word) >= 3 && strncmp(s->word, known, strlen(s->word)) == 0)
        d = smaller(d, 1);
    /* "preferred" for "prefer": or went on too long. */
    if (strlen(known) >= 4 && strncmp(s->word, known, strlen(known)) == 0)
        d = smaller(d, 1);
    if (d <= allowed && d < s->distance) {
        s->distance = d;
        s->best = known;
    }
}
