/* Ending the sessions of clients, so that nobody's write is answered any more. */
#include <mysql.h>

#include "controller/act/step_mysql_private.h"

#define NOT_THE_OWNER 1095 /* ER_KILL_DENIED_ERROR */

/* `holds` are leaders of a commit group that wait for its acknowledgement, `commits` are MariaDB's
 * sessions elsewhere in a commit. */
struct victims {
    const struct step_input *in;
    uint64_t ids[4096], commits[4096], holds[64], closers[64];
    uint32_t count, commits_count, holds_count, closers_count;
    bool tells_commits;  /* commits are listed as such, not as ids */
    bool killed_commits; /* of clients: killed, by whomever, and still in their commit */
    bool is_closing;     /* somebody waits to set read_only: no new writer begins */
    bool is_shut;        /* and waits for ever */
    bool applier_waits, killed_waits; /* for an acknowledgement */
};

/* Users whose sessions stay: ours but the canary's (it may be the one that waits), and the
 * server's. */
static bool is_spared(const struct step_input *in, const char *user)
{
    const char *const spared[] = {"system user", "event_scheduler", in->operate.user,
                                  in->monitor_user, in->replicate.user};
    for (size_t i = 0; i < STAY_COUNT(spared); i++)
        if (strcmp(user, spared[i]) == 0)
            return true;
    return false;
}

/* Seen on MariaDB 10.11.19 of whom a frozen disk held up in an autocommit, a COMMIT, a SET
 * autocommit = 1, an XA PREPARE and a write to a table without transactions. */
static bool is_commit(const char *state)
{
    return strncmp(state, "Commit", 6) == 0 || strncmp(state, "Writing to binlog", 17) == 0 ||
           strncmp(state, "Waiting for prior transaction", 29) == 0;
}

/* Columns of SHOW PROCESSLIST on both engines: Id, User, Host, db, Command, Time, State, Info. */
static void add_victim(void *arg, const struct mysql_row *row)
{
    struct victims *v = arg;
    if (row->columns < 8 || row->values[0] == NULL || row->values[1] == NULL)
        return;
    const char *command = row->values[4] == NULL ? "" : row->values[4];
    const char *state = row->values[6] == NULL ? "" : row->values[6];
    if (strcmp(row->values[1], v->in->operate.user) == 0 && row->values[7] != NULL &&
        strstr(row->values[7], "SET GLOBAL read_only = 1") != NULL &&
        strncmp(state, "Waiting for", 11) == 0) {
        v->is_closing = true;
        v->is_shut |= strstr(row->values[7], STEP_SHUT) != NULL;
        if (v->closers_count < STAY_COUNT(v->closers))
            v->closers[v->closers_count++] = strtoull(row->values[0], NULL, 10);
    }
    bool waits = strncmp(state, "Waiting for semi-sync ACK", 25) == 0;
    v->applier_waits |= waits && strcmp(row->values[1], "system user") == 0;
    bool is_killed = strcmp(command, "Killed") == 0;
    v->killed_waits |= waits && is_killed;
    bool is_ours = is_spared(v->in, row->values[1]);
    v->killed_commits |= is_killed && is_commit(state) && !is_ours;
    if (is_ours || is_killed || strcmp(command, "Daemon") == 0 ||
        strncmp(command, "Slave_", 6) == 0 || strncmp(command, "Binlog Dump", 11) == 0)
        return;
    uint64_t id = strtoull(row->values[0], NULL, 10);
    if (waits && v->holds_count < STAY_COUNT(v->holds))
        v->holds[v->holds_count++] = id;
    else if (v->tells_commits && is_commit(state) && v->commits_count < STAY_COUNT(v->commits))
        v->commits[v->commits_count++] = id;
    else if (v->count < STAY_COUNT(v->ids))
        v->ids[v->count++] = id;
}

/* SHOW, not information_schema: see mysql_query.c. */
static enum outcome list_sessions(struct step *s, struct victims *v)
{
    struct stay_error e = {0};
    *v = (struct victims){.in = s->in, .tells_commits = step_is_mariadb(s)};
    return step_outcome_of(
        s, mysql_session_run(s->session, "SHOW PROCESSLIST", s->due_mono_us, add_victim, v, &e),
        "list sessions", &e);
}

