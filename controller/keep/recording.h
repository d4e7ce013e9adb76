/* controller/keep/recording.h - reads what the recorder wrote: a file, or a folder of them, frame
 * by frame, oldest first.
 *
 * Layer: keep. Blocks; for commands, not for the daemon's loop. A file may be read while it is
 * written to. */
#ifndef CONTROLLER_KEEP_RECORDING_H
#define CONTROLLER_KEEP_RECORDING_H
#include "controller/keep/recorder.h"

struct recorder_frame {
    unsigned format; /* its text means something to us when it is RECORDER_FORMAT */
    uint64_t sequence;
    char cluster[64];
    char wall[40];
    const char *text; /* in the buffer, not terminated */
    size_t length;
};
/* The frame at *offset of a whole file's bytes; moves *offset behind it. STAY_ENOTFOUND: the end.
 * STAY_ELIMIT: torn, the bytes end within the frame (a crash, or it is being written) or in zeroes
 * (a power cut). STAY_ECORRUPT: no frame, or changed bytes, from here on. */
enum stay_rc recorder_frame_next(const char *bytes, size_t length, size_t *offset,
                                 struct recorder_frame *ret_frame,
                                 struct stay_error *err) STAY_MUST_USE;

#define RECORDING_FILE_MAX ((size_t)256 * 1024 * 1024)

struct recording {
    char **paths; /* ended by NULL */
    size_t next;  /* in paths */
    const char *path;
    char *bytes;                    /* of the file at path; NULL: the next one is to be opened */
    size_t length, offset, counted; /* bytes; read; looked at for lines */
    unsigned line; /* of the frame last read or found wrong: its first line, from 1 */
    unsigned files, torn;
    unsigned torn_line; /* where the last torn one begins, in torn_path */
    const char *torn_path;
};

/* STAY_ENOTFOUND: no such file, or a folder without the recorder's files; STAY_ESYSTEM. */
enum stay_rc recording_open(struct recording *r, const char *path,
                            struct stay_error *err) STAY_MUST_USE;
/* The next frame; its text lives until the next call. A torn end is counted and passed over, as is
 * a file that the ring dropped meanwhile. STAY_ENOTFOUND: the end. Other errors, of r->path, from
 * r->line: the rest of that file is passed over, the next call goes on with the next one. */
enum stay_rc recording_next(struct recording *r, struct recorder_frame *ret_frame,
                            struct stay_error *err) STAY_MUST_USE;
void recording_close(struct recording *r);

#endif
