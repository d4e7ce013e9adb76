/* base/io/line_client.h - the blocking other end of line_server: for the command line and tests.
 *
 * Layer: base/io. Blocks up to its deadline; never on the loop thread. Call order: open, send once,
 * read until *ret_line is NULL, close. */
#ifndef BASE_IO_LINE_CLIENT_H
#define BASE_IO_LINE_CLIENT_H
#include "base/error.h"

#define LINE_CLIENT_LINE_MAX 8388608 /* 8 MiB */

struct line_client;

/* STAY_EUNREACHABLE: nobody listens (the text names the path and says so); STAY_EDENIED: no
 * permission on the socket. */
enum stay_rc line_client_open(const char *path, int64_t deadline_mono_us,
                              struct line_client **ret_client,
                              struct stay_error *err) STAY_MUST_USE;
/* Sends text and a newline. */
enum stay_rc line_client_send(struct line_client *client, const char *text,
                              struct stay_error *err) STAY_MUST_USE;
/* The next line, without its newline, borrowed until the next call; NULL at the end of the answer.
 * An answer that breaks off inside a line is STAY_EUNREACHABLE. */
enum stay_rc line_client_read(struct line_client *client, const char **ret_line,
                              struct stay_error *err) STAY_MUST_USE;
/* A new deadline, for answers that stream. */
void line_client_set_deadline(struct line_client *client, int64_t deadline_mono_us);
void line_client_close(struct line_client *client); /* NULL is fine */
void line_client_drop(struct line_client **client); /* for STAY_AUTO */

#endif
