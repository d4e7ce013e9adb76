/* controller/act/hook.h - the operator's programs at a plan's moments: before (may veto) and after.
 *
 * Layer: act. Loop thread only. No shell: an argv array. Standard input is one JSON object, the
 * environment holds PATH and MAINSTAY_CLUSTER, _PLAN, _WHEN, _EPOCH, _OLD_PRIMARY, _NEW_PRIMARY. At
 * its deadline a hook's whole process group is killed. Hooks of one moment run one after another,
 * in the order of the configuration. */
#ifndef CONTROLLER_ACT_HOOK_H
#define CONTROLLER_ACT_HOOK_H
#include "controller/decide/plan.h"
#include "controller/settings/settings.h"

struct loop;

/* vetoed: a hook that may veto did not end with status 0 in time. text: what each said or did. */
typedef void (*hook_fn)(void *arg, bool vetoed, const char *text);

struct hook_call {
    const struct settings_cluster *cluster; /* copied */
    enum settings_hook_when when;
    uint64_t epoch;
    uint32_t old_primary, new_primary; /* NO_NODE: not known (yet) */
};

/* False: no hook is configured for this moment and done is not called. Else done runs once, later.
 */
bool hook_start(struct loop *loop, const struct hook_call *call, hook_fn done, void *arg);

/* {"name", "host", "port", "zone"}: a node as every program of the operator's is told it; null for
 * NO_NODE. A new reference. */
json_t *hook_node_json(const struct cluster_config *config, uint32_t node);

#endif
