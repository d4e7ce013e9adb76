/* tests/lib/cluster_state.h - what the controller under test says of its cluster, as an operator
 * would read it with `mainstay --json`: readiness, primary, plans. Scenarios and benches wait on
 * it.
 *
 * Layer: tests. Not pure; blocking. */
#ifndef TESTS_LIB_CLUSTER_STATE_H
#define TESTS_LIB_CLUSTER_STATE_H
#include "tests/lib/lab.h"

/* `mainstay --json status shop`: the cluster's object; a new reference, NULL when it does not
 * answer. */
json_t *state_cluster(struct lab *lab);
/* The recorded primary's name (caller frees), NULL when there is none or no answer. */
char *state_primary(struct lab *lab);
/* Verdict healthy, configured mode recorded, lossless standing where wanted, nobody down or
 * quarantined, no plan running. ret_why (may be NULL) says what is missing. */
bool state_is_ready(struct lab *lab, char *ret_why, size_t size);
bool state_wait_ready(struct lab *lab, int timeout_s, char *ret_why, size_t size);
/* The cluster's verdict has this rule id within timeout_s. */
bool state_wait_rule(struct lab *lab, int rule, int timeout_s);
/* One node's object of the status; a new reference, NULL when it is not told. */
json_t *state_node(struct lab *lab, const char *node);
/* The node's own verdict has this rule id within timeout_s. */
bool state_wait_node_rule(struct lab *lab, const char *node, int rule, int timeout_s);
/* The history holds at least `count` plans of this kind, the newest ended, within timeout_s. */
bool state_wait_plans(struct lab *lab, const char *kind, int count, int timeout_s);
/* Quarantine of `node` ("diverged", "stale primary", "operator" or "" for none), caller frees. */
char *state_quarantine(struct lab *lab, const char *node);
/* Waits until the recorded primary is another than `old` and takes writes; its name (caller frees).
 */
char *state_wait_moved(struct lab *lab, const char *old, int timeout_s);
/* `mainstay --json explain ID|last`; a new reference, NULL if none. */
json_t *state_explain(struct lab *lab, const char *id);
/* Id of the newest plan of this kind ("failover", ...), caller frees; NULL if none. */
char *state_last_plan(struct lab *lab, const char *kind);
/* How many plans of this kind ("failover", ...) the history holds. */
int state_count_plans(struct lab *lab, const char *kind);
/* First value under `key` anywhere in json, depth first; borrowed, NULL if none. */
json_t *state_find(const json_t *json, const char *key);

#endif
