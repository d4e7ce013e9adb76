/* backup/repository/object_writer.h - writes one object frame by frame: memory stays at a frame
 * however long the object gets.
 *
 * Layer: repository. Blocking; one thread. Each attempt has its own data keys and object id, so
 * that a retry never seals two texts alike. */
#ifndef BACKUP_REPOSITORY_OBJECT_WRITER_H
#define BACKUP_REPOSITORY_OBJECT_WRITER_H
#include "backup/repository/repository.h"

struct object_writer;

struct object_spec {
    const char *name;
    enum object_kind kind;
    const char *about;  /* JSON, clear text; "" for none */
    uint32_t frame_max; /* 0: FRAME_PLAIN_MAX */
    size_t
        domain_count; /* 1 or more; the first proves the end: a cluster's where there are several */
    const uint8_t (*domains)[DOMAIN_BYTES]; /* each sealed with its current generation */
    uint64_t expected;                      /* bytes, for the room; 0: not known */
};

/* What a manifest says of an object. */
struct object_written {
    struct object_sum stored;
    uint8_t end_hash[SHA256_BYTES]; /* of all before the end: by it segments name one another */
    uint64_t plain_length;
    uint8_t plain_sha256[SHA256_BYTES]; /* of the frames' plain bytes one after the other */
    uint32_t frames;
    uint32_t generation; /* of the first domain */
};

enum stay_rc object_writer_begin(struct repository *repo, const struct object_spec *spec,
                                 struct object_writer **ret_writer,
                                 struct stay_error *err) STAY_MUST_USE;
/* The same into memory: appended to `out` (borrowed until finish; it may be cut, then ask). */
enum stay_rc object_writer_begin_memory(struct repository *repo, const struct object_spec *spec,
                                        struct str *out, struct object_writer **ret_writer,
                                        struct stay_error *err) STAY_MUST_USE;
/* One frame of the domain `key` (its place in spec->domains) and the kind's own `type`; at most
 * frame_max bytes. After a failure only abort is left. */
enum stay_rc object_writer_frame(struct object_writer *w, uint16_t key, uint8_t type,
                                 const void *bytes, size_t length,
                                 struct stay_error *err) STAY_MUST_USE;
/* As many frames as the bytes need. */
enum stay_rc object_writer_write(struct object_writer *w, uint16_t key, uint8_t type,
                                 const void *bytes, size_t length,
                                 struct stay_error *err) STAY_MUST_USE;
uint64_t object_writer_stored(const struct object_writer *w); /* bytes so far */
/* Last frame, index, end; published durably. Ends the writer. ret_written may be NULL. After
 * ALREADY_EXISTS, or STORE when its folder could not be synced, object_holds tells what stands
 * there. */
enum stay_rc object_writer_finish(struct object_writer *w, struct object_written *ret_written,
                                  struct stay_error *err) STAY_MUST_USE;
void object_writer_abort(struct object_writer *w); /* takes NULL */

#endif