/* Seen on MySQL 9.7: CONNECTION_ADMIN ends no session of an account with SYSTEM_USER. */
static enum outcome say_outranked(struct step *s, uint64_t id)
{
    return step_end(
        s, OUTCOME_NOT_DONE,
        "session %llu may not be ended by us (1095), its account holds SYSTEM_USER: end "
        "it by hand, or there as root: GRANT SYSTEM_USER ON *.* TO '%.40s'@...",
        (unsigned long long)id, s->in->operate.user);
}

/* Rights are those of the login: SYSTEM_USER given since counts for the next one. */
static enum outcome log_in_anew(struct step *s)
{
    struct reach reach = {0};
    struct stay_error e = {0};
    enum stay_rc rc =
        mysql_session_open(s->session, &s->in->target, &s->in->operate, s->due_mono_us, &reach, &e);
    return step_outcome_of(s, rc, "log in", &e);
}

static enum outcome kill_each(struct step *s, const uint64_t *ids, uint32_t count)
{
    s->result->ended_sessions |= count > 0;
    for (uint32_t i = 0; i < count; i++) { /* 1094: it has gone by itself */
        enum outcome o = step_say_or(s, 1094, "KILL CONNECTION %llu", (unsigned long long)ids[i]);
        if (o == OUTCOME_NOT_DONE && s->native == NOT_THE_OWNER) {
            o = log_in_anew(s);
            s->native = 0;
            if (o == OUTCOME_DONE)
                o = step_say_or(s, 1094, "KILL CONNECTION %llu", (unsigned long long)ids[i]);
            if (o == OUTCOME_NOT_DONE && s->native == NOT_THE_OWNER)
                return say_outranked(s, ids[i]);
        }
        if (o != OUTCOME_DONE)
            return o;
    }
    return OUTCOME_DONE;
}

/* Measured on MariaDB: the leader of a group waits for all of it, and killed it lets the others go
 * on, who are answered OK. So leaders go last, in a round that found nobody else alive. And one
 * killed where it cannot leave, in a disk that takes no write, leads a group when the disk works
 * again, waits for nobody, and those who came meanwhile are answered OK
 * (tests/scenario/scenario_fact_killed_stuck.c): commits that no leader waits for end by
 * themselves, or must not be touched. Behind a leader that waits nothing tells a group of its own
 * from such a disk: there they are killed only once nobody can come after them, for however long
 * they stay (scenario_fact_killed_shut.c). */
enum outcome step_end_sessions(struct step *s, enum step_ending how, uint32_t *ret_left)
{
    struct victims *v = stay_calloc(1, sizeof *v);
    enum outcome o = list_sessions(s, v);
    bool held = v->holds_count > 0 || v->applier_waits; /* whose group may be behind them */
    bool hang = how != ENDS_ALL && v->commits_count > 0 && !held;
    bool may = how != ENDS_CLOSING || v->is_closing;
    bool behind = v->commits_count > 0 && held;
    s->wants_shut = how == ENDS_CLOSING && may && !v->is_shut && (behind || v->killed_commits);
    if (o == OUTCOME_DONE && may && !(hang && how == ENDS_CLOSING))
        o = kill_each(s, v->ids, v->count);
    if (o == OUTCOME_DONE && may && !hang && !s->wants_shut)
        o = kill_each(s, v->commits, v->commits_count);
    if (o == OUTCOME_DONE && may && !s->wants_shut && v->count + v->commits_count == 0)
        o = kill_each(s, v->holds, v->holds_count);
    s->result->ended_sessions |= v->killed_commits;
    s->commits_hang = hang && may;
    *ret_left = v->count + v->commits_count + v->holds_count;
    s->applier_waits = *ret_left == 0 && v->is_closing && v->applier_waits && !v->killed_waits &&
                       (!v->killed_commits || v->is_shut); /* its group; they stay until it goes */
    free(v);
    return o;
}

enum outcome step_end_closers(struct step *s)
{
    struct victims *v = stay_calloc(1, sizeof *v);
    mysql_session_close(s->shut);
    enum outcome o = list_sessions(s, v);
    for (uint32_t i = 0; i < v->closers_count && o == OUTCOME_DONE; i++)
        o = step_say_or(s, 1094, "KILL CONNECTION %llu", (unsigned long long)v->closers[i]);
    free(v);
    return o;
}
