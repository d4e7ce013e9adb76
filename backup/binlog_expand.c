/* zstd and zlib, bounded. */
#include "backup/binlog_expand.h"

#include <zlib.h>
#include <zstd.h>

#define FIRST_ROOM 65536

enum payload_field {
    PAYLOAD_END = 0,
    PAYLOAD_SIZE = 1,
    PAYLOAD_COMPRESSION = 2,
    PAYLOAD_PLAIN = 3
};
enum payload_compression { COMPRESSION_ZSTD = 0, COMPRESSION_NONE = 255 };

struct output {
    uint8_t *bytes;
    size_t length, room;
    uint64_t max;
};

/* Room for at least one byte more; false: the maximum is reached. */
static bool grow(struct output *out)
{
    if (out->length < out->room)
        return true;
    if (out->room >= out->max)
        return false;
    size_t room = out->room == 0 ? FIRST_ROOM : out->room * 2;
    if (room > out->max)
        room = (size_t)out->max;
    out->bytes = stay_realloc(out->bytes, room, 1);
    out->room = room;
    return true;
}

static enum stay_rc unzstd(const uint8_t *from, size_t length, struct output *out,
                           struct stay_error *err)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    must(stream != NULL);
    ZSTD_inBuffer in = {from, length, 0};
    enum stay_rc rc = STAY_OK;
    size_t left = 1;
    while (rc == STAY_OK && left != 0) {
        if (!grow(out)) {
            rc = stay_error(err, STAY_ELIMIT, "a compressed transaction passes %llu bytes",
                            (unsigned long long)out->max);
            break;
        }
        ZSTD_outBuffer to = {out->bytes, out->room, out->length};
        size_t before_in = in.pos, before_out = to.pos;
        left = ZSTD_decompressStream(stream, &to, &in);
        out->length = to.pos;
        if (ZSTD_isError(left))
            rc = stay_error(err, STAY_ECORRUPT, "compressed transaction: %s",
                            ZSTD_getErrorName(left));
        else if (left != 0 && in.pos == before_in && to.pos == before_out && to.pos < to.size)
            rc = stay_error(err, STAY_ECORRUPT, "a compressed transaction is cut short");
        if (left == 0 && in.pos < in.size)
            left = 1; /* another frame */
    }
    ZSTD_freeDStream(stream);
    return rc;
}

struct payload {
    uint64_t compression;
    const uint8_t *bytes;
    size_t length;
};

static enum stay_rc read_payload(const struct binlog_event *event, struct payload *ret,
                                 struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    struct payload p = {.compression = COMPRESSION_ZSTD};
    uint64_t size = UINT64_MAX;
    for (uint64_t field = cursor_lenenc(&c); field != PAYLOAD_END && !c.is_short;
         field = cursor_lenenc(&c)) {
        uint64_t length = cursor_lenenc(&c);
        const uint8_t *value = cursor_take(&c, length > SIZE_MAX ? SIZE_MAX : (size_t)length);
        if (value == NULL)
            break;
        struct byte_cursor v = byte_cursor_of(value, (size_t)length);
        if (field == PAYLOAD_SIZE)
            size = cursor_lenenc(&v);
        else if (field == PAYLOAD_COMPRESSION)
            p.compression = cursor_lenenc(&v);
        c.is_short |= v.is_short;
    }
    if (c.is_short || size > c.left)
        return stay_error(err, STAY_ECORRUPT, "a compressed transaction's header is cut short");
    p.bytes = c.at;
    p.length = (size_t)size;
    *ret = p;
    return STAY_OK;
}

enum stay_rc binlog_payload_expand(const struct binlog_event *event, uint64_t max,
                                   uint8_t **ret_bytes, size_t *ret_length, struct stay_error *err)
{
    struct payload p = {0};
    struct output out = {.max = max};
    enum stay_rc rc = read_payload(event, &p, err);
    if (rc != STAY_OK)
        return rc;
    if (p.compression == COMPRESSION_NONE) {
        if (p.length > max)
            return stay_error(err, STAY_ELIMIT, "a transaction passes %llu bytes",
                              (unsigned long long)max);
        out.bytes = stay_malloc(p.length + 1);
        memcpy(out.bytes, p.bytes, p.length);
        out.length = p.length;
    } else if (p.compression == COMPRESSION_ZSTD) {
        rc = unzstd(p.bytes, p.length, &out, err);
    } else {
        rc = stay_error(err, STAY_ECORRUPT, "compression %llu is not known",
                        (unsigned long long)p.compression);
    }
    if (rc != STAY_OK) {
        free(out.bytes);
        return rc;
    }
    *ret_bytes = out.bytes;
    *ret_length = out.length;
    return STAY_OK;
}

bool binlog_is_compressed(uint8_t type)
{
    return type >= BINLOG_QUERY_COMPRESSED && type <= BINLOG_DELETE_ROWS_COMPRESSED;
}

