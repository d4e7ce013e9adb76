/* base/io/log_sink.h - where log messages go: journal fields under systemd, plain stderr otherwise.
 *
 * Layer: base/io. Any thread may log once a sink is set. On stderr: "2026-02-03T04:05:06.789Z
 * notice text KEY=value"; newlines and control characters are escaped, so one message is one line.
 */
#ifndef BASE_IO_LOG_SINK_H
#define BASE_IO_LOG_SINK_H
#include "base/log.h"

/* Picks the journal when stderr is connected to it ($JOURNAL_STREAM), and sets the sink. */
void log_sink_open(const char *program, enum log_level most_verbose);
/* Plain lines to `fd`, with time stamps or without. */
void log_sink_open_fd(int fd, bool has_time, enum log_level most_verbose);

#endif
