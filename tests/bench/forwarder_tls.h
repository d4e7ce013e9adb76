/* tests/bench/forwarder_tls.h - the forwarder's end of its clients' TLS, and what hides it from the
 * real server: one packet less in the login, and no wish for TLS.
 *
 * Layer: tests. Not pure. Sockets are non-blocking. */
#ifndef TESTS_BENCH_FORWARDER_TLS_H
#define TESTS_BENCH_FORWARDER_TLS_H
#include <sys/types.h>

#include "base/base.h"

enum { FORWARDER_TLS_WISH = 36 }; /* bytes of an SSLRequest */

struct server_tls; /* one for all clients; lives as long as the process */
struct client_tls;

/* NULL with a sentence in why. */
struct server_tls *server_tls_new(const char *certificate, const char *key, char *why,
                                  size_t size) STAY_MUST_USE;
/* The client speaks TLS from now on. fd stays the caller's. */
struct client_tls *client_tls_new(struct server_tls *server, int fd) STAY_MUST_USE;
void client_tls_free(struct client_tls *client); /* takes NULL */
/* As recv(2) and send(2): 0 the end, -1 with errno; EAGAIN also while hands are shaken. All that is
 * there is read, or `size`. */
ssize_t client_tls_read(struct client_tls *client, char *buffer, size_t size);
ssize_t client_tls_write(struct client_tls *client, const char *bytes, size_t length);

/* Is this packet of a client, its head included, the wish for TLS (SSLRequest)? */
bool forwarder_wants_tls(const char *packet, size_t length);
/* A packet of a client that logs in by TLS, as the real server is to see it: one lower in the
 * sequence, and a login reply without CLIENT_SSL. */
void forwarder_unhide_login(unsigned char *packet, size_t length);
/* Whole packets of the real server to such a client: one higher in the sequence. */
void forwarder_hide_login(unsigned char *packets, size_t length);

#endif
