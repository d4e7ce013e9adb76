/* controller/decide/rehearsal.c - lets time run on in the copy until decide() wants a failover, or
 * could not any more, then foresees its plan and says what would stop it. */
#include "controller/decide/plan_private.h"
#include "controller/decide/rehearsal_private.h"
#include <stdarg.h>

/* Longest bound of a verdict after the silence itself: receivers believe a silent source so long.
 */
#define PATIENCE_US    (3 * STAY_SECOND)
#define ANSWERED_BY_US (2 * STAY_MS) /* after a round of questions every answer is in */

void rehearsal_of_node(const struct cluster_config *config, uint32_t node,
                       struct rehearsal_loss *ret_loss)
{
    *ret_loss = (struct rehearsal_loss){.nodes = NODE_BIT(node)};
    (void)stay_copy(ret_loss->name, sizeof ret_loss->name, config->nodes[node].name);
}

static void of_zone(const struct cluster_config *config, const char *zone,
                    struct rehearsal_loss *ret_loss)
{
    *ret_loss = (struct rehearsal_loss){.is_zone = true};
    (void)stay_copy(ret_loss->name, sizeof ret_loss->name, zone);
    ret_loss->controller = strcmp(config->controller_zone, zone) == 0;
    for (uint32_t node = 0; node < config->node_count; node++)
        if (strcmp(config->nodes[node].zone, zone) == 0)
            ret_loss->nodes |= NODE_BIT(node);
}

size_t rehearsal_zones(const struct cluster_config *config, struct rehearsal_loss *ret_losses)
{
    size_t count = 0;
    for (uint32_t node = 0; node < config->node_count; node++) {
        const char *zone = config->nodes[node].zone;
        bool known = zone[0] == '\0';
        for (size_t i = 0; i < count; i++)
            known = known || strcmp(ret_losses[i].name, zone) == 0;
        if (!known)
            of_zone(config, zone, &ret_losses[count++]);
    }
    return count;
}

void rehearsal_name(const struct rehearsal_loss *loss, char dst[NAME_MAX_LEN + 8])
{
    plan_say(dst, NAME_MAX_LEN + 8, "%s:%s", loss->is_zone ? "zone" : "node", loss->name);
}

enum stay_rc rehearsal_parse(const struct cluster_config *config, const char *text,
                             struct rehearsal_loss *ret_loss, struct stay_error *err)
{
    struct rehearsal_loss loss;
    bool is_node = strncmp(text, "node:", 5) == 0;
    if ((!is_node && strncmp(text, "zone:", 5) != 0) || text[5] == '\0')
        return stay_error(err, STAY_EINVALID, "\"%.60s\": write node:NAME or zone:NAME", text);
    if (is_node) {
        uint32_t node = cluster_node_by_name(config, text + 5);
        if (node == NO_NODE)
            return stay_error(err, STAY_ENOTFOUND, "cluster %s has no node \"%.60s\"", config->name,
                              text + 5);
        rehearsal_of_node(config, node, ret_loss);
        return STAY_OK;
    }
    of_zone(config, text + 5, &loss);
    if (loss.nodes == 0 && !loss.controller)
        return stay_error(err, STAY_ENOTFOUND, "cluster %s has no server in a zone \"%.60s\"",
                          config->name, text + 5);
    *ret_loss = loss;
    return STAY_OK;
}

static void add_block(struct rehearsal *r, const char *fmt, ...) STAY_PRINTF(2, 3);

static void add_block(struct rehearsal *r, const char *fmt, ...)
{
    must(r->block_count < REHEARSAL_BLOCKS_MAX);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(r->blocks[r->block_count++], REHEARSAL_BLOCK_MAX, fmt, args);
    va_end(args);
}

