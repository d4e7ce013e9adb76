/* bench-failover: what clients saw of N failovers on real servers. Each run: load through HAProxy,
 * a fault at a random moment, the controller alone repairs, the loss checker compares. The outage
 * is from the last to the first acknowledged write over all writers. Runs alternate between two
 * layouts: primary + replica, and primary + replica + an acker in the third zone. */
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/bench_lab.h"
#include "tests/bench/bench_options.h"
#include "tests/bench/failover_report.h"

enum { LOCK_SECONDS = 3 };

static void nap_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}

static long random_ms(long from, long to)
{
    return from + (long)(lab_now_us() / 7 % (to - from + 1));
}

/* Holds the ledger locked on one replica for LOCK_SECONDS, over a connection of its own. */
struct holder {
    pthread_t thread;
    struct lab *lab;
    const char *node;
    int64_t released_us;
};

static void *hold_lock(void *arg)
{
    struct holder *h = arg;
    char statement[120];
    (void)snprintf(statement, sizeof statement,
                   "LOCK TABLES shop.ledger READ; SELECT SLEEP(%d); UNLOCK TABLES", LOCK_SECONDS);
    if (!lab_sql(h->lab, h->node, statement, NULL))
        fprintf(stderr, "bench: lock on %s: %s\n", h->node, lab_error(h->lab));
    h->released_us = lab_now_us();
    return NULL;
}

static void start_holders(struct bench_lab *b, struct holder *holders)
{
    for (size_t i = 0; i < b->replica_count; i++) {
        holders[i] = (struct holder){.node = b->replicas[i]};
        holders[i].lab = lab_new(&(struct lab_options){.dir = lab_dir(b->lab)});
        must(lab_attach(holders[i].lab));
        must(pthread_create(&holders[i].thread, NULL, hold_lock, &holders[i]) == 0);
    }
    nap_ms(random_ms(300, 600)); /* the locks are taken; acknowledged rows pile up unapplied */
}

static int64_t join_holders(struct bench_lab *b, struct holder *holders)
{
    int64_t released_us = 0;
    for (size_t i = 0; i < b->replica_count; i++) {
        (void)pthread_join(holders[i].thread, NULL);
        if (holders[i].released_us > released_us)
            released_us = holders[i].released_us;
        lab_free(holders[i].lab);
    }
    return released_us;
}

static bool inject(struct bench_lab *b, const char *mode, const char *primary,
                   int64_t *ret_fault_us)
{
    bool ok;
    if (strcmp(mode, "hang") == 0) {
        ok = lab_hang(b->lab, primary);
    } else if (strcmp(mode, "cut") == 0) {
        ok = lab_cut(b->lab, primary, "all", false);
    } else if (strcmp(mode, "switchover") == 0) {
        int code = -1;
        *ret_fault_us = lab_now_us();
        ok = lab_cli(b->lab, &code, NULL, "switchover", "shop", "--yes", "--wait", NULL) &&
             code == 0;
        if (!ok)
            fprintf(stderr, "bench: switchover exit %d: %s\n", code, lab_error(b->lab));
        return ok;
    } else {
        ok = lab_kill(b->lab, primary);
    }
    *ret_fault_us = lab_fault_us(b->lab);
    return ok;
}

static bool repair(struct bench_lab *b, const char *mode, const char *old)
{
    if (strcmp(mode, "switchover") == 0)
        return true;
    (void)lab_heal(b->lab, NULL, NULL);
    if (strcmp(mode, "crash") != 0 && strcmp(mode, "lagged") != 0)
        (void)lab_kill(b->lab, old); /* hung or cut off: its un-acknowledged tail goes at restart */
    return lab_start(b->lab, old, NULL);
}

static void list_replicas(struct bench_lab *b, const char *primary)
{
    static const char *const names[] = {"db1", "db2", "db3"};
    b->replica_count = 0;
    for (size_t i = 0; i < STAY_COUNT(names); i++)
        if (strcmp(names[i], primary) != 0 && lab_is_running(b->lab, names[i]))
            b->replicas[b->replica_count++] = names[i];
}