static enum stay_rc unzlib(const uint8_t *from, size_t length, struct output *out,
                           struct stay_error *err)
{
    z_stream z = {0};
    if (inflateInit(&z) != Z_OK)
        return stay_error(err, STAY_ESYSTEM, "zlib cannot begin");
    z.next_in = (Bytef *)(uintptr_t)from;
    z.avail_in = (uInt)length;
    int state = Z_OK;
    enum stay_rc rc = STAY_OK;
    while (state == Z_OK && rc == STAY_OK) {
        if (!grow(out)) {
            rc = stay_error(err, STAY_ELIMIT, "a compressed event passes %llu bytes",
                            (unsigned long long)out->max);
            break;
        }
        size_t room = out->room - out->length;
        z.next_out = out->bytes + out->length;
        z.avail_out = room > UINT32_MAX ? UINT32_MAX : (uInt)room;
        uInt offered = z.avail_out;
        state = inflate(&z, Z_NO_FLUSH);
        out->length += offered - z.avail_out;
        if (state != Z_OK && state != Z_STREAM_END)
            rc = stay_error(err, STAY_ECORRUPT, "compressed event: %s",
                            z.msg == NULL ? "cut short" : z.msg);
    }
    (void)inflateEnd(&z);
    return rc;
}

/* One byte: 1aaannnn, algorithm 0 (zlib) and how many bytes of length follow, most significant
 * first. */
static enum stay_rc expand_tail(struct byte_cursor *c, uint64_t max, struct output *out,
                                struct stay_error *err)
{
    uint64_t head = cursor_uint(c, 1);
    unsigned bytes = head & 7;
    uint64_t length = 0;
    const uint8_t *at = cursor_take(c, bytes);
    for (unsigned i = 0; at != NULL && i < bytes; i++)
        length = length << 8 | at[i];
    if (c->is_short || (head & 0xf0) != 0x80 || bytes == 0 || bytes > 4)
        return stay_error(err, STAY_ECORRUPT, "a compressed event's header is not understood");
    size_t before = out->length;
    out->max = max;
    enum stay_rc rc = unzlib(c->at, c->left, out, err);
    if (rc == STAY_OK && out->length - before != length)
        rc = stay_error(err, STAY_ECORRUPT, "a compressed event says %llu bytes and holds %zu",
                        (unsigned long long)length, out->length - before);
    return rc;
}

/* What stands before the compressed part, and stays. */
static bool skip_plain_part(uint8_t type, struct byte_cursor *c)
{
    if (type == BINLOG_QUERY_COMPRESSED) {
        struct byte_cursor look = *c;
        (void)cursor_take(&look, 8);
        size_t schema = (size_t)cursor_uint(&look, 1);
        (void)cursor_take(&look, 2);
        size_t status = (size_t)cursor_uint(&look, 2);
        return !look.is_short && cursor_take(c, 13 + status + schema + 1) != NULL;
    }
    bool is_2 = type >= BINLOG_WRITE_ROWS_COMPRESSED;
    bool is_update =
        type == BINLOG_UPDATE_ROWS_1_COMPRESSED || type == BINLOG_UPDATE_ROWS_COMPRESSED;
    (void)cursor_take(c, 8);
    if (is_2) {
        uint64_t extra = cursor_uint(c, 2);
        (void)cursor_take(c, extra < 2 ? SIZE_MAX : (size_t)extra - 2);
    }
    uint64_t columns = cursor_lenenc(c);
    if (columns > 4096)
        return false;
    (void)cursor_take(c, (size_t)(columns + 7) / 8 * (is_update ? 2 : 1));
    return !c->is_short;
}

static uint8_t plain_type(uint8_t type)
{
    if (type == BINLOG_QUERY_COMPRESSED)
        return BINLOG_QUERY;
    if (type <= BINLOG_DELETE_ROWS_1_COMPRESSED)
        return (uint8_t)(BINLOG_WRITE_ROWS_1 + type - BINLOG_WRITE_ROWS_1_COMPRESSED);
    return (uint8_t)(BINLOG_WRITE_ROWS + type - BINLOG_WRITE_ROWS_COMPRESSED);
}

enum stay_rc binlog_event_expand(const struct binlog_event *event, uint64_t max,
                                 uint8_t **ret_bytes, size_t *ret_length, struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    if (!binlog_is_compressed(event->type) || !skip_plain_part(event->type, &c))
        return stay_error(err, STAY_ECORRUPT, "compressed event of type %u is cut short",
                          event->type);
    if (max > BINLOG_EVENT_MAX)
        max = BINLOG_EVENT_MAX;
    struct output out = {.max = max};
    out.length = (size_t)(c.at - event->raw);
    out.room = out.length + FIRST_ROOM;
    if (out.length >= max)
        return stay_error(err, STAY_ELIMIT, "a compressed event passes %llu bytes",
                          (unsigned long long)max);
    if (out.room > max)
        out.room = (size_t)max;
    out.bytes = stay_malloc(out.room);
    memcpy(out.bytes, event->raw, out.length);
    enum stay_rc rc = expand_tail(&c, max, &out, err);
    if (rc != STAY_OK) {
        free(out.bytes);
        return rc;
    }
    out.bytes[4] = plain_type(event->type);
    for (unsigned i = 0; i < 4; i++)
        out.bytes[9 + i] = (uint8_t)(out.length >> (8 * i));
    *ret_bytes = out.bytes;
    *ret_length = out.length;
    return STAY_OK;
}
