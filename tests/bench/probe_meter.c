/* tests/bench/probe_meter.c - what each observation adds to the window; see the header.
 *
 * Late: by how much more than the pace the facts of a server had aged when the next ones came,
 * counted from when they were asked for. It holds everything: a beat that came late or not at all,
 * the server's own time, the lane that read, the loop that was busy. */
#include "tests/bench/probe_meter.h"

#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/io/loop.h"
#include "base/io/real_clock.h"

struct metered {
    unsigned group;
    bool is_failing, has_answered, is_partner;
    int64_t asked_us; /* the last status that was answered */
};

struct window {
    char name[32];
    unsigned hurt, hurt_before; /* groups, in this window and the one before it */
    int64_t begun_us, cpu_us;
    uint64_t answers, failures, attempts; /* of servers that nobody hurt; failed attempts of hurt */
    struct meter_series late, answer, partner_late;
    struct meter_series silence_seen, back_seen; /* hurt servers, from the window's beginning */
};

struct meter {
    const struct meter_settings *settings;
    struct loop loop;
    struct probe_set *set;
    struct metered *servers;
    unsigned count, first_answers;
    int64_t begun_us;
    struct window window;
    uv_poll_t commands;
    char line[64];
    size_t line_length;
};

static int64_t cpu_us(void)
{
    struct rusage use = {0};
    (void)getrusage(RUSAGE_SELF, &use);
    return (int64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * STAY_SECOND +
           use.ru_utime.tv_usec + use.ru_stime.tv_usec;
}

static double rss_mib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file != NULL)
        (void)fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static int entries_of(const char *folder)
{
    int count = -2; /* . and .. */
    DIR *dir = opendir(folder);
    while (dir != NULL && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        (void)closedir(dir);
    return count;
}

/* ---- observations */

static void urge(struct meter *m, uint32_t cluster)
{
    bool is_failing = false;
    const struct metered *first = &m->servers[cluster * m->settings->per_cluster];
    for (unsigned i = 0; i < m->settings->per_cluster; i++)
        is_failing = is_failing || first[i].is_failing;
    probe_set_urge(m->set, cluster, is_failing);
}

/* Somebody stopped it, or has just let it go on. */
static bool is_hurt(const struct meter *m, const struct metered *server)
{
    return ((m->window.hurt | m->window.hurt_before) >> server->group & 1) != 0;
}

static void failed(struct meter *m, uint32_t cluster, struct metered *server, int64_t now)
{
    if (!server->is_failing && !is_hurt(m, server))
        m->window.failures++;
    else
        m->window.attempts++;
    if (server->is_failing)
        return;
    server->is_failing = true;
    if (is_hurt(m, server))
        meter_series_add(&m->window.silence_seen, now - m->window.begun_us);
    urge(m, cluster);
}

static void say_ready(struct meter *m)
{
    if (++m->first_answers < m->count)
        return;
    printf("{\"ready_s\":%.2f}\n", (double)(real_clock_mono_us() - m->begun_us) / 1e6);
    (void)fflush(stdout);
}

static void answered(struct meter *m, uint32_t cluster, struct metered *server,
                     const struct observation *obs)
{
    struct window *w = &m->window;
    int64_t late = obs->taken_mono_us - server->asked_us - m->settings->model.interval_us;
    if (!server->has_answered)
        say_ready(m);
    bool is_other = (w->hurt >> server->group & 1) == 0 && !server->is_failing;
    if (is_other && server->has_answered) {
        meter_series_add(server->is_partner && w->hurt != 0 ? &w->partner_late : &w->late, late);
        meter_series_add(&w->answer, obs->taken_mono_us - obs->begun_mono_us);
        w->answers++;
    }
    server->has_answered = true;
    server->asked_us = obs->begun_mono_us;
    if (!server->is_failing)
        return;
    server->is_failing = false;
    if (is_hurt(m, server))
        meter_series_add(&w->back_seen, obs->taken_mono_us - w->begun_us);
    urge(m, cluster);
}

static void on_observation(void *arg, uint32_t cluster, const struct observation *obs)
{
    struct meter *m = arg;
    struct metered *server = &m->servers[cluster * m->settings->per_cluster + obs->node];
    if (obs->kind == OBS_CANARY)
        return;
    if (obs->kind == OBS_SESSION_END || obs->reach.outcome != OUT_OK)
        failed(m, cluster, server, obs->taken_mono_us);
    else if ((obs->groups & FACTS_STATUS) != 0)
        answered(m, cluster, server, obs);
}

/* ---- windows */

/* "MASK NAME" */
static void begin_window(struct meter *m, const char *what)
{
    char *name;
    m->window.hurt_before = m->window.hurt;
    m->window.hurt = (unsigned)strtoul(what, &name, 10);
    (void)stay_copy(m->window.name, sizeof m->window.name, name + strspn(name, " "));
    meter_series_clear(&m->window.late);
    meter_series_clear(&m->window.answer);
    meter_series_clear(&m->window.partner_late);
    meter_series_clear(&m->window.silence_seen);
    meter_series_clear(&m->window.back_seen);
    m->window.answers = m->window.failures = m->window.attempts = 0;
    m->window.begun_us = real_clock_mono_us();
    m->window.cpu_us = cpu_us();
}

static void end_window(struct meter *m)
{
    const struct window *w = &m->window;
    double span_us = (double)(real_clock_mono_us() - w->begun_us);
    unsigned failing = 0;
    for (unsigned i = 0; i < m->count; i++)
        failing += m->servers[i].is_failing;
    json_t *line = json_pack(
        "{s:s,s:f,s:f,s:f,s:i,s:i,s:I,s:I,s:I,s:i,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:I}", "window",
        w->name, "seconds", span_us / 1e6, "cpu_percent",
        (double)(cpu_us() - w->cpu_us) / span_us * 100, "rss_mib", rss_mib(), "threads",
        entries_of("/proc/self/task"), "descriptors", entries_of("/proc/self/fd"), "answers",
        (json_int_t)w->answers, "false_alarms", (json_int_t)w->failures, "failed_attempts",
        (json_int_t)w->attempts, "failing", (int)failing, "late_ms", meter_series_json(&w->late),
        "answer_ms", meter_series_json(&w->answer), "partner_late_ms",
        meter_series_json(&w->partner_late), "silence_seen_ms", meter_series_json(&w->silence_seen),
        "back_seen_ms", meter_series_json(&w->back_seen), "silence_seen",
        (json_int_t)w->silence_seen.count, "back_seen", (json_int_t)w->back_seen.count,
        "worst_turn_us", (json_int_t)m->loop.worst_turn_us);
    (void)json_dumpf(line, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    (void)putchar('\n');
    (void)fflush(stdout);
    json_decref(line);
    m->loop.worst_turn_us = 0;
}

static void obey(struct meter *m, const char *command)
{
    end_window(m);
    if (strncmp(command, "window ", 7) == 0)
        begin_window(m, command + 7);
    else
        loop_stop(&m->loop);
}

static void on_command(uv_poll_t *handle, int status, int events)
{
    struct meter *m = handle->data;
    char c;
    (void)events;
    ssize_t n = status < 0 ? 0 : read(STDIN_FILENO, &c, 1);
    if (n <= 0) {
        loop_stop(&m->loop);
        return;
    }
    if (c != '\n' && m->line_length < sizeof m->line - 1) {
        m->line[m->line_length++] = c;
        return;
    }
    m->line[m->line_length] = '\0';
    m->line_length = 0;
    obey(m, m->line);
}

/* ---- targets */

static void add_cluster(struct meter *m, struct probe_cluster *cluster, unsigned first)
{
    uint32_t number;
    bool is_hurt = false;
    for (unsigned i = first; i < m->count; i++)
        is_hurt = is_hurt || m->servers[i].group != 0;
    for (unsigned i = first; i < m->count; i++)
        m->servers[i].is_partner = is_hurt;
    (void)snprintf(cluster->name, sizeof cluster->name, "c%u", first);
    probe_set_add(m->set, cluster, &number);
    must(number * m->settings->per_cluster == first);
    cluster->node_count = 0;
}

static bool add_targets(struct meter *m, char *why, size_t size)
{
    FILE *file = fopen(m->settings->targets, "r");
    struct probe_cluster *cluster = stay_calloc(1, sizeof *cluster);
    char address[64];
    unsigned port, group;
    *cluster = m->settings->model;
    while (file != NULL && fscanf(file, "%63s %u %u", address, &port, &group) == 3) {
        m->servers = stay_realloc(m->servers, m->count + 1, sizeof *m->servers);
        m->servers[m->count++] = (struct metered){.group = group};
        uint32_t n = cluster->node_count++;
        (void)stay_copy(cluster->nodes[n].host, sizeof cluster->nodes[n].host, address);
        cluster->nodes[n].port = (uint16_t)port;
        if (cluster->node_count == m->settings->per_cluster)
            add_cluster(m, cluster, m->count - cluster->node_count);
    }
    bool ok = file != NULL && m->count > 0 && cluster->node_count == 0;
    if (!ok)
        (void)snprintf(why, size, "%s: no whole number of clusters of %u", m->settings->targets,
                       m->settings->per_cluster);
    if (file != NULL)
        (void)fclose(file);
    free(cluster);
    return ok;
}

bool probe_meter_run(const struct meter_settings *settings, char *why, size_t size)
{
    struct meter *m = stay_calloc(1, sizeof *m);
    struct probe_set_options options = {.fn = on_observation, .arg = m};
    struct stay_error err = {0};
    m->settings = settings;
    if (loop_init(&m->loop, &err) != STAY_OK) {
        (void)stay_copy(why, size, err.text);
        return false;
    }
    m->begun_us = real_clock_mono_us();
    m->set = probe_set_new(&m->loop, &options);
    bool ok = add_targets(m, why, size);
    must(uv_poll_init(&m->loop.uv, &m->commands, STDIN_FILENO) == 0);
    m->commands.data = m;
    must(uv_poll_start(&m->commands, UV_READABLE, on_command) == 0);
    begin_window(m, "0 start");
    if (ok)
        loop_run(&m->loop);
    probe_set_free(m->set, STAY_SECOND);
    uv_close((uv_handle_t *)&m->commands, NULL);
    loop_close(&m->loop);
    free(m->servers);
    free(m);
    return ok;
}
