/* A job's way: the node's queue -> a lane (step_mysql_run on the node's sessions) -> done on the
 * loop
 * -> the next in the queue. One job per node is on a lane at a time, so a job past its deadline
 * takes its sessions with it, to be freed when its thread is back, and the node gets new ones; but
 * not the one by which a fence keeps a server's door closed, which only few steps touch. */
#include "controller/act/effects_job.h"

#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/io/timer.h"

#define STEP_MARGIN_US   (30 * STAY_MS)  /* a step ends this long before its lane gives it up */
#define WARM_PATIENCE_US (50 * STAY_MS)  /* then it makes way for a step */
#define WARM_MARGIN_US   (200 * STAY_MS) /* it ends before its lane takes both sessions away */

/* Owned by the caller until effects_sessions_free, which aborts first, so that closing writes to
 * nobody. */
static struct step_sessions sessions_new(void)
{
    return (struct step_sessions){
        .operate = mysql_session_new(), .canary = mysql_session_new(), .shut = mysql_session_new()};
}

void effects_sessions_abort(const struct step_sessions *sessions)
{
    if (sessions->operate == NULL)
        return;
    mysql_session_abort(sessions->operate);
    mysql_session_abort(sessions->canary);
    mysql_session_abort(sessions->shut);
}

void effects_sessions_free(struct step_sessions *sessions)
{
    effects_sessions_abort(sessions);
    mysql_session_free(sessions->operate);
    mysql_session_free(sessions->canary);
    mysql_session_free(sessions->shut);
    *sessions = (struct step_sessions){0};
}

void effects_job_settle(struct effects_node *node)
{
    if (node->running != NULL || node->first != NULL)
        return;
    if (node->is_forgotten || node->is_changed)
        effects_sessions_free(&node->sessions);
    if (!node->is_forgotten && node->sessions.operate == NULL)
        node->sessions = sessions_new();
    node->is_changed = false;
}

static enum stay_rc warm(struct mysql_session *s, const struct mysql_target *target,
                         const struct mysql_account *account, int64_t due)
{
    struct reach reach;
    if (account->user[0] == '\0')
        return STAY_OK;
    if (mysql_session_is_idle_ok(s))
        return mysql_session_run(s, "DO 1", due, NULL, NULL, NULL);
    return mysql_session_open(s, target, account, due, &reach, NULL);
}

static enum stay_rc job_work(struct lane_job *lane, void *arg)
{
    struct effects_job *job = arg;
    int64_t due = lane_job_deadline_mono_us(lane);
    if (lane_job_expired(lane))
        return STAY_ETIMEDOUT;
    if (!job->is_warm) {
        step_mysql_run(&job->sessions, &job->input, &job->result);
        return STAY_OK;
    }
    due -= WARM_MARGIN_US;
    enum stay_rc rc = warm(job->sessions.operate, &job->input.target, &job->input.operate, due);
    if (rc != STAY_OK)
        return rc;
    atomic_store(&job->at_canary, true);
    return warm(job->sessions.canary, &job->input.target, &job->input.canary, due);
}

void effects_job_release(void *arg)
{
    struct effects_job *job = arg;
    if (job->owns_sessions)
        effects_sessions_free(&job->sessions);
    step_input_clear(&job->input);
    step_result_clear(&job->result);
    free(job);
}

static void call_done(struct effects_job *job, const struct step_result *r)
{
    struct effect_result result = {.outcome = r->outcome,
                                   .groups_read = r->groups_read,
                                   .facts = r->groups_read ? &r->facts : NULL,
                                   .receiver_before = r->receiver_before,
                                   .strangers = r->strangers,
                                   .goes_on = r->goes_on,
                                   .is_down = r->is_down,
                                   .kept_acked = r->kept_acked,
                                   .source_was_off = r->source_was_off,
                                   .ended_sessions = r->ended_sessions};
    (void)stay_copy(result.text, sizeof result.text, r->text);
    job->done(job->arg, job->token, &result);
}

