/* backup/repository/object_format.c - header, frame header, index and end, field by field. */
#include "backup/repository/object_format.h"
#include "backup/repository/repo_fault.h"
#include <inttypes.h>
#include <zlib.h>

struct cursor {
    const uint8_t *at;
    size_t left;
};

static uint64_t take_uint(struct cursor *c, unsigned bytes)
{
    uint64_t value = 0;
    must(c->left >= bytes); /* the caller compared the length */
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)c->at[i] << (8 * i);
    c->at += bytes;
    c->left -= bytes;
    return value;
}

static void take_bytes(struct cursor *c, void *dst, size_t count)
{
    must(c->left >= count);
    memcpy(dst, c->at, count);
    c->at += count;
    c->left -= count;
}

static void put_uint(struct str *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        str_add_char(out, (char)(uint8_t)(value >> (8 * i)));
}

uint32_t frame_index_crc(const void *index, size_t length)
{
    return (uint32_t)crc32_z(0, index, length);
}

void object_header_encode(struct object_header *h, struct str *out)
{
    size_t start = out->length, name = strlen(h->name), about = strlen(h->about);
    must(h->key_count <= OBJECT_KEYS_MAX && about <= OBJECT_ABOUT_MAX);
    must(h->frame_max >= 1 && h->frame_max <= FRAME_PLAIN_MAX);
    h->version = OBJECT_VERSION;
    h->length =
        (uint32_t)(OBJECT_HEADER_MIN + (size_t)h->key_count * OBJECT_KEY_BYTES + name + about);
    str_add_bytes(out, OBJECT_MAGIC, 8);
    put_uint(out, h->version, 2);
    put_uint(out, h->kind, 2);
    put_uint(out, h->length, 4);
    str_add_bytes(out, h->repo, sizeof h->repo);
    str_add_bytes(out, h->object, sizeof h->object);
    put_uint(out, h->frame_max, 4);
    put_uint(out, h->key_count, 2);
    put_uint(out, name, 2);
    put_uint(out, about, 4);
    for (unsigned i = 0; i < 36; i++)
        str_add_char(out, '\0'); /* for later versions */
    for (size_t i = 0; i < h->key_count; i++) {
        str_add_bytes(out, h->keys[i].domain, sizeof h->keys[i].domain);
        put_uint(out, h->keys[i].generation, 4);
        str_add_bytes(out, h->keys[i].nonce, sizeof h->keys[i].nonce);
        str_add_bytes(out, h->keys[i].sealed, sizeof h->keys[i].sealed);
    }
    str_add_bytes(out, h->name, name);
    str_add_bytes(out, h->about, about);
    sha256_of(out->text + start, out->length - start, h->hash);
    str_add_bytes(out, h->hash, sizeof h->hash);
    must(!out->is_cut && out->length - start == h->length);
}

/* The fixed part; lengths that cannot be are CORRUPT. */
static enum stay_rc decode_fixed(struct cursor *c, struct object_header *h, size_t *ret_name,
                                 size_t *ret_about, struct stay_error *err)
{
    c->at += 8; /* the magic, compared by the caller */
    c->left -= 8;
    h->version = (uint16_t)take_uint(c, 2);
    uint64_t kind = take_uint(c, 2);
    h->length = (uint32_t)take_uint(c, 4);
    take_bytes(c, h->repo, sizeof h->repo);
    take_bytes(c, h->object, sizeof h->object);
    h->frame_max = (uint32_t)take_uint(c, 4);
    h->key_count = (uint16_t)take_uint(c, 2);
    *ret_name = (size_t)take_uint(c, 2);
    *ret_about = (size_t)take_uint(c, 4);
    c->at += 36;
    c->left -= 36;
    if (h->version > OBJECT_VERSION)
        return repo_fault(err, REPO_FAULT_NEWER, "object of version %u, this is version %u",
                          h->version, OBJECT_VERSION);
    bool is_possible = h->version == OBJECT_VERSION && kind > OBJECT_KIND_NONE &&
                       kind < OBJECT_KIND_COUNT && h->frame_max >= 1 &&
                       h->frame_max <= FRAME_PLAIN_MAX && h->key_count >= 1 &&
                       h->key_count <= OBJECT_KEYS_MAX && *ret_name < OBJECT_NAME_MAX &&
                       *ret_about <= OBJECT_ABOUT_MAX &&
                       h->length == OBJECT_HEADER_MIN + (size_t)h->key_count * OBJECT_KEY_BYTES +
                                        *ret_name + *ret_about;
    if (!is_possible)
        return repo_fault(err, REPO_FAULT_CORRUPT, "its header cannot be");
    h->kind = (enum object_kind)kind;
    return STAY_OK;
}

