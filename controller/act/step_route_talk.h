/* controller/act/step_route_talk.h - one exchange with a proxy's runtime API: a line of commands
 * out, the whole answer in, within a deadline.
 *
 * Layer: act. Loop thread only (contract of base/io/loop.h). TCP "host:port" or a unix socket
 * "/path". HAProxy closes the connection after the line's answer; an answer that is cut short is a
 * failure. */
#ifndef CONTROLLER_ACT_STEP_ROUTE_TALK_H
#define CONTROLLER_ACT_STEP_ROUTE_TALK_H
#include "base/error.h"

#define ROUTE_TALK_ANSWER_MAX (1024u * 1024)

struct loop;

/* rc: OK with the answer; EUNREACHABLE before anything was sent; EUNKNOWN after. Borrowed. */
typedef void (*route_talk_fn)(void *arg, enum stay_rc rc, const char *answer,
                              const struct stay_error *err);

/* done runs exactly once, later. Commands are one line without newline, joined by ';'. */
void route_talk_start(struct loop *loop, const char *socket, const char *commands,
                      int64_t deadline_mono_us, route_talk_fn done, void *arg);

#endif
