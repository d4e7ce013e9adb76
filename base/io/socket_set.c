/* One epoll descriptor with one-shot entries, watched by the loop or, while it gathers, by a timer.
 * A number is a place and how often it was given: an event for who left means nobody. */
#include "base/io/socket_set.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "base/io/loop.h"
#include "base/io/timer.h"

#define EVENTS_AT_ONCE 256

struct place {
    int fd; /* -1: free */
    uint32_t given;
    uint32_t next_free;
    socket_fn fn;
    void *arg;
};

struct socket_set {
    uv_poll_t poll; /* first: freed by its close */
    int epoll;
    struct loop *loop;
    struct timer *gather;
    int64_t wait_us;            /* of the gathering under way */
    unsigned rounds;            /* left of it; 0: none is under way */
    unsigned expected, counted; /* sockets since it began; counted: told of them */
    struct place *places;       /* [0] is nobody's */
    uint32_t count, free;
};

static void on_gathered(struct timer *timer, void *arg);

static struct place *place_of(struct socket_set *set, uint64_t id)
{
    uint32_t index = (uint32_t)id;
    bool is_held = index < set->count && set->places[index].fd >= 0 &&
                   set->places[index].given == (uint32_t)(id >> 32);
    return is_held ? &set->places[index] : NULL;
}

static void tell(struct socket_set *set)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int n = epoll_wait(set->epoll, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < n; i++) {
        const struct place *place = place_of(set, events[i].data.u64);
        if (place == NULL)
            continue;
        set->counted++;
        place->fn(place->arg);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    tell(poll->data);
}

static void watch(struct socket_set *set)
{
    (void)uv_poll_start(&set->poll, UV_READABLE, on_poll);
}

struct socket_set *socket_set_new(struct loop *loop)
{
    struct socket_set *set = stay_calloc(1, sizeof *set);
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    must(set->epoll >= 0 && uv_poll_init(&loop->uv, &set->poll, set->epoll) == 0);
    set->poll.data = set;
    set->loop = loop;
    set->places = stay_calloc(1, sizeof *set->places);
    set->places[0].fd = -1;
    set->count = 1;
    set->gather = timer_new(loop, on_gathered, set);
    timer_unref(set->gather);
    watch(set);
    uv_unref((uv_handle_t *)&set->poll); /* those who wait for something keep the loop running */
    return set;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void socket_set_free(struct socket_set *set)
{
    if (set == NULL)
        return;
    timer_free(set->gather);
    free(set->places);
    set->places = NULL;
    set->count = 0;
    uv_close((uv_handle_t *)&set->poll, on_closed);
    (void)close(set->epoll); /* libuv has forgotten it in uv_close */
}

static bool control(const struct socket_set *set, int operation, int fd, uint64_t id)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.u64 = id};
    return epoll_ctl(set->epoll, operation, fd, &event) == 0;
}

uint64_t socket_set_add(struct socket_set *set, int fd, socket_fn fn, void *arg)
{
    uint32_t index = set->free;
    if (index == 0) {
        index = set->count++;
        set->places = stay_realloc(set->places, set->count, sizeof *set->places);
        set->places[index] = (struct place){.given = 0};
    }
    struct place *place = &set->places[index];
    uint32_t given = place->given + 1, next_free = set->free == 0 ? 0 : place->next_free;
    uint64_t id = (uint64_t)given << 32 | index;
    *place = (struct place){.fd = fd, .given = given, .fn = fn, .arg = arg};
    set->free = next_free;
    if (control(set, EPOLL_CTL_ADD, fd, id))
        return id;
    place->fd = -1;
    place->next_free = set->free;
    set->free = index;
    return 0;
}

void socket_set_rearm(struct socket_set *set, uint64_t id)
{
    const struct place *place = place_of(set, id);
    if (place != NULL)
        must(control(set, EPOLL_CTL_MOD, place->fd, id));
}

void socket_set_remove(struct socket_set *set, uint64_t id)
{
    struct place *place = place_of(set, id);
    if (place == NULL)
        return;
    (void)control(set, EPOLL_CTL_DEL, place->fd, id);
    place->fd = -1;
    place->next_free = set->free;
    set->free = (uint32_t)id;
}

static void end_gathering(struct socket_set *set)
{
    set->rounds = 0;
    timer_stop(set->gather);
    watch(set);
}

static void wait_on(struct socket_set *set)
{
    timer_start(set->gather, loop_now_mono_us(set->loop) + set->wait_us);
}

static void on_gathered(struct timer *timer, void *arg)
{
    struct socket_set *set = arg;
    (void)timer;
    tell(set);
    if (set->rounds > 1 && set->counted < set->expected) {
        set->rounds--;
        wait_on(set);
    } else if (set->rounds > 0) {
        end_gathering(set);
    }
}

void socket_set_gather(struct socket_set *set, int64_t wait_us)
{
    set->expected++;
    if (set->rounds > 0)
        return;
    set->rounds = SOCKET_SET_ROUNDS;
    set->wait_us = wait_us;
    set->expected = 1;
    set->counted = 0;
    (void)uv_poll_stop(&set->poll);
    wait_on(set);
}

void socket_set_hurry(struct socket_set *set)
{
    if (set->rounds > 0)
        end_gathering(set);
}
