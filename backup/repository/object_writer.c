/* backup/repository/object_writer.c - header, frames, index, end into an upload. */
#include "backup/repository/object_writer.h"
#include "backup/repository/frame.h"
#include "backup/repository/repo_fault.h"
#include "base/io/real_random.h"

#define LEVEL     3
#define INDEX_MAX 67108864U /* 2 million frames */

struct object_writer {
    struct object_upload *upload; /* NULL: into memory */
    struct str *memory;
    struct sha256 *memory_sum;
    struct frame_codec *codec;
    struct object_header header;
    uint8_t (*data_keys)[AEAD_KEY_BYTES];
    uint64_t offset, plain;
    uint32_t frames;
    struct str index, out;
    struct sha256 *plain_sum;
    uint8_t end_hash[SHA256_BYTES];
};

/* A data key of this object for each domain, sealed under the domain's current generation. */
static enum stay_rc make_keys(struct object_writer *w, struct repository *repo,
                              const struct object_spec *spec, struct stay_error *err)
{
    w->header.key_count = (uint16_t)spec->domain_count;
    w->header.keys = stay_calloc(spec->domain_count, sizeof *w->header.keys);
    w->data_keys = stay_calloc(spec->domain_count, sizeof *w->data_keys);
    for (size_t i = 0; i < spec->domain_count; i++) {
        struct object_key *key = &w->header.keys[i];
        const uint8_t *generation_key = NULL;
        uint8_t nonce[AEAD_NONCE_BYTES];
        memcpy(key->domain, spec->domains[i], DOMAIN_BYTES);
        enum stay_rc rc = key_ring_current(repo->ring, key->domain, &key->generation, err);
        if (rc == STAY_OK)
            rc = key_ring_get(repo->ring, key->domain, key->generation, &generation_key, err);
        if (rc != STAY_OK)
            return rc;
        real_random_bytes(w->data_keys[i], AEAD_KEY_BYTES);
        real_random_bytes(nonce, sizeof nonce);
        data_key_seal(generation_key, &w->header, nonce, w->data_keys[i], key);
    }
    return STAY_OK;
}

static enum stay_rc send(struct object_writer *w, struct stay_error *err)
{
    enum stay_rc rc = STAY_OK;
    must(!w->out.is_cut);
    if (w->upload != NULL) {
        rc = object_upload_write(w->upload, str_text(&w->out), w->out.length, err);
    } else {
        str_add_bytes(w->memory, str_text(&w->out), w->out.length);
        sha256_add(w->memory_sum, str_text(&w->out), w->out.length);
    }
    w->offset += w->out.length;
    str_reset(&w->out);
    return rc;
}

static enum stay_rc begin(struct repository *repo, const struct object_spec *spec,
                          struct str *memory, struct object_writer **ret_writer,
                          struct stay_error *err)
{
    if (repo->ring == NULL)
        return stay_error(err, STAY_EINVALID, "writing needs the master key");
    must(spec->domain_count >= 1 && spec->domain_count <= OBJECT_KEYS_MAX);
    must(strlen(spec->about) <= OBJECT_ABOUT_MAX && spec->frame_max <= FRAME_PLAIN_MAX);
    enum stay_rc rc = object_name_check(spec->name, err);
    if (rc != STAY_OK)
        return rc;
    struct object_writer *w = stay_calloc(1, sizeof *w);
    w->codec = frame_codec_new(LEVEL);
    w->plain_sum = sha256_new();
    w->memory = memory;
    w->memory_sum = memory == NULL ? NULL : sha256_new();
    str_init(&w->index, INDEX_MAX);
    str_init(&w->out, OBJECT_HEADER_MAX + FRAME_PLAIN_MAX + INDEX_MAX);
    w->header.kind = spec->kind;
    w->header.frame_max = spec->frame_max == 0 ? FRAME_PLAIN_MAX : spec->frame_max;
    memcpy(w->header.repo, repo->id, REPO_ID_BYTES);
    real_random_bytes(w->header.object, sizeof w->header.object);
    (void)stay_copy(w->header.name, sizeof w->header.name, spec->name);
    w->header.about = stay_strdup(spec->about);
    rc = make_keys(w, repo, spec, err);
    if (rc == STAY_OK && memory == NULL)
        rc = object_upload_begin(repo->store, spec->name, spec->expected, &w->upload, err);
    if (rc == STAY_OK) {
        object_header_encode(&w->header, &w->out);
        rc = send(w, err);
    }
    if (rc != STAY_OK) {
        object_writer_abort(w);
        return rc;
    }
    *ret_writer = w;
    return STAY_OK;
}

enum stay_rc object_writer_begin(struct repository *repo, const struct object_spec *spec,
                                 struct object_writer **ret_writer, struct stay_error *err)
{
    return begin(repo, spec, NULL, ret_writer, err);
}

