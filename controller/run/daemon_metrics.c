/* The daemon's own counters for /metrics; per-server facts are the serving side's. */
#include "base/base.h"
#include "controller/run/daemon_private.h"
#include <sys/resource.h>

typedef void (*emit_fn)(void *ectx, const char *name, const char *labels, double value);

static void cluster_metrics(const struct daemon_cluster *c, emit_fn emit, void *ectx)
{
    char labels[64];
    (void)snprintf(labels, sizeof labels, "{cluster=\"%s\"}", c->settings->config.name);
    emit(ectx, "turns_total", labels, (double)c->turns);
    emit(ectx, "plans_started_total", labels, (double)c->plans_started);
    emit(ectx, "plans_succeeded_total", labels, (double)c->plans_succeeded);
    emit(ectx, "plans_undone_total", labels, (double)c->plans_undone);
    emit(ectx, "plans_asking_total", labels, (double)c->plans_asking);
    if (c->last_outage_us >= 0)
        emit(ectx, "last_outage_seconds", labels, (double)c->last_outage_us / 1e6);
}

void daemon_metrics(void *ctx, emit_fn emit, void *ectx)
{
    struct daemon *d = ctx;
    emit(ectx, "loop_turns_total", "", (double)d->loop.turns);
    emit(ectx, "loop_stalls_total", "", (double)d->loop.stalls);
    emit(ectx, "loop_clock_jumps_total", "", (double)d->loop.jumps);
    emit(ectx, "loop_worst_turn_seconds", "", (double)d->loop.worst_turn_us / 1e6);
    emit(ectx, "holds_total", "", (double)d->holds);
    emit(ectx, "hold", "", loop_now_mono_us(&d->loop) < d->hold_until_mono_us);
    emit(ectx, "paused", "", d->is_paused);
    emit(ectx, "isolated", "", d->is_isolated);
    emit(ectx, "store_ok", "", d->is_store_ok);
    emit(ectx, "store_errors_total", "", (double)d->store_errors);
    emit(ectx, "reloads_total", "", (double)d->reloads);
    emit(ectx, "reload_errors_total", "", (double)d->reload_errors);
    if (d->recorder) {
        struct recorder_stats stats = recorder_stats(d->recorder);
        emit(ectx, "recorder_written_total", "", (double)stats.written);
        emit(ectx, "recorder_lost_total", "", (double)(stats.dropped + stats.failed));
    }
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        emit(ectx, "process_cpu_seconds_total", "",
             (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
        emit(ectx, "process_max_resident_bytes", "", (double)usage.ru_maxrss * 1024.0);
    }
    for (size_t i = 0; i < d->cluster_count; i++)
        cluster_metrics(d->clusters[i], emit, ectx);
}
