/* backup/binlog_event.h - events of a MariaDB or MySQL binary log: header, checksum, format, and
 * the events that begin and end a transaction.
 *
 * Pure. Layer: backup. The bytes may come from anywhere: each read is bounded, an event that is not
 * what it says is STAY_ECORRUPT. Results borrow from the event's bytes.
 *
 * Sources: MariaDB Knowledge Base "Replication Protocol" (2-Binlog Event Header, Gtid Event,
 * Rows events); MySQL Source Documentation "Replication Protocol", libs/mysql/binlog/event (9.x);
 * seen on MariaDB 10.11.19 and MySQL 9.7.4. */
#ifndef BACKUP_BINLOG_EVENT_H
#define BACKUP_BINLOG_EVENT_H
#include "backup/byte_cursor.h"
#include "base/gtid.h"

#define BINLOG_HEADER    19
#define BINLOG_CHECKSUM  4
#define BINLOG_EVENT_MAX (UINT32_C(1) << 30) /* servers refuse larger ones (max_allowed_packet) */
#define BINLOG_MAGIC                                                                               \
    "\xfe"                                                                                         \
    "bin"
#define BINLOG_FLAG_IN_USE     0x1 /* format event of the file being written; not in its checksum */
#define BINLOG_FLAG_ARTIFICIAL 0x20

enum binlog_type {
    BINLOG_QUERY = 2,
    BINLOG_STOP = 3,
    BINLOG_ROTATE = 4,
    BINLOG_INTVAR = 5,
    BINLOG_RAND = 13,
    BINLOG_USER_VAR = 14,
    BINLOG_FORMAT = 15,
    BINLOG_XID = 16,
    BINLOG_TABLE_MAP = 19,
    BINLOG_WRITE_ROWS_1 = 23,
    BINLOG_UPDATE_ROWS_1 = 24,
    BINLOG_DELETE_ROWS_1 = 25,
    BINLOG_HEARTBEAT = 27,
    BINLOG_ROWS_QUERY = 29, /* MySQL: the statement's text */
    BINLOG_WRITE_ROWS = 30,
    BINLOG_UPDATE_ROWS = 31,
    BINLOG_DELETE_ROWS = 32,
    BINLOG_MYSQL_GTID = 33,
    BINLOG_ANONYMOUS_GTID = 34,
    BINLOG_PREVIOUS_GTIDS = 35,
    BINLOG_XA_PREPARE = 38,
    BINLOG_PARTIAL_UPDATE_ROWS = 39,
    BINLOG_PAYLOAD = 40, /* MySQL: the events of a transaction, compressed */
    BINLOG_HEARTBEAT_2 = 41,
    BINLOG_TAGGED_GTID = 42,
    BINLOG_ANNOTATE = 160, /* MariaDB: the statement's text */
    BINLOG_CHECKPOINT = 161,
    BINLOG_MARIADB_GTID = 162,
    BINLOG_GTID_LIST = 163,
    BINLOG_ENCRYPTION = 164,
    BINLOG_QUERY_COMPRESSED = 165,
    BINLOG_WRITE_ROWS_1_COMPRESSED = 166,
    BINLOG_UPDATE_ROWS_1_COMPRESSED = 167,
    BINLOG_DELETE_ROWS_1_COMPRESSED = 168,
    BINLOG_WRITE_ROWS_COMPRESSED = 169,
    BINLOG_UPDATE_ROWS_COMPRESSED = 170,
    BINLOG_DELETE_ROWS_COMPRESSED = 171,
};

struct binlog_event {
    uint32_t time_s;
    uint8_t type; /* enum binlog_type, or one nobody knows */
    uint32_t server_id;
    uint32_t length;
    uint32_t log_pos;
    uint16_t flags;
    const uint8_t *raw;  /* length bytes */
    const uint8_t *body; /* after the header, without checksum */
    size_t body_length;
};

/* What a format description says of the events after it. Zeroed: no checksums. */
struct binlog_format {
    bool is_known;
    bool has_checksum;
    char version[51];         /* of the server, "10.11.19-MariaDB-log" */
    uint8_t post_header[256]; /* lengths by type; 0: not told */
};

/* The event at the beginning of `bytes`; its checksum is verified when the format has any (a format
 * event says so itself and is checked too). STAY_ECORRUPT: shorter than it says, impossible length,
 * wrong checksum. */
enum stay_rc binlog_event_parse(const uint8_t *bytes, size_t length,
                                const struct binlog_format *format, struct binlog_event *ret_event,
                                struct stay_error *err) STAY_MUST_USE;
/* As binlog_event_parse, of an event inside a decompressed payload: it has no checksum. */
enum stay_rc binlog_inner_parse(const uint8_t *bytes, size_t length, struct binlog_event *ret_event,
                                struct stay_error *err) STAY_MUST_USE;
enum stay_rc binlog_format_parse(const struct binlog_event *event, struct binlog_format *ret_format,
                                 struct stay_error *err) STAY_MUST_USE;
/* Of a ROTATE event: the name of the file that follows. */
enum stay_rc binlog_rotate_parse(const struct binlog_event *event, char *ret_name, size_t size,
                                 uint64_t *ret_position, struct stay_error *err) STAY_MUST_USE;

/* MariaDB's flags of a GTID event. */
#define BINLOG_GTID_STANDALONE    1 /* no COMMIT: the next event is the whole transaction */
#define BINLOG_GTID_TRANSACTIONAL 4
#define BINLOG_GTID_DDL           32
#define BINLOG_GTID_XA_PREPARED   64
#define BINLOG_GTID_XA_COMPLETED  128

struct binlog_gtid {
    enum gtid_flavor flavor;
    struct gtid_range range; /* first == last: this transaction */
    uint8_t mariadb_flags;
    int64_t commit_wall_us;      /* MySQL's commit stamp; MariaDB: the event's second */
    uint64_t transaction_length; /* MySQL: bytes with the GTID event; 0: not told */
};

bool binlog_is_gtid(const struct binlog_event *event); /* 33, 42, 162 */
enum stay_rc binlog_gtid_parse(const struct binlog_event *event, struct binlog_gtid *ret_gtid,
                               struct stay_error *err) STAY_MUST_USE;
/* GTID_LIST or PREVIOUS_GTIDS: all that the log held before this file. *ret_set is replaced. */
enum stay_rc binlog_state_parse(const struct binlog_event *event, struct gtid_set *ret_set,
                                struct stay_error *err) STAY_MUST_USE;

struct binlog_query {
    const char *schema; /* not terminated */
    size_t schema_length;
    const char *text; /* not terminated */
    size_t text_length;
    uint16_t error_code;
};
/* QUERY only; a compressed one is expanded first (binlog_expand.h). */
enum stay_rc binlog_query_parse(const struct binlog_event *event, struct binlog_query *ret_query,
                                struct stay_error *err) STAY_MUST_USE;
/* Is the query's text `word`, whatever its case ("BEGIN", "COMMIT")? */
bool binlog_query_is(const struct binlog_query *query, const char *word);

/* "write rows", or "type 77". Static, or in text. */
const char *binlog_type_text(uint8_t type, char text[24]);

uint32_t binlog_crc32(const uint8_t *bytes, size_t length);

#endif
