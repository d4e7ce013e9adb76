/* backup/repository/object_reader.h - reads one object frame by frame and believes none of it
 * before it was proven.
 *
 * Layer: repository. Blocking; one thread. With the keys each frame is opened; without them the
 * stored bytes are still compared with their sum. An object is whole when object_reader_next said
 * that there is no more. Faults: MISSING, TRUNCATED, CORRUPT, FOREIGN (another repository's, or
 * stored under another name), NEWER, KEY_MISSING (lost; frames of a
 * domain that was destroyed are passed over as sealed), WRONG_KEY. */
#ifndef BACKUP_REPOSITORY_OBJECT_READER_H
#define BACKUP_REPOSITORY_OBJECT_READER_H
#include "backup/repository/repository.h"

struct object_reader;

struct object_frame {
    struct frame_header header;
    struct span plain; /* until the next call; empty when is_sealed */
    bool is_sealed;    /* its domain's key is destroyed or was not given */
};

/* Reads the header. */
enum stay_rc object_reader_open(struct repository *repo, const char *name,
                                struct object_reader **ret_reader,
                                struct stay_error *err) STAY_MUST_USE;
/* The same of bytes that are in memory already (borrowed): `name` is what they should be called. */
enum stay_rc object_reader_open_memory(struct repository *repo, const char *name,
                                       const struct span *bytes, struct object_reader **ret_reader,
                                       struct stay_error *err) STAY_MUST_USE;
void object_reader_close(struct object_reader *r); /* takes NULL */
void object_reader_drop(struct object_reader **r); /* for STAY_AUTO */
const struct object_header *object_reader_header(const struct object_reader *r);
/* *ret_more false: the last frame, the index and the end were there and everything agrees. */
enum stay_rc object_reader_next(struct object_reader *r, struct object_frame *ret_frame,
                                bool *ret_more, struct stay_error *err) STAY_MUST_USE;
/* After the end: as in a manifest. */
void object_reader_stored(const struct object_reader *r, struct object_sum *ret_sum);
uint64_t object_reader_plain_length(const struct object_reader *r);

/* The end alone, by one small read; the object is not proven by it. */
enum stay_rc object_read_end(struct repository *repo, const char *name, struct object_end *ret_end,
                             struct stay_error *err) STAY_MUST_USE;
/* Is what stands under a name what was to be written there? For a writer that was not told how an
 * attempt ended: no two sealings are the same bytes, so ALREADY_EXISTS is settled by it. Compares
 * the clear text and the plain bytes; anything that is not readable is an error. */
enum stay_rc object_holds(struct repository *repo, const char *name, const char *about,
                          uint64_t plain_length, const uint8_t plain_sha256[SHA256_BYTES],
                          bool *ret_is_same, struct stay_error *err) STAY_MUST_USE;
/* Reads all of an object, with keys where they are. ret_sum may be NULL. */
enum stay_rc object_verify(struct repository *repo, const char *name, struct object_sum *ret_sum,
                           struct stay_error *err) STAY_MUST_USE;

#endif
