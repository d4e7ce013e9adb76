/* base/io/file.c - small files done safely. */
#include "base/io/file.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOM_KEPT_MAX (UINT64_C(1) << 30)

void fd_drop(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

int fd_take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

static enum stay_rc write_all(int fd, const char *bytes, size_t length, const char *path,
                              struct stay_error *err)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return stay_error_sys(err, errno, "write '%s'", path);
        bytes += n;
        length -= (size_t)n;
    }
    return STAY_OK;
}

static enum stay_rc sync_directory_of(const char *path, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *copy = stay_strdup(path);
    const char *dir = dirname(copy);
    STAY_AUTO(fd_drop) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return stay_error_sys(err, errno, "sync directory '%s'", dir);
    return STAY_OK;
}

static enum stay_rc write_part(const char *part, const char *path, const void *bytes, size_t length,
                               mode_t mode, struct stay_error *err)
{
    STAY_AUTO(fd_drop) int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return stay_error_sys(err, errno, "create '%s'", part);
    enum stay_rc rc = write_all(fd, bytes, length, part, err);
    if (rc == STAY_OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
        rc = stay_error_sys(err, errno, "sync '%s'", part);
    if (rc == STAY_OK && rename(part, path) != 0)
        rc = stay_error_sys(err, errno, "rename '%s' to '%s'", part, path);
    if (rc != STAY_OK)
        (void)unlink(part); /* best effort: the old file is untouched */
    return rc;
}

enum stay_rc file_write_atomic(const char *path, const void *bytes, size_t length, mode_t mode,
                               struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *part = stay_sprintf("%s.%ld.part", path, (long)getpid());
    (void)unlink(part); /* ours, from a crash of an earlier process with this id */
    enum stay_rc rc = write_part(part, path, bytes, length, mode, err);
    return rc != STAY_OK ? rc : sync_directory_of(path, err);
}

static enum stay_rc open_for_read(const char *path, int *ret_fd, struct stat *ret_stat,
                                  struct stay_error *err)
{
    STAY_AUTO(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return stay_error(err, STAY_ENOTFOUND, "'%s' does not exist", path);
    if (fd < 0 || fstat(fd, ret_stat) != 0)
        return stay_error_sys(err, errno, "open '%s'", path);
    if (!S_ISREG(ret_stat->st_mode))
        return stay_error(err, STAY_EINVALID, "'%s' is not a regular file", path);
    *ret_fd = fd_take(&fd);
    return STAY_OK;
}

/* Reads to the end; the size seen before is only a first guess, the file may grow. */
static enum stay_rc read_all(int fd, const char *path, size_t max, char **ret_text,
                             size_t *ret_length, struct stay_error *err)
{
    size_t capacity = 4096, length = 0;
    STAY_AUTO(stay_free_charp) char *text = stay_malloc(capacity + 1);
    for (;;) {
        ssize_t n = read(fd, text + length, capacity - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return stay_error_sys(err, errno, "read '%s'", path);
        if (n == 0)
            break;
        length += (size_t)n;
        if (length > max)
            return stay_error(err, STAY_ELIMIT, "'%s' is larger than %zu bytes", path, max);
        if (length == capacity) {
            capacity *= 2;
            text = stay_realloc(text, capacity + 1, 1);
        }
    }
    text[length] = '\0';
    *ret_text = text;
    text = NULL;
    if (ret_length != NULL)
        *ret_length = length;
    return STAY_OK;
}

enum stay_rc file_read(const char *path, size_t max, char **ret_text, size_t *ret_length,
                       struct stay_error *err)
{
    STAY_AUTO(fd_drop) int fd = -1;
    struct stat st = {0};
    enum stay_rc rc = open_for_read(path, &fd, &st, err);
    return rc != STAY_OK ? rc : read_all(fd, path, max, ret_text, ret_length, err);
}

static enum stay_rc check_secret_stat(const char *path, const struct stat *st,
                                      struct stay_error *err)
{
    if ((st->st_mode & 077) != 0)
        return stay_error(err, STAY_EREFUSED,
                          "secret file '%s' can be read by others (mode %04o): chmod 0600 '%s'",
                          path, (unsigned)st->st_mode & 07777, path);
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return stay_error(err, STAY_EREFUSED,
                          "secret file '%s' belongs to user %u: chown it to user %u or root", path,
                          (unsigned)st->st_uid, (unsigned)geteuid());
    return STAY_OK;
}

enum stay_rc file_check_secret(const char *path, struct stay_error *err)
{
    STAY_AUTO(fd_drop) int fd = -1;
    struct stat st = {0};
    enum stay_rc rc = open_for_read(path, &fd, &st, err);
    return rc != STAY_OK ? rc : check_secret_stat(path, &st, err);
}

enum stay_rc file_read_secret(const char *path, char **ret_text, struct stay_error *err)
{
    STAY_AUTO(fd_drop) int fd = -1;
    struct stat st = {0};
    char *text = NULL;
    size_t length = 0;
    enum stay_rc rc = open_for_read(path, &fd, &st, err);
    if (rc == STAY_OK)
        rc = check_secret_stat(path, &st, err);
    if (rc == STAY_OK)
        rc = read_all(fd, path, FILE_SECRET_MAX, &text, &length, err);
    if (rc != STAY_OK)
        return rc;
    must(text != NULL);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    if (length == 0 || strlen(text) != length) {
        explicit_bzero(text, length);
        free(text);
        return stay_error(err, STAY_EINVALID, "secret file '%s' is %s", path,
                          length == 0 ? "empty" : "not text");
    }
    *ret_text = text;
    return STAY_OK;
}

enum stay_rc file_mkdir_p(const char *path, mode_t mode, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *copy = stay_strdup(path);
    size_t length = strlen(copy);
    struct stat st;
    if (length == 0 || length >= PATH_MAX)
        return stay_error(err, STAY_EINVALID, "directory name is empty or too long");
    for (size_t i = 1; i <= length; i++) {
        if (copy[i] != '/' && copy[i] != '\0')
            continue;
        char kept = copy[i];
        copy[i] = '\0';
        if (mkdir(copy, mode) != 0 && errno != EEXIST)
            return stay_error_sys(err, errno, "make directory '%s'", copy);
        copy[i] = kept;
    }
    if (stat(path, &st) != 0)
        return stay_error_sys(err, errno, "look at '%s'", path);
    if (!S_ISDIR(st.st_mode))
        return stay_error(err, STAY_ECONFLICT, "'%s' exists and is not a directory", path);
    return STAY_OK;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

enum stay_rc file_check_room(int fd, uint64_t bytes, const char *what, struct stay_error *err)
{
    struct statvfs st;
    if (fstatvfs(fd, &st) != 0)
        return stay_error_sys(err, errno, "%s: room on its disk", what);
    uint64_t room = (uint64_t)st.f_bavail * st.f_frsize;
    uint64_t kept = (uint64_t)st.f_blocks * st.f_frsize / 10;
    if (kept > ROOM_KEPT_MAX)
        kept = ROOM_KEPT_MAX;
    if (room >= kept && room - kept >= bytes)
        return STAY_OK;
    return stay_error(err, STAY_ELIMIT, "%s: %llu MiB are left on its disk, %llu MiB are kept free",
                      what, (unsigned long long)(room >> 20), (unsigned long long)(kept >> 20));
}
