/* controller/keep/history.h - what was done: every plan run as stored under
 * "plan/CLUSTER/ID", with a summary of each kept in memory so that lists cost no reads.
 *
 * Layer: keep. Loop thread. A document is
 *   {"summary": {...}, "run": plan_run_to_json, "timeline": {...}}
 * Summary: id, cluster, kind, state, automatic, rule, actor, reason, old_primary, candidate,
 * begun_wall_us, ended_wall_us (0: not ended), certificate, proof, outage_us (-1 unknown), text.
 * The executor's journal is the "run" part; the daemon writes the document before and after each
 * row, so after a crash the last document is the journal. The newest HISTORY_KEEP per cluster
 * stay. */
#ifndef CONTROLLER_KEEP_HISTORY_H
#define CONTROLLER_KEEP_HISTORY_H
#include "base/json.h"
#include "controller/keep/store.h"

#define HISTORY_KEEP 100
#define HISTORY_PREFIX "plan/"

struct history;

/* store is borrowed until history_free. */
struct history *history_new(struct store *store) STAY_MUST_USE;
void history_free(struct history *h); /* takes NULL; no callback of its own is pending afterwards */

/* Takes one stored item at start-up (any order). Documents that cannot be read are kept in the
 * store and listed as state "unreadable". */
void history_take(struct history *h, const struct store_item *item);
/* The summary as it is now (borrowed, copied); same id replaces. Ended runs beyond HISTORY_KEEP of
 * that cluster are deleted from the store, oldest first. */
void history_update(struct history *h, const json_t *summary);

/* Summaries, newest first; cluster NULL: all. New reference. */
json_t *history_list(const struct history *h, const char *cluster, size_t max) STAY_MUST_USE;
/* The newest of that id, of any cluster if that is NULL; borrowed or NULL. */
const json_t *history_summary(const struct history *h, const char *cluster, const char *id);
/* Automatic failovers begun at or after this time. */
unsigned history_failovers_since(const struct history *h, int64_t wall_us);
/* Clusters but this one whose newest automatic failover begun at or after that time has ended, and
 * was not undone. */
unsigned history_clusters_since(const struct history *h, int64_t wall_us, const char *but);
/* The newest plan of this cluster that moves the primary, ended and succeeded, if `node` was the
 * old primary; or NULL. */
const json_t *history_last_demotion(const struct history *h, const char *cluster, const char *node);

/* "plan/CLUSTER/ID" (ids of clusters with long names may be equal); false when it cannot be one. */
bool history_key(const char *cluster, const char *id, char ret_key[STORE_KEY_MAX + 1]);

#endif
