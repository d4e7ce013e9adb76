/* Disks and clocks of a lab: each server's data folder on a small ext4 of its own (a file behind a
 * loop device), and the files libfaketime reads offsets from. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

enum { DISK_MIB = 400, FILL_STEP = 16 * 1024 * 1024 };

static struct lab_path image_of(const struct lab *lab, const char *node)
{
    return lab_path(lab, "disk/%s.img", node);
}

static bool mount_disk(struct lab *lab, const char *node)
{
    struct lab_path to = lab_path(lab, "data/%s", node);
    return LAB_RUN(lab, NULL, "mount", "-o", "loop,errors=remount-ro", image_of(lab, node).s, to.s);
}

bool lab_disk_make(struct lab *lab, const struct lab_host *server)
{
    struct lab_path image = image_of(lab, server->name),
                    to = lab_path(lab, "data/%s", server->name);
    int fd = open(image.s, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && ftruncate(fd, (off_t)DISK_MIB * 1024 * 1024) == 0;
    if (fd >= 0)
        close(fd);
    if (!ok || (mkdir(to.s, 0755) != 0 && errno != EEXIST))
        return lab_fail(lab, "disk image %s: %s", image.s, strerror(errno));
    return LAB_RUN(lab, NULL, "mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard", "-O", "^has_journal",
                   image.s) &&
           mount_disk(lab, server->name);
}

static bool is_mounted(const struct lab *lab, const char *node)
{
    struct stat above, here;
    return stat(lab_path(lab, "data").s, &above) == 0 &&
           stat(lab_path(lab, "data/%s", node).s, &here) == 0 && above.st_dev != here.st_dev;
}

/* lab_readonly_disk leaves this file: the kernel does not tell of its emergency state by statvfs.
 */
static struct lab_path broken_mark(const struct lab *lab, const char *node)
{
    return lab_path(lab, "disk/%s.broken", node);
}

/* After lab_readonly_disk: checks the file system and mounts it writable again. */
bool lab_disk_repair(struct lab *lab, const struct lab_host *server)
{
    struct lab_path at = lab_path(lab, "data/%s", server->name);
    if (access(broken_mark(lab, server->name).s, F_OK) != 0)
        return true;
    if (umount(at.s) != 0)
        return lab_fail(lab, "cannot unmount %s: %s", at.s, strerror(errno));
    int code = 0;
    struct lab_command how = {.ret_exit = &code};
    if (!LAB_RUN(lab, &how, "e2fsck", "-y", "-f", image_of(lab, server->name).s) || code > 2)
        return lab_fail(lab, "e2fsck of %s: exit %d", image_of(lab, server->name).s, code);
    (void)unlink(broken_mark(lab, server->name).s);
    return mount_disk(lab, server->name);
}

void lab_disks_remove(struct lab *lab)
{
    for (size_t i = 0; i < lab->hosts_count; i++)
        while (lab->hosts[i].kind == LAB_HOST_SERVER && is_mounted(lab, lab->hosts[i].name))
            if (umount2(lab_path(lab, "data/%s", lab->hosts[i].name).s, MNT_DETACH) != 0)
                break;
}

static bool needs_disks(struct lab *lab, const char *node)
{
    if (lab_server_of(lab, node) == NULL)
        return false;
    return is_mounted(lab, node) ? true
                                 : lab_fail(lab, "this lab has no disks: start it with up --disks");
}

