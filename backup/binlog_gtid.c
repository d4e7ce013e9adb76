/* GTID events of both engines, tagged ones included, and the sets at the beginning of a file. */
#include "backup/binlog_event.h"

#define GTID_LIST_COUNT 0x0fffffffU
#define MYSQL_SETS_MAX  1000000U

bool binlog_is_gtid(const struct binlog_event *event)
{
    return event->type == BINLOG_MARIADB_GTID || event->type == BINLOG_MYSQL_GTID ||
           event->type == BINLOG_TAGGED_GTID;
}

static void put_be32(uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void mariadb_source(struct gtid_range *range, uint32_t domain, uint32_t server)
{
    put_be32(range->source, domain);
    put_be32(range->source + 4, server);
}

static enum stay_rc parse_mariadb(const struct binlog_event *event, struct binlog_gtid *g,
                                  struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    uint64_t number = cursor_uint(&c, 8);
    uint32_t domain = (uint32_t)cursor_uint(&c, 4);
    g->flavor = GTID_MARIADB;
    g->mariadb_flags = (uint8_t)cursor_uint(&c, 1);
    g->range.first = g->range.last = number;
    g->commit_wall_us = (int64_t)event->time_s * STAY_SECOND;
    mariadb_source(&g->range, domain, event->server_id);
    if (c.is_short || number == 0)
        return stay_error(err, STAY_ECORRUPT, "a GTID event of %zu bytes is cut short",
                          event->body_length);
    return STAY_OK;
}

/* After flags, uuid and number: logical clocks, commit stamps (the top bit says that the original
 * one follows), the transaction's length. */
static void parse_mysql_rest(struct byte_cursor *c, struct binlog_gtid *g)
{
    if (c->left < 17 + 7 || cursor_uint(c, 1) != 2)
        return;
    (void)cursor_take(c, 16);
    uint64_t stamp = cursor_uint(c, 7);
    g->commit_wall_us = (int64_t)(stamp & ~(UINT64_C(1) << 55));
    if (stamp & (UINT64_C(1) << 55))
        (void)cursor_take(c, 7);
    uint64_t length = cursor_lenenc(c);
    g->transaction_length = c->is_short ? 0 : length;
}

static enum stay_rc parse_mysql(const struct binlog_event *event, struct binlog_gtid *g,
                                struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    (void)cursor_uint(&c, 1);
    const uint8_t *uuid = cursor_take(&c, 16);
    uint64_t number = cursor_uint(&c, 8);
    if (c.is_short || number == 0 || number > INT64_MAX)
        return stay_error(err, STAY_ECORRUPT, "a GTID event of %zu bytes is cut short",
                          event->body_length);
    g->flavor = GTID_MYSQL;
    memcpy(g->range.source, uuid, 16);
    g->range.first = g->range.last = number;
    g->commit_wall_us = (int64_t)event->time_s * STAY_SECOND;
    parse_mysql_rest(&c, g);
    return STAY_OK;
}

/* libs/mysql/serialization: as many low one-bits as bytes follow, then a zero bit, then the value,
 * little-endian; nine bytes have no zero bit. */
static uint64_t cursor_varlen(struct byte_cursor *c)
{
    uint64_t first = cursor_uint(c, 1);
    unsigned more = 0;
    while (more < 8 && (first >> more & 1))
        more++;
    if (more == 8)
        return cursor_uint(c, 8);
    uint64_t rest = more == 0 ? 0 : cursor_uint(c, more);
    return (first >> (more + 1)) | rest << (7 - more);
}

/* Fields by number, each told by its id: 0 flags, 1 uuid, 2 number, 3 tag, 4 and 5 clocks, 6 commit
 * stamp. */
static enum stay_rc parse_tagged(const struct binlog_event *event, struct binlog_gtid *g,
                                 struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    uint64_t version = cursor_varlen(&c);
    (void)cursor_varlen(&c); /* size */
    (void)cursor_varlen(&c); /* last field that may not be skipped */
    uint64_t number = 0;
    bool has_uuid = false;
    g->flavor = GTID_MYSQL;
    g->commit_wall_us = (int64_t)event->time_s * STAY_SECOND;
    for (uint64_t id = 0; !c.is_short && c.left > 0 && id < 6;) {
        id = cursor_varlen(&c);
        if (id == 1) {
            for (unsigned i = 0; i < 16; i++)
                g->range.source[i] = (uint8_t)cursor_varlen(&c);
            has_uuid = !c.is_short;
        } else if (id == 2) {
            number = cursor_varlen(&c) >> 1; /* signed: the sign is the lowest bit */
        } else if (id == 3) {
            uint64_t length = cursor_varlen(&c);
            const uint8_t *tag = length < sizeof g->range.tag ? cursor_take(&c, length) : NULL;
            if (tag == NULL)
                break;
            memcpy(g->range.tag, tag, length);
        } else if (id == 6) {
            g->commit_wall_us = (int64_t)cursor_varlen(&c);
        } else {
            (void)cursor_varlen(&c);
        }
    }
    g->range.first = g->range.last = number;
    if (c.is_short || version != 1 || !has_uuid || number == 0 || number > INT64_MAX)
        return stay_error(err, STAY_ECORRUPT, "a tagged GTID event is not understood");
    return STAY_OK;
}

enum stay_rc binlog_gtid_parse(const struct binlog_event *event, struct binlog_gtid *ret_gtid,
                               struct stay_error *err)
{
    struct binlog_gtid g = {0};
    enum stay_rc rc = STAY_EINVALID;
    if (event->type == BINLOG_MARIADB_GTID)
        rc = parse_mariadb(event, &g, err);
    else if (event->type == BINLOG_MYSQL_GTID)
        rc = parse_mysql(event, &g, err);
    else if (event->type == BINLOG_TAGGED_GTID)
        rc = parse_tagged(event, &g, err);
    else
        return stay_error(err, STAY_ECORRUPT, "event type %u is no GTID event", event->type);
    if (rc == STAY_OK)
        *ret_gtid = g;
    return rc;
}

static enum stay_rc parse_list(const struct binlog_event *event, struct gtid_set *set,
                               struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    uint32_t count = (uint32_t)cursor_uint(&c, 4) & GTID_LIST_COUNT;
    for (uint32_t i = 0; i < count && !c.is_short; i++) {
        struct gtid_range range = {.first = 1};
        uint32_t domain = (uint32_t)cursor_uint(&c, 4);
        uint32_t server = (uint32_t)cursor_uint(&c, 4);
        range.last = cursor_uint(&c, 8);
        mariadb_source(&range, domain, server);
        if (!c.is_short && range.last > 0)
            gtid_set_add_range(set, GTID_MARIADB, &range);
    }
    return c.is_short ? stay_error(err, STAY_ECORRUPT, "a GTID list event is cut short") : STAY_OK;
}

/* MySQL 8.3 and later: with tags, the first word's top byte is 1 and repeats below it. */
static enum stay_rc parse_previous(const struct binlog_event *event, struct gtid_set *set,
                                   struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    uint64_t count = cursor_uint(&c, 8);
    bool has_tags = (count >> 56) == 1;
    if (has_tags)
        count = (count << 8 >> 16);
    if (count > MYSQL_SETS_MAX)
        c.is_short = true;
    for (uint64_t i = 0; i < count && !c.is_short; i++) {
        struct gtid_range range = {0};
        const uint8_t *uuid = cursor_take(&c, 16);
        if (has_tags) {
            uint64_t length = cursor_uint(&c, 1) >> 1;
            const uint8_t *tag = length < sizeof range.tag ? cursor_take(&c, length) : NULL;
            if (tag != NULL)
                memcpy(range.tag, tag, length);
            else
                c.is_short = true;
        }
        uint64_t intervals = cursor_uint(&c, 8);
        for (uint64_t k = 0; k < intervals && !c.is_short; k++) {
            range.first = cursor_uint(&c, 8);
            uint64_t end = cursor_uint(&c, 8);
            if (c.is_short || range.first == 0 || end <= range.first || end > INT64_MAX)
                return stay_error(err, STAY_ECORRUPT, "previous GTIDs: an impossible interval");
            range.last = end - 1;
            memcpy(range.source, uuid, 16);
            gtid_set_add_range(set, GTID_MYSQL, &range);
        }
    }
    return c.is_short ? stay_error(err, STAY_ECORRUPT, "a previous GTIDs event is cut short")
                      : STAY_OK;
}

enum stay_rc binlog_state_parse(const struct binlog_event *event, struct gtid_set *ret_set,
                                struct stay_error *err)
{
    struct gtid_set set = {0};
    enum stay_rc rc = STAY_ECORRUPT;
    if (event->type == BINLOG_GTID_LIST)
        rc = parse_list(event, &set, err);
    else if (event->type == BINLOG_PREVIOUS_GTIDS)
        rc = parse_previous(event, &set, err);
    else
        (void)stay_error(err, rc, "event type %u holds no GTID set", event->type);
    if (rc == STAY_OK)
        gtid_set_copy(ret_set, &set);
    gtid_set_clear(&set);
    return rc;
}
