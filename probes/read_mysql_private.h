/* probes/read_mysql_private.h - one named value of a server, and the fact it is.
 *
 * read_mysql_value.c has the tables of names and reads values; read_mysql.c knows which part of an
 * answer they stand in. Pure. Layer: probes, these files only. */
#ifndef PROBES_READ_MYSQL_PRIVATE_H
#define PROBES_READ_MYSQL_PRIVATE_H
#include "probes/read_mysql.h"

#include <strings.h>

enum value_kind {
    VALUE_TRI,
    VALUE_READ_ONLY,
    VALUE_U64,
    VALUE_I64,
    VALUE_SECONDS_MS,
    VALUE_TEXT,
    VALUE_AFTER_SYNC,
    VALUE_THREAD,
    VALUE_RECEIVER,
    VALUE_EXECUTED,
    VALUE_APPLIED,
    VALUE_RECEIVED,
    VALUE_PURGED,
    VALUE_BEGAN,
    VALUE_GTID_MODE,
    VALUE_ONE,     /* is it 1? */
    VALUE_IS_ROW,  /* is it ROW? */
    VALUE_DISKS,   /* "free/total free/total" in KiB: the fuller one */
    VALUE_ADDRESS, /* of MySQL's admin_port: where there is none, there is no such port */
};

/* Values without which an answer is none: bits of struct mysql_reader's `seen`. */
enum seen {
    SEEN_SERVER_ID = 1,
    SEEN_UPTIME = 2,
    SEEN_READ_ONLY = 4,
    SEEN_EXECUTED = 8,
    SEEN_VERSION = 16,
    SEEN_BEATS = 32,
    SEEN_BEGAN = 64
};

struct name_row {
    const char *name;
    enum value_kind kind;
    size_t at;     /* of the fact, in struct server_facts */
    unsigned seen; /* enum seen */
};

/* A row of the process list; any of it NULL but command. */
struct mysql_session_row {
    const char *user, *host, *command, *seconds;
};
/* Counts a session for its user and host. */
void mysql_holders_take(struct mysql_reader *r, const struct mysql_session_row *row);
/* "app@10.0.0.5 380 (idle up to 512 s), ...": those who hold most, at most three, only whole ones;
 * empty on a server with few sessions. */
void mysql_holders_text(const struct mysql_reader *r, char *dst, size_t size);

/* Without case. Most names differ in their first letter: hundreds are compared in an answer. */
static inline bool mysql_name_is(const char *name, const char *wanted)
{
    return ((name[0] ^ wanted[0]) & ~0x20) == 0 && strcasecmp(name, wanted) == 0;
}

/* The row of a name (without case), NULL: a value nobody asked for. */
const struct name_row *mysql_pair_row(const char *name);    /* variables, status counters */
const struct name_row *mysql_replica_row(const char *name); /* columns of a replica's status */
const struct name_row *mysql_start_row(const char *name);   /* variables with their origin */
/* One value into its fact; false when it does not parse (the fact is then not to be used). */
bool mysql_value_take(struct mysql_reader *r, const struct name_row *row, const char *value);
/* The whole text as a number; false: it is none, or out of range. */
bool mysql_value_i64(const char *value, int64_t *ret);
bool mysql_value_u64(const char *value, uint64_t *ret);
/* A GTID set in the engine's notation. */
bool mysql_value_set(enum engine engine, const char *value, struct gtid_set *ret_set);

#endif
