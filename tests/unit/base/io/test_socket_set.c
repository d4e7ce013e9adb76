/* tests/unit/base/io/test_socket_set.c - sockets behind one descriptor: told once until asked for
 * again, gathered for a while, and nobody who left. */
#include "base/io/real_clock.h"
#include "base/io/socket_set.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "loop_world.h"

#define PATIENCE_US (10 * STAY_SECOND)

struct peer {
    struct socket_set *set;
    int here, there; /* a pair; `here` is watched */
    uint64_t id;
    unsigned told;
    struct peer *removes; /* in its call */
};

static void on_told(void *arg)
{
    struct peer *peer = arg;
    peer->told++;
    if (peer->removes != NULL) {
        socket_set_remove(peer->set, peer->removes->id);
        peer->removes->id = 0;
    }
}

static void join(struct socket_set *set, struct peer *peer)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    *peer = (struct peer){.set = set, .here = pair[0], .there = pair[1]};
    peer->id = socket_set_add(set, peer->here, on_told, peer);
    assert_true(peer->id != 0);
}

static void leave(struct peer *peer)
{
    socket_set_remove(peer->set, peer->id);
    (void)close(peer->here);
    (void)close(peer->there);
}

static void speak(const struct peer *peer)
{
    assert_int_equal(write(peer->there, "x", 1), 1);
}

static void turn_until(const unsigned *counter, unsigned want)
{
    int64_t limit = real_clock_mono_us() + PATIENCE_US;
    while (*counter < want && real_clock_mono_us() < limit)
        (void)loop_turn(&loop, 20 * STAY_MS);
    assert_int_equal(*counter, want);
}

static void turns(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        (void)loop_turn(&loop, 0);
}

static void told_once_until_asked_for_again(void **state)
{
    struct peer peer;
    (void)state;
    struct socket_set *set = socket_set_new(&loop);
    join(set, &peer);
    speak(&peer);
    turn_until(&peer.told, 1);
    speak(&peer);
    turns(3);
    assert_int_equal(peer.told, 1);
    socket_set_rearm(set, peer.id); /* what came meanwhile is told */
    turn_until(&peer.told, 2);
    (void)shutdown(peer.there, SHUT_RDWR); /* and so is the end */
    socket_set_rearm(set, peer.id);
    turn_until(&peer.told, 3);
    leave(&peer);
    socket_set_free(set);
}

static void gathered_until_all_came(void **state)
{
    struct peer peers[3];
    (void)state;
    struct socket_set *set = socket_set_new(&loop);
    for (size_t i = 0; i < STAY_COUNT(peers); i++)
        join(set, &peers[i]);
    int64_t begun = loop_now_mono_us(&loop);
    for (size_t i = 0; i < 2; i++)
        socket_set_gather(set, 30 * STAY_MS);
    speak(&peers[0]);
    turn_until(&peers[0].told, 1);
    assert_true(real_clock_mono_us() - begun >= 30 * STAY_MS);
    speak(&peers[1]); /* the other that was asked: the next round tells it, and ends */
    turn_until(&peers[1].told, 1);
    assert_true(real_clock_mono_us() - begun >= 60 * STAY_MS);
    speak(&peers[2]); /* at once again */
    turn_until(&peers[2].told, 1);
    for (size_t i = 0; i < STAY_COUNT(peers); i++)
        leave(&peers[i]);
    socket_set_free(set);
}

static void gathering_ends_without_those_who_never_come(void **state)
{
    struct peer peer;
    (void)state;
    struct socket_set *set = socket_set_new(&loop);
    join(set, &peer);
    int64_t begun = loop_now_mono_us(&loop);
    socket_set_gather(set, 10 * STAY_MS);
    while (real_clock_mono_us() < begun + (SOCKET_SET_ROUNDS * 10 + 20) * STAY_MS)
        (void)loop_turn(&loop, 5 * STAY_MS);
    speak(&peer);
    turn_until(&peer.told, 1);
    leave(&peer);
    socket_set_free(set);
}

static void hurry_ends_it(void **state)
{
    struct peer peer;
    (void)state;
    struct socket_set *set = socket_set_new(&loop);
    join(set, &peer);
    socket_set_hurry(set); /* nothing to end */
    socket_set_gather(set, PATIENCE_US);
    speak(&peer);
    turns(2);
    assert_int_equal(peer.told, 0);
    socket_set_hurry(set);
    turn_until(&peer.told, 1);
    leave(&peer);
    socket_set_free(set);
}

/* Both have something; the first one's call takes the second out, whose place is given anew. */
static void who_left_is_not_told(void **state)
{
    struct peer first, second, third;
    (void)state;
    struct socket_set *set = socket_set_new(&loop);
    join(set, &first);
    join(set, &second);
    first.removes = &second;
    second.removes = &first;
    speak(&first);
    speak(&second);
    turns(3);
    assert_int_equal(first.told + second.told, 1);
    join(set, &third);
    speak(&third);
    turn_until(&third.told, 1);
    leave(&first);
    leave(&second);
    leave(&third);
    socket_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(told_once_until_asked_for_again, setup, teardown),
        cmocka_unit_test_setup_teardown(gathered_until_all_came, setup, teardown),
        cmocka_unit_test_setup_teardown(gathering_ends_without_those_who_never_come, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(hurry_ends_it, setup, teardown),
        cmocka_unit_test_setup_teardown(who_left_is_not_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
