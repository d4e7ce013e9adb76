/* Many servers at once: silence of hundreds hides nobody's return, a queue of our own is no silence
 * of theirs, and a stopped server is not piled up with connections. Against sockets of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io/loop.h"
#include "base/io/real_clock.h"
#include "base/io/timer.h"
#include "probes/probe_set.h"
#include "tests/unit/probes/quiet_listener.h"

#define DEADLINE_US (150 * STAY_MS)
enum { CLUSTERS_MAX = 64 };

static int64_t deadline_us = DEADLINE_US; /* of add_server */

/* What was seen of each cluster's one server. */
struct seen {
    int timeouts, others;
    int64_t other_us; /* when the last of the others came */
};

struct world {
    struct loop loop;
    struct probe_set *set;
    struct seen seen[CLUSTERS_MAX];
    int count;
};

static void on_observation(void *arg, uint32_t cluster, const struct observation *obs)
{
    struct world *w = arg;
    if (obs->reach.outcome == OUT_TIMEOUT) {
        assert_true(obs->taken_mono_us - obs->begun_mono_us >= deadline_us);
        w->seen[cluster].timeouts++;
        return;
    }
    w->seen[cluster].others++;
    w->seen[cluster].other_us = obs->taken_mono_us;
}

static void open_world(struct world *w)
{
    struct probe_set_options o = {.fn = on_observation, .arg = w, .lanes = 1, .connect_lanes = 2};
    *w = (struct world){.count = 0};
    assert_int_equal(loop_init(&w->loop, NULL), STAY_OK);
    w->set = probe_set_new(&w->loop, &o);
}

static void add_server(struct world *w, uint16_t port)
{
    struct probe_cluster cluster = {.name = "shop",
                                    .engine = ENGINE_MARIADB,
                                    .node_count = 1,
                                    .monitor = {.user = "m"},
                                    .interval_us = deadline_us,
                                    .suspicion_interval_us = 20 * STAY_MS,
                                    .deadline_us = deadline_us,
                                    .slow_interval_us = STAY_SECOND};
    uint32_t number;
    (void)stay_copy(cluster.nodes[0].host, sizeof cluster.nodes[0].host, "127.0.0.1");
    cluster.nodes[0].port = port;
    probe_set_add(w->set, &cluster, &number);
    w->count++;
}

static void run_for(struct world *w, int64_t us)
{
    for (int64_t end = real_clock_mono_us() + us; real_clock_mono_us() < end;)
        (void)loop_turn(&w->loop, 2 * STAY_MS);
}

static void close_world(struct world *w)
{
    probe_set_free(w->set, STAY_SECOND);
    run_for(w, 20 * STAY_MS);
    loop_close(&w->loop);
}

/* Takes up what waits: what it says is no greeting, which ends the attempt at once. Returns how
 * many connections there were. */
static int serve(int listener)
{
    int fd, count = 0;
    for (; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0; count++) {
        (void)!write(fd, "\x05\0\0\0HTTP/", 9);
        (void)close(fd);
    }
    return count;
}

static void the_return_of_one_is_seen_while_many_are_silent(void **state)
{
    (void)state;
    struct world w;
    uint16_t silent_port, port;
    int silent = listen_on(&silent_port), listener = listen_on(&port);
    open_world(&w);
    for (int i = 1; i < CLUSTERS_MAX; i++)
        add_server(&w, silent_port);
    add_server(&w, port);
    /* Two lanes connect to 64 servers, each for its whole time: nobody is known at once. */
    int64_t give_up = real_clock_mono_us() + 30 * STAY_SECOND;
    for (bool all = false; !all && real_clock_mono_us() < give_up;) {
        run_for(&w, 10 * STAY_MS);
        all = true;
        for (int i = 0; i < w.count; i++)
            all = all && w.seen[i].timeouts > 0;
        all = all && w.seen[w.count - 1].timeouts > 1; /* by a knock */
    }
    int64_t back = real_clock_mono_us();
    while (w.seen[w.count - 1].others == 0 && real_clock_mono_us() < back + 5 * STAY_SECOND) {
        (void)serve(listener);
        run_for(&w, 5 * STAY_MS);
    }
    assert_true(w.seen[w.count - 1].others > 0);
    assert_true(w.seen[w.count - 1].other_us - back < 2 * DEADLINE_US + 100 * STAY_MS);
    close_world(&w);
    (void)close(silent);
    (void)close(listener);
}

static void a_stopped_server_is_not_piled_up_with_connections(void **state)
{
    (void)state;
    struct world w;
    uint16_t port;
    int listener = listen_on(&port);
    open_world(&w);
    add_server(&w, port);
    int64_t give_up = real_clock_mono_us() + 20 * STAY_SECOND;
    while (w.seen[0].timeouts < 8 && real_clock_mono_us() < give_up)
        run_for(&w, 10 * STAY_MS);
    assert_true(w.seen[0].timeouts >= 8);
    assert_int_equal(w.seen[0].others, 0);
    close_world(&w);
    assert_in_range(serve(listener), 1, 3); /* the first open, the knock, and one more if slow */
    (void)close(listener);
}

