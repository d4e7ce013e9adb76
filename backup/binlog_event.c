/* Headers, checksums, format and queries. */
#include "backup/binlog_event.h"

#include <zlib.h>

#define FORMAT_FIXED   57 /* version 2, server version 50, created 4, header length 1 */
#define FORMAT_VERSION 4
#define CHECKSUM_OFF   0
#define CHECKSUM_CRC32 1
#define QUERY_FIXED    13

uint32_t binlog_crc32(const uint8_t *bytes, size_t length)
{
    uLong crc = crc32(0, NULL, 0);
    while (length > 0) {
        uInt piece = length > 0x40000000 ? 0x40000000 : (uInt)length;
        crc = crc32(crc, bytes, piece);
        bytes += piece;
        length -= piece;
    }
    return (uint32_t)crc;
}

static enum stay_rc read_header(const uint8_t *bytes, size_t length, struct binlog_event *ret,
                                struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(bytes, length);
    struct binlog_event e = {.raw = bytes};
    e.time_s = (uint32_t)cursor_uint(&c, 4);
    e.type = (uint8_t)cursor_uint(&c, 1);
    e.server_id = (uint32_t)cursor_uint(&c, 4);
    e.length = (uint32_t)cursor_uint(&c, 4);
    e.log_pos = (uint32_t)cursor_uint(&c, 4);
    e.flags = (uint16_t)cursor_uint(&c, 2);
    if (c.is_short)
        return stay_error(err, STAY_ECORRUPT, "an event of %zu bytes has no header", length);
    if (e.length < BINLOG_HEADER || e.length > BINLOG_EVENT_MAX || e.length > length)
        return stay_error(err, STAY_ECORRUPT, "event type %u says %u bytes, there are %zu", e.type,
                          e.length, length);
    e.body = bytes + BINLOG_HEADER;
    e.body_length = e.length - BINLOG_HEADER;
    *ret = e;
    return STAY_OK;
}

/* A format event says itself whether checksums are used: its last 5 bytes are algorithm and sum. */
static bool is_summed(const struct binlog_event *e, const struct binlog_format *format)
{
    if (e->type == BINLOG_FORMAT)
        return e->body_length > FORMAT_FIXED + 5 && e->body[e->body_length - 5] == CHECKSUM_CRC32;
    return format->has_checksum;
}

static uint32_t sum_of(const struct binlog_event *e)
{
    size_t length = e->length - BINLOG_CHECKSUM;
    if (e->type != BINLOG_FORMAT || !(e->flags & BINLOG_FLAG_IN_USE))
        return binlog_crc32(e->raw, length);
    uint8_t *copy = stay_malloc(length);
    memcpy(copy, e->raw, length);
    copy[17] &= (uint8_t)~BINLOG_FLAG_IN_USE;
    uint32_t sum = binlog_crc32(copy, length);
    free(copy);
    return sum;
}

enum stay_rc binlog_event_parse(const uint8_t *bytes, size_t length,
                                const struct binlog_format *format, struct binlog_event *ret_event,
                                struct stay_error *err)
{
    struct binlog_event e;
    enum stay_rc rc = read_header(bytes, length, &e, err);
    if (rc != STAY_OK || !is_summed(&e, format)) {
        if (rc == STAY_OK)
            *ret_event = e;
        return rc;
    }
    if (e.body_length < BINLOG_CHECKSUM)
        return stay_error(err, STAY_ECORRUPT, "event type %u has no room for its checksum", e.type);
    struct byte_cursor c =
        byte_cursor_of(e.body + e.body_length - BINLOG_CHECKSUM, BINLOG_CHECKSUM);
    if (sum_of(&e) != (uint32_t)cursor_uint(&c, 4))
        return stay_error(err, STAY_ECORRUPT,
                          "event type %u of %u bytes at %u: its checksum is wrong", e.type,
                          e.length, e.log_pos);
    if (e.type != BINLOG_FORMAT)
        e.body_length -= BINLOG_CHECKSUM;
    *ret_event = e;
    return STAY_OK;
}

enum stay_rc binlog_inner_parse(const uint8_t *bytes, size_t length, struct binlog_event *ret_event,
                                struct stay_error *err)
{
    return read_header(bytes, length, ret_event, err);
}

