/* BINLOG 'base64'. */
#include <mysql.h>

#include "backup/binlog_statement.h"

#include <openssl/evp.h>

#include "base/io/real_clock.h"

#define SAY_US     (600 * STAY_SECOND)
#define OPEN_US    (10 * STAY_SECOND)
#define PACKET_MAX (UINT32_C(1) << 30)

enum stay_rc statement_say(struct binlog_statement *b, const char *sql, struct stay_error *err)
{
    struct stay_error e = {0};
    enum stay_rc rc =
        mysql_session_run(b->session, sql, real_clock_mono_us() + SAY_US, NULL, NULL, &e);
    if (rc == STAY_OK)
        return rc;
    return stay_error_native(err, rc, e.domain, e.native, "%.60s: %.400s", sql, e.text);
}

static enum stay_rc ask_number(struct mysql_session *s, const char *sql, uint64_t *ret,
                               struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *text = NULL;
    enum stay_rc rc = mysql_session_text(s, sql, real_clock_mono_us() + SAY_US, &text, err);
    if (rc == STAY_OK)
        *ret = text == NULL ? 0 : strtoull(text, NULL, 10);
    return rc;
}

static enum stay_rc read_server(struct binlog_statement *b, struct mysql_session *session,
                                struct stay_error *err)
{
    uint64_t server_id = 0;
    *b = (struct binlog_statement){.session = session};
    enum stay_rc rc = ask_number(session, "SELECT @@max_allowed_packet", &b->packet_max, err);
    if (rc == STAY_OK)
        rc = ask_number(session, "SELECT @@server_id", &server_id, err);
    b->server_id = (uint32_t)server_id;
    if (rc == STAY_OK) { /* MariaDB knows no such variable */
        struct stay_error ignored;
        STAY_AUTO(stay_free_charp) char *uuid = NULL;
        b->is_mysql = mysql_session_text(session, "SELECT @@server_uuid",
                                         real_clock_mono_us() + SAY_US, &uuid, &ignored) == STAY_OK;
    }
    return rc;
}

enum stay_rc statement_open(struct binlog_statement *b, struct mysql_session *session,
                            const struct mysql_target *target, const struct mysql_account *account,
                            enum tri *ret_read_only, struct stay_error *err)
{
    struct reach reach = {0};
    STAY_AUTO(stay_free_charp) char *shut = NULL;
    mysql_session_set_packet_max(session, PACKET_MAX);
    enum stay_rc rc =
        mysql_session_open(session, target, account, real_clock_mono_us() + OPEN_US, &reach, err);
    if (rc == STAY_OK)
        rc = read_server(b, session, err);
    if (rc == STAY_OK)
        rc = mysql_session_text(session, "SELECT @@global.read_only",
                                real_clock_mono_us() + OPEN_US, &shut, err);
    if (rc == STAY_OK)
        *ret_read_only = shut == NULL             ? TRI_UNKNOWN
                         : strcmp(shut, "0") == 0 ? TRI_NO
                         : strcmp(shut, "1") == 0 ? TRI_YES
                                                  : TRI_UNKNOWN;
    return rc;
}

static enum stay_rc send(struct binlog_statement *b, const uint8_t *events, size_t length,
                         struct stay_error *err)
{
    static const char head[] = "BINLOG '";
    size_t coded = (length + 2) / 3 * 4;
    if (coded + sizeof head + 2 > b->packet_max || length > INT32_MAX)
        return stay_error(err, STAY_ELIMIT,
                          "a row of %zu bytes does not fit into the server's max_allowed_packet",
                          length);
    char *sql = stay_malloc(coded + sizeof head + 4);
    memcpy(sql, head, sizeof head - 1);
    (void)EVP_EncodeBlock((unsigned char *)sql + sizeof head - 1, events, (int)length);
    memcpy(sql + sizeof head - 1 + coded, "'", 2);
    enum stay_rc rc =
        mysql_session_run(b->session, sql, real_clock_mono_us() + SAY_US, NULL, NULL, err);
    free(sql);
    b->statements++;
    return rc;
}

enum stay_rc statement_format(struct binlog_statement *b, const struct bundle *bundle,
                              const struct bundle_transaction *t, struct stay_error *err)
{
    const struct binlog_format none = {0};
    struct binlog_format format = {0};
    struct binlog_event event;
    enum stay_rc rc =
        binlog_event_parse(bundle->events + t->format_offset,
                           bundle->events_length - t->format_offset, &none, &event, err);
    if (rc == STAY_OK)
        rc = binlog_format_parse(&event, &format, err);
    if (rc != STAY_OK)
        return rc;
    uint8_t *copy = stay_malloc(event.length); /* the flag is not in its checksum */
    memcpy(copy, event.raw, event.length);
    copy[17] &= (uint8_t)~BINLOG_FLAG_IN_USE;
    rc = send(b, copy, event.length, err);
    free(copy);
    b->has_checksum = format.has_checksum;
    if (rc == STAY_OK && b->is_mysql)
        rc = statement_say(b, "SET SESSION gtid_next = 'AUTOMATIC'", err);
    return rc == STAY_OK ? rc : stay_error_prefix(err, rc, "format description");
}

static bool is_conflict(int native)
{
    switch (native) {
    case 1032: /* no such row */
    case 1062: /* there is one already */
    case 1451: /* a child row */
    case 1452: /* no parent row */
    case 1146: /* no such table */
        return true;
    default: /* errors of a server, not an enum */
        return false;
    }
}

enum stay_rc statement_rows(void *arg, const struct binlog_table *table, const uint8_t *events,
                            size_t length, struct stay_error *err)
{
    struct stay_error e = {0};
    enum stay_rc rc = send(arg, events, length, &e);
    if (rc == STAY_OK)
        return rc;
    if (rc == STAY_EFAILED && is_conflict(e.native))
        rc = STAY_ECONFLICT;
    return stay_error_native(err, rc, e.domain, e.native, "%s.%s: %.300s", table->schema,
                             table->name, e.text);
}
