/* backup/repository/object_store_dir_list.c - the objects below a folder, by name as an S3 prefix
 * would list them; what is none of ours is told and not entered. */
#include "backup/repository/object_store_private.h"
#include "backup/repository/repo_fault.h"
#include "base/io/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DEPTH_MAX 12

enum stay_rc object_folder_fault(int errnum, const char *name, struct stay_error *err)
{
    if (errnum == ENOENT)
        return repo_fault(err, REPO_FAULT_MISSING, "'%s' is not there", name);
    if (errnum == ELOOP || errnum == ENOTDIR)
        return repo_fault(err, REPO_FAULT_HOSTILE_NAME, "'%s' is or passes a link", name);
    return repo_fault_sys(err, REPO_FAULT_STORE, errnum, "open '%s'", name);
}

struct entry {
    char *name; /* a folder's ends with '/', as in the names of what is in it: that orders them */
    bool is_folder, is_file;
    uint64_t size;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* The entries are the caller's, whatever is returned. A folder that cannot be read to its end is an
 * error: a list that lacks something unseen would look like a loss. */
static enum stay_rc read_folder(int dir, const char *name, struct entry **ret_entries,
                                size_t *ret_count, struct stay_error *err)
{
    int fd = openat(dir, ".", DIR_FLAGS);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    struct entry *entries = NULL;
    size_t count = 0, room = 0;
    bool is_root = name[0] == '\0';
    if (list == NULL) {
        enum stay_rc rc = repo_fault_sys(err, REPO_FAULT_STORE, errno, "list '%s'", name);
        fd_drop(&fd);
        return rc;
    }
    errno = 0;
    for (const struct dirent *e; (e = readdir(list)) != NULL; errno = 0) {
        struct stat st = {0};
        const char *n = e->d_name;
        if (strcmp(n, ".") == 0 || strcmp(n, "..") == 0 ||
            (is_root && (strcmp(n, "tmp") == 0 || strcmp(n, "lost+found") == 0)))
            continue;
        if (fstatat(dir, n, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT)
                continue;
            break;
        }
        if (count == room) {
            room = room * 2 + 64;
            entries = stay_realloc(entries, room, sizeof *entries);
        }
        entries[count++] =
            (struct entry){.name = stay_sprintf("%s%s", n, S_ISDIR(st.st_mode) ? "/" : ""),
                           .is_folder = S_ISDIR(st.st_mode),
                           .is_file = S_ISREG(st.st_mode),
                           .size = (uint64_t)st.st_size};
    }
    int failed = errno;
    (void)closedir(list);
    if (count > 0)
        qsort(entries, count, sizeof *entries, by_name);
    *ret_entries = entries;
    *ret_count = count;
    return failed == 0 ? STAY_OK : repo_fault_sys(err, REPO_FAULT_STORE, failed, "list '%s'", name);
}

struct dir_listing {
    object_found_fn found;
    void *arg;
    struct str name; /* of the folder, then of the entry */
};

static enum stay_rc list_folder(struct dir_listing *l, int dir, unsigned depth,
                                struct stay_error *err);

static enum stay_rc list_entry(struct dir_listing *l, int dir, unsigned depth,
                               const struct entry *e, struct stay_error *err)
{
    size_t length = l->name.length;
    enum stay_rc rc = STAY_OK;
    str_add(&l->name, e->name);
    if (e->is_folder)
        str_add(&l->name, "x"); /* a name in it, to see whether any could be permitted */
    struct object_found found = {.name = str_text(&l->name), .size = e->size};
    if (!e->is_file && !e->is_folder)
        found.strange = "no plain file";
    else if (depth >= DEPTH_MAX)
        found.strange = "deeper than our names are";
    bool enters = e->is_folder && found.strange == NULL && object_name_is_permitted(found.name);
    if (e->is_folder) {
        l->name.text[--l->name.length] = '\0';
        if (!enters && found.strange == NULL)
            found.strange = "no name that we give";
    }
    if (!enters) {
        rc = l->found(l->arg, &found, err);
    } else {
        STAY_AUTO(fd_drop) int inner = -1;
        STAY_AUTO(stay_free_charp) char *part = stay_strdup(e->name);
        part[strlen(part) - 1] = '\0';
        inner = openat(dir, part, DIR_FLAGS);
        rc = inner < 0 ? object_folder_fault(errno, str_text(&l->name), err)
                       : list_folder(l, inner, depth + 1, err);
    }
    l->name.length = length;
    l->name.text[length] = '\0';
    return rc;
}

static enum stay_rc list_folder(struct dir_listing *l, int dir, unsigned depth,
                                struct stay_error *err)
{
    struct entry *entries = NULL;
    size_t count = 0;
    enum stay_rc rc = read_folder(dir, str_text(&l->name), &entries, &count, err);
    for (size_t i = 0; i < count; i++) {
        if (rc == STAY_OK)
            rc = list_entry(l, dir, depth, &entries[i], err);
        free(entries[i].name);
    }
    free(entries);
    return rc;
}

enum stay_rc object_folder_list(int folder, const char *prefix, object_found_fn found, void *arg,
                                struct stay_error *err)
{
    struct dir_listing l = {.found = found, .arg = arg};
    str_add(&l.name, prefix);
    enum stay_rc rc = list_folder(&l, folder, prefix[0] == '\0' ? 0 : 1, err);
    str_clear(&l.name);
    return rc;
}
