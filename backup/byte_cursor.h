/* backup/byte_cursor.h - reads little-endian numbers from bytes of unknown origin without ever
 * passing their end: a read that does not fit gives 0, takes nothing more and sets is_short.
 *
 * Pure, header only. Layer: backup. */
#ifndef BACKUP_BYTE_CURSOR_H
#define BACKUP_BYTE_CURSOR_H
#include "base/base.h"

struct byte_cursor {
    const uint8_t *at;
    size_t left;
    bool is_short; /* sticky: something did not fit */
};

static inline struct byte_cursor byte_cursor_of(const void *bytes, size_t length)
{
    return (struct byte_cursor){.at = bytes, .left = length};
}

/* The next `count` bytes, borrowed; NULL when there are fewer. */
static inline const uint8_t *cursor_take(struct byte_cursor *c, size_t count)
{
    if (c->is_short || c->left < count) {
        c->is_short = true;
        return NULL;
    }
    const uint8_t *at = c->at;
    c->at += count;
    c->left -= count;
    return at;
}

/* 1 to 8 bytes, least significant first. */
static inline uint64_t cursor_uint(struct byte_cursor *c, unsigned bytes)
{
    const uint8_t *at = cursor_take(c, bytes);
    uint64_t value = 0;
    for (unsigned i = 0; at != NULL && i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

/* The protocol's packed length: 1, 3, 4 or 9 bytes. */
static inline uint64_t cursor_lenenc(struct byte_cursor *c)
{
    uint64_t first = cursor_uint(c, 1);
    if (first < 251)
        return first;
    if (first == 252)
        return cursor_uint(c, 2);
    if (first == 253)
        return cursor_uint(c, 3);
    if (first == 254)
        return cursor_uint(c, 8);
    c->is_short = true; /* 251 is NULL, 255 nothing */
    return 0;
}

#endif
