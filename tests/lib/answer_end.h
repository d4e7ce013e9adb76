/* tests/lib/answer_end.h - where the answer to a text statement ends in a stream of bytes.
 *
 * Layer: tests. Pure. For clients that did not ask for CLIENT_DEPRECATE_EOF (Connector/C 3.3): an
 * answer is OK, ERR, or a column count, the columns, EOF, the rows, EOF; the status of an OK or of
 * the second EOF says whether another result follows (SERVER_MORE_RESULTS_EXISTS). */
#ifndef TESTS_LIB_ANSWER_END_H
#define TESTS_LIB_ANSWER_END_H
#include "base/base.h"

/* Zeroed: at the beginning of an answer. */
struct answer_end {
    unsigned char start[32]; /* of the packet under way, its head included */
    size_t have, length;     /* of the packet under way; length 0: not known yet */
    int eofs;                /* of this result set; -1: not in one */
    bool is_in_set;
};

/* True when the answer's last byte is among these. */
bool answer_end_scan(struct answer_end *scan, const char *bytes, size_t length);

#endif
