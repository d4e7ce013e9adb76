/* The parts of an answer, row by row, and what the whole must hold. */
#include "probes/read_mysql_private.h"

#include <strings.h>

static void bad(struct mysql_reader *r, const char *name, const char *value)
{
    if (r->problem[0] == '\0')
        (void)snprintf(r->problem, sizeof r->problem, "%.40s has the value '%.80s'", name, value);
}

static void take_pair(struct mysql_reader *r, const char *name, const char *value)
{
    const struct name_row *row = mysql_pair_row(name);
    if (row == NULL || value == NULL)
        return;
    if (mysql_value_take(r, row, value))
        r->seen |= row->seen;
    else
        bad(r, name, value);
}

static bool is_filter(const char *name)
{
    return (name[0] == 'R' || name[0] == 'r') && (strncasecmp(name, "Replicate_Do_", 13) == 0 ||
                                                  strncasecmp(name, "Replicate_Ignore_", 17) == 0 ||
                                                  strcasecmp(name, "Replicate_Rewrite_DB") == 0 ||
                                                  strncasecmp(name, "Replicate_Wild_", 15) == 0);
}

/* Only the default channel counts: a named one replicates something that is not this cluster. */
static void take_replica(struct mysql_reader *r, unsigned columns, const char *const *names,
                         const char *const *values)
{
    for (unsigned i = 0; i < columns; i++)
        if ((mysql_name_is(names[i], "Connection_name") ||
             mysql_name_is(names[i], "Channel_Name")) &&
            values[i] != NULL && values[i][0] != '\0')
            return;
    r->has_replica = true;
    r->facts->filters = TRI_NO;
    for (unsigned i = 0; i < columns; i++) {
        if (values[i] == NULL)
            continue;
        if (is_filter(names[i]) && values[i][0] != '\0')
            r->facts->filters = TRI_YES;
        const struct name_row *row = mysql_replica_row(names[i]);
        if (row == NULL)
            continue;
        if (mysql_value_take(r, row, values[i]))
            r->seen |= row->seen;
        else
            bad(r, names[i], values[i]);
    }
}

/* What it leaves out of its own binary log no replica ever holds. */
static void take_log(struct mysql_reader *r, unsigned columns, const char *const *names,
                     const char *const *values)
{
    r->facts->log_filters = TRI_NO;
    for (unsigned i = 0; i < columns; i++) {
        if (values[i] == NULL || values[i][0] == '\0')
            continue;
        if (mysql_name_is(names[i], "Binlog_Do_DB") || mysql_name_is(names[i], "Binlog_Ignore_DB"))
            r->facts->log_filters = TRI_YES;
        if (mysql_name_is(names[i], "File"))
            (void)stay_copy(r->facts->log_file, sizeof r->facts->log_file, values[i]);
    }
}

static void take_session(struct mysql_reader *r, unsigned columns, const char *const *names,
                         const char *const *values)
{
    struct server_facts *f = r->facts;
    struct mysql_session_row row = {.command = ""};
    for (unsigned i = 0; i < columns; i++) {
        if (mysql_name_is(names[i], "Host"))
            row.host = values[i];
        else if (mysql_name_is(names[i], "User"))
            row.user = values[i];
        else if (mysql_name_is(names[i], "Command") && values[i] != NULL)
            row.command = values[i];
        else if (mysql_name_is(names[i], "Time"))
            row.seconds = values[i];
    }
    mysql_holders_take(r, &row);
    if (row.host == NULL || strncmp(row.command, "Binlog Dump", 11) != 0 ||
        f->dump_peer_count == DUMP_PEERS_MAX)
        return;
    char *host = f->dump_peers[f->dump_peer_count++].host;
    (void)stay_copy(host, sizeof f->dump_peers[0].host, row.host);
    char *colon = strrchr(host, ':');
    if (colon != NULL)
        *colon = '\0';
}

/* name, value, origin[, persisted]. A value set at run time hides what a restart would bring. */
static void take_start(struct mysql_reader *r, unsigned columns, const char *const *values)
{
    if (columns < 3 || values[0] == NULL || values[1] == NULL)
        return;
    const struct name_row *row = mysql_start_row(values[0]);
    if (row == NULL)
        return;
    const char *origin = values[2] == NULL ? "" : values[2];
    const char *value = values[1];
    if (row->kind == VALUE_READ_ONLY && r->engine == ENGINE_MYSQL)
        return; /* alone it lets administrators write: super_read_only says it */
    if (strcasecmp(origin, "SQL") == 0 || strcasecmp(origin, "DYNAMIC") == 0)
        value = NULL;
    if (columns > 3 && values[3] != NULL)
        value = values[3];
    if (value == NULL)
        return;
    enum tri *at = (enum tri *)((char *)r->facts + row->at);
    enum tri before = *at;
    if (!mysql_value_take(r, row, value))
        bad(r, values[0], value);
    else if (before == TRI_YES) /* one variable under its old and its new name */
        *at = TRI_YES;
}

