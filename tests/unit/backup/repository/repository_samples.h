/* tests/unit/backup/repository/repository_samples.h - a folder of its own for a test, a repository
 * in it, and hands that damage it. */
#ifndef TESTS_UNIT_BACKUP_REPOSITORY_REPOSITORY_SAMPLES_H
#define TESTS_UNIT_BACKUP_REPOSITORY_REPOSITORY_SAMPLES_H
#include "backup/repository/object_reader.h"
#include "backup/repository/object_writer.h"
#include "backup/repository/repo_fault.h"
#include "backup/repository/repository.h"
#include "base/io/file.h"
#include "base/random.h"
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct sample {
    char dir[64], url[96], key[96];
    struct repository *repo; /* of sample_repository */
};

/* Shows err's text when a call that should succeed does not. */
#define assert_done(call)                                                                          \
    do {                                                                                           \
        struct stay_error err_ = {0}, *err = &err_;                                                \
        if ((call) != STAY_OK)                                                                     \
            fail_msg("%s: %s", #call, err_.text);                                                  \
    } while (0)

/* `call` gives exactly this fault. */
#define assert_fault(want, call)                                                                   \
    do {                                                                                           \
        struct stay_error err_ = {0}, *err = &err_;                                                \
        enum stay_rc rc_ = (call);                                                                 \
        if (rc_ == STAY_OK)                                                                        \
            fail_msg("%s succeeds", #call);                                                        \
        if (repo_fault_of(&err_) != (want))                                                        \
            fail_msg("%s: not %s but: %s", #call, repo_fault_name(want), err_.text);               \
    } while (0)

static inline int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void sample_folder(struct sample *s)
{
    *s = (struct sample){0};
    (void)snprintf(s->dir, sizeof s->dir, "/tmp/mainstay-repository-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    (void)snprintf(s->url, sizeof s->url, "file://%s/repo", s->dir);
    (void)snprintf(s->key, sizeof s->key, "%s/master.key", s->dir);
}

static inline void sample_remove(struct sample *s)
{
    repository_close(s->repo);
    (void)nftw(s->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A new repository, open. */
static inline void sample_repository(struct sample *s)
{
    sample_folder(s);
    const struct repository_spec spec = {.url = s->url, .key_path = s->key, .zone = "eu-1c"};
    assert_done(master_key_create(s->key, err));
    assert_done(repository_init(&spec, NULL, err));
    assert_done(repository_open(&spec, &s->repo, err));
}

static inline char *sample_path(const struct sample *s, const char *name)
{
    return stay_sprintf("%s/repo/%s", s->dir, name);
}

/* An object of `frames` frames of `length` bytes that do and do not compress. */
static inline void sample_object(struct sample *s, const char *name, size_t frames, size_t length)
{
    uint8_t domains[1][DOMAIN_BYTES];
    struct object_writer *w = NULL;
    uint8_t *bytes = stay_malloc(length + 1);
    struct random noise;
    random_init(&noise, length);
    assert_done(repository_domain_ready(s->repo, "shop", NULL, domains[0], err));
    const struct object_spec spec = {.name = name,
                                     .kind = OBJECT_DATA,
                                     .about = "{\"table\":1}",
                                     .domain_count = 1,
                                     .domains = (const uint8_t(*)[DOMAIN_BYTES])domains};
    assert_done(object_writer_begin(s->repo, &spec, &w, err));
    for (size_t i = 0; i < frames; i++) {
        for (size_t j = 0; j < length; j++)
            bytes[j] = (uint8_t)(i % 2 == 0 ? j / 64 : random_u64(&noise));
        assert_done(object_writer_frame(w, 0, 7, bytes, length, err));
    }
    assert_done(object_writer_finish(w, NULL, err));
    free(bytes);
}

#define SAMPLE_DATA                                                                                \
    "c/shop/l/00112233445566aa/s/20261120t023000z-0000abcd/data/"                                  \
    "0123456789abcdef0123456789abcdef/000001.mso"

/* Changes bits of one byte of a stored object. */
static inline void sample_flip(const struct sample *s, const char *name, off_t at, uint8_t bits)
{
    STAY_AUTO(stay_free_charp) char *path = sample_path(s, name);
    STAY_AUTO(fd_drop) int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte = 0;
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= bits;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static inline off_t sample_length(const struct sample *s, const char *name)
{
    STAY_AUTO(stay_free_charp) char *path = sample_path(s, name);
    struct stat st = {0};
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

#endif
