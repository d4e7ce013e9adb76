/* S7: no server is attached or promoted with transactions of its own, but for what no comparison of
 * sets can show. See sim_check.c. */
#include "tests/simulation/sim.h"

#define TOLD_US (4 * STAY_SECOND) /* uptime is in whole seconds */

/* Another transaction under the same GTID: MariaDB numbers on from what a truncation left, so a
 * server opened by its own configuration, or written to by hand, gives a GTID twice. No set shows
 * it. */
bool check_has_twin(const struct sim *s, const struct sim_server *v, uint32_t tx)
{
    for (uint32_t i = 0; i < v->log_n; i++)
        if (v->log[i] != tx && s->tx[v->log[i]].origin == s->tx[tx].origin &&
            s->tx[v->log[i]].seq == s->tx[tx].seq)
            return true;
    return false;
}

/* Such a twin that is not our doing: one of the two was not written to a primary that we opened.
 * Or its numbers went back, and one that was given before them is higher: a set of MariaDB names
 * the highest of each server only. */
bool check_has_foreign_twin(const struct sim *s, const struct sim_server *v, uint32_t tx)
{
    const struct sim_tx *x = &s->tx[tx];
    for (uint32_t i = 0; i < v->log_n; i++) {
        const struct sim_tx *t = &s->tx[v->log[i]];
        bool hides = t->seq == x->seq || (x->again && t->seq > x->seq && t->flushed < x->flushed);
        if (v->log[i] != tx && t->origin == x->origin && hides && (t->by_hand || x->by_hand))
            return true;
    }
    return false;
}

static void find_errant(struct sim *s, const struct sim_server *v, int64_t from, int64_t known)
{
    for (uint32_t i = 0; i < v->log_n && v->errant_at != STAY_NEVER; i++) {
        const struct sim_tx *t = &s->tx[v->log[i]];
        if (t->kind == TX_ERRANT && t->flushed >= from && t->flushed < known &&
            !check_has_twin(s, &s->server[s->line], v->log[i]) &&
            !bit_get(s->server[s->line].have, v->log[i]))
            sim_violate(s, INV_S7, "db%u is promoted with a transaction of its own from %.3f s",
                        v->index + 1, (double)t->flushed / 1e6);
    }
}

/* S7: a write by hand that only `v` holds, known for long enough, is not promoted. One on the
 * server that a stored plan was opening, later than that plan looked at it last, is none of its
 * own: from the point of no return on nobody can tell whether it was open already, so it may be a
 * client's, and it is kept by whatever plan opens it then. What a human chose by --accept-loss,
 * another plan may finish. */
void check_errant(struct sim *s, const struct sim_server *v, int64_t known)
{
    if (v->index == s->chosen && s->chosen_overridden)
        return;
    if (v->index == s->chosen && s->chosen_at < known)
        known = s->chosen_at;
    find_errant(s, v, STAY_NEVER, known);
}

/* ... nor one later than the plan read it, which an answer showed before the promotion left. */
void check_errant_seen(struct sim *s, const struct sim_server *v, const struct plan_run *run)
{
    uint32_t drain = plan_row_of(run->kind, STEP_DRAIN);
    if (run->kind == PLAN_FAILOVER && run->rows[drain].ended_mono_us != STAY_NEVER &&
        !run->maybe_open)
        find_errant(s, v, run->rows[drain].ended_mono_us, v->seen_open_at);
}

/* A server starts: what did the controller read of the others a while before, when they were cut
 * off from it? */
void check_started(struct sim *s, struct sim_server *p)
{
    p->told_seq = 0;
    p->rest_at = 0;
    for (uint32_t i = 0; i < s->setup.servers && p->index == s->line; i++) {
        struct sim_server *v = &s->server[i];
        bool told = v != p && controller_runs(s) && p->seen_at > s->controller.started_at &&
                    v->rest_at > s->controller.started_at && s->now - v->rest_at >= TOLD_US;
        v->told_seq = told ? v->rest_seq[p->index] : 0;
        v->told_life = s->controller.life;
    }
}

/* The primary lost this in its restart, and where its log began then tells so: `v` was read to hold
 * it before that by a controller that runs still and had read the process before. */
bool check_is_told(const struct sim *s, const struct sim_server *source, const struct sim_server *v,
                   uint32_t tx)
{
    const struct sim_tx *t = &s->tx[tx];
    return s->setup.engine == ENGINE_MARIADB && source->index == s->line &&
           t->origin == source->index && t->seq > source->began_seq && t->seq <= v->told_seq &&
           v->told_life == s->controller.life && source->commits < source->old_commits;
}

/* A write by hand that no comparison can show: after the sets were read, or under a GTID that a
 * truncated primary had given before (MariaDB numbers on from what is left). */
static bool is_hidden(const struct sim *s, const struct sim_server *source,
                      const struct sim_server *v, uint32_t tx, int64_t known)
{
    const struct sim_tx *t = &s->tx[tx];
    if (check_is_told(s, source, v, tx))
        return false;
    bool is_again = t->again && t->seq <= source->max_have[t->origin];
    return (t->kind == TX_ERRANT && (t->flushed > known || is_again)) ||
           check_has_foreign_twin(s, source, tx);
}

/* Written on `v` after we had changed its source, before it could connect: by its own start-up
 * values it was opened, and connected. */
static bool is_of_later_start(const struct sim *s, const struct sim_server *v, uint32_t tx)
{
    const struct sim_tx *t = &s->tx[tx];
    return t->by_hand && t->origin == v->index && v->boot_at > v->attached_at &&
           t->flushed > v->boot_at;
}

void check_attach(struct sim *s, struct sim_server *v, uint32_t source, const char *why)
{
    if (source >= s->setup.servers)
        return;
    const struct sim_server *p = &s->server[source];
    int64_t known = s->store.has_run ? s->store.run->begun_mono_us - DETECT_US : s->now;
    if (v->attached_by_us && v->attached_at < known)
        known = v->attached_at; /* compared then */
    for (uint32_t i = 0; i < v->log_n; i++)
        if (!bit_get(p->have, v->log[i]) && !is_hidden(s, p, v, v->log[i], known) &&
            !is_of_later_start(s, v, v->log[i])) {
            sim_violate(s, INV_S7, "%s of db%u to db%u, which lacks db%u:%u", why, v->index + 1,
                        source + 1, s->tx[v->log[i]].origin + 1, s->tx[v->log[i]].seq);
            return;
        }
}
