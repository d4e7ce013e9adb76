/* base/gtid.h - GTID sets of MariaDB and MySQL as one value type with exact set algebra.
 *
 * Pure (heap only). Layer: base.
 *
 * MySQL: sets of (uuid[:tag], interval) as the manual's "GTID Sets" defines them, tags of 8.3+
 * included. MariaDB: positions d-s-n; read from gtid_binlog_state / gtid_slave_pos / Gtid_IO_Pos.
 * A MariaDB server that holds d-s-n holds every transaction server s wrote in domain d up to n
 * (gtid_strict_mode), so (d, s, n) is kept as source d-s with interval [1, n]. Comparing per
 * (domain, server) instead of per domain is what makes a diverged tail visible: {0-1-100} is not
 * contained in {0-1-98, 0-2-120} although 100 < 120. */
#ifndef BASE_GTID_H
#define BASE_GTID_H
#include "base/error.h"

enum gtid_flavor { GTID_NONE = 0, GTID_MARIADB, GTID_MYSQL };

struct gtid_range {
    uint8_t source[16]; /* MySQL: uuid. MariaDB: domain and server id, big endian, then zeros */
    char tag[33];       /* MySQL 8.3+ tag, lower case; empty otherwise */
    uint64_t first;     /* inclusive, >= 1 */
    uint64_t last;      /* inclusive, >= first */
};

/* Sets of two flavors do not compare: contains and equal are false, union and subtract leave dst as
 * it was (an empty set goes with every flavor).
 *
 * Zero-initialised is the valid empty set. v is sorted by (source, tag, first), ranges neither
 * overlap nor touch. Owned; release with gtid_set_clear. */
struct gtid_set {
    struct gtid_range *v;
    size_t n, cap;
    enum gtid_flavor flavor; /* GTID_NONE while empty and never parsed */
};

#define GTID_TEXT_MAX 1048576 /* 1 MiB; longer input is refused with STAY_ELIMIT */

/* Parses a server's text ("" is the empty set; whitespace and newlines are ignored). On failure
 * *ret_set stays as it was. MariaDB: comma list of d-s-n; for one d-s the highest n wins. */
enum stay_rc gtid_set_parse(enum gtid_flavor flavor, const char *text, struct gtid_set *ret_set,
                            struct stay_error *err) STAY_MUST_USE;
void gtid_set_clear(struct gtid_set *set);
void gtid_set_copy(struct gtid_set *dst, const struct gtid_set *src); /* dst is replaced */
void gtid_set_add_range(struct gtid_set *set, enum gtid_flavor flavor,
                        const struct gtid_range *range);
void gtid_set_union(struct gtid_set *dst, const struct gtid_set *other);    /* dst |= other */
void gtid_set_subtract(struct gtid_set *dst, const struct gtid_set *other); /* dst -= other */
bool gtid_set_contains(const struct gtid_set *outer, const struct gtid_set *inner);
bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b);
bool gtid_set_is_empty(const struct gtid_set *set);
uint64_t gtid_set_count(const struct gtid_set *set); /* transactions; saturates at UINT64_MAX */

/* Heap text in the engine's own notation, caller frees. MariaDB prints d-s-last for ranges that
 * start at 1 and d-s-first..last for others (a difference; parse reads it back). Empty set: "". */
char *gtid_set_format(const struct gtid_set *set) STAY_MUST_USE;

/* 64 bits of a set's text, never 0: to know the set again where it cannot be kept. */
uint64_t gtid_set_digest(const struct gtid_set *set);

/* MariaDB wait position: the text that MASTER_GTID_WAIT takes, the highest n per domain. */
char *gtid_set_format_mariadb_pos(const struct gtid_set *set) STAY_MUST_USE;

void gtid_set_drop(struct gtid_set *set); /* for STAY_AUTO; same as clear */

#endif
