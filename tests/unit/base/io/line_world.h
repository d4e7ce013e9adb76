/* tests/unit/base/io/line_world.h - a line server in a folder of its own and a handler that counts
 * and answers; header-only, included by one test program each. */
#ifndef TESTS_LINE_WORLD_H
#define TESTS_LINE_WORLD_H
#include "base/io/line_server.h"
#include "base/io/loop.h"
#include "base/io/real_clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#define PATIENCE_US (20 * STAY_SECOND)

static struct loop loop;
static char dir[64], path[100];
static struct line_server *server;

static struct {
    unsigned requests, gone;
    size_t length;
    char line[64];
    struct line_credentials credentials;
    struct line_peer *held; /* a peer that the handler keeps */
    bool holds;
    unsigned answers;
} handler;

static inline void on_request(struct line_peer *peer, const char *line, size_t length, void *user)
{
    assert_ptr_equal(user, &handler);
    handler.requests++;
    handler.length = length;
    (void)stay_copy(handler.line, sizeof handler.line, line);
    handler.credentials = line_peer_credentials(peer);
    line_peer_set_data(peer, &handler.answers);
    assert_ptr_equal(line_peer_data(peer), &handler.answers);
    if (handler.holds) {
        handler.held = peer;
        return;
    }
    for (unsigned i = 0; i < handler.answers; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "{\"n\":%u}", i);
        assert_int_equal(line_peer_send(peer, text, NULL), STAY_OK);
    }
    line_peer_end(peer);
}

static inline void on_gone(struct line_peer *peer, void *user)
{
    (void)user;
    assert_ptr_equal(peer, handler.held);
    handler.gone++;
}

static inline struct line_server_options options_of(void)
{
    return (struct line_server_options){
        .path = path, .on_request = on_request, .on_gone = on_gone, .user = &handler};
}

static inline int setup(void **state)
{
    (void)state;
    memset(&handler, 0, sizeof handler);
    handler.answers = 1;
    (void)stay_copy(dir, sizeof dir, "/tmp/line-server-XXXXXX");
    if (mkdtemp(dir) == NULL || loop_init(&loop, NULL) != STAY_OK)
        return -1;
    (void)snprintf(path, sizeof path, "%s/socket", dir);
    struct line_server_options options = options_of();
    return line_server_open(&loop, &options, &server, NULL) == STAY_OK ? 0 : -1;
}

static inline int teardown(void **state)
{
    (void)state;
    line_server_close(server);
    loop_close(&loop);
    return rmdir(dir); /* the socket file is gone */
}

static inline void turn_until(const unsigned *counter, unsigned want)
{
    int64_t limit = real_clock_mono_us() + PATIENCE_US;
    while (*counter < want && real_clock_mono_us() < limit)
        (void)loop_turn(&loop, 20 * STAY_MS);
    assert_int_equal(*counter, want);
}

#endif
