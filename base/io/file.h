/* base/io/file.h - small files done safely: atomic writes, bounded reads, secret files.
 *
 * Layer: base/io. Blocks; small local files only. */
#ifndef BASE_IO_FILE_H
#define BASE_IO_FILE_H
#include "base/error.h"
#include <sys/types.h>

#define FILE_SECRET_MAX 65536

/* Replaces `path` as a whole or not at all: written beside it, synced, renamed, directory synced.
 */
enum stay_rc file_write_atomic(const char *path, const void *bytes, size_t length, mode_t mode,
                               struct stay_error *err) STAY_MUST_USE;
/* Reads a regular file of at most `max` bytes (STAY_ELIMIT beyond). *ret_text is terminated, the
 * caller frees it; ret_length may be NULL. STAY_ENOTFOUND when it does not exist. */
enum stay_rc file_read(const char *path, size_t max, char **ret_text, size_t *ret_length,
                       struct stay_error *err) STAY_MUST_USE;
/* STAY_EREFUSED unless a regular file, owned by us or root, with no permission for group or others;
 * the text names the file and the chmod that repairs it. */
enum stay_rc file_check_secret(const char *path, struct stay_error *err) STAY_MUST_USE;
/* Checked on the opened file, then read; trailing newlines are dropped; empty is STAY_EINVALID. */
enum stay_rc file_read_secret(const char *path, char **ret_text,
                              struct stay_error *err) STAY_MUST_USE;
/* Makes `path` and missing parents with `mode`; an existing directory is fine as it is. */
enum stay_rc file_mkdir_p(const char *path, mode_t mode, struct stay_error *err) STAY_MUST_USE;
bool file_exists(const char *path);
/* STAY_ELIMIT unless `bytes` more may be written to the filesystem of `fd` and leave a tenth of it
 * (at most 1 GiB) to others; the text says how much is left. `what` starts it. */
enum stay_rc file_check_room(int fd, uint64_t bytes, const char *what,
                             struct stay_error *err) STAY_MUST_USE;

void fd_drop(int *fd); /* for STAY_AUTO: closes unless -1 */
int fd_take(int *fd);  /* hands it out and leaves -1 */

#endif
