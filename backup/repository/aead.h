/* backup/repository/aead.h - the cryptography of the repository, all of it: AES-256-GCM, SHA-256,
 * HMAC-SHA256, by OpenSSL.
 *
 * Pure (randomness comes from the caller). Layer: repository. Never two different texts under the
 * same key and nonce: who calls says in its comment why that cannot happen. */
#ifndef BACKUP_REPOSITORY_AEAD_H
#define BACKUP_REPOSITORY_AEAD_H
#include "base/base.h"

#define AEAD_KEY_BYTES   32
#define AEAD_NONCE_BYTES 12
#define AEAD_TAG_BYTES   16
#define SHA256_BYTES     32

/* Borrowed bytes. */
struct span {
    const void *bytes;
    size_t length;
};

/* Encrypts `text` to out[text.length] and the tag behind it (AEAD_TAG_BYTES more). The parts of
 * `also` are authenticated as if they stood behind one another. */
void aead_seal(const uint8_t key[AEAD_KEY_BYTES], const uint8_t nonce[AEAD_NONCE_BYTES],
               const struct span *also, size_t also_count, struct span text, uint8_t *out);
/* The other way: `sealed` ends with the tag; out has sealed.length - AEAD_TAG_BYTES bytes. False
 * (out is zeroed): another key, or a bit that is not what it was. */
bool aead_open(const uint8_t key[AEAD_KEY_BYTES], const uint8_t nonce[AEAD_NONCE_BYTES],
               const struct span *also, size_t also_count, struct span sealed,
               uint8_t *out) STAY_MUST_USE;

struct sha256; /* opaque: one running sum */
struct sha256 *sha256_new(void) STAY_MUST_USE;
void sha256_add(struct sha256 *sum, const void *bytes, size_t length);
/* What was added so far; more may be added. */
void sha256_read(const struct sha256 *sum, uint8_t ret[SHA256_BYTES]);
void sha256_free(struct sha256 *sum);
void sha256_drop(struct sha256 **sum); /* for STAY_AUTO */
void sha256_of(const void *bytes, size_t length, uint8_t ret[SHA256_BYTES]);

void hmac_sha256(const uint8_t key[AEAD_KEY_BYTES], const struct span *parts, size_t count,
                 uint8_t ret[SHA256_BYTES]);

/* Ed25519: `seed` is the private key; signatures are 64 bytes. */
#define SIGNATURE_BYTES 64
void signature_public(const uint8_t seed[32], uint8_t ret_public[32]);
void signature_make(const uint8_t seed[32], struct span text, uint8_t ret[SIGNATURE_BYTES]);
bool signature_is_good(const uint8_t public_key[32], struct span text,
                       const uint8_t signature[SIGNATURE_BYTES]);

#endif
