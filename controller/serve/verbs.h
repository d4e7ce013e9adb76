/* controller/serve/verbs.h - the verbs of the unix socket: one request line in, events and one
 * answer out (wire form: control.h).
 *
 * Layer: serve. Loop thread only. */
#ifndef CONTROLLER_SERVE_VERBS_H
#define CONTROLLER_SERVE_VERBS_H
#include "base/io/line_server.h"
#include "base/json.h"
#include "controller/settings/settings.h"
#include "controller/serve/control.h"

#define VERBS_ACTOR_MAX 64

/* What a request may use; owned by serve.c, outlives its requests' synchronous part. */
struct verbs {
    const struct control *control;
    const struct settings *settings; /* replaced by a reload */
};

/* One request, from its line to its answer. Owned by itself: freed by the answer. */
struct request {
    const struct verbs *verbs;
    const struct control *control;
    struct line_peer *peer;
    json_t *json; /* the whole request; strings below borrow from it */
    const char *verb;
    const char *cluster; /* NULL: none given */
    const json_t *args;
    bool dry_run;
    bool is_gone; /* the client hung up; the answer goes nowhere */
    bool is_listening;
    bool is_pending;  /* control owes a done call */
    bool is_starting; /* start_plan is on the stack */
    char plan_id[24];
    json_t *ended; /* answer of a plan that ended before its start returned */
    int ended_exit;
    char ended_refused[32];
    char actor[VERBS_ACTOR_MAX];
};

/* For line_server_options; user is the struct verbs. */
void verbs_on_request(struct line_peer *peer, const char *line, size_t length, void *user);
void verbs_on_gone(struct line_peer *peer, void *user);

/* Answers, each ends the request. data's reference is taken; NULL is an empty object. */
void request_answer(struct request *r, json_t *data);
/* refused_by: guard names or NULL, reference taken. */
void request_refuse(struct request *r, int exit_code, json_t *refused_by, const char *fmt, ...)
    STAY_PRINTF(4, 5);
/* exit by the code: 3 refused, 2 not found or invalid, 5 unknown, 1 everything else. */
void request_fail(struct request *r, enum stay_rc rc, uint32_t vetoes,
                  const struct stay_error *err);
/* An event line before the answer. False: nobody reads any more. */
bool request_event(struct request *r, json_t *event);
const char *request_arg(const struct request *r, const char *key); /* string or NULL */
/* The cluster asked for; answers (exit 2) and returns false when it is missing or unknown. */
bool request_cluster(struct request *r, struct control_cluster *ret);
/* Answers (exit 2) that r->cluster, not NULL, is unknown, with the nearest name or all of them. */
void request_refuse_cluster(struct request *r);

/* The verbs. Each ends its request, at once or when what it asked of control is done. */
/* verbs_read.c */
void verb_status(struct request *r);
void verb_problems(struct request *r);
void verb_check(struct request *r);
void verb_topology(struct request *r);
void verb_verdict(struct request *r);
void verb_which_primary(struct request *r);
void verb_history(struct request *r);
void verb_explain(struct request *r);
void verb_what_if(struct request *r);
void verb_runbook(struct request *r);
void verb_version(struct request *r);

/* verbs_switch.c */
void verb_errant_inject(struct request *r);
void verb_verify(struct request *r);
void verb_pause(struct request *r);
void verb_resume(struct request *r);
void verb_release(struct request *r);
void verb_maintenance(struct request *r);
/* `switchover --at`: kept in the store; "never" cancels. `to` was checked, may be NULL. */
void request_schedule(struct request *r, const char *at, const char *to);
void verb_reload(struct request *r);

/* verbs_evacuate.c */
void verb_evacuate(struct request *r);

/* verbs_plan.c */
void verb_plan(struct request *r);
void verb_switchover(struct request *r);
void verb_failover(struct request *r);
void verb_recover(struct request *r);
void verb_rejoin(struct request *r);
void verb_reseed(struct request *r);
void verb_errant_reset(struct request *r);
void verb_fence(struct request *r);
void verb_conform(struct request *r); /* what `check --fix` starts, node by node */
void verb_unfence(struct request *r);
void verb_adopt(struct request *r);
void verb_abort(struct request *r);
void verb_watch(struct request *r);

/* Names of all verbs of the socket, NULL-terminated: for tests. */
const char *const *verbs_names(void);

#endif
