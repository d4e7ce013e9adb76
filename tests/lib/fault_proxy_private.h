/* tests/lib/fault_proxy_private.h - the proxy's links and queues, shared by its files. */
#ifndef TESTS_LIB_FAULT_PROXY_PRIVATE_H
#define TESTS_LIB_FAULT_PROXY_PRIVATE_H
#include "tests/lib/fault_proxy.h"

enum { LINKS_MAX = 256, CONTROLS_MAX = 8, CHUNK = 16384, QUEUE_MAX = 1024 * 1024 };

struct chunk {
    struct chunk *next;
    int64_t due_us;
    size_t length, sent;
    char bytes[];
};

struct direction {
    struct chunk *first, *last;
    size_t queued;
    int64_t last_due_us; /* later bytes are never due earlier */
    bool read_over, write_over;
};

struct link {
    int fds[2];              /* 0: client, 1: server; -1, -1 when the place is free */
    struct direction out[2]; /* out[i]: read from fds[i], written to fds[1 - i] */
};

struct proxy {
    struct fault_proxy_settings settings;
    struct link links[LINKS_MAX];
    int listener, control, controls[CONTROLS_MAX];
    int64_t latency_us, jitter_us;
    size_t slice, accepted, resets;
    uint64_t chance;
    bool blackhole, refuse, quit;
};

/* Both ends; by a reset, or in good order. */
void fault_link_close(struct link *l, bool reset);
/* A listening socket for the settings' address, -1 with errno. */
int fault_listen(const struct fault_proxy_settings *s);
/* Reads what came on a control connection, obeys line by line and answers; *fd -1: it ended. */
void fault_serve_control(struct proxy *p, int *fd);

#endif
