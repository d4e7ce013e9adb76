/* controller/serve/api.h - what the controller shows, as JSON: one builder per question, shared by
 * the unix socket and HTTP, so that both say the same.
 *
 * Layer: serve. Loop thread (control's rules). No I/O. New references; keys are the contract of
 * mainstay-api(7): added to, never renamed. Times: "..._wall_us" and durations "..._us" are
 * integers, null when unknown. */
#ifndef CONTROLLER_SERVE_API_H
#define CONTROLLER_SERVE_API_H
#include "base/json.h"
#include "controller/serve/control.h"

/* {"controller":{...},"clusters":[...]}; cluster NULL: all. NULL when there is no such cluster. */
json_t *api_status(const struct control *control, const char *cluster) STAY_MUST_USE;
/* One cluster as in api_status: roles, mode, verdict, exposure, nodes, plan. */
json_t *api_cluster(const struct control_cluster *c) STAY_MUST_USE;
json_t *api_node(const struct control_cluster *c, uint32_t node) STAY_MUST_USE;
/* {"name","nodes":[...],"edges":[{"from","to","receiving","semi_sync","lag_us"}]} */
json_t *api_topology(const struct control_cluster *c) STAY_MUST_USE;
/* {"problems":[{"cluster","node","rule","severity","name","why"}]}; worst first. */
json_t *api_problems(const struct control *control, const char *cluster) STAY_MUST_USE;
/* {"cluster","verdict":{...},"facts":{...},"nodes":[...],"want","refused_by":[...]} */
json_t *api_verdict(const struct control_cluster *c) STAY_MUST_USE;
/* {"checks":[{"cluster","node","rule","name","why","detail","fix","line"}],
 *  "not_readable":[{"cluster","line"}]}; line: for the server's option file. A server nobody could
 * ask is a row with rule 0. */
json_t *api_check(const struct control *control, const char *cluster) STAY_MUST_USE;
/* The plan as it would run now: plan_describe plus "refused_by":[guards]. */
json_t *api_plan(const struct control_cluster *c, enum plan_kind kind,
                 const struct plan_params *params, bool automatic) STAY_MUST_USE;
/* What would happen if that died now, judged anew: {"cluster","lose","nodes","primary_lost",
 * "controller_lost","failable","verdict","want","refused_by","candidate","certificate",
 * "candidates":[{"node","eligible","why"}],"blocks":[text],"predicted"}. predicted: {"outage_us",
 * "sign_us","detection_us","steps_us","drain_us","wait_us","plans","steps":[{"step","took_us"}]},
 * outage_us and steps_us null while no failover was measured. */
json_t *api_what_if(const struct control_cluster *c,
                    const struct rehearsal_loss *loss) STAY_MUST_USE;
/* {"cluster","rehearsed_us_ago","losses":[as api_what_if]}: the primary, then each zone, anew. */
json_t *api_rehearsals(const struct control_cluster *c) STAY_MUST_USE;
/* The primary's loss as the last round of rehearsals judged it; NULL: none yet of this primary. */
const struct rehearsal *api_rehearsed_primary(const struct control_cluster *c);
/* Judges the loss of the primary alone as of now; false: no primary is known. */
bool api_rehearse_primary(const struct control_cluster *c, struct rehearsal *ret_rehearsal);
/* A running or ended run with its rows, times relative to its beginning. */
json_t *api_run(const struct plan_run *run, const struct cluster_config *config) STAY_MUST_USE;
/* A stored document of the history ({"summary","run","timeline"}) with its run as api_run shows it.
 */
json_t *api_document(const struct control *control, const json_t *document) STAY_MUST_USE;
/* {"id","kind","state","row","step"} or null. */
json_t *api_run_brief(const struct plan_run *run) STAY_MUST_USE;
/* One event line of a running plan. */
json_t *api_event(const char *cluster, int note, const struct plan_run *run,
                  uint32_t row) STAY_MUST_USE;
/* ["cooldown", ...] of a mask of guards. */
json_t *api_guards(uint32_t vetoes) STAY_MUST_USE;

/* Role of a node for people, balancers and the lab: "primary", "replica", "quarantined", "none" (it
 * answers and is neither), "down". */
const char *api_role(const struct control_cluster *c, uint32_t node);
bool api_node_is_up(const struct control_cluster *c, uint32_t node);
/* Replication lag; -1 when unknown. By the canary row when both hold one, else as the server says.
 */
int64_t api_lag_us(const struct control_cluster *c, uint32_t node);
/* Known primary that answers and takes writes, or NO_NODE. */
uint32_t api_writable_primary(const struct control_cluster *c);

#endif
