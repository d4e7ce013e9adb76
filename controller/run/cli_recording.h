/* controller/run/cli_recording.h - where the commands that read recordings find them, and what they
 * say when one cannot be read.
 *
 * Layer: run, the command only. */
#ifndef CONTROLLER_RUN_CLI_RECORDING_H
#define CONTROLLER_RUN_CLI_RECORDING_H
#include "controller/keep/recording.h"
#include "controller/run/cli.h"

#define CLI_RECORDING_FIX_BYTES                                                                    \
    "the rest of the file is left out; the file was damaged or edited, take it from a copy"
#define CLI_RECORDING_FIX_TEXT                                                                     \
    "it is left out; another version recorded it, judge it with the mainstay of that version"

/* Opens the recording named on the command line ("file" of args), else the controller's own. False:
 * the error was printed, exit 2. */
bool cli_recording_open(struct cli *cli, struct recording *r);
/* What to do when the frame's text is of a format that cannot be judged here; NULL: it can. */
const char *cli_recording_unfit(const struct recorder_frame *frame);
/* "2026-02-03T04:05:06.789Z" with a blank for T, to any precision, Z left out; "04:05:06" of today,
 * or yesterday when that is still to come; "10m" ago; "last". Wall microseconds at which it ends: a
 * time without fraction stands for its whole second. False: it is none of these. */
bool cli_recording_time(const char *text, int64_t now_wall_us, int64_t *ret_wall_us);

#endif
