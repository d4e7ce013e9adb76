/* backup/repository/frame.c - zstd, then AES-256-GCM; and back. */
#include "backup/repository/frame.h"
#include "backup/repository/repo_fault.h"
#include <inttypes.h>
#include <zstd.h>

struct frame_codec {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
    uint8_t *bytes; /* compressed text, at most FRAME_PLAIN_MAX, and a tag */
};

struct frame_codec *frame_codec_new(int level)
{
    struct frame_codec *c = stay_malloc(sizeof *c);
    c->pack = ZSTD_createCCtx();
    c->unpack = ZSTD_createDCtx();
    c->bytes = stay_malloc(FRAME_PLAIN_MAX + AEAD_TAG_BYTES);
    must(c->pack != NULL && c->unpack != NULL);
    must(!ZSTD_isError(ZSTD_CCtx_setParameter(c->pack, ZSTD_c_compressionLevel, level)));
    return c;
}

void frame_codec_free(struct frame_codec *codec)
{
    if (codec == NULL)
        return;
    (void)ZSTD_freeCCtx(codec->pack);
    (void)ZSTD_freeDCtx(codec->unpack);
    free(codec->bytes);
    free(codec);
}

void frame_codec_drop(struct frame_codec **codec)
{
    frame_codec_free(*codec);
    *codec = NULL;
}

static void nonce_of(uint64_t number, uint8_t nonce[AEAD_NONCE_BYTES])
{
    memset(nonce, 0, 4);
    for (unsigned i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(number >> (56 - 8 * i));
}

void frame_seal(struct frame_codec *codec, const uint8_t data_key[AEAD_KEY_BYTES],
                const struct object_header *header, struct frame_header *f, struct span plain,
                struct str *out)
{
    uint8_t head[FRAME_HEADER_BYTES], nonce[AEAD_NONCE_BYTES];
    struct span text = plain;
    must(plain.length <= header->frame_max && f->key < header->key_count);
    f->flags &= FRAME_LAST;
    if (plain.length > 1) {
        /* One byte less than the text: what does not shrink does not fit, and is kept as it is. */
        size_t n =
            ZSTD_compress2(codec->pack, codec->bytes, plain.length - 1, plain.bytes, plain.length);
        if (!ZSTD_isError(n)) {
            text = (struct span){codec->bytes, n};
            f->flags |= FRAME_COMPRESSED;
        }
    }
    f->plain_length = (uint32_t)plain.length;
    f->sealed_length = (uint32_t)text.length;
    frame_header_encode(f, header->hash, head);
    nonce_of(f->number, nonce);
    const struct span also[] = {{header->hash, SHA256_BYTES}, {head, sizeof head}};
    uint8_t *sealed = stay_malloc(text.length + AEAD_TAG_BYTES);
    aead_seal(data_key, nonce, also, STAY_COUNT(also), text, sealed);
    str_add_bytes(out, head, sizeof head);
    str_add_bytes(out, sealed, text.length + AEAD_TAG_BYTES);
    free(sealed);
}

enum stay_rc frame_open(struct frame_codec *codec, const uint8_t data_key[AEAD_KEY_BYTES],
                        const struct object_header *header, const struct frame_header *f,
                        struct span sealed, uint8_t *ret_plain, struct stay_error *err)
{
    uint8_t head[FRAME_HEADER_BYTES], nonce[AEAD_NONCE_BYTES];
    bool is_packed = (f->flags & FRAME_COMPRESSED) != 0;
    must(sealed.length == (size_t)f->sealed_length + AEAD_TAG_BYTES);
    must(f->sealed_length <= FRAME_PLAIN_MAX);
    frame_header_encode(f, header->hash, head);
    nonce_of(f->number, nonce);
    const struct span also[] = {{header->hash, SHA256_BYTES}, {head, sizeof head}};
    if (!aead_open(data_key, nonce, also, STAY_COUNT(also), sealed,
                   is_packed ? codec->bytes : ret_plain))
        return repo_fault(err, REPO_FAULT_CORRUPT, "frame %" PRIu64 " is not what was written",
                          f->number);
    if (!is_packed)
        return STAY_OK;
    size_t n = ZSTD_decompressDCtx(codec->unpack, ret_plain, f->plain_length, codec->bytes,
                                   f->sealed_length);
    if (ZSTD_isError(n) || n != f->plain_length)
        return repo_fault(err, REPO_FAULT_CORRUPT, "frame %" PRIu64 " does not decompress",
                          f->number);
    return STAY_OK;
}

void data_key_seal(const uint8_t generation_key[AEAD_KEY_BYTES], const struct object_header *header,
                   const uint8_t nonce[AEAD_NONCE_BYTES], const uint8_t data_key[AEAD_KEY_BYTES],
                   struct object_key *key)
{
    char label[DATA_KEY_LABEL_MAX];
    memcpy(key->nonce, nonce, AEAD_NONCE_BYTES);
    object_key_label(header, key, label);
    const struct span also = {label, strlen(label)};
    aead_seal(generation_key, nonce, &also, 1, (struct span){data_key, AEAD_KEY_BYTES},
              key->sealed);
}

bool data_key_open(const uint8_t generation_key[AEAD_KEY_BYTES], const struct object_header *header,
                   const struct object_key *key, uint8_t ret_data_key[AEAD_KEY_BYTES])
{
    char label[DATA_KEY_LABEL_MAX];
    object_key_label(header, key, label);
    const struct span also = {label, strlen(label)};
    return aead_open(generation_key, key->nonce, &also, 1,
                     (struct span){key->sealed, sizeof key->sealed}, ret_data_key);
}