static void on_fail(struct timer *timer, void *arg)
{
    struct effects_job *job = arg;
    timer_free(timer);
    call_done(job, &job->result);
    effects_job_release(job);
}

void effects_job_refuse(struct effects_job *job, const char *text)
{
    if (job->is_warm) {
        effects_job_release(job);
        return;
    }
    job->result.outcome = OUTCOME_NOT_DONE;
    (void)stay_copy(job->result.text, sizeof job->result.text, text);
    timer_start(timer_new(job->set->loop, on_fail, job), loop_now_mono_us(job->set->loop));
}

static void call_unknown(struct effects_job *job)
{
    struct step_result *unknown = stay_calloc(1, sizeof *unknown); /* job->result may be written */
    unknown->outcome = OUTCOME_UNKNOWN;
    (void)stay_copy(unknown->text, sizeof unknown->text, "no answer before the step's deadline");
    call_done(job, unknown);
    free(unknown);
}

static void run_next(struct effects_node *node);

static bool may_touch_shut(const struct effects_job *job)
{
    enum step_kind step = job->input.effect.step;
    return !job->is_warm && (step == STEP_FENCE || step == STEP_UNFENCE || step == STEP_WRITABLE);
}

static void job_done(void *arg, enum stay_rc rc)
{
    struct effects_job *job = arg;
    struct effects_node *node = job->node;
    node->running = NULL;
    if ((rc == STAY_ETIMEDOUT) || rc == STAY_ECANCELED) {
        struct step_sessions fresh =
            job->set->is_ending ? (struct step_sessions){0} : sessions_new();
        if (fresh.shut != NULL && !may_touch_shut(job)) {
            struct mysql_session *shut = job->sessions.shut;
            job->sessions.shut = fresh.shut;
            fresh.shut = shut;
        }
        effects_sessions_abort(&job->sessions); /* the thread may still use them */
        job->owns_sessions = true;
        node->sessions = fresh;
    }
    if (rc == STAY_ECANCELED) /* the set is being freed */
        return;
    if (!job->is_warm && rc == STAY_OK)
        call_done(job, &job->result);
    else if (!job->is_warm)
        call_unknown(job);
    run_next(node);
}

static void submit(struct effects_job *job)
{
    struct stay_error e = {0};
    struct effects_node *node = job->node;
    struct lane_work work = {.work = job_work,
                             .done = job_done,
                             .release = effects_job_release,
                             .arg = job,
                             .deadline_mono_us = job->input.effect.deadline_mono_us};
    if (!job->is_warm)
        job->input.effect.deadline_mono_us -= STEP_MARGIN_US;
    job->sessions = node->sessions;
    job->begun_mono_us = loop_now_mono_us(job->set->loop);
    if (lane_submit(job->set->pool, node->key, &work, &e) == STAY_OK) {
        node->running = job;
        return;
    }
    effects_job_refuse(job, e.text);
}

static void run_next(struct effects_node *node)
{
    while (node->running == NULL && node->first != NULL) {
        struct effects_job *job = node->first;
        node->first = job->next;
        if (node->first == NULL)
            node->last = NULL;
        if (loop_now_mono_us(job->set->loop) < job->input.effect.deadline_mono_us) {
            submit(job);
            continue;
        }
        effects_job_refuse(job, "not begun before its deadline");
    }
    effects_job_settle(node);
}

/* It hangs. A login that does not come through must not cost the session that needs none: a MySQL
 * whose account lock is held answers nobody else. */
static void make_way(struct effects_job *warm)
{
    if (!atomic_load(&warm->at_canary))
        mysql_session_abort(warm->sessions.operate);
    mysql_session_abort(warm->sessions.canary);
}

void effects_job_enqueue(struct effects_node_set *set, struct effects_node *node,
                         struct effects_job *job)
{
    job->set = set;
    job->node = node;
    if (node->running != NULL && node->running->is_warm &&
        loop_now_mono_us(set->loop) - node->running->begun_mono_us > WARM_PATIENCE_US)
        make_way(node->running);
    if (node->last != NULL)
        node->last->next = job;
    else
        node->first = job;
    node->last = job;
    run_next(node);
}
