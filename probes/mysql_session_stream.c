/* A binary-log dump over a session, by the packet calls that the client library exports: its own
 * reader of streams (mariadb_rpl_fetch of Connector/C 3.3.20) misreads ROTATE, and knows no end. */
#include "probes/mysql_session_private.h"

#include "base/io/real_clock.h"

#define DUMP_NON_BLOCK 1
#define NET_ERROR      ((unsigned long)-1)
#define END_PACKET     0xfe
#define END_LENGTH_MAX 8

void mysql_session_set_packet_max(struct mysql_session *s, unsigned long bytes)
{
    s->packet_max = bytes;
}

static enum stay_rc fail(struct mysql_session *s, const char *what, struct stay_error *err)
{
    unsigned native = mysql_errno(s->mysql);
    enum stay_rc rc = s->has_timed_out ? STAY_ETIMEDOUT : STAY_EFAILED;
    (void)stay_error_native(err, rc, STAY_DOMAIN_MYSQL, (int)native, "%s: (%u) %s", what, native,
                            s->has_timed_out ? "no answer in time" : mysql_error(s->mysql));
    mysql_session_close(s);
    return rc;
}

/* Without these the server leaves checksums out, or (MariaDB) writes GTIDs as something older. */
static const char prepare_sql[] =
    "SET @master_binlog_checksum = @@global.binlog_checksum, "
    "@source_binlog_checksum = @@global.binlog_checksum, @mariadb_slave_capability = 4";

enum stay_rc mysql_session_dump(struct mysql_session *s, const char *file, uint32_t position,
                                int64_t deadline_mono_us, struct stay_error *err)
{
    unsigned char command[10 + 512] = {0};
    size_t length = strlen(file);
    if (length > 512)
        return stay_error(err, STAY_ELIMIT, "a log's name of %zu bytes", length);
    enum stay_rc rc = mysql_session_run(s, prepare_sql, deadline_mono_us, NULL, NULL, err);
    if (rc != STAY_OK)
        return rc;
    for (unsigned i = 0; i < 4; i++)
        command[i] = (unsigned char)(position >> (8 * i));
    command[4] = DUMP_NON_BLOCK;
    memcpy(command + 10, file, length);
    mysql_session_begin(s, deadline_mono_us);
    mysql_session_lend_buffer(s); /* for the whole stream */
    int failed = s->mysql->methods->db_command(s->mysql, COM_BINLOG_DUMP, (const char *)command,
                                               10 + length, 1, NULL);
    mysql_session_end();
    return failed ? fail(s, "ask for the binary log", err) : STAY_OK;
}

enum stay_rc mysql_session_packet(struct mysql_session *s, int64_t deadline_mono_us,
                                  const uint8_t **ret_event, size_t *ret_length,
                                  struct stay_error *err)
{
    if (s->mysql == NULL)
        return stay_error(err, STAY_EUNREACHABLE, "not connected");
    mysql_session_begin(s, deadline_mono_us);
    unsigned long length = mysql_net_read_packet(s->mysql);
    mysql_session_end();
    const uint8_t *packet = s->mysql->net.read_pos;
    if (length == NET_ERROR || length == 0)
        return fail(s, "read the binary log", err);
    if (packet[0] == END_PACKET && length <= END_LENGTH_MAX) {
        mysql_session_close(s);
        return stay_error(err, STAY_ENOTFOUND, "the binary log ends here");
    }
    if (packet[0] != 0)
        return fail(s, "a packet of the binary log begins with neither event nor end", err);
    s->used_mono_us = real_clock_mono_us();
    *ret_event = packet + 1;
    *ret_length = length - 1;
    return STAY_OK;
}
