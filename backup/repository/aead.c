/* backup/repository/aead.c - OpenSSL's EVP behind the few calls the repository needs. */
#include "backup/repository/aead.h"
#include <limits.h>
#include <openssl/evp.h>

struct sha256 {
    EVP_MD_CTX *ctx;
};

static EVP_CIPHER_CTX *begin(const uint8_t *key, const uint8_t *nonce, bool seals,
                             const struct span *also, size_t also_count)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    must(ctx != NULL);
    must(EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, seals ? 1 : 0) == 1);
    for (size_t i = 0; i < also_count; i++) {
        must(also[i].length <= INT_MAX);
        must(EVP_CipherUpdate(ctx, NULL, &n, also[i].bytes, (int)also[i].length) == 1);
    }
    return ctx;
}

void aead_seal(const uint8_t key[AEAD_KEY_BYTES], const uint8_t nonce[AEAD_NONCE_BYTES],
               const struct span *also, size_t also_count, struct span text, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = begin(key, nonce, true, also, also_count);
    int n = 0;
    must(text.length <= INT_MAX - AEAD_TAG_BYTES);
    if (text.length > 0)
        must(EVP_CipherUpdate(ctx, out, &n, text.bytes, (int)text.length) == 1);
    must(EVP_CipherFinal_ex(ctx, out + n, &n) == 1);
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, out + text.length) == 1);
    EVP_CIPHER_CTX_free(ctx);
}

bool aead_open(const uint8_t key[AEAD_KEY_BYTES], const uint8_t nonce[AEAD_NONCE_BYTES],
               const struct span *also, size_t also_count, struct span sealed, uint8_t *out)
{
    uint8_t tag[AEAD_TAG_BYTES];
    int n = 0;
    if (sealed.length < AEAD_TAG_BYTES || sealed.length > INT_MAX)
        return false;
    size_t length = sealed.length - AEAD_TAG_BYTES;
    EVP_CIPHER_CTX *ctx = begin(key, nonce, false, also, also_count);
    memcpy(tag, (const uint8_t *)sealed.bytes + length, sizeof tag);
    if (length > 0)
        must(EVP_CipherUpdate(ctx, out, &n, sealed.bytes, (int)length) == 1);
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_BYTES, tag) == 1);
    bool is_good = EVP_CipherFinal_ex(ctx, out + n, &n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!is_good)
        explicit_bzero(out, length);
    return is_good;
}

struct sha256 *sha256_new(void)
{
    struct sha256 *sum = stay_malloc(sizeof *sum);
    sum->ctx = EVP_MD_CTX_new();
    must(sum->ctx != NULL && EVP_DigestInit_ex(sum->ctx, EVP_sha256(), NULL) == 1);
    return sum;
}

void sha256_add(struct sha256 *sum, const void *bytes, size_t length)
{
    must(EVP_DigestUpdate(sum->ctx, bytes, length) == 1);
}

void sha256_read(const struct sha256 *sum, uint8_t ret[SHA256_BYTES])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    must(copy != NULL && EVP_MD_CTX_copy_ex(copy, sum->ctx) == 1);
    must(EVP_DigestFinal_ex(copy, ret, NULL) == 1);
    EVP_MD_CTX_free(copy);
}

void sha256_free(struct sha256 *sum)
{
    if (sum == NULL)
        return;
    EVP_MD_CTX_free(sum->ctx);
    free(sum);
}

void sha256_drop(struct sha256 **sum)
{
    sha256_free(*sum);
    *sum = NULL;
}

void sha256_of(const void *bytes, size_t length, uint8_t ret[SHA256_BYTES])
{
    must(EVP_Digest(bytes, length, ret, NULL, EVP_sha256(), NULL) == 1);
}

void hmac_sha256(const uint8_t key[AEAD_KEY_BYTES], const struct span *parts, size_t count,
                 uint8_t ret[SHA256_BYTES])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, key, AEAD_KEY_BYTES);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t length = SHA256_BYTES;
    must(pkey != NULL && ctx != NULL);
    must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1);
    for (size_t i = 0; i < count; i++)
        must(EVP_DigestSignUpdate(ctx, parts[i].bytes, parts[i].length) == 1);
    must(EVP_DigestSignFinal(ctx, ret, &length) == 1 && length == SHA256_BYTES);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
}

void signature_public(const uint8_t seed[32], uint8_t ret_public[32])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    size_t length = 32;
    must(pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, ret_public, &length) == 1);
    EVP_PKEY_free(pkey);
}

void signature_make(const uint8_t seed[32], struct span text, uint8_t ret[SIGNATURE_BYTES])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t length = SIGNATURE_BYTES;
    must(pkey != NULL && ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1);
    must(EVP_DigestSign(ctx, ret, &length, text.bytes, text.length) == 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
}

bool signature_is_good(const uint8_t public_key[32], struct span text,
                       const uint8_t signature[SIGNATURE_BYTES])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(ctx != NULL);
    bool is_good = pkey != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                   EVP_DigestVerify(ctx, signature, SIGNATURE_BYTES, text.bytes, text.length) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return is_good;
}
