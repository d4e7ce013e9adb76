/* controller/keep/recorder_private.h - what writing and reading the black box share.
 *
 * Layer: keep, recorder*.c only. */
#ifndef CONTROLLER_KEEP_RECORDER_PRIVATE_H
#define CONTROLLER_KEEP_RECORDER_PRIVATE_H
#include "controller/keep/recorder.h"

#define FRAME_MARK     "== mainstay decision "
#define FRAME_LINE_MAX 256

uint64_t recorder_hash(const char *bytes, size_t length); /* FNV-1a */
/* Is `name` a file of the recorder? */
bool recorder_file_number(const char *name, unsigned *ret_number);

#endif
