/* backup/repository/object_name.h - the names of a repository's objects: which are ours, what they
 * say, and how they are made.
 *
 * Pure. Layer: repository. The same names serve a directory and an S3 prefix; they need no escaping
 * in either, sort by time, and hold no name of a server, a file of a server, or a tenant. A name
 * that object_name_check refuses is never handed to a store, nor believed of one. */
#ifndef BACKUP_REPOSITORY_OBJECT_NAME_H
#define BACKUP_REPOSITORY_OBJECT_NAME_H
#include "base/error.h"

#define OBJECT_NAME_MAX  256 /* longest, terminator included */
#define REPO_ID_BYTES    16
#define DOMAIN_BYTES     16
#define OBJECT_ID_TEXT   33 /* 32 hex and the terminator */
#define SNAPSHOT_ID_TEXT 26 /* "20261120t103107z-1a2b3c4d" */
#define LINEAGE_ID_TEXT  17
#define ULID_TEXT        27

enum object_place {
    PLACE_UNKNOWN = 0, /* a permitted name of no place we know: a later version's, left alone */
    PLACE_REPO,        /* repo.json */
    PLACE_KEY,         /* keys/DOMAIN/GENERATION.MASTER.json */
    PLACE_SHREDDED,    /* keys/DOMAIN/shredded.json */
    PLACE_CLUSTER,     /* c/CLUSTER/cluster.json */
    PLACE_LINEAGE,     /* c/CLUSTER/l/LINEAGE/lineage.json */
    PLACE_CLOSED,      /* c/CLUSTER/l/LINEAGE/closed.json */
    PLACE_DATA,        /* c/CLUSTER/l/LINEAGE/s/SNAPSHOT/data/DOMAIN/NNNNNN.mso */
    PLACE_MANIFEST,    /* c/CLUSTER/l/LINEAGE/s/SNAPSHOT/manifest.json */
    PLACE_SEGMENT,     /* c/CLUSTER/l/LINEAGE/w/YYYYMMDDHH/EPOCH-SEQ.msl */
    PLACE_INDEX,       /* c/CLUSTER/l/LINEAGE/i/YYYYMMDD.json */
    PLACE_GAP,         /* c/CLUSTER/g/ULID.json */
    PLACE_EVENT,       /* c/CLUSTER/e/ULID.json */
    PLACE_HOLD,        /* c/CLUSTER/hold/ULID.json */
    PLACE_LEASE,       /* c/CLUSTER/lease/NAME.json */
    PLACE_TRASH,       /* trash/ULID.json */
    PLACE_TMP,         /* tmp/...: being written, or left by a crash */
    PLACE_COUNT
};

/* What a name says. Fields that its place does not have are empty or 0. */
struct object_name {
    enum object_place place;
    char cluster[33], lineage[LINEAGE_ID_TEXT], snapshot[SNAPSHOT_ID_TEXT];
    char domain[OBJECT_ID_TEXT], master[17];
    char id[65];            /* ULID of GAP, EVENT, HOLD, TRASH; NAME of LEASE */
    char hour[11];          /* SEGMENT: "2026112010", INDEX: "20261120" */
    uint32_t generation;    /* KEY */
    uint32_t epoch, number; /* SEGMENT: epoch; DATA: number */
    uint64_t seq;           /* SEGMENT */
};

/* STAY_EREFUSED (REPO_FAULT_HOSTILE_NAME, the name escaped in the text) unless `text` is one or
 * more parts of [a-z0-9][a-z0-9._-]{0,63} joined by '/', shorter than OBJECT_NAME_MAX. */
enum stay_rc object_name_check(const char *text, struct stay_error *err) STAY_MUST_USE;
bool object_name_is_permitted(const char *text);
/* Any bytes as one line of printable ASCII for messages, cut with "..." at the end of dst. */
void object_name_escape(char *dst, size_t size, const char *text);

/* Never fails: what is not understood is PLACE_UNKNOWN. `text` must be permitted. */
struct object_name object_name_parse(const char *text);
/* The text of what object_name_parse gives; `name` must be whole. */
void object_name_format(const struct object_name *name, char dst[OBJECT_NAME_MAX]);
const char *object_place_text(enum object_place place); /* "segment" */

/* Lower-case hex with terminator: dst has 2 * length + 1 bytes. */
void hex_format(const void *bytes, size_t length, char *dst);
/* Exactly 2 * length lower-case digits, or false. */
bool hex_parse(const char *text, void *ret_bytes, size_t length);
/* Sorts by time: 48 bits of milliseconds, 80 of randomness; Crockford's base 32 in lower case. */
void ulid_format(int64_t wall_us, const uint8_t random[10], char dst[ULID_TEXT]);
/* "20261120t103107z-1a2b3c4d", UTC. */
void snapshot_id_format(int64_t wall_us, uint32_t random, char dst[SNAPSHOT_ID_TEXT]);
/* "2026112010": the folder of a segment whose first commit was then. */
void segment_hour_format(int64_t wall_us, char dst[11]);

#endif
