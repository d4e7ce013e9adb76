/* backup/repository/object_reader.c - a window over the stored bytes, and frames out of it. */
#include "backup/repository/object_reader.h"
#include "backup/repository/frame.h"
#include "backup/repository/repo_fault.h"
#include <inttypes.h>

#define LEVEL       3
#define FIRST_BYTES 65536U
#define WINDOW      2097152U /* more than a frame and what stands around it */

struct object_reader {
    struct repository *repo;
    const struct span *memory; /* NULL: in the store */
    struct object_header header;
    struct frame_codec *codec;
    uint8_t (*data_keys)[AEAD_KEY_BYTES];
    bool *has_key;
    uint64_t size, offset; /* offset: of the window's next byte in the object */
    uint8_t *window;
    size_t filled, used, capacity;
    uint8_t *plain;
    uint64_t plain_length;
    uint32_t frames;
    struct str index; /* as it should be */
    struct sha256 *sum;
    bool is_over;
};

static enum stay_rc read_at(struct object_reader *r, uint64_t from, uint8_t *dst, size_t length,
                            size_t *ret_length, struct stay_error *err)
{
    if (r->memory == NULL)
        return object_read(r->repo->store, r->header.name, from, dst, length, ret_length, err);
    size_t left = from < r->memory->length ? r->memory->length - (size_t)from : 0;
    *ret_length = left < length ? left : length;
    if (*ret_length > 0)
        memcpy(dst, (const uint8_t *)r->memory->bytes + from, *ret_length);
    return STAY_OK;
}

/* `need` bytes in the window behind `used`. */
static enum stay_rc fill(struct object_reader *r, size_t need, struct stay_error *err)
{
    if (r->filled - r->used >= need)
        return STAY_OK;
    memmove(r->window, r->window + r->used, r->filled - r->used);
    r->filled -= r->used;
    r->used = 0;
    if (r->capacity < need) {
        r->capacity = need;
        r->window = stay_realloc(r->window, need, 1);
    }
    size_t n = 0;
    uint64_t from = r->offset + r->filled;
    enum stay_rc rc = read_at(r, from, r->window + r->filled, r->capacity - r->filled, &n, err);
    if (rc != STAY_OK)
        return rc;
    r->filled += n;
    if (r->filled < need)
        return repo_fault(err, REPO_FAULT_TRUNCATED, "it ends at byte %" PRIu64 ", in the middle",
                          r->offset + r->filled);
    return STAY_OK;
}

/* They were understood: summed and passed. */
static void pass(struct object_reader *r, size_t length, bool is_summed)
{
    if (is_summed)
        sha256_add(r->sum, r->window + r->used, length);
    r->used += length;
    r->offset += length;
}

static enum stay_rc open_keys(struct object_reader *r, struct stay_error *err)
{
    r->data_keys = stay_calloc(r->header.key_count, sizeof *r->data_keys);
    r->has_key = stay_calloc(r->header.key_count, sizeof *r->has_key);
    for (size_t i = 0; r->repo->ring != NULL && i < r->header.key_count; i++) {
        const struct object_key *key = &r->header.keys[i];
        const uint8_t *generation_key = NULL;
        struct stay_error why = {0};
        enum stay_rc rc =
            key_ring_get(r->repo->ring, key->domain, key->generation, &generation_key, &why);
        /* A key that was lost is no key that was destroyed: nobody may pass over its frames. */
        if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_KEY_MISSING &&
            key_ring_is_shredded(r->repo->ring, key->domain))
            continue;
        if (rc != STAY_OK) {
            if (err != NULL)
                *err = why;
            return rc;
        }
        if (!data_key_open(generation_key, &r->header, key, r->data_keys[i]))
            return repo_fault(err, REPO_FAULT_CORRUPT, "its data key is not what was written");
        r->has_key[i] = true;
    }
    return STAY_OK;
}

static enum stay_rc read_header(struct object_reader *r, const char *name, struct stay_error *err)
{
    struct object_header header = {0};
    size_t needed = OBJECT_HEADER_MIN;
    enum stay_rc rc = STAY_OK;
    if (r->memory == NULL)
        rc = object_size(r->repo->store, name, &r->size, err);
    else
        r->size = r->memory->length;
    (void)stay_copy(r->header.name, sizeof r->header.name, name);
    if (rc == STAY_OK)
        rc = fill(r, r->size < FIRST_BYTES ? (size_t)r->size : FIRST_BYTES, err);
    if (rc == STAY_OK)
        rc = object_header_decode(r->window, r->filled, &header, &needed, err);
    if (rc == STAY_ELIMIT && needed <= r->size) {
        rc = fill(r, needed, err);
        if (rc == STAY_OK)
            rc = object_header_decode(r->window, r->filled, &header, &needed, err);
    }
    if (rc != STAY_OK)
        return rc == STAY_ELIMIT ? STAY_ECORRUPT : rc;
    r->header = header;
    pass(r, header.length, true);
    if (memcmp(header.repo, r->repo->id, REPO_ID_BYTES) != 0) {
        char id[OBJECT_ID_TEXT];
        hex_format(header.repo, REPO_ID_BYTES, id);
        return repo_fault(err, REPO_FAULT_FOREIGN, "it is of repository %s, this one is %s", id,
                          r->repo->id_text);
    }
    if (strcmp(header.name, name) != 0) {
        char shown[160];
        object_name_escape(shown, sizeof shown, header.name);
        return repo_fault(err, REPO_FAULT_FOREIGN, "it was written as '%s'", shown);
    }
    return STAY_OK;
}

