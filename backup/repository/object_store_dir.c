/* backup/repository/object_store_dir.c - objects as files of a directory.
 *
 * The way of a file: tmp/NAME made and locked -> written -> fsync -> rename without replacing ->
 * its directory synced, with those above it that this process has not synced yet. A crash leaves at
 * most a file in tmp/, which nobody reads and the next writer removes once nobody holds its lock.
 * Directories are walked part by part without following links: a link planted in the repository
 * leads nowhere. */
#include "backup/repository/object_store_private.h"
#include "backup/repository/repo_fault.h"
#include "base/io/file.h"
#include "base/io/real_clock.h"
#include "base/io/real_random.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_FLAGS      (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define SYNCED_MAX     64                   /* directories remembered as durable */
#define ROOM_EACH      16777216U            /* the room is looked at again after so many bytes */
#define TMP_KEPT_US    (3600 * STAY_SECOND) /* one whose writer lives is locked as well */
#define COPY_BYTES_MAX (1U << 30)           /* of one call of write */

struct dir_store {
    struct object_store base;
    int root;
    char *path;
    bool is_swept;
    size_t synced_next;
    char *synced[SYNCED_MAX]; /* parts above a leaf: "c/shop/g" */
};

struct dir_upload {
    struct object_upload base;
    int fd, tmp;
    char leaf[33]; /* in tmp/ */
    uint64_t room_left;
};

static struct dir_store *dir_of(struct object_store *store)
{
    return (struct dir_store *)store;
}

/* The directory of `name`, made when `makes`; *ret_leaf is the last part of `name`. */
static enum stay_rc walk(struct dir_store *d, const char *name, bool makes, int *ret_dir,
                         const char **ret_leaf, struct stay_error *err)
{
    STAY_AUTO(fd_drop) int dir = fcntl(d->root, F_DUPFD_CLOEXEC, 0);
    char part[OBJECT_NAME_MAX];
    for (;;) {
        size_t n = strcspn(name, "/");
        if (name[n] == '\0')
            break;
        memcpy(part, name, n);
        part[n] = '\0';
        if (makes && mkdirat(dir, part, 0700) != 0 && errno != EEXIST)
            return repo_fault_sys(err, REPO_FAULT_STORE, errno, "make folder '%s'", part);
        int next = openat(dir, part, DIR_FLAGS);
        if (next < 0)
            return object_folder_fault(errno, part, err);
        (void)close(dir);
        dir = next;
        name += n + 1;
    }
    *ret_leaf = name;
    *ret_dir = fd_take(&dir);
    return STAY_OK;
}

static bool is_synced(const struct dir_store *d, const char *folder)
{
    for (size_t i = 0; i < SYNCED_MAX; i++)
        if (d->synced[i] != NULL && strcmp(d->synced[i], folder) == 0)
            return true;
    return false;
}

/* The folder of `name` and what is above it: they may have been made by a process that died. */
static enum stay_rc sync_folders(struct dir_store *d, const char *name, int dir,
                                 struct stay_error *err)
{
    char folder[OBJECT_NAME_MAX];
    (void)stay_copy(folder, sizeof folder, name);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
    else
        folder[0] = '\0';
    if (fsync(dir) != 0)
        return repo_fault_sys(err, REPO_FAULT_STORE, errno, "sync folder '%s'", folder);
    if (is_synced(d, folder))
        return STAY_OK;
    char *known = stay_strdup(folder);
    while (folder[0] != '\0') {
        const char *leaf;
        STAY_AUTO(fd_drop) int above = -1;
        enum stay_rc rc = walk(d, folder, false, &above, &leaf, err);
        if (rc == STAY_OK && fsync(above) != 0)
            rc = repo_fault_sys(err, REPO_FAULT_STORE, errno, "sync the folder of '%s'", folder);
        if (rc != STAY_OK) {
            free(known);
            return rc;
        }
        slash = strrchr(folder, '/');
        folder[slash == NULL ? 0 : slash - folder] = '\0';
    }
    free(d->synced[d->synced_next]);
    d->synced[d->synced_next] = known;
    d->synced_next = (d->synced_next + 1) % SYNCED_MAX;
    return STAY_OK;
}

