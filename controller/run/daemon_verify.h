/* controller/run/daemon_verify.h - control.h's verify: a replica's rows compared with the
 * primary's.
 *
 * Layer: run. Loop thread only. */
#ifndef CONTROLLER_RUN_DAEMON_VERIFY_H
#define CONTROLLER_RUN_DAEMON_VERIFY_H
#include "controller/serve/control.h"

/* ctx: the struct daemon. done is called exactly once, at once or when the job ended. Refused: no
 * primary, the primary itself, a server that does not follow it. */
void daemon_verify(void *ctx, const char *cluster, uint32_t node, const char *actor,
                   control_done_fn done, void *done_ctx);

#endif
