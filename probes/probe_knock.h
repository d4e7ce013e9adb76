/* probes/probe_knock.h - has a silent server found its voice? A TCP connection that waits on the
 * loop until the server says anything at all: it costs a descriptor, not a lane.
 *
 * Layer: probes. Loop thread only. Sends nothing. A server that was stopped takes it up when it
 * goes on, so one knock may wait through many deadlines: connecting anew each second would leave it
 * that many dead connections, which it counts as errors of this host (max_connect_errors). */
#ifndef PROBES_PROBE_KNOCK_H
#define PROBES_PROBE_KNOCK_H
#include <sys/socket.h>

#include "base/base.h"

struct loop;
struct knock;

struct knock_address {
    struct sockaddr_storage at;
    socklen_t size; /* 0: not known */
};

/* Numeric host; false for a name. */
bool knock_address_parse(struct knock_address *ret, const char *host, uint16_t port);
/* The peer of a connected socket; false, and *ret as it was, when it has none. */
bool knock_address_of_peer(struct knock_address *ret, int fd);

/* Called once, later, on the loop: the server greeted, refused or hung up. Connecting for real
 * tells which. May free the knock. */
typedef void (*knock_fn)(void *arg);

/* NULL when there is no socket for it (out of descriptors). */
struct knock *knock_new(struct loop *loop, const struct knock_address *to, knock_fn fn, void *arg);
void knock_free(struct knock *knock);               /* closes; no call afterwards; takes NULL */
bool knock_is_connected(const struct knock *knock); /* the server's kernel answered */
bool knock_has_news(const struct knock *knock);     /* its call comes in this turn of the loop */
int64_t knock_begun_mono_us(const struct knock *knock);

#endif