static enum stay_rc open_reader(struct repository *repo, const char *name,
                                const struct span *memory, struct object_reader **ret_reader,
                                struct stay_error *err)
{
    enum stay_rc rc = object_name_check(name, err);
    if (rc != STAY_OK)
        return rc;
    struct object_reader *r = stay_calloc(1, sizeof *r);
    r->repo = repo;
    r->memory = memory;
    r->capacity = WINDOW;
    r->window = stay_malloc(r->capacity);
    r->plain = stay_malloc(FRAME_PLAIN_MAX);
    r->sum = sha256_new();
    str_init(&r->index, 67108864U);
    rc = read_header(r, name, err);
    if (rc == STAY_OK)
        rc = open_keys(r, err);
    if (rc != STAY_OK) {
        object_reader_close(r);
        (void)stay_error_prefix(err, rc, "'%s'", name);
        return rc;
    }
    r->codec = frame_codec_new(LEVEL);
    *ret_reader = r;
    return STAY_OK;
}

enum stay_rc object_reader_open(struct repository *repo, const char *name,
                                struct object_reader **ret_reader, struct stay_error *err)
{
    return open_reader(repo, name, NULL, ret_reader, err);
}

enum stay_rc object_reader_open_memory(struct repository *repo, const char *name,
                                       const struct span *bytes, struct object_reader **ret_reader,
                                       struct stay_error *err)
{
    return open_reader(repo, name, bytes, ret_reader, err);
}

void object_reader_close(struct object_reader *r)
{
    if (r == NULL)
        return;
    if (r->data_keys != NULL)
        explicit_bzero(r->data_keys, r->header.key_count * sizeof *r->data_keys);
    free(r->data_keys);
    free(r->has_key);
    frame_codec_free(r->codec);
    sha256_free(r->sum);
    str_clear(&r->index);
    free(r->window);
    free(r->plain);
    object_header_clear(&r->header);
    free(r);
}

void object_reader_drop(struct object_reader **r)
{
    object_reader_close(*r);
    *r = NULL;
}

const struct object_header *object_reader_header(const struct object_reader *r)
{
    return &r->header;
}

static enum stay_rc read_end(struct object_reader *r, struct stay_error *err)
{
    struct object_end end;
    uint8_t sum[SHA256_BYTES];
    uint64_t left = r->size - r->offset;
    if (left < r->index.length + OBJECT_END_BYTES)
        return repo_fault(err, REPO_FAULT_TRUNCATED, "its index or its end is cut off");
    enum stay_rc rc = fill(r, r->index.length + OBJECT_END_BYTES, err);
    if (rc != STAY_OK)
        return rc;
    bool is_same = memcmp(r->window + r->used, str_text(&r->index), r->index.length) == 0;
    pass(r, r->index.length, true);
    sha256_read(r->sum, sum);
    rc = object_end_decode(r->window + r->used, r->size, &end, err);
    if (rc != STAY_OK && repo_fault_of(err) == REPO_FAULT_TRUNCATED)
        rc = STAY_ECORRUPT; /* nothing is missing: below */
    if (rc != STAY_OK || !is_same || end.frame_count != r->frames ||
        end.plain_length != r->plain_length ||
        end.index_crc != frame_index_crc(str_text(&r->index), r->index.length) ||
        memcmp(end.hash, sum, sizeof sum) != 0)
        return repo_fault(err, REPO_FAULT_CORRUPT, "its index or its end is not what was written");
    pass(r, OBJECT_END_BYTES, true);
    r->is_over = true;
    return STAY_OK;
}

static enum stay_rc read_frame(struct object_reader *r, struct object_frame *f,
                               struct stay_error *err)
{
    uint64_t at = r->offset;
    enum stay_rc rc = fill(r, FRAME_HEADER_BYTES, err);
    if (rc == STAY_OK)
        rc = frame_header_decode(r->window + r->used, &r->header, &f->header, err);
    if (rc != STAY_OK)
        return rc;
    const struct frame_header *h = &f->header;
    if (h->number != r->frames || h->plain_offset != r->plain_length)
        return repo_fault(err, REPO_FAULT_CORRUPT,
                          "frame %" PRIu64 " stands where %" PRIu32 " should", h->number,
                          r->frames);
    size_t sealed = (size_t)h->sealed_length + AEAD_TAG_BYTES;
    rc = fill(r, FRAME_HEADER_BYTES + sealed, err);
    if (rc != STAY_OK)
        return rc;
    f->is_sealed = !r->has_key[h->key];
    f->plain = (struct span){r->plain, f->is_sealed ? 0 : h->plain_length};
    if (!f->is_sealed)
        rc = frame_open(r->codec, r->data_keys[h->key], &r->header, h,
                        (struct span){r->window + r->used + FRAME_HEADER_BYTES, sealed}, r->plain,
                        err);
    if (rc != STAY_OK)
        return rc;
    const struct frame_place place = {at,     h->plain_offset, h->sealed_length, h->plain_length,
                                      h->key, h->flags,        h->type};
    frame_place_encode(&place, &r->index);
    pass(r, FRAME_HEADER_BYTES + sealed, true);
    r->frames++;
    r->plain_length += h->plain_length;
    return STAY_OK;
}

