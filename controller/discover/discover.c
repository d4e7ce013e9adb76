/* A loop and a pool of lanes: answers go into the crawl on the loop, the crawl says what is next.
 * An address whose thread misses the deadline (a resolver that hangs) has timed out; what the
 * thread brings back is dropped. */
#include "controller/discover/discover.h"

#include "base/io/lane.h"
#include "base/io/loop.h"

#define LATE_US (200 * STAY_MS) /* the session keeps the deadline itself, the lane is behind it */
#define END_US                                                                                     \
    (500 * STAY_MS) /* patience with threads at the end: only one that hangs takes it              \
                     */

struct run {
    struct loop loop;
    struct lane_pool *pool;
    struct crawl *crawl;
    const struct discover_input *input;
    bool is_busy[LANE_LANES_MAX];
    enum stay_rc rc;
    struct stay_error err;
};

struct ask {
    struct run *run;
    uint32_t target;
    unsigned lane;
    struct mysql_target to;
    struct ask_accounts accounts;
    int64_t deadline_mono_us;
    struct crawl_answer answer; /* the thread's until it has ended */
};

static void go_on(struct run *run);

static enum stay_rc ask_work(struct lane_job *job, void *arg)
{
    struct ask *ask = arg;
    (void)job;
    ask_server(&ask->to, &ask->accounts, ask->deadline_mono_us, &ask->answer);
    return STAY_OK;
}

static void ask_done(void *arg, enum stay_rc rc)
{
    struct ask *ask = arg;
    struct crawl_answer late = {.reach = {.layer = LAYER_RESOLVE, .outcome = OUT_TIMEOUT}};
    ask->run->is_busy[ask->lane] = false;
    crawl_fold(ask->run->crawl, ask->target, rc == STAY_OK ? &ask->answer : &late);
    if (rc != STAY_ECANCELED)
        go_on(ask->run);
}

static void ask_release(void *arg)
{
    struct ask *ask = arg;
    crawl_answer_clear(&ask->answer);
    explicit_bzero(&ask->accounts, sizeof ask->accounts);
    free(ask);
}

static unsigned free_lane(const struct run *run)
{
    unsigned lane = 0;
    while (lane < LANE_LANES_MAX && run->is_busy[lane])
        lane++;
    return lane;
}

static bool start(struct run *run, uint32_t target, unsigned lane)
{
    const struct names_address *address = &run->crawl->targets[target].address;
    struct ask *ask = stay_calloc(1, sizeof *ask);
    ask->run = run;
    ask->target = target;
    ask->lane = lane;
    ask->to = run->input->target;
    ask->accounts = run->input->accounts;
    (void)stay_copy(ask->to.host, sizeof ask->to.host, address->host);
    ask->to.port = address->port;
    ask->deadline_mono_us = loop_now_mono_us(&run->loop) + run->input->timeout_us;
    struct lane_work work = {.work = ask_work,
                             .done = ask_done,
                             .release = ask_release,
                             .arg = ask,
                             .deadline_mono_us = ask->deadline_mono_us + LATE_US};
    run->rc = lane_submit(run->pool, lane, &work, &run->err);
    run->is_busy[lane] = true;
    if (run->rc != STAY_OK)
        ask_release(ask);
    return run->rc == STAY_OK;
}

static void go_on(struct run *run)
{
    uint32_t target;
    unsigned lane;
    while ((lane = free_lane(run)) < LANE_LANES_MAX && crawl_next(run->crawl, &target))
        if (!start(run, target, lane))
            break;
    if (run->rc != STAY_OK || run->crawl->asking == 0)
        loop_stop(&run->loop);
}

enum stay_rc discover_run(struct crawl *crawl, const struct discover_input *input,
                          struct stay_error *err)
{
    struct run *run = stay_calloc(1, sizeof *run);
    struct lane_pool_options options = {.name = "discover", .lanes = LANE_LANES_MAX};
    enum stay_rc rc = loop_init(&run->loop, err);
    if (rc != STAY_OK) {
        free(run);
        return rc;
    }
    run->crawl = crawl;
    run->input = input;
    run->pool = lane_pool_new(&run->loop, &options);
    go_on(run);
    if (run->rc == STAY_OK && crawl->asking > 0)
        loop_run(&run->loop);
    unsigned stuck = lane_pool_free(run->pool, END_US);
    loop_close(&run->loop);
    rc = run->rc;
    if (rc != STAY_OK && err != NULL)
        *err = run->err;
    crawl_settle(crawl);
    if (stuck == 0) /* a thread that hangs still has its question in hand */
        free(run);
    return rc;
}
