/* controller/decide/decide_note.c - what a human needs beside the verdict, and automation does not
 * do: which grant it lacks to relieve, who holds a full server's connections, which binary logs a
 * full disk can do without. */
#include "controller/decide/decide_private.h"

#include <ctype.h>

/* "NAME.000123": the number and where its digits begin; false where it is not such a name. */
static bool split_log(const char *file, size_t *ret_digits, uint64_t *ret_number)
{
    size_t length = strlen(file), digits = length;
    uint64_t number = 0;
    while (digits > 0 && isdigit((unsigned char)file[digits - 1]))
        digits--;
    if (digits < 2 || file[digits - 1] != '.' || length - digits < 1 || length - digits > 18)
        return false;
    for (size_t i = 0; i < digits; i++) /* it stands in a statement */
        if (!isalnum((unsigned char)file[i]) && strchr("._-", file[i]) == NULL)
            return false;
    for (size_t i = digits; i < length; i++)
        number = number * 10 + (uint64_t)(file[i] - '0');
    *ret_digits = digits;
    *ret_number = number;
    return true;
}

/* The number of the primary's log that `node` reads next at the latest, by its own word of now;
 * false: nobody can tell, or the name is of another source's log. */
static bool log_needed(const struct cluster_view *view, uint32_t node, int64_t now_mono_us,
                       uint64_t *ret_number)
{
    const char *mine = view->nodes[view->primary].facts.log_file;
    const char *its = view->nodes[node].facts.source_log;
    size_t mine_digits = 0, its_digits = 0;
    uint64_t newest = 0;
    return cluster_facts_stand(view, node) && view->record.quarantine[node] == QUARANTINE_NONE &&
           cluster_node_receives(view, node, view->primary, now_mono_us) == TRI_YES &&
           split_log(mine, &mine_digits, &newest) && split_log(its, &its_digits, ret_number) &&
           mine_digits == its_digits && strncmp(mine, its, mine_digits) == 0 &&
           *ret_number <= newest + 1; /* the primary is asked for its own name less often */
}

/* Every other server of the cluster needs some log, one that is down or set aside all the more. One
 * log more is kept than that: a replica with parallel appliers may name the one after. */
static void note_purge(const struct cluster_view *view, int64_t now_mono_us, char *text,
                       size_t size)
{
    const char *mine = view->nodes[view->primary].facts.log_file;
    uint64_t oldest = UINT64_MAX, number = 0;
    const char *stranger = cluster_stranger(view);
    size_t digits = 0;
    if (stranger != NULL) {
        (void)snprintf(text, size,
                       "; purge none of its binary logs: which %.60s needs, that is no "
                       "server of this cluster, is not known",
                       stranger);
        return;
    }
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        if (node == view->primary)
            continue;
        if (!log_needed(view, node, now_mono_us, &number)) {
            (void)snprintf(text, size,
                           "; purge none of its binary logs: which %s needs is not known",
                           view->config->nodes[node].name);
            return;
        }
        oldest = number < oldest ? number : oldest;
    }
    if (oldest == UINT64_MAX || oldest < 2 || !split_log(mine, &digits, &number))
        return;
    (void)snprintf(text, size,
                   "; every server executed what stands before: PURGE BINARY LOGS TO '%.*s%06llu'",
                   (int)digits, mine, (unsigned long long)(oldest - 1));
}

void decide_note(const struct cluster_view *view, uint16_t rule_id, int64_t now_mono_us, char *text,
                 size_t size)
{
    text[0] = '\0';
    if (view->primary == NO_NODE)
        return;
    const struct server_facts *facts = &view->nodes[view->primary].facts;
    const char *grant = decide_outranked_by(view);
    if (rule_id == 122 && grant != NULL && view->config->relieve_stalled != RELIEVE_ALERT)
        (void)snprintf(text, size,
                       "; not moved, for a session that we may not end (error 1095) may stand in "
                       "the way: on it, as root: %s;",
                       grant);
    if (rule_id == 124 && facts->holders[0] != '\0')
        (void)snprintf(text, size, "; of %llu connections: %s",
                       (unsigned long long)facts->connections, facts->holders);
    if (rule_id == 125)
        note_purge(view, now_mono_us, text, size);
}
