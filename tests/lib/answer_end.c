/* tests/lib/answer_end.c - packets counted and told apart by their first bytes; see the header. */
#include "tests/lib/answer_end.h"

#define MORE_RESULTS 8

/* Past a length-encoded number. */
static size_t skip_number(const unsigned char *body, size_t at)
{
    return at + (body[at] < 251 ? 1 : body[at] == 252 ? 3 : body[at] == 253 ? 4 : 9);
}

/* A whole packet came; `body` holds its first bytes. True when the answer ends with it. */
static bool end_packet(struct answer_end *scan, const unsigned char *body, size_t length)
{
    bool is_eof = body[0] == 0xfe && length < 9;
    if (body[0] == 0xff)
        return true;
    if (scan->is_in_set) {
        if (!is_eof || ++scan->eofs < 2)
            return false;
        scan->is_in_set = false;
        return (body[3] & MORE_RESULTS) == 0;
    }
    if (body[0] != 0) {
        scan->is_in_set = true;
        scan->eofs = 0;
        return false;
    }
    size_t status = skip_number(body, skip_number(body, 1));
    return (body[status] & MORE_RESULTS) == 0;
}

bool answer_end_scan(struct answer_end *scan, const char *bytes, size_t length)
{
    bool is_end = false;
    for (size_t at = 0; at < length;) {
        if (scan->have < sizeof scan->start) {
            size_t n = sizeof scan->start - scan->have;
            size_t left = scan->length == 0 ? 4 - scan->have : scan->length - scan->have;
            n = n > left ? left : n;
            n = n > length - at ? length - at : n;
            memcpy(scan->start + scan->have, bytes + at, n);
            scan->have += n;
            at += n;
        } else {
            size_t left = scan->length - scan->have;
            left = left > length - at ? length - at : left;
            scan->have += left;
            at += left;
        }
        if (scan->length == 0 && scan->have == 4)
            scan->length =
                4 + (scan->start[0] | (size_t)scan->start[1] << 8 | (size_t)scan->start[2] << 16);
        if (scan->length != 0 && scan->have == scan->length) {
            is_end = end_packet(scan, scan->start + 4, scan->length - 4);
            scan->have = scan->length = 0;
        }
    }
    return is_end;
}