void mysql_reader_init(struct mysql_reader *r, enum engine engine, struct server_facts *facts)
{
    *r = (struct mysql_reader){.engine = engine, .facts = facts};
    facts->lag_s = -1;
    if (engine == ENGINE_MARIADB)
        facts->ss_wait_count = 1;
}

void mysql_reader_row(struct mysql_reader *r, enum mysql_part part, unsigned columns,
                      const char *const *names, const char *const *values)
{
    switch (part) {
    case PART_IGNORE:
        return;
    case PART_VALUES:
        for (unsigned i = 0; i < columns; i++)
            take_pair(r, names[i], values[i]);
        return;
    case PART_PAIRS:
        if (columns >= 2 && values[0] != NULL)
            take_pair(r, values[0], values[1]);
        return;
    case PART_REPLICA:
        take_replica(r, columns, names, values);
        return;
    case PART_LOG:
        take_log(r, columns, names, values);
        return;
    case PART_DUMPS:
        take_session(r, columns, names, values);
        return;
    case PART_HEARTBEAT:
        if (columns < 2 || values[0] == NULL || values[1] == NULL ||
            !mysql_value_u64(values[0], &r->facts->canary_epoch) ||
            !mysql_value_i64(values[1], &r->facts->canary_wall_us))
            bad(r, "mainstay.heartbeat", columns < 1 || values[0] == NULL ? "" : values[0]);
        return;
    case PART_START:
        take_start(r, columns, values);
        return;
    }
}

static void finish_status(struct mysql_reader *r)
{
    struct server_facts *f = r->facts;
    struct gtid_set applied = {0}, received = {0};
    if (!mysql_value_set(r->engine, r->executed, &f->executed))
        bad(r, "executed set", r->executed);
    if (r->applied != NULL && !mysql_value_set(r->engine, r->applied, &applied))
        bad(r, "gtid_slave_pos", r->applied);
    if (r->received != NULL && !mysql_value_set(r->engine, r->received, &received))
        bad(r, "received set", r->received);
    gtid_set_union(&f->executed, &applied);
    gtid_set_copy(&f->received, &f->executed);
    gtid_set_union(&f->received, &received);
    gtid_set_clear(&applied);
    gtid_set_clear(&received);
    mysql_holders_text(r, f->holders, sizeof f->holders);
    if (!r->has_replica) {
        f->receiver = RECEIVER_NONE;
        f->applier = TRI_NO;
    }
    if (r->engine == ENGINE_MARIADB)
        f->super_read_only = f->read_only;
    f->beats_shown = (r->seen & SEEN_BEATS) != 0 ? TRI_YES : TRI_NO;
}

enum stay_rc mysql_reader_finish(struct mysql_reader *r, unsigned groups, struct stay_error *err)
{
    unsigned need = 0;
    if (groups & FACTS_STATUS)
        need |= SEEN_SERVER_ID | SEEN_UPTIME | SEEN_READ_ONLY | SEEN_EXECUTED;
    if (groups & FACTS_SLOW)
        need |= SEEN_VERSION;
    if ((r->seen & need) != need)
        return stay_error(err, STAY_ECORRUPT, "%s",
                          r->problem[0] != '\0' ? r->problem
                                                : "the answer lacks server_id, uptime, "
                                                  "read_only, the executed set or version");
    if (groups & FACTS_STATUS)
        finish_status(r);
    if ((groups & FACTS_SLOW) && !(r->seen & SEEN_BEGAN))
        gtid_set_clear(&r->facts->log_began); /* of an earlier answer */
    if ((groups & FACTS_SLOW) && r->engine == ENGINE_MYSQL && !r->has_admin_address)
        r->facts->extra_port = 0;
    if (r->problem[0] != '\0')
        return stay_error(err, STAY_ECORRUPT, "%s", r->problem);
    return STAY_OK;
}

void mysql_reader_clear(struct mysql_reader *r)
{
    free(r->executed);
    free(r->applied);
    free(r->received);
    *r = (struct mysql_reader){0};
}
