/* controller/act/effects_work.h - long work on servers by programs: a copy, a rewind. One child
 * process for a step on a node, begun by the first effect and looked at by those that follow.
 *
 * Layer: act. Loop thread only. The program gets one JSON object on standard input and tells how
 * far it is by JSON lines on standard output: {"phase": TEXT, "bytes": N, "total": N,
 * "text": TEXT}, every field optional. It ends with status 0 when the work is done and verified; at
 * the deadline, or when it is stopped, its process group is killed, so what it does must bear that
 * and be begun again at any point. */
#ifndef CONTROLLER_ACT_EFFECTS_WORK_H
#define CONTROLLER_ACT_EFFECTS_WORK_H
#include "controller/act/effects_node.h"

/* A program's exit status: whether its last step happened is not known. */
#define EFFECTS_WORK_LOST 5

struct effects_work_set;

struct effects_work_spec {
    const char *cluster; /* with node and step: which work */
    uint32_t node;
    enum step_kind step;
    const char *const *argv; /* NULL-terminated; no shell */
    const char *stdin_text;
    uint64_t epoch;           /* of the plan; an ended work of another epoch counts as none */
    int64_t deadline_mono_us; /* of the whole work, when this call begins it */
    bool
        is_resumable; /* ended by a signal, or with EFFECTS_WORK_LOST: UNKNOWN, it is begun again */
};

/* Owned by the caller. */
struct effects_work_set *effects_work_new(struct loop *loop) STAY_MUST_USE;
/* Kills what still runs. Takes NULL. */
void effects_work_free(struct effects_work_set *set);

/* Begins the work unless it is under way or ended since, and tells how it stands: OUTCOME_DONE,
 * NOT_DONE with the reason, UNKNOWN (each told once, then it is forgotten), or NOT_DONE with
 * goes_on. The result's text is how far it is. */
void effects_work_look(struct effects_work_set *set, const struct effects_work_spec *spec,
                       struct effect_result *ret_result);
/* Is it under way? */
bool effects_work_runs(const struct effects_work_set *set, const char *cluster, uint32_t node,
                       enum step_kind step);
/* Kills it; none: nothing. */
void effects_work_stop(struct effects_work_set *set, const char *cluster, uint32_t node,
                       enum step_kind step);

#endif