/* Turn by turn, at the pace of suspicion, until a failover is wanted or its time is over. */
static void let_time_pass(struct rehearsal_world *world, const struct plan_run *running,
                          const struct fleet *fleet, bool primary_lost, int64_t wall_less_mono_us,
                          struct decision *ret_decision)
{
    const struct cluster_config *config = world->real->config;
    int64_t longest_us = config->silence_us + config->receiving_us + PATIENCE_US;
    int64_t step_us = config->suspicion_interval_us;
    if (!primary_lost) {
        longest_us = config->acker_loss_us + STAY_SECOND;
        step_us = config->probe_interval_us;
    }
    if (config->grace_us > 0)
        longest_us += config->grace_us;
    for (;;) {
        rehearsal_world_ask(world, ANSWERED_BY_US);
        decide(&world->view, running, fleet, world->now_us, world->now_us + wall_less_mono_us,
               ret_decision);
        bool waits = (ret_decision->vetoes & (UINT32_C(1) << GUARD_GRACE)) != 0;
        if (primary_lost && ret_decision->want == PLAN_FAILOVER && !waits)
            return;
        if (world->now_us - world->death_us + step_us > longest_us)
            return;
        world->now_us += step_us - ANSWERED_BY_US;
    }
}

/* The candidate's certificate against policy: what CERTIFY would refuse. */
static void judge_certificate(const struct cluster_view *view, const struct plan_run *run,
                              struct rehearsal *r)
{
    r->certificate = run->certificate;
    r->has_certificate = true;
    if (certificate_may_proceed(&run->certificate, view->config))
        return;
    add_block(r, "the certificate would be %s, and failover.accept is \"%s\": %s",
              certificate_kind_text(run->certificate.kind),
              view->config->accept == ACCEPT_BOUNDED ? "bounded" : "lossless",
              run->certificate.reason);
}

/* It answered until a moment ago: the foreseen run only knows that it was not frozen. */
static void note_lost(struct rehearsal *r)
{
    for (size_t i = 0; i < r->note_count; i++) {
        if (!(r->loss.nodes & mask_of(r->notes[i].node)))
            continue;
        r->notes[i].eligible = false;
        (void)stay_copy(r->notes[i].why, sizeof r->notes[i].why, "it is lost as well");
    }
}

/* Nobody is left who could be promoted, whatever else: the first thing to know. */
static bool note_nobody(const struct cluster_view *view, struct rehearsal *r)
{
    for (size_t i = 0; i < r->note_count; i++)
        if (r->notes[i].eligible)
            return false;
    add_block(r, PLAN_NOBODY ": %s: %s",
              r->note_count == 0 ? "-" : plan_node_name(view, r->notes[0].node),
              r->note_count == 0 ? "no other node" : r->notes[0].why);
    return true;
}

static void foresee(const struct rehearsal_world *world, const struct step_times *times,
                    const struct plan_params *params, int64_t now_wall_us, struct rehearsal *r)
{
    const struct cluster_view *view = &world->view;
    struct plan_run *run = stay_calloc(1, sizeof *run);
    struct stay_error err = {0};
    uint32_t lost = world->loss->nodes;
    if (plan_foresee(run, PLAN_FAILOVER, params, view, lost, world->now_us, now_wall_us, &err) !=
        STAY_OK) {
        (void)candidate_choose(view, NULL, world->now_us, r->notes, &r->note_count);
        note_lost(r);
        if (!note_nobody(view, r) || strncmp(err.text, PLAN_NOBODY, strlen(PLAN_NOBODY)) != 0)
            add_block(r, "the plan would not start: %s", err.text);
    } else {
        r->candidate = run->candidate;
        (void)candidate_choose(view, run, world->now_us, r->notes, &r->note_count);
        note_lost(r);
        if (run->candidate == NO_NODE)
            (void)note_nobody(view, r);
        else
            judge_certificate(view, run, r);
        step_times_foresee(times, run, view, world->loss->is_zone ? lost : 0, world->now_us,
                           &r->forecast);
    }
    plan_run_clear(run);
    free(run);
}

static void judge_world(const struct rehearsal_world *world, const struct step_times *times,
                        const struct decision *d, int64_t now_wall_us, struct rehearsal *r)
{
    const struct cluster_view *view = &world->view;
    bool wants = d->want == PLAN_FAILOVER;
    r->verdict = d->verdict;
    r->want = d->want;
    r->vetoes = d->vetoes;
    if (view->suspicion_since_mono_us != STAY_NEVER) {
        int64_t sign_us = view->suspicion_since_mono_us - world->death_us;
        r->sign_us = sign_us > 0 ? sign_us : 0;
        r->detection_us = wants ? world->now_us - world->death_us - r->sign_us : -1;
    }
    if (!r->primary_lost)
        return;
    struct plan_params params = d->params;
    if (!wants)
        params = (struct plan_params){.node = NO_NODE, .detected_mono_us = STAY_NEVER};
    params.automatic = true;
    foresee(world, times, &params, now_wall_us, r);
    if (!wants)
        add_block(r, "no failover would be wanted: %u %s: %s", d->verdict.rule_id, d->verdict.name,
                  d->verdict.why);
    if (r->forecast.steps_us >= 0 && r->detection_us >= 0 && r->candidate != NO_NODE)
        r->outage_us = r->sign_us + r->detection_us + r->forecast.steps_us;
}