/* Load, fault, failover, load again, check; the new primary's name, NULL when the run failed. */
static char *play(struct bench_lab *b, const struct failover_bench *o, const char *old,
                  json_t **ret_check, double *ret_beyond_ms, int *ret_ready)
{
    struct holder holders[3];
    bool lagged = strcmp(o->mode, "lagged") == 0;
    int64_t fault_us = 0;
    char *now = NULL;
    *ret_beyond_ms = 0;
    int rate = strcmp(o->mode, "switchover") == 0 ? 1000 : 800; /* attempts a second, all writers */
    if (!lab_load_start(b->lab, &(struct lab_load_options){.writers = 16, .rate = rate}))
        return NULL;
    nap_ms(random_ms(1500, 3000));
    *ret_ready = bench_lab_ready_sessions(b);
    list_replicas(b, old);
    if (lagged)
        start_holders(b, holders);
    if (inject(b, o->mode, old, &fault_us))
        now = state_wait_moved(b->lab, old, lagged ? 60 : 30);
    int64_t released_us = lagged ? join_holders(b, holders) : 0;
    nap_ms(1500); /* clients find their way back and write on */
    if (!lab_load_stop(b->lab) || now == NULL ||
        !lab_load_check(b->lab, now, fault_us, 0, ret_check)) {
        free(now);
        return NULL;
    }
    if (lagged)
        *ret_beyond_ms =
            bench_number(*ret_check, "outage_ms") - (double)(released_us - fault_us) / 1e3;
    return now;
}

/* One run; a new reference, or NULL when it failed. */
static json_t *one_run(struct bench_lab *b, const struct failover_bench *o)
{
    STAY_AUTO(stay_free_charp) char *old = state_primary(b->lab);
    json_t *check = NULL;
    double beyond_ms = 0;
    int ready = -1;
    struct bench_told told;
    STAY_AUTO(stay_free_charp)
    char *now = old == NULL ? NULL : play(b, o, old, &check, &beyond_ms, &ready);
    if (now == NULL || !repair(b, o->mode, old)) {
        fprintf(stderr, "bench: run failed: %s\n", lab_error(b->lab));
        json_decref(check);
        return NULL;
    }
    bench_lab_explain(b, strcmp(o->mode, "switchover") == 0 ? "switchover" : "failover", &told);
    json_t *run = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:O,s:f,s:f,s:f,s:f,s:i,s:i}", "bench",
                            "failover", "engine", o->engine, "mode", o->mode, "layout", b->layout,
                            "commit", bench_commit(), "certificate", told.certificate, "runs", 1,
                            "check", check, "outage_ms", bench_number(check, "outage_ms"),
                            "detect_ms", told.detect_ms, "predicted_ms", told.predicted_ms,
                            "beyond_lag_ms", beyond_ms, "among", o->among, "ready_sessions", ready);
    json_decref(check);
    return run;
}

static void usage(FILE *out)
{
    fprintf(out,
            "usage: bench failover [--engine mariadb|mysql] [--mode MODE] [--runs N]\n"
            "                      [--among N] [--json FILE]\n"
            "\n"
            "Needs root. Each run brings a fault to a lab of real servers under load and\n"
            "measures what its clients saw; raw runs append to tests/bench/results.\n"
            "\n"
            "  --engine     mariadb or mysql (mariadb)\n"
            "  --mode       crash, lagged, hang, cut or switchover (crash)\n"
            "  --runs N     1 to %d (10)\n"
            "  --among N    the controller watches N other servers too (0); above 256 it keeps\n"
            "               no connection ready for steps before suspicion begins\n"
            "  --json FILE  writes the figures of all runs of this commit there\n",
            FAILOVER_RUNS_MAX);
}

