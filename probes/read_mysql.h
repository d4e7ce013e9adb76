/* probes/read_mysql.h - rows a MariaDB or MySQL server sent, as facts; and the grants it showed, as
 * the first one missing.
 *
 * Pure (heap only). Layer: probes. Nothing a server sends is trusted: a value that does not parse
 * makes the whole answer a bad reply. Both engines and MySQL's old and new names give the same
 * facts. Call order: mysql_reader_init, mysql_reader_row.., mysql_reader_finish,
 * mysql_reader_clear.
 *
 * MariaDB: executed = gtid_binlog_state and gtid_slave_pos together (per server of origin, see
 * base/gtid.h); received = Gtid_IO_Pos and executed. MySQL: gtid_executed; Retrieved_Gtid_Set and
 * gtid_executed. A server may go on reporting as received what its purged relay log lost. */
#ifndef PROBES_READ_MYSQL_H
#define PROBES_READ_MYSQL_H
#include "probes/observation.h"

/* What one result of an answer is. */
enum mysql_part {
    PART_IGNORE = 0,
    PART_VALUES,    /* column names are names, one row */
    PART_PAIRS,     /* name, value */
    PART_REPLICA,   /* SHOW ALL SLAVES STATUS, SHOW REPLICA STATUS: a row per channel */
    PART_LOG,       /* SHOW MASTER STATUS, SHOW BINARY LOG STATUS: one row, none without a log */
    PART_DUMPS,     /* SHOW PROCESSLIST: each session's user, "host:port", command, seconds */
    PART_HEARTBEAT, /* epoch, written at in microseconds */
    PART_START,     /* name, value, origin of a variable; MySQL: and its persisted value */
};

/* A user on a host, and how many sessions it has; see read_mysql_holders.c. */
#define MYSQL_HOLDERS_MAX 16
struct mysql_holder {
    char user[32], host[48];
    uint32_t count, doubt; /* between count - doubt and count sessions */
    uint64_t idle_s;       /* of its longest idle one */
};

struct mysql_reader {
    struct server_facts *facts; /* borrowed */
    enum engine engine;
    unsigned seen;           /* which of the required values came */
    char *executed, *applied, *received; /* texts until finish */
    struct mysql_holder holders[MYSQL_HOLDERS_MAX]; /* those in use come first */
    uint32_t sessions;
    bool has_replica;
    bool has_admin_address;
    char problem[160];       /* first thing that did not parse; empty: none */
};

/* facts is borrowed until finish and gets what the rows say; init sets the defaults of values an
 * engine does not send. A row: `columns` names and values, values may be NULL, borrowed for the
 * call. */
void mysql_reader_init(struct mysql_reader *r, enum engine engine, struct server_facts *facts);
void mysql_reader_row(struct mysql_reader *r, enum mysql_part part, unsigned columns,
                      const char *const *names, const char *const *values);
/* `groups` are what was asked. STAY_ECORRUPT: something does not parse or a required value is
 * missing; facts are then not to be used. */
enum stay_rc mysql_reader_finish(struct mysql_reader *r, unsigned groups,
                                 struct stay_error *err) STAY_MUST_USE;
void mysql_reader_clear(struct mysql_reader *r);

/* Which account a list of grants is for. */
enum mysql_account_kind { ACCOUNT_OF_MONITOR = 0, ACCOUNT_OF_CANARY, ACCOUNT_OF_OPERATE,
                          ACCOUNT_OF_REPLICATE, ACCOUNT_OF_COUNT };

/* Lines of SHOW GRANTS are added one by one; at most GRANT_LINES_MAX count. */
#define GRANT_LINES_MAX 64
struct mysql_grants {
    char *lines[GRANT_LINES_MAX];
    unsigned count;
    bool no_role; /* MySQL: the session has no active role */
};
void mysql_grants_add(struct mysql_grants *g, const char *line);
void mysql_grants_clear(struct mysql_grants *g);
/* What the account lacks: "USER lacks: GRANT PROCESS ON *.* TO USER", "USER lacks 3, first: GRANT
 * ..." or "USER " MISSING_ROLE; empty text: nothing. True when nothing is missing. */
bool mysql_grants_check(const struct mysql_grants *g, enum engine engine,
                        enum mysql_account_kind kind, const char *user, char *ret_text,
                        size_t size);
/* Is this text of a lack only of what not every plan needs (MISSING_ERRANT, MISSING_RANK)? */
bool mysql_grants_is_optional(const char *missing);

#endif
