/* controller/keep/recorder.h - the black box: decisions' inputs and outputs as text, in a ring of
 * files.
 *
 * Layer: keep. Loop thread; the files are written on the lane it is given. Losing a record never
 * holds up a decision: when the lane is behind, records are dropped and counted.
 *
 * File "decisions-NNNNNN.txt": frames, each
 *     == mainstay decision FORMAT SEQUENCE CLUSTER WALL_TIME LENGTH FNV1A64 ==\n TEXT \n
 * LENGTH bytes of TEXT (controller/decide/decision.h) follow the line. Every start and every
 * rotation begins a new file, so a frame torn by a crash is the last of its file. Read back by
 * controller/keep/recording.h.
 *
 * FORMAT 1 kept the view as decide() left it, without the plan that ran: it cannot be judged again.
 */
#ifndef CONTROLLER_KEEP_RECORDER_H
#define CONTROLLER_KEEP_RECORDER_H
#include "base/error.h"

#define RECORDER_FORMAT     2
#define RECORDER_FILE_BYTES ((size_t)4 * 1024 * 1024)
#define RECORDER_FILES      8
#define RECORDER_TEXT_MAX   ((size_t)512 * 1024)

struct lane_pool;
struct recorder;

struct recorder_options {
    const char *folder;     /* made if missing */
    size_t file_bytes;      /* 0: RECORDER_FILE_BYTES */
    unsigned files;         /* 0: RECORDER_FILES */
    struct lane_pool *lane; /* borrowed; freed before recorder_close */
    uint64_t lane_key;
};

struct recorder_stats {
    uint64_t written, dropped, failed;
    char last_error[256];
};

/* Finds the highest number in the folder and goes on after it; blocks (start-up only). */
enum stay_rc recorder_open(const struct recorder_options *options, struct recorder **ret_recorder,
                           struct stay_error *err) STAY_MUST_USE;
/* Takes text (heap) over. `deadline_mono_us` bounds the lane's work. */
void recorder_add(struct recorder *r, const char *cluster, int64_t now_wall_us, char *text,
                  int64_t deadline_mono_us);
struct recorder_stats recorder_stats(const struct recorder *r);
void recorder_close(struct recorder *r); /* takes NULL */

#endif
