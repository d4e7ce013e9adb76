/* controller/keep/recording.c - reads the black box back: its files in order, frame by frame. */
#include "base/base.h"
#include "base/io/file.h"
#include "controller/keep/recorder_private.h"
#include "controller/keep/recording.h"
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

/* --- frames ---------------------------------------------------------------------------------- */

static bool is_plain(const char *line)
{
    for (; *line != '\0'; line++)
        if (*line < ' ' || *line > '~')
            return false;
    return true;
}

static bool parse_line(const char *line, struct recorder_frame *frame, unsigned long long *ret_hash)
{
    unsigned long long sequence;
    int end = 0;
    bool is_frame =
        sscanf(line, FRAME_MARK "%5u %20llu %63s %39s %10zu %16llx ==%n", &frame->format, &sequence,
               frame->cluster, frame->wall, &frame->length, ret_hash, &end) == 6 &&
        end != 0 && line[end] == '\0' && is_plain(line);
    frame->sequence = is_frame ? sequence : 0;
    return is_frame;
}

/* A line that was not written to its end. */
static bool begins_frame(const char *bytes, size_t length)
{
    size_t mark = sizeof FRAME_MARK - 1;
    return length < FRAME_LINE_MAX && memcmp(bytes, FRAME_MARK, length < mark ? length : mark) == 0;
}

static enum stay_rc torn(size_t offset, struct stay_error *err)
{
    return stay_error(err, STAY_ELIMIT, "byte %zu: the last record is torn", offset);
}

enum stay_rc recorder_frame_next(const char *bytes, size_t length, size_t *offset,
                                 struct recorder_frame *ret_frame, struct stay_error *err)
{
    if (*offset >= length)
        return STAY_ENOTFOUND;
    const char *start = bytes + *offset;
    const char *newline = memchr(start, '\n', length - *offset);
    bool in_zeroes = bytes[length - 1] == '\0'; /* the recorder writes none */
    char line[FRAME_LINE_MAX];
    if (newline == NULL && (in_zeroes || begins_frame(start, length - *offset)))
        return torn(*offset, err);
    if (newline == NULL || (size_t)(newline - start) >= sizeof line)
        return stay_error(err, STAY_ECORRUPT, "byte %zu: no record begins here", *offset);
    memcpy(line, start, (size_t)(newline - start));
    line[newline - start] = '\0';
    struct recorder_frame frame = {0};
    unsigned long long hash;
    if (!parse_line(line, &frame, &hash) || frame.length > RECORDER_TEXT_MAX)
        return stay_error(err, STAY_ECORRUPT, "byte %zu: no record begins here", *offset);
    size_t at = (size_t)(newline + 1 - bytes);
    if (at + frame.length + 1 > length)
        return torn(*offset, err);
    if (bytes[at + frame.length] != '\n' || recorder_hash(bytes + at, frame.length) != hash)
        return in_zeroes
                   ? torn(*offset, err)
                   : stay_error(err, STAY_ECORRUPT, "byte %zu: the record was changed", *offset);
    frame.text = bytes + at;
    *ret_frame = frame;
    *offset = at + frame.length + 1;
    return STAY_OK;
}

/* --- files ----------------------------------------------------------------------------------- */

static int is_recording(const struct dirent *entry)
{
    unsigned number;
    return recorder_file_number(entry->d_name, &number);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
    unsigned x = 0, y = 0;
    (void)recorder_file_number((*a)->d_name, &x);
    (void)recorder_file_number((*b)->d_name, &y);
    return x < y ? -1 : x > y;
}

static enum stay_rc list_folder(struct recording *r, const char *folder, struct stay_error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_recording, by_number);
    if (count < 0)
        return stay_error_sys(err, errno, "recording '%s'", folder);
    r->paths = stay_calloc((size_t)count + 1, sizeof *r->paths);
    for (int i = 0; i < count; i++) {
        r->paths[i] = stay_sprintf("%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return count > 0
               ? STAY_OK
               : stay_error(err, STAY_ENOTFOUND, "'%s' holds no decisions-NNNNNN.txt", folder);
}

enum stay_rc recording_open(struct recording *r, const char *path, struct stay_error *err)
{
    struct stat st;
    *r = (struct recording){0};
    if (stat(path, &st) != 0)
        return errno == ENOENT ? stay_error(err, STAY_ENOTFOUND, "there is no '%s'", path)
                               : stay_error_sys(err, errno, "recording '%s'", path);
    if (S_ISDIR(st.st_mode)) {
        enum stay_rc rc = list_folder(r, path, err);
        if (rc != STAY_OK)
            recording_close(r);
        return rc;
    }
    r->paths = stay_calloc(2, sizeof *r->paths);
    r->paths[0] = stay_strdup(path);
    return STAY_OK;
}

static void file_close(struct recording *r)
{
    free(r->bytes);
    r->bytes = NULL;
}

static enum stay_rc file_open(struct recording *r, struct stay_error *err)
{
    for (;;) {
        if (r->paths[r->next] == NULL)
            return STAY_ENOTFOUND;
        r->path = r->paths[r->next++];
        r->offset = r->counted = r->length = 0;
        r->line = 1;
        enum stay_rc rc = file_read(r->path, RECORDING_FILE_MAX, &r->bytes, &r->length, err);
        if (rc == STAY_ENOTFOUND)
            continue; /* the ring dropped it */
        r->files += rc == STAY_OK;
        return rc;
    }
}

static unsigned lines_between(const char *bytes, size_t from, size_t to)
{
    unsigned lines = 0;
    for (size_t i = from; i < to; i++)
        lines += bytes[i] == '\n';
    return lines;
}

enum stay_rc recording_next(struct recording *r, struct recorder_frame *ret_frame,
                            struct stay_error *err)
{
    for (;;) {
        if (r->bytes == NULL) {
            enum stay_rc rc = file_open(r, err);
            if (rc != STAY_OK)
                return rc;
        }
        r->line += lines_between(r->bytes, r->counted, r->offset);
        r->counted = r->offset;
        enum stay_rc rc = recorder_frame_next(r->bytes, r->length, &r->offset, ret_frame, err);
        if (rc == STAY_OK)
            return rc;
        if (rc == STAY_ELIMIT) {
            r->torn++;
            r->torn_line = r->line;
            r->torn_path = r->path;
        }
        file_close(r);
        if (rc != STAY_ELIMIT && rc != STAY_ENOTFOUND)
            return rc;
    }
}

void recording_close(struct recording *r)
{
    file_close(r);
    for (char **p = r->paths; p != NULL && *p != NULL; p++)
        free(*p);
    free(r->paths);
    r->paths = NULL;
}
