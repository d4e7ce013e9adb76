/* probes/probe_set.h - watches every MariaDB and MySQL server of several clusters and hands what it
 * sees to one callback as observations.
 *
 * Layer: probes. Loop thread only. Per server one held session; per cluster one more for the write
 * canary. The loop waits for their sockets (so the end of a session is known within milliseconds)
 * and keeps the deadlines; it sends a question itself when the socket's buffer is empty, so that
 * sending cannot wait; lanes read and connect. A server that does not answer holds no lane: until
 * it speaks again a connection waits for its greeting on the loop (probe_knock.h). One that falls
 * silent between greeting and login holds one of a pool that healthy servers do not use.
 *
 * Pace: STATUS facts every interval_us (beats of up to 16 clusters fall together, so that one
 * wake-up asks them all; a beat that comes while a server is silent is made up for when its time
 * is over), SLOW and START facts every slow_interval_us, grants every PROBE_GRANTS_US, or
 * PROBE_GRANTS_WELL_US after a look that found nothing missing (each look is four logins: one
 * server's at a time, with ten times as long a rest, so that thousands cost a tenth of a core; that
 * an account in use is refused is seen at once). Urged: STATUS or a connect attempt every
 * suspicion_interval_us, stretched by each further 128 clusters that are urged, up to interval_us.
 * Deadlines: a connect to the end of login, from when a lane takes it up,
 * and each answer has deadline_us. An attempt that no lane had time to begin is not reported: it
 * says nothing about the server. */
#ifndef PROBES_PROBE_SET_H
#define PROBES_PROBE_SET_H
#include "probes/mysql_session.h"

#define PROBE_NODES_MAX      32
#define PROBE_CANARY_US      STAY_SECOND
#define PROBE_GRANTS_US      (60 * STAY_SECOND)
#define PROBE_GRANTS_WELL_US (300 * STAY_SECOND)
#define PROBE_NO_NODE        UINT32_MAX

struct loop;
struct probe_set;

/* Copied by probe_set_add. An account with an empty user is not there: no canary, no grant check.
 */
struct probe_cluster {
    char name[65];
    enum engine engine;
    uint32_t node_count;
    struct mysql_account monitor, canary, operate, replicate;
    char ca[256], cert[256], key[256];
    bool tls_required, verify_name;
    int64_t interval_us;           /* 500 ms */
    int64_t suspicion_interval_us; /* 100 ms */
    int64_t deadline_us;           /* 1 s */
    int64_t slow_interval_us;      /* 10 s */
    struct {
        char host[256];
        uint16_t port;
    } nodes[PROBE_NODES_MAX]; /* last: only node_count of them are kept */
};

/* obs and its facts are borrowed for the call. May call any function here but probe_set_free. */
typedef void (*probe_fn)(void *arg, uint32_t cluster, const struct observation *obs);

struct probe_set_options {
    probe_fn fn;
    void *arg;
    unsigned lanes;         /* that read; 0: 4 */
    unsigned connect_lanes; /* for servers that answer, and as many for those that do not; 0: 16 */
};

/* Owned by the caller: probe_set_free. options are copied. */
struct probe_set *probe_set_new(struct loop *loop,
                                const struct probe_set_options *options) STAY_MUST_USE;
/* Blocks for at most wait_us while threads end (shutdown only). No callbacks afterwards. */
void probe_set_free(struct probe_set *set, int64_t wait_us);

/* Starts watching; *ret_cluster is the number the callback gets, never used again after removal. */
void probe_set_add(struct probe_set *set, const struct probe_cluster *cluster,
                   uint32_t *ret_cluster);
void probe_set_remove(struct probe_set *set, uint32_t cluster);
/* on: asks all nodes now and then at suspicion pace, until called with false. Repeating is free. */
void probe_set_urge(struct probe_set *set, uint32_t cluster, bool on);
/* The settings of `node` were changed: its SLOW and START facts are asked for after its next STATUS
 * answer. Any other number (PROBE_NO_NODE) is ignored. */
void probe_set_reread(struct probe_set *set, uint32_t cluster, uint32_t node);
/* The canary writes on `node` with `epoch` from now on; PROBE_NO_NODE stops it. Repeating is free.
 */
void probe_set_canary(struct probe_set *set, uint32_t cluster, uint32_t node, uint64_t epoch);

#endif
