/* tests/bench/forwarder.h - many addresses in front of few real servers: each connection that is
 * accepted gets a connection of its own to a real server, logs in there, and is relayed byte by
 * byte. TLS ends here: the real servers see none, and what their core would spend on it is ours.
 *
 * Layer: tests. Not pure; one process of its own, so that it can be stopped and pinned. One thing
 * only is not relayed: a question (SELECT, SHOW) that the same real server was asked within
 * `share_us` before gets the bytes of that answer. A mariadbd spends about 0.4 ms of a core on the
 * status question: 5,000 of them a second would be two cores of targets. */
#ifndef TESTS_BENCH_FORWARDER_H
#define TESTS_BENCH_FORWARDER_H
#include "base/base.h"

struct forwarder_settings {
    unsigned port;           /* listens on every address of this machine */
    const char *socket_path; /* of the real servers, with one %d: 0 .. servers - 1 */
    int servers;
    int64_t share_us;
    const char *certificate,
        *key; /* files: clients come with TLS, which ends here; NULL: without */
};

/* Until SIGTERM, then one JSON line on stdout: accepted, accepted_max (in any 100 ms), logins_max
 * (at one time), asked, relayed (of them to a real server). False with a sentence in why. */
bool forwarder_run(const struct forwarder_settings *settings, char *why, size_t size);

#endif
