/* tests/lib/fault_proxy.h - a TCP proxy that delays, slices, half-closes, resets or swallows what
 * it carries, told so while it runs over a unix socket, one command a line: latency MS | jitter MS
 * | slice BYTES (0: whole) | blackhole on|off | refuse on|off reset | half-close | heal | status |
 * quit Every command is answered by one line, "ok ..." or "error ...".
 *
 * Layer: tests. One thread, poll loop. Latency and jitter hold in each direction; jitter never
 * changes the order of bytes. reset and half-close strike the connections of that moment. */
#ifndef TESTS_LIB_FAULT_PROXY_H
#define TESTS_LIB_FAULT_PROXY_H
#include "base/base.h"

struct fault_proxy_settings {
    const char *listen_host, *target_host, *control_path;
    unsigned listen_port, target_port;
};

/* Serves until "quit" (true) or it cannot begin (false, a sentence in why[size]). */
bool fault_proxy_run(const struct fault_proxy_settings *settings, char *why, size_t size);

#endif