enum stay_rc object_header_decode(const void *bytes, size_t length,
                                  struct object_header *ret_header, size_t *ret_needed,
                                  struct stay_error *err)
{
    struct cursor c = {bytes, length};
    struct object_header h = {0};
    size_t name = 0, about = 0;
    uint8_t sum[SHA256_BYTES];
    if (length >= 8 && memcmp(bytes, OBJECT_MAGIC, 8) != 0)
        return repo_fault(err, REPO_FAULT_CORRUPT, "it does not begin as an object of mainstay");
    *ret_needed = OBJECT_HEADER_MIN;
    if (length < OBJECT_HEADER_MIN)
        return repo_fault(err, REPO_FAULT_TRUNCATED, "%zu bytes are no header", length),
               STAY_ELIMIT;
    enum stay_rc rc = decode_fixed(&c, &h, &name, &about, err);
    if (rc != STAY_OK)
        return rc;
    *ret_needed = h.length;
    if (length < h.length)
        return repo_fault(err, REPO_FAULT_TRUNCATED, "%zu bytes of a header of %" PRIu32, length,
                          h.length),
               STAY_ELIMIT;
    sha256_of(bytes, h.length - SHA256_BYTES, sum);
    memcpy(h.hash, (const uint8_t *)bytes + h.length - SHA256_BYTES, SHA256_BYTES);
    if (memcmp(sum, h.hash, sizeof sum) != 0)
        return repo_fault(err, REPO_FAULT_CORRUPT, "its header is not what was written");
    h.keys = stay_calloc(h.key_count, sizeof *h.keys);
    for (size_t i = 0; i < h.key_count; i++) {
        take_bytes(&c, h.keys[i].domain, sizeof h.keys[i].domain);
        h.keys[i].generation = (uint32_t)take_uint(&c, 4);
        take_bytes(&c, h.keys[i].nonce, sizeof h.keys[i].nonce);
        take_bytes(&c, h.keys[i].sealed, sizeof h.keys[i].sealed);
    }
    take_bytes(&c, h.name, name);
    h.about = stay_malloc(about + 1);
    take_bytes(&c, h.about, about);
    h.about[about] = '\0';
    if (strlen(h.name) != name || strlen(h.about) != about) {
        object_header_clear(&h);
        return repo_fault(err, REPO_FAULT_CORRUPT, "its header holds texts that cannot be");
    }
    *ret_header = h;
    return STAY_OK;
}

void object_header_clear(struct object_header *h)
{
    free(h->keys);
    free(h->about);
    *h = (struct object_header){0};
}

void object_key_label(const struct object_header *header, const struct object_key *key,
                      char dst[DATA_KEY_LABEL_MAX])
{
    char repo[OBJECT_ID_TEXT], object[OBJECT_ID_TEXT], domain[OBJECT_ID_TEXT];
    hex_format(header->repo, sizeof header->repo, repo);
    hex_format(header->object, sizeof header->object, object);
    hex_format(key->domain, sizeof key->domain, domain);
    (void)snprintf(dst, DATA_KEY_LABEL_MAX, "mainstay data key/%s/%s/%s/%08" PRIx32, repo, object,
                   domain, key->generation);
}

static void put_le(uint8_t *dst, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        dst[i] = (uint8_t)(value >> (8 * i));
}

/* Ties the header of a frame to its object, so that frames of others are seen without a key. */
static uint32_t frame_check(const uint8_t bytes[28], const uint8_t object_hash[SHA256_BYTES])
{
    uLong crc = crc32(0, object_hash, SHA256_BYTES);
    return (uint32_t)crc32(crc, bytes, 28);
}

