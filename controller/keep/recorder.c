/* The black box. One write() per record on the files lane; the kernel has it then, so a crash of
 * the controller loses nothing. A power cut may lose the last seconds, which no decision depends
 * on. */
#include "base/base.h"
#include "base/io/file.h"
#include "base/io/lane.h"
#include "base/str.h"
#include "base/units.h"
#include "controller/keep/recorder_private.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct recorder {
    char *folder;
    size_t file_bytes;
    unsigned files;
    struct lane_pool *lane;
    uint64_t lane_key;
    uint64_t sequence;
    struct recorder_stats stats;
    /* The lane's. */
    int fd;
    unsigned number;
    size_t file_length;
};

struct record_job {
    struct recorder *recorder;
    struct str frame;
    struct stay_error err; /* the lane's until done */
};

uint64_t recorder_hash(const char *bytes, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static char *file_name(const struct recorder *r, unsigned number)
{
    return stay_sprintf("%s/decisions-%06u.txt", r->folder, number);
}

bool recorder_file_number(const char *name, unsigned *ret_number)
{
    int end = 0;
    unsigned number = 0;
    if (sscanf(name, "decisions-%6u.txt%n", &number, &end) != 1 || end == 0 || name[end] != '\0')
        return false;
    *ret_number = number;
    return true;
}

/* Highest number in use, 0 if none. */
static enum stay_rc find_last(struct recorder *r, struct stay_error *err)
{
    DIR *dir = opendir(r->folder);
    if (!dir)
        return stay_error_sys(err, errno, "recorder folder '%s'", r->folder);
    struct dirent *entry;
    unsigned number;
    while ((entry = readdir(dir)) != NULL)
        if (recorder_file_number(entry->d_name, &number) && number > r->number)
            r->number = number;
    (void)closedir(dir);
    return STAY_OK;
}

/* On the lane: the next file; the oldest beyond the ring goes. */
static enum stay_rc rotate(struct recorder *r, struct stay_error *err)
{
    fd_drop(&r->fd);
    r->number++;
    STAY_AUTO(stay_free_charp) char *path = file_name(r, r->number);
    r->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (r->fd < 0)
        return stay_error_sys(err, errno, "recorder file '%s'", path);
    r->file_length = 0;
    DIR *dir = opendir(r->folder);
    if (!dir)
        return STAY_OK;
    struct dirent *entry;
    unsigned number;
    while ((entry = readdir(dir)) != NULL)
        if (recorder_file_number(entry->d_name, &number) && number + r->files <= r->number)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    (void)closedir(dir);
    return STAY_OK;
}

static enum stay_rc write_frame(struct lane_job *job, void *arg)
{
    (void)job;
    struct record_job *work = arg;
    struct recorder *r = work->recorder;
    size_t length = work->frame.length;
    if (r->fd < 0 || r->file_length + length > r->file_bytes) {
        enum stay_rc rc = rotate(r, &work->err);
        if (rc != STAY_OK)
            return rc;
    }
    ssize_t wrote = write(r->fd, str_text(&work->frame), length);
    if (wrote == (ssize_t)length) {
        r->file_length += length;
        return STAY_OK;
    }
    int errnum = wrote < 0 ? errno : ENOSPC;
    fd_drop(&r->fd); /* a torn frame ends its file */
    return stay_error_sys(&work->err, errnum, "recorder folder '%s'", r->folder);
}

static void frame_done(void *arg, enum stay_rc rc)
{
    struct record_job *work = arg;
    struct recorder *r = work->recorder;
    if (rc == STAY_OK) {
        r->stats.written++;
        return;
    }
    r->stats.failed++;
    const char *text = "the disk is too slow";
    if (rc == STAY_ESYSTEM)
        text = work->err.text;
    (void)stay_copy(r->stats.last_error, sizeof r->stats.last_error, text);
}

static void frame_release(void *arg)
{
    struct record_job *work = arg;
    str_clear(&work->frame);
    free(work);
}

void recorder_add(struct recorder *r, const char *cluster, int64_t now_wall_us, char *text,
                  int64_t deadline_mono_us)
{
    size_t length = strlen(text);
    if (length > RECORDER_TEXT_MAX)
        length = RECORDER_TEXT_MAX;
    char wall[40];
    units_format_wall(wall, sizeof wall, now_wall_us);
    struct record_job *work = stay_calloc(1, sizeof *work);
    work->recorder = r;
    str_init(&work->frame, RECORDER_TEXT_MAX + FRAME_LINE_MAX);
    str_addf(&work->frame, FRAME_MARK "%d %llu %s %s %zu %016llx ==\n", RECORDER_FORMAT,
             (unsigned long long)++r->sequence, cluster, wall, length,
             (unsigned long long)recorder_hash(text, length));
    str_add_bytes(&work->frame, text, length);
    str_add_char(&work->frame, '\n');
    free(text);
    struct lane_work lane = {.work = write_frame,
                             .done = frame_done,
                             .release = frame_release,
                             .arg = work,
                             .deadline_mono_us = deadline_mono_us};
    if (lane_submit(r->lane, r->lane_key, &lane, NULL) != STAY_OK) {
        r->stats.dropped++;
        frame_release(work);
    }
}

struct recorder_stats recorder_stats(const struct recorder *r)
{
    return r->stats;
}

enum stay_rc recorder_open(const struct recorder_options *options, struct recorder **ret_recorder,
                           struct stay_error *err)
{
    struct recorder *r = stay_calloc(1, sizeof *r);
    r->folder = stay_strdup(options->folder);
    r->file_bytes = options->file_bytes ? options->file_bytes : RECORDER_FILE_BYTES;
    r->files = options->files ? options->files : RECORDER_FILES;
    r->lane = options->lane;
    r->lane_key = options->lane_key;
    r->fd = -1;
    enum stay_rc rc = file_mkdir_p(r->folder, 0750, err);
    if (rc == STAY_OK)
        rc = find_last(r, err);
    if (rc != STAY_OK) {
        recorder_close(r);
        return rc;
    }
    *ret_recorder = r;
    return STAY_OK;
}

void recorder_close(struct recorder *r)
{
    if (!r)
        return;
    fd_drop(&r->fd);
    free(r->folder);
    free(r);
}
