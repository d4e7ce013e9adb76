/* Who holds a server's connections, from the rows of its process list: counted by user and host in
 * few places, whatever the number of sessions. */
#include "probes/read_mysql_private.h"

#include <ctype.h>

#define HOLDERS_SHOWN 3
/* Fewer exhaust no server, and are said by no text: this runs each probe. */
#define SESSIONS_MIN 8

/* Names are other people's: what is no plain character is shown as '?'. */
static void take_plain(char *dst, size_t size, const char *text, size_t length)
{
    size_t i = 0;
    for (; i < length && i + 1 < size; i++)
        dst[i] =
            isalnum((unsigned char)text[i]) || strchr("_.:-$%", text[i]) != NULL ? text[i] : '?';
    dst[i] = '\0';
}

/* Its own place; a free one; else that of the smallest, whose count it takes over as doubt: who
 * holds more than a part in MYSQL_HOLDERS_MAX of all sessions has a place in the end. */
static struct mysql_holder *place_of(struct mysql_reader *r, const char *user, const char *host)
{
    struct mysql_holder *smallest = &r->holders[0];
    for (size_t i = 0; i < MYSQL_HOLDERS_MAX; i++) {
        struct mysql_holder *h = &r->holders[i];
        if (h->count == 0 || (strcmp(h->user, user) == 0 && strcmp(h->host, host) == 0)) {
            smallest = h;
            break;
        }
        if (h->count < smallest->count)
            smallest = h;
    }
    if (strcmp(smallest->user, user) == 0 && strcmp(smallest->host, host) == 0)
        return smallest;
    *smallest = (struct mysql_holder){.count = smallest->count, .doubt = smallest->count};
    (void)stay_copy(smallest->user, sizeof smallest->user, user);
    (void)stay_copy(smallest->host, sizeof smallest->host, host);
    return smallest;
}

void mysql_holders_take(struct mysql_reader *r, const struct mysql_session_row *row)
{
    char user[sizeof r->holders[0].user], host[sizeof r->holders[0].host];
    uint64_t seconds = 0;
    if (row->user == NULL || strcmp(row->user, "system user") == 0 ||
        strcmp(row->user, "event_scheduler") == 0)
        return; /* the server's own threads take no place */
    const char *peer = row->host == NULL ? "" : row->host, *colon = strrchr(peer, ':');
    take_plain(user, sizeof user, row->user, strlen(row->user));
    take_plain(host, sizeof host, peer, colon == NULL ? strlen(peer) : (size_t)(colon - peer));
    struct mysql_holder *h = place_of(r, user, host);
    h->count++;
    r->sessions++;
    if (strcmp(row->command, "Sleep") == 0 && row->seconds != NULL &&
        mysql_value_u64(row->seconds, &seconds) && seconds > h->idle_s)
        h->idle_s = seconds;
}

static uint32_t surely(const struct mysql_holder *h)
{
    return h->count - h->doubt;
}

void mysql_holders_text(const struct mysql_reader *r, char *dst, size_t size)
{
    uint32_t shown = 0; /* a mask of places */
    size_t used = 0;
    dst[0] = '\0';
    for (int n = 0; n < HOLDERS_SHOWN && r->sessions >= SESSIONS_MIN; n++) {
        const struct mysql_holder *most = NULL;
        char one[FACT_TEXT_MAX];
        for (uint32_t i = 0; i < MYSQL_HOLDERS_MAX; i++)
            if (!(shown >> i & 1) && surely(&r->holders[i]) > 0 &&
                (most == NULL || surely(&r->holders[i]) > surely(most)))
                most = &r->holders[i];
        if (most == NULL)
            return;
        shown |= UINT32_C(1) << (most - r->holders);
        int length =
            snprintf(one, sizeof one, "%s%s@%s %s%u (idle up to %llu s)", n > 0 ? ", " : "",
                     most->user, most->host, most->doubt > 0 ? "at least " : "", surely(most),
                     (unsigned long long)most->idle_s);
        if (length < 0 || used + (size_t)length >= size)
            return; /* no half of one */
        memcpy(dst + used, one, (size_t)length + 1);
        used += (size_t)length;
    }
}