static bool parse(int argc, char **argv, struct failover_bench *o)
{
    static const char *const modes[] = {"crash", "lagged", "hang", "cut", "switchover"};
    *o = (struct failover_bench){.engine = "mariadb", .mode = "crash", .runs = 10};
    const struct bench_option table[] = {
        {.name = "engine", .text = &o->engine},
        {.name = "mode", .text = &o->mode},
        {.name = "runs", .number = &o->runs, .min = 1, .max = FAILOVER_RUNS_MAX},
        {.name = "among", .number = &o->among, .min = 0, .max = 6000},
        {.name = "json", .text = &o->json},
    };
    if (!bench_options(argc, argv, table, STAY_COUNT(table), usage))
        return false;
    bool known = false;
    for (size_t i = 0; i < STAY_COUNT(modes); i++)
        known = known || strcmp(modes[i], o->mode) == 0;
    known = known && (strcmp(o->engine, "mariadb") == 0 || strcmp(o->engine, "mysql") == 0);
    if (!known)
        usage(stderr);
    return known;
}

/* The others, on any core: only the benches of probes keep one for what is measured. */
static bool others_up(struct probe_stage *stage)
{
    cpu_set_t all;
    bool has = sched_getaffinity(0, sizeof all, &all) == 0;
    bool ok = probe_stage_up(stage);
    if (has)
        (void)sched_setaffinity(0, sizeof all, &all);
    return ok;
}

/* MySQL keeps its un-acknowledged tail: a returner may be quarantined; then it starts afresh. */
static bool make_ready(struct bench_lab *b, enum lab_engine engine, bool acker, const char *accept,
                       const struct probe_stage *among)
{
    char why[200] = "";
    if (b->lab != NULL && state_wait_ready(b->lab, 30, why, sizeof why))
        return true;
    for (int tries = 0; tries < 2; tries++) {
        bench_lab_down(b);
        if (bench_lab_up(b, engine, acker, accept, among) &&
            state_wait_ready(b->lab, 60, why, sizeof why))
            return true;
    }
    fprintf(stderr, "bench: %s is not ready: %s\n", b->layout, why);
    if (b->lab != NULL)
        free(bench_lab_keep(b));
    return false;
}

int main(int argc, char **argv)
{
    struct failover_bench o;
    if (!parse(argc, argv, &o))
        return 2;
    enum lab_engine engine = strcmp(o.engine, "mysql") == 0 ? LAB_MYSQL : LAB_MARIADB;
    bool silent = strcmp(o.mode, "hang") == 0 || strcmp(o.mode, "cut") == 0;
    const char *accept = silent && engine == LAB_MYSQL ? "bounded" : "lossless";
    struct probe_stage stage = {
        .servers = o.among + o.among % 2, .reals = 10, .share_ms = 200, .tls = true};
    const struct probe_stage *among = o.among > 0 ? &stage : NULL;
    if (among != NULL && !others_up(&stage))
        return 1;
    char path[256], group[32] = "";
    if (among != NULL)
        (void)snprintf(group, sizeof group, "among%d-", o.among);
    (void)snprintf(path, sizeof path, "tests/bench/results/failover-%s-%s-%s%s.jsonl", o.engine,
                   o.mode, group, bench_commit());
    struct bench_lab labs[2] = {{0}, {0}};
    int failures = 0;
    for (int i = 0; i < o.runs && failures < 10; i++) {
        struct bench_lab *b = &labs[i % 2];
        if (!make_ready(b, engine, i % 2 == 1, accept, among)) {
            failures++;
            break;
        }
        json_t *run = one_run(b, &o);
        if (run == NULL) {
            failures++;
            STAY_AUTO(stay_free_charp) char *reason = bench_lab_keep(b);
            run = json_pack("{s:s,s:s,s:b,s:s}", "bench", "failover", "layout", b->layout, "failed",
                            1, "why", reason);
            bench_lab_down(b);
        }
        (void)bench_append(path, run);
        printf("run %d/%d %s: outage %.0f ms, detected %.0f ms, lost %.0f\n", i + 1, o.runs,
               b->layout, bench_number(run, "outage_ms"), bench_number(run, "detect_ms"),
               bench_number(json_object_get(run, "check"), "lost"));
        fflush(stdout);
        json_decref(run);
    }
    bench_lab_down(&labs[0]);
    bench_lab_down(&labs[1]);
    if (among != NULL)
        probe_stage_down(&stage, NULL);
    json_t *runs = bench_read(path);
    failover_report(&o, runs);
    printf("  raw runs: %s\n", path);
    json_decref(runs);
    return failures == 0 ? 0 : 1;
}
