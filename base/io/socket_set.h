/* base/io/socket_set.h - many sockets behind one descriptor of the loop: what comes in on them is
 * told once, until it is asked for again, and may be gathered for some milliseconds.
 *
 * Layer: base/io. Loop thread only. libuv's own polls cost three system calls each time one is
 * stopped and started, and one wake-up for each socket that has something; a question put to ten
 * servers at once costs one call each and one wake-up here. */
#ifndef BASE_IO_SOCKET_SET_H
#define BASE_IO_SOCKET_SET_H
#include "base/base.h"

struct loop;
#define SOCKET_SET_ROUNDS 3

struct socket_set;
/* The socket has something to read, or its peer is gone. Not called again before
 * socket_set_rearm. May add and remove sockets, also its own. */
typedef void (*socket_fn)(void *arg);

/* Owned by the caller: socket_set_free, with no socket left in it. */
struct socket_set *socket_set_new(struct loop *loop) STAY_MUST_USE;
void socket_set_free(struct socket_set *set);

/* Watches fd, which stays the caller's, is open until socket_set_remove, and is in no set. The
 * number names it, never 0; 0: the kernel has no room for it. */
uint64_t socket_set_add(struct socket_set *set, int fd, socket_fn fn, void *arg) STAY_MUST_USE;
/* Again after its call: what came meanwhile is told in the next turn. */
void socket_set_rearm(struct socket_set *set, uint64_t id);
void socket_set_remove(struct socket_set *set, uint64_t id); /* id 0: nothing */

/* One more will come: nothing is told for wait_us, then all that came, and so on until as many
 * came as will, at most SOCKET_SET_ROUNDS times. While that is under way it is only counted. */
void socket_set_gather(struct socket_set *set, int64_t wait_us);
/* Ends it: what came is told in the next turn. */
void socket_set_hurry(struct socket_set *set);

#endif
