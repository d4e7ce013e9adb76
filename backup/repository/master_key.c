/* backup/repository/master_key.c - the master key's file. */
#include "backup/repository/master_key.h"
#include "backup/repository/object_name.h"
#include "backup/repository/repo_fault.h"
#include "base/io/file.h"
#include "base/io/real_random.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <unistd.h>

void master_key_init(struct master_key *key, const uint8_t bytes[AEAD_KEY_BYTES])
{
    static const char what[] = "mainstay master key id";
    const struct span text = {what, sizeof what - 1};
    uint8_t sum[SHA256_BYTES];
    memcpy(key->bytes, bytes, AEAD_KEY_BYTES);
    hmac_sha256(key->bytes, &text, 1, sum);
    hex_format(sum, 8, key->id);
}

void master_key_clear(struct master_key *key)
{
    explicit_bzero(key, sizeof *key);
}

enum stay_rc master_key_load(const char *path, struct master_key *ret_key, struct stay_error *err)
{
    char *text = NULL;
    struct stay_error why;
    uint8_t bytes[AEAD_KEY_BYTES];
    if (file_read_secret(path, &text, &why) != STAY_OK)
        return repo_fault(err, REPO_FAULT_KEY_FILE, "%s", why.text);
    bool is_key = hex_parse(text, bytes, sizeof bytes);
    explicit_bzero(text, strlen(text));
    free(text);
    if (!is_key)
        return repo_fault(err, REPO_FAULT_KEY_FILE,
                          "'%s' holds no master key: 64 hex digits (0-9a-f), as `openssl rand -hex "
                          "32` prints",
                          path);
    master_key_init(ret_key, bytes);
    explicit_bzero(bytes, sizeof bytes);
    return STAY_OK;
}

static enum stay_rc write_key(int fd, const char *path, struct stay_error *err)
{
    uint8_t bytes[AEAD_KEY_BYTES];
    char text[2 * AEAD_KEY_BYTES + 2];
    real_random_bytes(bytes, sizeof bytes);
    hex_format(bytes, sizeof bytes, text);
    explicit_bzero(bytes, sizeof bytes);
    text[strlen(text)] = '\n'; /* instead of its end: the length is known */
    ssize_t n = write(fd, text, 2 * AEAD_KEY_BYTES + 1);
    explicit_bzero(text, sizeof text);
    if (n != 2 * AEAD_KEY_BYTES + 1)
        return repo_fault_sys(err, REPO_FAULT_KEY_FILE, n < 0 ? errno : ENOSPC, "write '%s'", path);
    if (fsync(fd) != 0)
        return repo_fault_sys(err, REPO_FAULT_KEY_FILE, errno, "sync '%s'", path);
    return STAY_OK;
}

enum stay_rc master_key_create(const char *path, struct stay_error *err)
{
    STAY_AUTO(fd_drop) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    STAY_AUTO(fd_drop) int dir = -1;
    STAY_AUTO(stay_free_charp) char *copy = stay_strdup(path);
    if (fd < 0 && errno == EEXIST)
        return repo_fault(err, REPO_FAULT_ALREADY_EXISTS, "'%s' exists: a key is never overwritten",
                          path);
    if (fd < 0)
        return repo_fault_sys(err, REPO_FAULT_KEY_FILE, errno, "make '%s'", path);
    enum stay_rc rc = write_key(fd, path, err);
    dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (rc == STAY_OK && (dir < 0 || fsync(dir) != 0))
        rc = repo_fault_sys(err, REPO_FAULT_KEY_FILE, errno, "sync the folder of '%s'", path);
    if (rc != STAY_OK)
        (void)unlink(path); /* ours, made above */
    return rc;
}
