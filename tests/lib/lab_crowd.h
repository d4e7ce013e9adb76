/* tests/lib/lab_crowd.h - many small MariaDB servers side by side in the root namespace, for
 * benches that need numbers and no network of their own.
 *
 * Layer: tests. Not pure; needs root. A lab that was made with lab_new and not taken up otherwise;
 * lab_down ends it. Calling threads' CPU affinity is inherited by what is started. */
#ifndef TESTS_LIB_LAB_CROWD_H
#define TESTS_LIB_LAB_CROWD_H
#include "tests/lib/lab.h"

enum { LAB_CROWD_MAX = 250 };

/* Servers s0 .. s(count-1), read-only, with the accounts of deploy/grants: each on its socket
 * (lab_crowd_socket) and, with TLS, on port first_port + number of every address. False with
 * lab_error. */
bool lab_crowd_up(struct lab *lab, int count, unsigned first_port);
/* Their sockets' path with one %d for the number; the CA's certificate; a certificate of it and
 * its key; an account's password ("monitor"). Caller frees; the last may be NULL. */
char *lab_crowd_socket(const struct lab *lab);
char *lab_crowd_ca(const struct lab *lab);
char *lab_crowd_certificate(const struct lab *lab);
char *lab_crowd_key(const struct lab *lab);
char *lab_crowd_password(const struct lab *lab, const char *account);
/* Runs a program of this build beside them; its output goes to DIR/log/NAME.log. argv[0] is its
 * name, the list ends with NULL. */
bool lab_crowd_start(struct lab *lab, const char *name, const char *const argv[]);
bool lab_crowd_signal(struct lab *lab, const char *name, int signo);
/* A black hole: drops whatever goes to these ports of this machine's loopback, or comes from them,
 * and nothing else any more. count 0: nothing at all. */
bool lab_crowd_cut(struct lab *lab, const unsigned ports[], size_t count);
/* Waits until it has ended, up to 5 s, and gives what it printed; NULL: nothing. Caller frees. */
char *lab_crowd_output(struct lab *lab, const char *name);

#endif
