/* One question, its rows through the pure reader, and how it ended. */
#include "probes/mysql_facts.h"

#include <errno.h>

#include "probes/mysql_outcome.h"

struct asked {
    struct mysql_reader reader;
    const struct mysql_query *query;
};

static void on_row(void *arg, const struct mysql_row *row)
{
    struct asked *a = arg;
    if (row->result < a->query->part_count)
        mysql_reader_row(&a->reader, a->query->parts[row->result], row->columns, row->names,
                         row->values);
}

static void set_reach(struct reach *reach, enum stay_rc rc, const struct stay_error *e)
{
    reach->layer = LAYER_QUERY;
    reach->native = e->native;
    reach->outcome = rc == STAY_OK         ? OUT_OK
                     : rc == STAY_ETIMEDOUT ? OUT_TIMEOUT
                     : rc == STAY_EUNKNOWN || rc == STAY_EUNREACHABLE ? OUT_RESET
                     : rc == STAY_EDENIED   ? OUT_DENIED
                     : rc == STAY_ELIMIT    ? OUT_TOO_MANY
                     : rc == STAY_EFAILED   ? mysql_outcome((unsigned)e->native, 0)
                                            : OUT_BAD_REPLY;
    reach->text[0] = '\0';
    if (rc != STAY_OK)
        (void)stay_copy(reach->text, sizeof reach->text, e->text);
}

enum stay_rc mysql_facts_receive(struct mysql_session *s, enum engine engine,
                                 const struct mysql_query *query, enum fact_group group,
                                 int64_t deadline_mono_us, struct server_facts *facts,
                                 struct reach *reach, struct stay_error *err)
{
    struct asked a = {.query = query};
    struct stay_error e = {0};
    unsigned results = 0;
    facts->dump_peer_count = 0;
    mysql_reader_init(&a.reader, engine, facts);
    enum stay_rc rc = mysql_session_receive(s, deadline_mono_us, on_row, &a, &results, &e);
    if (rc != STAY_OK && results >= query->required && mysql_session_is_open(s))
        rc = STAY_OK; /* the optional part is not there yet: no schema, no privilege */
    if (rc == STAY_OK)
        rc = mysql_reader_finish(&a.reader, group, &e);
    mysql_reader_clear(&a.reader);
    set_reach(reach, rc, &e);
    if (rc != STAY_OK && err != NULL)
        *err = e;
    return rc;
}

enum stay_rc mysql_facts_read(struct mysql_session *s, enum engine engine, enum fact_group group,
                              int64_t deadline_mono_us, struct server_facts *facts,
                              struct reach *reach, struct stay_error *err)
{
    const struct mysql_query *query = mysql_query_for(engine, mysql_session_version(s), group);
    struct stay_error e = {0};
    enum stay_rc rc = mysql_session_send(s, query->sql, deadline_mono_us, &e);
    if (rc == STAY_OK)
        return mysql_facts_receive(s, engine, query, group, deadline_mono_us, facts, reach, err);
    set_reach(reach, rc, &e);
    if (err != NULL)
        *err = e;
    return rc;
}