void rehearsal_judge(const struct cluster_view *view, const struct plan_run *running,
                     const struct fleet *fleet, const struct rehearsal_loss *loss,
                     const struct step_times *times, int64_t now_mono_us, int64_t now_wall_us,
                     struct rehearsal *ret_rehearsal)
{
    struct rehearsal_world *world = stay_calloc(1, sizeof *world);
    struct rehearsal *r = ret_rehearsal;
    struct decision d;
    memset(r, 0, sizeof *r);
    r->loss = *loss;
    r->candidate = NO_NODE;
    r->sign_us = r->detection_us = r->outage_us = r->forecast.steps_us = -1;
    r->primary_lost = (loss->nodes & mask_of(view->primary)) != 0;
    if (loss->controller)
        add_block(r, "this controller is in the zone: nobody is left to act; the rest is what one "
                     "elsewhere would do");
    if (view->primary == NO_NODE)
        add_block(r, "no primary is known");
    rehearsal_world_init(world, view, loss, now_mono_us);
    let_time_pass(world, running, fleet, r->primary_lost, now_wall_us - now_mono_us, &d);
    judge_world(world, times, &d, now_wall_us + (world->now_us - now_mono_us), r);
    r->is_failable = r->block_count == 0;
    rehearsal_world_clear(world);
    free(world);
}

static bool misses_loss(const struct cluster_config *config, const struct certificate *cert)
{
    switch (config->mode) {
    case MODE_LOSSLESS:
        return cert->kind != CERT_LOSSLESS;
    case MODE_BOUNDED:
        return cert->kind == CERT_UNKNOWN ||
               (cert->kind == CERT_BOUNDED && (cert->lost_bytes_max > config->loss_bytes_max ||
                                               cert->lost_time_max_us > config->loss_time_max_us));
    case MODE_UNKNOWN:
    case MODE_UNSAFE: /* it promises nothing */
    case MODE_COUNT:
        break;
    }
    return false;
}

static void say_loss(const struct cluster_config *config, const struct certificate *cert, char *why)
{
    (void)snprintf(why, REHEARSAL_BLOCK_MAX, "%s instead of %s", certificate_kind_text(cert->kind),
                   config->mode == MODE_LOSSLESS ? "LOSSLESS" : "within the objectives");
}

bool rehearsal_misses(const struct cluster_config *config, const struct rehearsal *rehearsal,
                      enum verdict_objective objective, char why[REHEARSAL_BLOCK_MAX])
{
    bool misses = false;
    why[0] = '\0';
    switch (objective) {
    case OBJECTIVE_FAILABLE:
        misses = rehearsal->primary_lost && !rehearsal->is_failable;
        if (misses)
            (void)stay_copy(why, REHEARSAL_BLOCK_MAX, rehearsal->blocks[0]);
        break;
    case OBJECTIVE_LOSS:
        misses = rehearsal->primary_lost && rehearsal->has_certificate &&
                 misses_loss(config, &rehearsal->certificate);
        if (misses)
            say_loss(config, &rehearsal->certificate, why);
        break;
    case OBJECTIVE_TIME:
        misses = rehearsal->is_failable && rehearsal->outage_us > config->recovery_time_max_us;
        if (misses)
            (void)snprintf(why, REHEARSAL_BLOCK_MAX, "%lld s rehearsed, %lld s allowed",
                           (long long)(rehearsal->outage_us / STAY_SECOND),
                           (long long)(config->recovery_time_max_us / STAY_SECOND));
        break;
    case OBJECTIVE_COUNT:
        break;
    }
    return misses;
}