enum stay_rc binlog_format_parse(const struct binlog_event *event, struct binlog_format *ret_format,
                                 struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    struct binlog_format f = {.is_known = true};
    uint64_t version = cursor_uint(&c, 2);
    const uint8_t *name = cursor_take(&c, 50);
    (void)cursor_uint(&c, 4);
    uint64_t header = cursor_uint(&c, 1);
    if (c.is_short || event->type != BINLOG_FORMAT || version != FORMAT_VERSION ||
        header != BINLOG_HEADER || c.left < 5)
        return stay_error(err, STAY_ECORRUPT,
                          "no format description of version 4: type %u, version %llu", event->type,
                          (unsigned long long)version);
    memcpy(f.version, name, 50);
    size_t types = c.left - 5;
    for (size_t i = 0; i < types && i + 1 < sizeof f.post_header; i++)
        f.post_header[i + 1] = c.at[i];
    uint8_t algorithm = c.at[types];
    if (algorithm != CHECKSUM_OFF && algorithm != CHECKSUM_CRC32)
        return stay_error(err, STAY_ECORRUPT, "checksum algorithm %u is not known", algorithm);
    f.has_checksum = algorithm == CHECKSUM_CRC32;
    *ret_format = f;
    return STAY_OK;
}

enum stay_rc binlog_rotate_parse(const struct binlog_event *event, char *ret_name, size_t size,
                                 uint64_t *ret_position, struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    uint64_t position = cursor_uint(&c, 8);
    if (c.is_short || c.left == 0 || c.left >= size || memchr(c.at, '\0', c.left) != NULL)
        return stay_error(err, STAY_ECORRUPT, "a rotate event names no file");
    memcpy(ret_name, c.at, c.left);
    ret_name[c.left] = '\0';
    *ret_position = position;
    return STAY_OK;
}

enum stay_rc binlog_query_parse(const struct binlog_event *event, struct binlog_query *ret_query,
                                struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    struct binlog_query q = {0};
    (void)cursor_uint(&c, 8); /* thread, seconds */
    size_t schema = (size_t)cursor_uint(&c, 1);
    q.error_code = (uint16_t)cursor_uint(&c, 2);
    size_t status = (size_t)cursor_uint(&c, 2);
    (void)cursor_take(&c, status);
    const uint8_t *name = cursor_take(&c, schema + 1);
    if (c.is_short || event->type != BINLOG_QUERY)
        return stay_error(err, STAY_ECORRUPT, "a query event of %zu bytes is cut short",
                          event->body_length);
    q.schema = (const char *)name;
    q.schema_length = schema;
    q.text = (const char *)c.at;
    q.text_length = c.left;
    *ret_query = q;
    return STAY_OK;
}

bool binlog_query_is(const struct binlog_query *query, const char *word)
{
    size_t n = strlen(word);
    return query->text_length == n && strncasecmp(query->text, word, n) == 0;
}

const char *binlog_type_text(uint8_t type, char text[24])
{
    static const struct {
        enum binlog_type type;
        const char *text;
    } names[] = {{BINLOG_QUERY, "query"},
                 {BINLOG_TABLE_MAP, "table map"},
                 {BINLOG_WRITE_ROWS, "write rows"},
                 {BINLOG_UPDATE_ROWS, "update rows"},
                 {BINLOG_DELETE_ROWS, "delete rows"},
                 {BINLOG_WRITE_ROWS_1, "write rows"},
                 {BINLOG_UPDATE_ROWS_1, "update rows"},
                 {BINLOG_DELETE_ROWS_1, "delete rows"},
                 {BINLOG_PARTIAL_UPDATE_ROWS, "partial update rows"},
                 {BINLOG_XA_PREPARE, "XA prepare"},
                 {BINLOG_INTVAR, "integer variable"},
                 {BINLOG_RAND, "random seed"},
                 {BINLOG_USER_VAR, "user variable"}};
    for (size_t i = 0; i < STAY_COUNT(names); i++)
        if (names[i].type == type)
            return names[i].text;
    (void)snprintf(text, 24, "type %u", type);
    return text;
}
