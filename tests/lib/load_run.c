/* The load: see load_run.h. Each writer owns its connection; the log file is shared through stdio's
 * own lock, one whole line at a time. */
#include <errno.h>
#include <mysql.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/load_log.h"
#include "tests/lib/load_run.h"

struct writer {
    const struct load_settings *settings;
    const volatile sig_atomic_t *stop;
    FILE *log;
    unsigned client, target, server_id;
    uint64_t seq, chance; /* state of a small generator for the back-off */
    int64_t due_us;       /* next attempt, when there is a rate */
    MYSQL *db;
    pthread_t thread;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * STAY_SECOND + now.tv_nsec / 1000;
}

static void pause_us(int64_t us)
{
    struct timespec time = {.tv_sec = us / STAY_SECOND, .tv_nsec = (long)(us % STAY_SECOND) * 1000};
    if (us > 0)
        nanosleep(&time, NULL);
}

/* 10 to 20 ms, different for each writer and try, so that they do not come back in step. */
static void back_off(struct writer *w)
{
    w->chance = w->chance * 6364136223846793005U + 1442695040888963407U;
    pause_us(10000 + (int64_t)((w->chance >> 33) % 10000));
}

static bool learn_server(struct writer *w)
{
    if (mysql_query(w->db, "SELECT @@server_id") != 0)
        return false;
    MYSQL_RES *result = mysql_store_result(w->db);
    MYSQL_ROW row = result == NULL ? NULL : mysql_fetch_row(result);
    bool ok = row != NULL && row[0] != NULL;
    if (ok)
        w->server_id = (unsigned)strtoul(row[0], NULL, 10);
    mysql_free_result(result);
    return ok;
}

static void disconnect(struct writer *w)
{
    if (w->db != NULL)
        mysql_close(w->db);
    w->db = NULL;
}

static bool connect_next(struct writer *w)
{
    const struct load_settings *s = w->settings;
    int64_t start_us = now_us();
    size_t at = w->target++ % s->targets_count;
    w->db = mysql_init(NULL);
    must(w->db != NULL);
    mysql_options(w->db, MYSQL_OPT_CONNECT_TIMEOUT, &s->connect_timeout_s);
    mysql_options(w->db, MYSQL_OPT_READ_TIMEOUT, &s->read_timeout_s);
    mysql_options(w->db, MYSQL_OPT_WRITE_TIMEOUT, &s->read_timeout_s);
    if (mysql_real_connect(w->db, s->targets[at].host, s->user, s->password, "shop",
                           s->targets[at].port, NULL, 0) != NULL &&
        learn_server(w))
        return true;
    fprintf(w->log, "C %u %ld %ld %u\n", w->client, start_us, now_us(), mysql_errno(w->db));
    disconnect(w);
    return false;
}

/* Errors that a server gives before anything was committed. All others leave it open. */
static bool proves_nothing_written(unsigned error)
{
    switch (error) {
    case 1290: /* read-only server */
    case 1836: /* read-only mode */
    case 1205: /* lock wait timeout */
    case 1213: /* deadlock */
    case 1142: /* denied */
    case 1146: /* no such table */
    case 1114: /* table full: disk */
        return true;
    default:
        return false;
    }
}

static void attempt(struct writer *w)
{
    struct load_attempt a = {.client = w->client, .seq = ++w->seq, .server_id = w->server_id};
    char statement[128];
    int length =
        snprintf(statement, sizeof statement,
                 "INSERT INTO shop.ledger (client, seq) VALUES (%u, %lu)", a.client, a.seq);
    a.start_us = now_us();
    bool ok = mysql_real_query(w->db, statement, (unsigned long)length) == 0;
    a.end_us = now_us();
    a.error = ok ? 0 : mysql_errno(w->db);
    a.outcome = ok ? LOAD_OK : proves_nothing_written(a.error) ? LOAD_FAIL : LOAD_UNKNOWN;
    fprintf(w->log, "W %u %lu %ld %ld %s %u %u\n", a.client, a.seq, a.start_us, a.end_us,
            load_outcome_text(a.outcome), a.server_id, a.error);
    if (!ok) { /* as most pools do: any error drops the connection */
        disconnect(w);
        back_off(w);
    }
}

static void keep_rate(struct writer *w)
{
    if (w->settings->rate == 0)
        return;
    int64_t gap_us = STAY_SECOND * w->settings->writers / w->settings->rate;
    int64_t now = now_us();
    if (w->due_us > now)
        pause_us(w->due_us - now);
    w->due_us = (w->due_us > now - STAY_SECOND ? w->due_us : now) + gap_us;
}

static void *write_on(void *arg)
{
    struct writer *w = arg;
    mysql_thread_init();
    while (*w->stop == 0) {
        if (w->db == NULL && !connect_next(w)) {
            back_off(w);
            continue;
        }
        keep_rate(w);
        attempt(w);
    }
    disconnect(w);
    mysql_thread_end();
    return NULL;
}

/* Runs on one ledger never share a number: they begin at least a second apart. */
static uint64_t new_base(void)
{
    return (uint64_t)time(NULL) << 20;
}

static bool is_over(const struct load_settings *s, int64_t started_us)
{
    if (s->seconds > 0 && now_us() - started_us > (int64_t)s->seconds * STAY_SECOND)
        return true;
    return s->until_file != NULL && access(s->until_file, F_OK) == 0;
}

bool load_run(const struct load_settings *s, const volatile sig_atomic_t *stop, char *why,
              size_t size)
{
    FILE *log = fopen(s->out, "we");
    if (log == NULL) {
        (void)snprintf(why, size, "%s: %s", s->out, strerror(errno));
        return false;
    }
    mysql_library_init(0, NULL, NULL);
    static volatile sig_atomic_t over; /* ours, so that the caller's flag stays the caller's */
    over = 0;
    int64_t started_us = now_us();
    uint64_t base = new_base();
    fprintf(log, "load 1 writers %u started_us %ld base %lu\n", s->writers, started_us, base);
    struct writer *writers = stay_calloc(s->writers, sizeof *writers);
    unsigned started = 0;
    for (; started < s->writers; started++) {
        struct writer *w = &writers[started];
        *w = (struct writer){.settings = s,
                             .stop = &over,
                             .log = log,
                             .client = started + 1,
                             .target = started,
                             .seq = base,
                             .chance = started + 1};
        if (pthread_create(&w->thread, NULL, write_on, w) != 0)
            break;
    }
    while (*stop == 0 && !is_over(s, started_us)) {
        pause_us(50 * STAY_MS);
        fflush(log);
    }
    over = 1;
    for (unsigned i = 0; i < started; i++)
        pthread_join(writers[i].thread, NULL);
    free(writers);
    bool ok = fclose(log) == 0 && started == s->writers;
    if (!ok)
        (void)snprintf(why, size, "the log or a writer failed: %s", strerror(errno));
    mysql_library_end();
    return ok;
}