/* 64 servers that take a moment each, two lanes: each attempt has its whole time. */
static void waiting_for_a_lane_is_no_silence_of_the_server(void **state)
{
    (void)state;
    struct world w;
    uint16_t port;
    int listener = listen_on(&port);
    bool all = false;
    deadline_us = 700 * STAY_MS; /* long for one, short for all of them in turn */
    open_world(&w);
    for (int i = 0; i < CLUSTERS_MAX; i++)
        add_server(&w, port);
    int64_t give_up = real_clock_mono_us() + 20 * STAY_SECOND;
    while (!all && real_clock_mono_us() < give_up) {
        run_for(&w, 50 * STAY_MS);
        (void)serve(listener);
        all = true;
        for (int i = 0; i < w.count; i++)
            all = all && w.seen[i].others > 0;
    }
    assert_true(all);
    for (int i = 0; i < w.count; i++)
        assert_int_equal(w.seen[i].timeouts, 0);
    deadline_us = DEADLINE_US;
    close_world(&w);
    (void)close(listener);
}

/* Lets everybody in and answers each question with an error, or with the first bytes of an answer
 * that never goes on. */
struct talker {
    int listener;
    bool stalls;
};

static void *talk(void *arg)
{
    static const unsigned char greeting[] =
        "\x49\0\0\0\x0a"
        "9.7.4\0\1\0\0\0abcdefgh\0\xff\xf7\xff\2\0\x08\0\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0"
        "mysql_native_password";
    static const unsigned char ok[] = "\x07\0\0\2\0\0\0\2\0\0\0",
                               ok_1[] = "\x07\0\0\1\0\0\0\2\0\0\0";
    static const unsigned char no[] = "\x0b\0\0\1\xff\x51\x04#HY000no";
    const struct talker *t = arg;
    char question[8192];
    for (int fd; (fd = accept(t->listener, NULL, NULL)) >= 0; (void)close(fd)) {
        (void)!write(fd, greeting, sizeof greeting);
        if (recv(fd, question, sizeof question, 0) <= 0)
            continue;
        (void)!write(fd, ok, sizeof ok - 1);
        if (recv(fd, question, sizeof question, 0) <= 0)
            continue;
        (void)!write(fd, ok_1, sizeof ok_1 - 1);
        while (recv(fd, question, sizeof question, 0) > 0)
            (void)!write(fd, no, t->stalls ? 3 : sizeof no - 1);
    }
    return NULL;
}

/* One lane reads for both: it is held up, and then replaced, in the middle of the one's answer. */
static void half_an_answer_of_one_is_no_silence_of_another(void **state)
{
    (void)state;
    struct world w;
    uint16_t ports[2];
    struct talker talkers[2] = {{.stalls = true}, {.stalls = false}};
    pthread_t threads[2];
    open_world(&w);
    for (int i = 0; i < 2; i++) {
        talkers[i].listener = listen_on(&ports[i]);
        (void)fcntl(talkers[i].listener, F_SETFL, 0);
        assert_int_equal(pthread_create(&threads[i], NULL, talk, &talkers[i]), 0);
        deadline_us = i == 0 ? 5 * DEADLINE_US : DEADLINE_US; /* held up past the other's time */
        add_server(&w, ports[i]);
    }
    int64_t give_up = real_clock_mono_us() + 20 * STAY_SECOND;
    while ((w.seen[0].timeouts < 3 || w.seen[1].others < 5) && real_clock_mono_us() < give_up)
        run_for(&w, 10 * STAY_MS);
    assert_true(w.seen[0].timeouts >= 3);
    assert_true(w.seen[1].others >= 5);
    assert_int_equal(w.seen[1].timeouts, 0);
    close_world(&w);
    for (int i = 0; i < 2; i++) {
        (void)shutdown(talkers[i].listener, SHUT_RDWR);
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        (void)close(talkers[i].listener);
    }
}

/* Each turn comes a whole deadline after the one before: the answers lay there all the while. */
static void our_own_lateness_is_no_silence_of_the_server(void **state)
{
    (void)state;
    struct world w;
    uint16_t port;
    struct talker talker = {.stalls = false};
    pthread_t thread;
    open_world(&w);
    talker.listener = listen_on(&port);
    (void)fcntl(talker.listener, F_SETFL, 0);
    assert_int_equal(pthread_create(&thread, NULL, talk, &talker), 0);
    add_server(&w, port);
    for (int64_t give_up = real_clock_mono_us() + 20 * STAY_SECOND;
         w.seen[0].others < 2 && real_clock_mono_us() < give_up;)
        run_for(&w, 10 * STAY_MS);
    probe_set_urge(w.set, 0, true); /* no answer waits for others */
    for (int i = 0; i < 24; i++) {
        (void)usleep((unsigned)(DEADLINE_US + 20 * STAY_MS));
        (void)loop_turn(&w.loop, 0);
    }
    assert_true(w.seen[0].others >= 5);
    assert_int_equal(w.seen[0].timeouts, 0);
    close_world(&w);
    (void)shutdown(talker.listener, SHUT_RDWR);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(talker.listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_lateness_is_no_silence_of_the_server),
        cmocka_unit_test(the_return_of_one_is_seen_while_many_are_silent),
        cmocka_unit_test(a_stopped_server_is_not_piled_up_with_connections),
        cmocka_unit_test(waiting_for_a_lane_is_no_silence_of_the_server),
        cmocka_unit_test(half_an_answer_of_one_is_no_silence_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