bool lab_fill_disk(struct lab *lab, const char *node, bool fill)
{
    if (!needs_disks(lab, node))
        return false;
    struct lab_path filler = lab_path(lab, "data/%s/filler", node);
    if (!fill)
        return unlink(filler.s) == 0 ? true : lab_fail(lab, "%s: %s", filler.s, strerror(errno));
    int fd = open(filler.s, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return lab_fail(lab, "%s: %s", filler.s, strerror(errno));
    off_t at = lseek(fd, 0, SEEK_END);
    for (off_t step = FILL_STEP; step >= 4096;) {
        if (posix_fallocate(fd, at, step) == 0)
            at += step;
        else
            step /= 4;
    }
    close(fd);
    lab->fault_mono_us = lab_now_us();
    return lab_save(lab);
}

static bool loop_device(struct lab *lab, const char *node, char *buf, size_t size)
{
    char *text = NULL;
    struct lab_command how = {.ret_out = &text};
    if (!LAB_RUN(lab, &how, "findmnt", "-n", "-o", "SOURCE", lab_path(lab, "data/%s", node).s))
        return false;
    text[strcspn(text, "\n")] = '\0';
    bool ok = strncmp(text, "/dev/", 5) == 0 && stay_copy(buf, size, text + 5);
    free(text);
    return ok ? true : lab_fail(lab, "%s has no loop device", node);
}

/* What was written long ago is on the disk before it fails; only the latest writes may be lost. */
static bool sync_disk(struct lab *lab, const char *node)
{
    int fd = open(lab_path(lab, "data/%s", node).s, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && syncfs(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok ? true : lab_fail(lab, "syncfs of %s: %s", node, strerror(errno));
}

/* An ext4 error is raised on purpose; the file system turns itself read-only, as a dying disk does.
 * A plain remount is refused while files are open for writing. */
bool lab_readonly_disk(struct lab *lab, const char *node)
{
    char device[64];
    if (!needs_disks(lab, node) || !loop_device(lab, node, device, sizeof device))
        return false;
    struct lab_path trigger;
    lab_format(trigger.s, sizeof trigger.s, "/sys/fs/ext4/%s/trigger_fs_error", device);
    if (!sync_disk(lab, node) || !lab_write_file(lab, broken_mark(lab, node).s, "", 0644))
        return false;
    lab->fault_mono_us = lab_now_us();
    return lab_write_file(lab, trigger.s, "lab: disk fails", 0) && lab_save(lab);
}

bool lab_freeze_disk(struct lab *lab, const char *node, bool freeze)
{
    if (!needs_disks(lab, node))
        return false;
    if (freeze)
        lab->fault_mono_us = lab_now_us();
    return LAB_RUN(lab, NULL, "fsfreeze", freeze ? "-f" : "-u", lab_path(lab, "data/%s", node).s) &&
           lab_save(lab);
}

bool lab_fail_fsync(struct lab *lab, const char *node)
{
    if (lab_server_of(lab, node) == NULL || lab_pid(lab, node) == 0)
        return lab_fail(lab, "%s does not run", node);
    struct lab_path name;
    lab_format(name.s, sizeof name.s, "strace-%s", node);
    struct lab_daemon what = {.name = name.s};
    struct lab_argv argv = {.n = 0};
    static const char *const words[] = {"strace",
                                        "-f",
                                        "-qq",
                                        "-e",
                                        "trace=fsync,fdatasync",
                                        "-e",
                                        "inject=fsync,fdatasync:error=EIO",
                                        "-o",
                                        "/dev/null",
                                        "-p"};
    for (size_t i = 0; i < STAY_COUNT(words); i++)
        lab_arg(&argv, "%s", words[i]);
    lab_arg(&argv, "%d", (int)lab_pid(lab, node));
    lab->fault_mono_us = lab_now_us();
    bool ok = lab_spawn(lab, &what, argv.v) && lab_save(lab);
    lab_argv_clear(&argv);
    return ok;
}

int lab_open_files(struct lab *lab, const char *who)
{
    char path[64];
    lab_format(path, sizeof path, "/proc/%d/fd", (int)lab_pid(lab, who));
    DIR *folder = opendir(path);
    int count = folder == NULL ? -1 : 0;
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count < 2 ? -1 : count - 2; /* "." and ".." */
}

bool lab_limit_files(struct lab *lab, const char *who, int most)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)most, .rlim_max = 20000};
    lab->fault_mono_us = lab_now_us();
    return prlimit(lab_pid(lab, who), RLIMIT_NOFILE, &limit, NULL) == 0
               ? true
               : lab_fail(lab, "prlimit of %s: %s", who, strerror(errno));
}

void lab_clock_file(const struct lab *lab, const char *who, char *buf, size_t size)
{
    (void)stay_copy(buf, size, lab_path(lab, "clock/%s", who).s);
}

bool lab_clock(struct lab *lab, const char *who, long seconds)
{
    if (!lab->clocks)
        return lab_fail(lab, "this lab has true clocks: start it with up --clocks");
    if (strcmp(who, "controller") != 0 && lab_server_of(lab, who) == NULL)
        return false;
    char path[512], text[32];
    lab_clock_file(lab, who, path, sizeof path);
    lab_format(text, sizeof text, "%+ld\n", seconds);
    lab->fault_mono_us = lab_now_us();
    return lab_write_file(lab, path, text, 0644) && lab_save(lab);
}
