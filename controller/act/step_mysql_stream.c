/* Ending what is left of a replica's broken connection on its source (end stream).
 *
 * Measured on MariaDB 10.11.19: a replica that reconnects while the thread of its last connection
 * stands makes the source wait for that one's socket, under the lock of the session list: nobody
 * connects, nothing is shown. KILL shuts that socket first, so the same wait ends at once. */
#include <mysql.h>

#include "controller/act/step_mysql_private.h"

#define STREAM_OLD_S 2 /* a younger one may be the replica's next connection */

struct streams {
    const char *host, *account;
    uint64_t ids[64];
    uint32_t count;
    char other[120]; /* a thread to this host that is not of our account: an archiver's, perhaps */
};

/* The port is what follows the last colon: an IPv6 address has others, and no brackets. */
static bool is_of_host(const char *peer, const char *host)
{
    const char *colon = strrchr(peer, ':');
    size_t length = colon == NULL ? strlen(peer) : (size_t)(colon - peer);
    return strlen(host) == length && strncmp(peer, host, length) == 0;
}

/* Columns of SHOW PROCESSLIST: Id, User, Host, db, Command, Time, State, Info. */
static void add_stream(void *arg, const struct mysql_row *row)
{
    struct streams *v = arg;
    for (unsigned i = 0; i < 6; i++)
        if (row->columns < 6 || (i != 3 && row->values[i] == NULL))
            return;
    if (strncmp(row->values[4], "Binlog Dump", 11) != 0 || !is_of_host(row->values[2], v->host) ||
        strtol(row->values[5], NULL, 10) < STREAM_OLD_S)
        return;
    if (strcmp(row->values[1], v->account) != 0)
        (void)snprintf(v->other, sizeof v->other, "; connection %.20s of %.60s is not touched",
                       row->values[0], row->values[1]);
    else if (v->count < STAY_COUNT(v->ids))
        v->ids[v->count++] = strtoull(row->values[0], NULL, 10);
}

static enum outcome list_streams(struct step *s, struct streams *v)
{
    struct stay_error e = {0};
    *v = (struct streams){.host = s->in->peer.host, .account = s->in->replicate.user};
    return step_outcome_of(
        s, mysql_session_run(s->session, "SHOW PROCESSLIST", s->due_mono_us, add_stream, v, &e),
        "list sessions", &e);
}

/* Without it the server stops waiting for acknowledgements once its last replica is gone, and
 * answers everybody who waits. */
static enum outcome must_wait_alone(struct step *s)
{
    STAY_AUTO(stay_free_charp) char *waits = NULL;
    enum outcome o = step_ask(s, "SELECT @@GLOBAL.rpl_semi_sync_master_wait_no_slave", &waits);
    if (o == OUTCOME_DONE && (waits == NULL || strcmp(waits, "1") != 0))
        return step_end(s, OUTCOME_NOT_DONE,
                        "rpl_semi_sync_master_wait_no_slave is off: who waits "
                        "would be answered");
    return o;
}

enum outcome step_end_stream(struct step *s)
{
    struct streams v;
    uint32_t killed = 0;
    if (!step_is_mariadb(s) || !s->in->has_peer)
        return step_end(s, OUTCOME_NOT_DONE, "only of a MariaDB source, and of a known replica");
    enum outcome o = must_wait_alone(s);
    do {
        if (o == OUTCOME_DONE)
            o = list_streams(s, &v);
        if (o != OUTCOME_DONE || v.count == 0)
            break;
        for (uint32_t i = 0; i < v.count && o == OUTCOME_DONE; i++, killed++)
            o = step_say_or(s, 1094, "KILL CONNECTION %llu", (unsigned long long)v.ids[i]);
    } while (o == OUTCOME_DONE && step_wait(s, STEP_LOOK_AGAIN_US));
    if (o == OUTCOME_DONE)
        o = step_look(s);
    if (o == OUTCOME_DONE && v.count > 0)
        return step_end(s, OUTCOME_NOT_DONE, "a thread still serves %.100s", v.host);
    if (o == OUTCOME_DONE && killed == 0 &&
        v.other[0] != '\0') /* asked at once it would be the same */
        return step_end(s, OUTCOME_NOT_DONE, "no connection of %.60s to %.100s stands%s", v.account,
                        v.host, v.other);
    return o == OUTCOME_DONE ? step_end(s, o, "%u ended of %.100s%s", killed, v.host, v.other) : o;
}
