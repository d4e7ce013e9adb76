/* backup/repository/object_format.h - the bytes of an object: header, frames, index, end; bytes in,
 * bytes out.
 *
 * Pure. Layer: repository. mainstay-repository(5) is the same in words; numbers are least
 * significant byte first. Nothing that is read here is believed before its length was: counts and
 * sizes are bounded by the limits below and by the bytes that are there.
 *
 *   header  magic, version, ids, keys, name, about, SHA-256 of all that
 *   frame*  32 bytes of frame header, the sealed bytes, 16 bytes of tag; the last one is empty
 *   index   32 bytes for each frame
 *   end     72 bytes: where the index is, SHA-256 of all before the end, magic */
#ifndef BACKUP_REPOSITORY_OBJECT_FORMAT_H
#define BACKUP_REPOSITORY_OBJECT_FORMAT_H
#include "backup/repository/aead.h"
#include "backup/repository/object_name.h"
#include "base/error.h"
#include "base/str.h"

#define OBJECT_VERSION       1
#define OBJECT_MAGIC         "MSTAYOBJ"
#define OBJECT_END_MAGIC     "MSTAYEND"
#define OBJECT_HEADER_MIN    128      /* fixed part with the sum */
#define OBJECT_HEADER_MAX    4194304U /* with keys, name, about */
#define OBJECT_KEYS_MAX      4096
#define OBJECT_KEY_BYTES     80
#define OBJECT_ABOUT_MAX     1048576U
#define OBJECT_END_BYTES     72
#define FRAME_HEADER_BYTES   32
#define FRAME_INDEX_BYTES    32
#define FRAME_PLAIN_MAX      1048576U /* bytes of a frame before compression */
#define FRAME_OVERHEAD_BYTES (FRAME_HEADER_BYTES + AEAD_TAG_BYTES)

enum object_kind {
    OBJECT_KIND_NONE = 0,
    OBJECT_DATA = 1,     /* rows of a snapshot */
    OBJECT_SEGMENT = 2,  /* a piece of the log */
    OBJECT_DOCUMENT = 3, /* JSON: manifests, lineages, gaps, events */
    OBJECT_KIND_COUNT
};

/* A data key, sealed with a generation of a domain's key. */
struct object_key {
    uint8_t domain[DOMAIN_BYTES];
    uint32_t generation;
    uint8_t nonce[AEAD_NONCE_BYTES];
    uint8_t sealed[AEAD_KEY_BYTES + AEAD_TAG_BYTES];
};

struct object_header {
    uint16_t version;
    enum object_kind kind;
    uint8_t repo[REPO_ID_BYTES];
    uint8_t object[16]; /* random: of this attempt to write it */
    uint32_t frame_max; /* plain bytes of a frame at most */
    uint16_t key_count;
    struct object_key *keys;    /* owned */
    char name[OBJECT_NAME_MAX]; /* the object's own */
    char *about;                /* owned; clear text, JSON; terminated */
    uint32_t length;            /* bytes of the header, the sum included */
    uint8_t hash[SHA256_BYTES]; /* that sum: part of what each frame authenticates */
};

enum frame_flags {
    FRAME_COMPRESSED = 1, /* zstd */
    FRAME_LAST = 2, /* empty, and of the header's first key: it proves that nothing was cut off */
};

struct frame_header {
    uint32_t sealed_length; /* without the tag */
    uint32_t plain_length;
    uint16_t key;  /* place in the header's keys: whose domain it is of */
    uint8_t flags; /* enum frame_flags */
    uint8_t type;  /* what the frame holds, by the object's kind */
    uint64_t number, plain_offset;
};

struct object_end {
    uint64_t index_offset, plain_length;
    uint32_t frame_count;
    uint32_t index_crc; /* CRC-32 of the index */
    uint8_t hash[SHA256_BYTES];
};

/* Where a frame stands. */
struct frame_place {
    uint64_t offset, plain_offset;
    uint32_t sealed_length, plain_length;
    uint16_t key;
    uint8_t flags, type;
};

/* Appends the header to `out` and fills in length and hash. about, name, keys within the limits. */
void object_header_encode(struct object_header *header, struct str *out);
/* `bytes` begin with a header and may be cut: STAY_ELIMIT, *ret_needed bytes are needed (never more
 * than OBJECT_HEADER_MAX). Faults: CORRUPT, NEWER. The caller clears *ret_header. */
enum stay_rc object_header_decode(const void *bytes, size_t length,
                                  struct object_header *ret_header, size_t *ret_needed,
                                  struct stay_error *err) STAY_MUST_USE;
void object_header_clear(struct object_header *header);
/* What the sealing of `key` authenticates, as text: dst has DATA_KEY_LABEL_MAX bytes. */
#define DATA_KEY_LABEL_MAX 160
void object_key_label(const struct object_header *header, const struct object_key *key,
                      char dst[DATA_KEY_LABEL_MAX]);

void frame_header_encode(const struct frame_header *f, const uint8_t object_hash[SHA256_BYTES],
                         uint8_t dst[FRAME_HEADER_BYTES]);
/* CORRUPT unless its check is right and its lengths are possible in `header`. */
enum stay_rc frame_header_decode(const uint8_t bytes[FRAME_HEADER_BYTES],
                                 const struct object_header *header, struct frame_header *ret_frame,
                                 struct stay_error *err) STAY_MUST_USE;

void frame_place_encode(const struct frame_place *place, struct str *out);
uint32_t frame_index_crc(const void *index, size_t length);
void object_end_encode(const struct object_end *end, struct str *out);
/* `size` is the whole object's. TRUNCATED without the magic, CORRUPT when it cannot be. */
enum stay_rc object_end_decode(const uint8_t bytes[OBJECT_END_BYTES], uint64_t size,
                               struct object_end *ret_end, struct stay_error *err) STAY_MUST_USE;

#endif