/* As dir_begin makes them. Anything else in tmp/ is not ours to remove. */
static bool is_tmp_name(const char *name)
{
    uint8_t bytes[16];
    return hex_parse(name, bytes, sizeof bytes);
}

/* What writers that died left in tmp/. False: something could not be removed. */
static bool sweep(int tmp, int64_t older_than_us)
{
    int fd = openat(tmp, ".", DIR_FLAGS);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    int64_t now = real_clock_wall_us();
    bool is_clean = list != NULL;
    if (list == NULL) {
        fd_drop(&fd);
        return false;
    }
    for (const struct dirent *e; (e = readdir(list)) != NULL;) {
        struct stat st;
        if (!is_tmp_name(e->d_name))
            continue;
        STAY_AUTO(fd_drop)
        int left = openat(tmp, e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (left < 0 || fstat(left, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        bool is_old = now - (int64_t)st.st_mtime * STAY_SECOND >= older_than_us;
        if (is_old && flock(left, LOCK_EX | LOCK_NB) == 0 && unlinkat(tmp, e->d_name, 0) != 0)
            is_clean = is_clean && errno == ENOENT;
    }
    (void)closedir(list);
    return is_clean;
}

static enum stay_rc check_room(struct dir_upload *u, uint64_t bytes, struct stay_error *err)
{
    struct stay_error why;
    enum stay_rc rc = file_check_room(u->fd, bytes, "the repository's folder", &why);
    if (rc == STAY_ELIMIT)
        return repo_fault(err, REPO_FAULT_FULL, "%s", why.text);
    return rc == STAY_OK ? rc : repo_fault(err, REPO_FAULT_STORE, "%s", why.text);
}

static void dir_abort(struct object_upload *upload)
{
    struct dir_upload *u = (struct dir_upload *)upload;
    if (u->leaf[0] != '\0')
        (void)unlinkat(u->tmp, u->leaf, 0); /* best effort: swept later */
    fd_drop(&u->fd);
    fd_drop(&u->tmp);
    free(u);
}

static enum stay_rc dir_begin(struct object_store *store, const char *name, uint64_t expected,
                              struct object_upload **ret_upload, struct stay_error *err)
{
    struct dir_store *d = dir_of(store);
    struct dir_upload *u = stay_calloc(1, sizeof *u);
    uint8_t random[16];
    const char *leaf;
    char path[OBJECT_NAME_MAX];
    (void)name;
    u->fd = u->tmp = -1;
    real_random_bytes(random, sizeof random);
    hex_format(random, sizeof random, u->leaf);
    (void)snprintf(path, sizeof path, "tmp/%s", u->leaf);
    enum stay_rc rc = walk(d, path, true, &u->tmp, &leaf, err);
    if (rc == STAY_OK && !d->is_swept)
        d->is_swept = sweep(u->tmp, TMP_KEPT_US);
    if (rc == STAY_OK)
        u->fd = openat(u->tmp, u->leaf, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (rc == STAY_OK && (u->fd < 0 || flock(u->fd, LOCK_EX | LOCK_NB) != 0))
        rc = repo_fault_sys(err, REPO_FAULT_STORE, errno, "make '%s'", path);
    u->room_left = expected > ROOM_EACH ? expected : ROOM_EACH;
    if (rc == STAY_OK)
        rc = check_room(u, expected, err);
    if (rc != STAY_OK) {
        dir_abort(&u->base);
        return rc;
    }
    *ret_upload = &u->base;
    return STAY_OK;
}

static enum stay_rc dir_write(struct object_upload *upload, const void *bytes, size_t length,
                              struct stay_error *err)
{
    struct dir_upload *u = (struct dir_upload *)upload;
    const uint8_t *at = bytes;
    if (u->room_left < length) {
        enum stay_rc rc = check_room(u, length, err);
        if (rc != STAY_OK)
            return rc;
        u->room_left = ROOM_EACH + length;
    }
    u->room_left -= length;
    while (length > 0) {
        ssize_t n = write(u->fd, at, length < COPY_BYTES_MAX ? length : COPY_BYTES_MAX);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return repo_fault_sys(err, REPO_FAULT_STORE, errno, "write '%s'", upload->name);
        at += n;
        length -= (size_t)n;
    }
    return STAY_OK;
}

/* A file system without that call gets a second name for the file; the first is removed by abort.
 */
static int rename_into(const struct dir_upload *u, int dir, const char *leaf)
{
    if (renameat2(u->tmp, u->leaf, dir, leaf, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return linkat(u->tmp, u->leaf, dir, leaf, 0);
}

static enum stay_rc dir_publish(struct object_upload *upload, bool *ret_was_there,
                                struct stay_error *err)
{
    struct dir_store *d = dir_of(upload->store);
    struct dir_upload *u = (struct dir_upload *)upload;
    STAY_AUTO(fd_drop) int dir = -1;
    const char *leaf;
    /* After a failed fsync the pages are lost and a second one would lie: the object is given up.
     */
    if (fsync(u->fd) != 0)
        return repo_fault_sys(err, REPO_FAULT_STORE, errno, "sync '%s'", upload->name);
    enum stay_rc rc = walk(d, upload->name, true, &dir, &leaf, err);
    if (rc != STAY_OK)
        return rc;
    if (rename_into(u, dir, leaf) != 0) {
        if (errno != EEXIST)
            return repo_fault_sys(err, REPO_FAULT_STORE, errno, "name '%s'", upload->name);
        *ret_was_there = true;
    }
    return sync_folders(d, upload->name, dir, err);
}

static enum stay_rc open_object(struct dir_store *d, const char *name, int *ret_fd,
                                uint64_t *ret_size, struct stay_error *err)
{
    STAY_AUTO(fd_drop) int dir = -1;
    STAY_AUTO(fd_drop) int fd = -1;
    struct stat st;
    const char *leaf;
    enum stay_rc rc = walk(d, name, false, &dir, &leaf, err);
    if (rc != STAY_OK)
        return rc;
    fd = openat(dir, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return object_folder_fault(errno, name, err);
    if (!S_ISREG(st.st_mode))
        return repo_fault(err, REPO_FAULT_HOSTILE_NAME, "'%s' is no plain file", name);
    *ret_size = (uint64_t)st.st_size;
    *ret_fd = fd_take(&fd);
    return STAY_OK;
}

static enum stay_rc dir_read(struct object_store *store, const char *name, uint64_t offset,
                             void *dst, size_t length, size_t *ret_length, struct stay_error *err)
{
    STAY_AUTO(fd_drop) int fd = -1;
    uint64_t size = 0;
    size_t done = 0;
    enum stay_rc rc = open_object(dir_of(store), name, &fd, &size, err);
    if (rc != STAY_OK)
        return rc;
    while (done < length && offset + done < size) {
        ssize_t n = pread(fd, (uint8_t *)dst + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return repo_fault_sys(err, REPO_FAULT_STORE, errno, "read '%s'", name);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *ret_length = done;
    return STAY_OK;
}

static enum stay_rc dir_size(struct object_store *store, const char *name, uint64_t *ret_size,
                             struct stay_error *err)
{
    STAY_AUTO(fd_drop) int fd = -1;
    return open_object(dir_of(store), name, &fd, ret_size, err);
}

static enum stay_rc dir_list(struct object_store *store, const char *prefix, object_found_fn found,
                             void *arg, struct stay_error *err)
{
    STAY_AUTO(fd_drop) int dir = -1;
    const char *leaf;
    struct stay_error why = {0};
    enum stay_rc rc = walk(dir_of(store), prefix, false, &dir, &leaf, &why);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_MISSING)
        return STAY_OK;
    if (rc != STAY_OK) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    return object_folder_list(dir, prefix, found, arg, err);
}

static enum stay_rc dir_remove(struct object_store *store, const char *name, struct stay_error *err)
{
    STAY_AUTO(fd_drop) int dir = -1;
    const char *leaf = name;
    struct stay_error why = {0};
    enum stay_rc rc = walk(dir_of(store), name, false, &dir, &leaf, &why);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_MISSING)
        return STAY_OK;
    if (rc != STAY_OK) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    if (unlinkat(dir, leaf, 0) != 0 && errno != ENOENT)
        return repo_fault_sys(err, REPO_FAULT_STORE, errno, "delete '%s'", name);
    if (fsync(dir) != 0)
        return repo_fault_sys(err, REPO_FAULT_STORE, errno, "sync the folder of '%s'", name);
    return STAY_OK;
}

static void dir_close(struct object_store *store)
{
    struct dir_store *d = dir_of(store);
    for (size_t i = 0; i < SYNCED_MAX; i++)
        free(d->synced[i]);
    fd_drop(&d->root);
    free(d->path);
    free(d);
}

static enum stay_rc dir_sweep(struct object_store *store, struct stay_error *err)
{
    STAY_AUTO(fd_drop) int tmp = -1;
    const char *leaf;
    struct stay_error why = {0};
    enum stay_rc rc = walk(dir_of(store), "tmp/", false, &tmp, &leaf, &why);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_MISSING)
        return STAY_OK;
    if (rc != STAY_OK) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    if (!sweep(tmp, 0) || fsync(tmp) != 0)
        return repo_fault_sys(err, REPO_FAULT_STORE, errno, "remove what is left in tmp/");
    return STAY_OK;
}

static const struct object_store_ops dir_ops = {
    .close = dir_close,
    .begin = dir_begin,
    .write = dir_write,
    .publish = dir_publish,
    .abort = dir_abort,
    .read = dir_read,
    .size = dir_size,
    .list = dir_list,
    .remove = dir_remove,
    .sweep = dir_sweep,
};

/* The folders above the repository, which file_mkdir_p may have made. */
static enum stay_rc sync_above(const char *path, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *copy = stay_strdup(path);
    for (const char *above = dirname(copy);; above = dirname(copy)) {
        STAY_AUTO(fd_drop) int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == EACCES) /* then we made nothing above it */
            return STAY_OK;
        if (fd < 0 || fsync(fd) != 0)
            return repo_fault_sys(err, REPO_FAULT_STORE, errno, "sync '%s'", above);
        if (strcmp(above, "/") == 0)
            return STAY_OK;
    }
}

enum stay_rc object_store_dir_open(const char *path, unsigned flags,
                                   struct object_store **ret_store, struct stay_error *err)
{
    struct stay_error why = {0};
    if ((flags & OBJECT_STORE_CREATE) != 0) {
        if (file_mkdir_p(path, 0700, &why) != STAY_OK)
            return repo_fault(err, REPO_FAULT_STORE, "%s", why.text);
        enum stay_rc rc = sync_above(path, err); /* made now, or by one that was killed */
        if (rc != STAY_OK)
            return rc;
    }
    int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 && errno == ENOENT)
        return repo_fault(err, REPO_FAULT_NOT_A_REPOSITORY, "'%s' does not exist", path);
    if (root < 0)
        return repo_fault_sys(err, REPO_FAULT_STORE, errno, "open '%s'", path);
    struct dir_store *d = stay_calloc(1, sizeof *d);
    d->base.ops = &dir_ops;
    d->root = root;
    d->path = stay_strdup(path);
    *ret_store = &d->base;
    return STAY_OK;
}