void frame_header_encode(const struct frame_header *f, const uint8_t object_hash[SHA256_BYTES],
                         uint8_t dst[FRAME_HEADER_BYTES])
{
    put_le(dst, f->sealed_length, 4);
    put_le(dst + 4, f->plain_length, 4);
    put_le(dst + 8, f->key, 2);
    dst[10] = f->flags;
    dst[11] = f->type;
    put_le(dst + 12, f->number, 8);
    put_le(dst + 20, f->plain_offset, 8);
    put_le(dst + 28, frame_check(dst, object_hash), 4);
}

enum stay_rc frame_header_decode(const uint8_t bytes[FRAME_HEADER_BYTES],
                                 const struct object_header *header, struct frame_header *ret_frame,
                                 struct stay_error *err)
{
    struct cursor c = {bytes, FRAME_HEADER_BYTES};
    struct frame_header f = {0};
    f.sealed_length = (uint32_t)take_uint(&c, 4);
    f.plain_length = (uint32_t)take_uint(&c, 4);
    f.key = (uint16_t)take_uint(&c, 2);
    f.flags = (uint8_t)take_uint(&c, 1);
    f.type = (uint8_t)take_uint(&c, 1);
    f.number = take_uint(&c, 8);
    f.plain_offset = take_uint(&c, 8);
    bool is_raw = (f.flags & FRAME_COMPRESSED) == 0;
    bool is_last = (f.flags & FRAME_LAST) != 0;
    bool is_possible =
        f.key < header->key_count && f.plain_length <= header->frame_max &&
        (f.flags & ~(FRAME_COMPRESSED | FRAME_LAST)) == 0 &&
        (is_raw ? f.sealed_length == f.plain_length : f.sealed_length < f.plain_length) &&
        (!is_last || (f.plain_length == 0 && f.key == 0));
    if ((uint32_t)take_uint(&c, 4) != frame_check(bytes, header->hash) || !is_possible)
        return repo_fault(err, REPO_FAULT_CORRUPT, "the header of a frame is not what was written");
    *ret_frame = f;
    return STAY_OK;
}

void frame_place_encode(const struct frame_place *p, struct str *out)
{
    put_uint(out, p->offset, 8);
    put_uint(out, p->plain_offset, 8);
    put_uint(out, p->sealed_length, 4);
    put_uint(out, p->plain_length, 4);
    put_uint(out, p->key, 2);
    put_uint(out, p->flags, 1);
    put_uint(out, p->type, 1);
    put_uint(out, 0, 4);
}

void object_end_encode(const struct object_end *end, struct str *out)
{
    put_uint(out, end->index_offset, 8);
    put_uint(out, end->plain_length, 8);
    put_uint(out, end->frame_count, 4);
    put_uint(out, end->index_crc, 4);
    put_uint(out, 0, 8);
    str_add_bytes(out, end->hash, sizeof end->hash);
    str_add_bytes(out, OBJECT_END_MAGIC, 8);
}

enum stay_rc object_end_decode(const uint8_t bytes[OBJECT_END_BYTES], uint64_t size,
                               struct object_end *ret_end, struct stay_error *err)
{
    struct cursor c = {bytes, OBJECT_END_BYTES};
    struct object_end e;
    if (memcmp(bytes + OBJECT_END_BYTES - 8, OBJECT_END_MAGIC, 8) != 0)
        return repo_fault(err, REPO_FAULT_TRUNCATED, "it does not end as an object of mainstay");
    e.index_offset = take_uint(&c, 8);
    e.plain_length = take_uint(&c, 8);
    e.frame_count = (uint32_t)take_uint(&c, 4);
    e.index_crc = (uint32_t)take_uint(&c, 4);
    uint64_t zero = take_uint(&c, 8); /* for later versions */
    take_bytes(&c, e.hash, sizeof e.hash);
    uint64_t index = (uint64_t)e.frame_count * FRAME_INDEX_BYTES;
    if (zero != 0 || e.frame_count == 0 || size < OBJECT_END_BYTES + index ||
        e.index_offset != size - OBJECT_END_BYTES - index)
        return repo_fault(err, REPO_FAULT_CORRUPT, "its end does not fit its length");
    *ret_end = e;
    return STAY_OK;
}