enum stay_rc object_writer_begin_memory(struct repository *repo, const struct object_spec *spec,
                                        struct str *out, struct object_writer **ret_writer,
                                        struct stay_error *err)
{
    return begin(repo, spec, out, ret_writer, err);
}

static void sum_so_far(const struct object_writer *w, struct object_sum *ret)
{
    ret->size = w->offset;
    if (w->upload != NULL)
        object_upload_sum(w->upload, ret);
    else
        sha256_read(w->memory_sum, ret->sha256);
}

static enum stay_rc put_frame(struct object_writer *w, struct frame_header *f, struct span plain,
                              struct stay_error *err)
{
    if (w->frames == INDEX_MAX / FRAME_INDEX_BYTES)
        return stay_error(err, STAY_ELIMIT, "'%s' has too many frames", w->header.name);
    f->number = w->frames;
    f->plain_offset = w->plain;
    frame_seal(w->codec, w->data_keys[f->key], &w->header, f, plain, &w->out);
    const struct frame_place place = {.offset = w->offset,
                                      .plain_offset = w->plain,
                                      .sealed_length = f->sealed_length,
                                      .plain_length = f->plain_length,
                                      .key = f->key,
                                      .flags = f->flags,
                                      .type = f->type};
    frame_place_encode(&place, &w->index);
    sha256_add(w->plain_sum, plain.bytes, plain.length);
    w->frames++;
    w->plain += plain.length;
    return send(w, err);
}

enum stay_rc object_writer_frame(struct object_writer *w, uint16_t key, uint8_t type,
                                 const void *bytes, size_t length, struct stay_error *err)
{
    struct frame_header f = {.key = key, .type = type};
    must(key < w->header.key_count && length <= w->header.frame_max);
    return put_frame(w, &f, (struct span){bytes, length}, err);
}

enum stay_rc object_writer_write(struct object_writer *w, uint16_t key, uint8_t type,
                                 const void *bytes, size_t length, struct stay_error *err)
{
    const uint8_t *at = bytes;
    enum stay_rc rc = STAY_OK;
    while (rc == STAY_OK && length > 0) {
        size_t n = length < w->header.frame_max ? length : w->header.frame_max;
        rc = object_writer_frame(w, key, type, at, n, err);
        at += n;
        length -= n;
    }
    return rc;
}

uint64_t object_writer_stored(const struct object_writer *w)
{
    return w->offset;
}

static enum stay_rc put_end(struct object_writer *w, struct stay_error *err)
{
    struct frame_header last = {.flags = FRAME_LAST};
    struct object_sum sum;
    enum stay_rc rc = put_frame(w, &last, (struct span){"", 0}, err);
    if (rc != STAY_OK)
        return rc;
    struct object_end end = {.index_offset = w->offset,
                             .plain_length = w->plain,
                             .frame_count = w->frames,
                             .index_crc = frame_index_crc(w->index.text, w->index.length)};
    str_add_bytes(&w->out, w->index.text, w->index.length);
    rc = send(w, err);
    if (rc != STAY_OK)
        return rc;
    sum_so_far(w, &sum);
    memcpy(end.hash, sum.sha256, SHA256_BYTES);
    memcpy(w->end_hash, sum.sha256, SHA256_BYTES);
    object_end_encode(&end, &w->out);
    return send(w, err);
}

enum stay_rc object_writer_finish(struct object_writer *w, struct object_written *ret_written,
                                  struct stay_error *err)
{
    struct object_written done = {0};
    enum stay_rc rc = put_end(w, err);
    if (rc == STAY_OK && w->upload == NULL) {
        sum_so_far(w, &done.stored);
    } else if (rc == STAY_OK) {
        rc = object_upload_finish(w->upload, &done.stored, err);
        w->upload = NULL;
    }
    if (rc == STAY_OK && ret_written != NULL) {
        done.plain_length = w->plain;
        memcpy(done.end_hash, w->end_hash, SHA256_BYTES);
        done.frames = w->frames;
        done.generation = w->header.keys[0].generation;
        sha256_read(w->plain_sum, done.plain_sha256);
        *ret_written = done;
    }
    object_writer_abort(w);
    return rc;
}

void object_writer_abort(struct object_writer *w)
{
    if (w == NULL)
        return;
    object_upload_abort(w->upload);
    if (w->data_keys != NULL)
        explicit_bzero(w->data_keys, w->header.key_count * sizeof *w->data_keys);
    free(w->data_keys);
    frame_codec_free(w->codec);
    sha256_free(w->plain_sum);
    sha256_free(w->memory_sum);
    str_clear(&w->index);
    str_clear(&w->out);
    object_header_clear(&w->header);
    free(w);
}