enum stay_rc object_reader_next(struct object_reader *r, struct object_frame *ret_frame,
                                bool *ret_more, struct stay_error *err)
{
    struct object_frame frame = {0};
    struct stay_error why = {0};
    must(!r->is_over);
    enum stay_rc rc = read_frame(r, &frame, &why);
    if (rc == STAY_OK && r->index.is_cut)
        rc = repo_fault(&why, REPO_FAULT_CORRUPT, "more frames than an object has");
    bool is_last = (frame.header.flags & FRAME_LAST) != 0;
    if (rc == STAY_OK && is_last)
        rc = read_end(r, &why);
    if (rc != STAY_OK) {
        if (err != NULL)
            *err = why;
        (void)stay_error_prefix(err, rc, "'%s'", r->header.name);
        return rc;
    }
    *ret_frame = frame;
    *ret_more = !is_last;
    return STAY_OK;
}

void object_reader_stored(const struct object_reader *r, struct object_sum *ret_sum)
{
    ret_sum->size = r->size;
    sha256_read(r->sum, ret_sum->sha256);
}

uint64_t object_reader_plain_length(const struct object_reader *r)
{
    return r->plain_length;
}

enum stay_rc object_verify(struct repository *repo, const char *name, struct object_sum *ret_sum,
                           struct stay_error *err)
{
    STAY_AUTO(object_reader_drop) struct object_reader *r = NULL;
    struct object_frame frame;
    bool more = true;
    enum stay_rc rc = object_reader_open(repo, name, &r, err);
    must(rc != STAY_OK || r != NULL);
    while (rc == STAY_OK && more)
        rc = object_reader_next(r, &frame, &more, err);
    if (rc == STAY_OK && ret_sum != NULL)
        object_reader_stored(r, ret_sum);
    return rc;
}

enum stay_rc object_read_end(struct repository *repo, const char *name, struct object_end *ret_end,
                             struct stay_error *err)
{
    uint8_t bytes[OBJECT_END_BYTES];
    uint64_t size = 0;
    size_t n = 0;
    enum stay_rc rc = object_size(repo->store, name, &size, err);
    if (rc == STAY_OK && size < OBJECT_HEADER_MIN + OBJECT_END_BYTES)
        return repo_fault(err, REPO_FAULT_TRUNCATED, "'%s' has %" PRIu64 " bytes", name, size);
    if (rc == STAY_OK)
        rc = object_read(repo->store, name, size - sizeof bytes, bytes, sizeof bytes, &n, err);
    if (rc == STAY_OK && n < sizeof bytes)
        rc = repo_fault(err, REPO_FAULT_TRUNCATED, "'%s' became shorter", name);
    if (rc != STAY_OK)
        return rc;
    rc = object_end_decode(bytes, size, ret_end, err);
    return rc == STAY_OK ? rc : stay_error_prefix(err, rc, "'%s'", name);
}

enum stay_rc object_holds(struct repository *repo, const char *name, const char *about,
                          uint64_t plain_length, const uint8_t plain_sha256[SHA256_BYTES],
                          bool *ret_is_same, struct stay_error *err)
{
    STAY_AUTO(object_reader_drop) struct object_reader *r = NULL;
    STAY_AUTO(sha256_drop) struct sha256 *sum = sha256_new();
    uint8_t have[SHA256_BYTES];
    struct object_frame frame;
    bool more = true;
    enum stay_rc rc = object_reader_open(repo, name, &r, err);
    while (rc == STAY_OK && more) {
        rc = object_reader_next(r, &frame, &more, err);
        if (rc == STAY_OK && frame.is_sealed)
            rc =
                repo_fault(err, REPO_FAULT_KEY_MISSING, "'%s' is there and cannot be opened", name);
        if (rc == STAY_OK)
            sha256_add(sum, frame.plain.bytes, frame.plain.length);
    }
    if (rc != STAY_OK)
        return rc;
    sha256_read(sum, have);
    *ret_is_same = object_reader_plain_length(r) == plain_length &&
                   memcmp(have, plain_sha256, sizeof have) == 0 &&
                   strcmp(object_reader_header(r)->about, about) == 0;
    return STAY_OK;
}
