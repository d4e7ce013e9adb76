/* backup/repository/frame.h - one frame: compressed, sealed and back; bytes in, bytes out.
 *
 * Pure (heap only). Layer: repository. The nonce is the number of the frame: a data key is made
 * for one attempt to write one object and used for nothing else, and the writer never gives a
 * number twice. Each frame authenticates its own header and the hash of the object's header, hence
 * the object's name, its repository, its place in the order, and whether it is the last. */
#ifndef BACKUP_REPOSITORY_FRAME_H
#define BACKUP_REPOSITORY_FRAME_H
#include "backup/repository/object_format.h"

/* Reusable memory of compression; not shared between threads. */
struct frame_codec;
struct frame_codec *frame_codec_new(int level) STAY_MUST_USE; /* zstd's level; 3 is the format's */
void frame_codec_free(struct frame_codec *codec);
void frame_codec_drop(struct frame_codec **codec); /* for STAY_AUTO */

/* Appends header, sealed bytes and tag of `plain` (at most header->frame_max) to `out`. From *f are
 * taken key, type, number, plain_offset and FRAME_LAST; the rest is filled in. */
void frame_seal(struct frame_codec *codec, const uint8_t data_key[AEAD_KEY_BYTES],
                const struct object_header *header, struct frame_header *f, struct span plain,
                struct str *out);
/* Opens what stands behind a frame header `f` that frame_header_decode gave: `sealed` with its tag.
 * ret_plain has f->plain_length bytes. CORRUPT: not this key, or not these bytes. */
enum stay_rc frame_open(struct frame_codec *codec, const uint8_t data_key[AEAD_KEY_BYTES],
                        const struct object_header *header, const struct frame_header *f,
                        struct span sealed, uint8_t *ret_plain,
                        struct stay_error *err) STAY_MUST_USE;

/* Seals a data key of the object under a generation of its domain. `nonce` is random: a generation
 * seals fewer than 2^32 data keys. header->repo and object, key->domain and generation are set. */
void data_key_seal(const uint8_t generation_key[AEAD_KEY_BYTES], const struct object_header *header,
                   const uint8_t nonce[AEAD_NONCE_BYTES], const uint8_t data_key[AEAD_KEY_BYTES],
                   struct object_key *key);
bool data_key_open(const uint8_t generation_key[AEAD_KEY_BYTES], const struct object_header *header,
                   const struct object_key *key, uint8_t ret_data_key[AEAD_KEY_BYTES]);

#endif
