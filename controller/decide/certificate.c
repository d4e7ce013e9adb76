/* controller/decide/certificate.c - its rules, from the strongest claim down:
 * LOSSLESS by the fenced primary's own set, LOSSLESS by the drained ackers, then what bounds
 * the loss, then UNKNOWN. Each refusal of a stronger claim leaves its reason in the text. */
#include "controller/decide/certificate.h"

#include "base/mutant.h"
#include <stdarg.h>

static uint32_t count_bits(uint32_t mask)
{
    return (uint32_t)__builtin_popcount(mask);
}

static void add_reason(struct certificate *cert, const char *fmt, ...) STAY_PRINTF(2, 3);

static void add_reason(struct certificate *cert, const char *fmt, ...)
{
    size_t used = strlen(cert->reason);
    (void)stay_copy(cert->reason + used, sizeof cert->reason - used, used > 0 ? "; " : "");
    used = strlen(cert->reason);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(cert->reason + used, sizeof cert->reason - used, fmt, args);
    va_end(args);
}

/* Fewer than k ackers are left that could still acknowledge for the old primary. With no known
 * acker there is nothing to revoke, hence no proof. */
static bool acks_are_revoked(const struct certificate_input *in)
{
    uint32_t loose = count_bits((in->a | in->able) & ~in->f);
    if (in->a == 0)
        return false;
    if (MUTANT(in, K_IGNORED))
        return in->f != 0;
    if (MUTANT(in, LESS_FOR_LESS_EQUAL))
        return loose <= in->acks;
    return loose < in->acks;
}

static enum proof_kind find_proof(const struct certificate_input *in)
{
    if (in->fenced)
        return PROOF_F1_CONFIRMED;
    if (acks_are_revoked(in) || MUTANT(in, FENCE_SKIPPED))
        return PROOF_F0_REVOCATION;
    return in->overridden ? PROOF_OVERRIDE : PROOF_NONE;
}

/* MySQL answers OK to every waiter when it is shut down orderly without an acker (semi-sync row 5),
 * so revocation alone is complete only if the ackers lost the primary, not the primary its ackers,
 * and acknowledgements flowed to the end. */
static bool shutdown_may_have_answered(const struct certificate_input *in)
{
    bool fenced = in->fenced && in->fenced_whole; /* the one that may have answered, no later one */
    if (in->engine != ENGINE_MYSQL || fenced || MUTANT(in, SHUTDOWN_EXCEPTION_IGNORED))
        return false;
    bool ended_first = in->connections_ended_first || MUTANT(in, SHUTDOWN_ORDER_IGNORED);
    return !(ended_first && in->acks_flowed);
}

static uint64_t count_missing(const struct gtid_set *of, const struct gtid_set *held)
{
    if (of == NULL) /* never read: nothing is seen to be missing */
        return 0;
    STAY_AUTO(gtid_set_drop) struct gtid_set rest = {0};
    gtid_set_copy(&rest, of);
    if (held != NULL)
        gtid_set_subtract(&rest, held);
    return gtid_set_count(&rest);
}

static bool holds(const struct gtid_set *outer, const struct gtid_set *inner)
{
    return outer != NULL && inner != NULL && gtid_set_contains(outer, inner);
}

/* Measured on MariaDB: who leads a commit group waits for all of it, and killed it lets the others
 * go on, who are answered OK. The fence spares leaders until last, but while acknowledgements still
 * come groups end and begin under its hands. Once the freeze is in place they stand still. Asked
 * only when the candidate lacks some of the fenced primary's set, so some of it no acker has. */
static bool fence_may_have_answered(const struct certificate_input *in)
{
    if (in->engine == ENGINE_MARIADB && in->fence_unheard)
        return true;
    return in->engine == ENGINE_MARIADB && in->fenced && in->fenced_whole && in->fence_overlapped;
}

static bool is_drained(const struct certificate_input *in)
{
    uint32_t undrained = count_bits(in->a & ~in->r);
    return in->a != 0 && (MUTANT(in, K_IGNORED)             ? in->r != 0
                          : MUTANT(in, LESS_FOR_LESS_EQUAL) ? undrained <= in->acks
                                                            : undrained < in->acks);
}

/* Fills cert and returns true when one of the two LOSSLESS rules holds. */
static bool prove_lossless(const struct certificate_input *in, struct certificate *cert)
{
    bool holds_all = holds(in->candidate_executed, in->fenced_executed);
    if (in->fenced && in->fenced_whole && (holds_all || MUTANT(in, F1_NOT_COMPARED))) {
        cert->kind = CERT_LOSSLESS;
        add_reason(cert, "the fenced primary was read and the candidate executed all of its set");
        return true;
    }
    if (in->mode != MODE_LOSSLESS)
        add_reason(cert, "the recorded mode is weaker than lossless");
    else if (!in->lossless_stood)
        add_reason(cert, "lossless_since did not stand up to the last fresh fact");
    else if (!is_drained(in) && (in->a & in->doubted) != 0)
        add_reason(cert, "%u of %u ackers restarted: what they had acknowledged may be gone",
                   count_bits(in->a & in->doubted), count_bits(in->a));
    else if (!is_drained(in))
        add_reason(cert, "%u of %u ackers are not drained, fewer than %u may be",
                   count_bits(in->a & ~in->r), count_bits(in->a), in->acks);
    else if (!holds(in->candidate_executed, in->drained_union))
        add_reason(cert, "the candidate lacks transactions other drained ackers executed");
    else if (in->disproved)
        add_reason(cert, "the primary had executed more than the drained ackers hold: what one had "
                         "acknowledged is gone");
    else if (fence_may_have_answered(in))
        add_reason(cert, "clients were killed while ackers still acknowledged: one of a commit "
                         "group may have been answered");
    else if (shutdown_may_have_answered(in))
        add_reason(cert, "MySQL may have answered waiting sessions in an orderly shutdown");
    else {
        cert->kind = CERT_LOSSLESS;
        add_reason(cert, "%u of %u ackers drained and the candidate executed their union",
                   count_bits(in->a & in->r), count_bits(in->a));
        return true;
    }
    return false;
}

/* Frozen, so what they received is all they ever acknowledged; it just cannot be executed. */
static bool bound_by_frozen(const struct certificate_input *in, struct certificate *cert)
{
    if (in->mode != MODE_LOSSLESS || !in->lossless_stood || !acks_are_revoked(in) ||
        in->frozen_received == NULL || in->disproved)
        return false;
    uint64_t lost = count_missing(in->frozen_received, in->candidate_executed);
    if (shutdown_may_have_answered(in) || fence_may_have_answered(in)) {
        if (in->sessions_waiting_max == UINT64_MAX)
            return false; /* never read: nobody knows how many were answered */
        lost += in->sessions_waiting_max;
    }
    cert->kind = CERT_BOUNDED;
    cert->lost_transactions_max = lost;
    return true;
}

/* Of the transactions it is only known what was missing when the old primary was last read. */
static void estimate_loss(const struct certificate_input *in, struct certificate *cert)
{
    cert->kind = CERT_BOUNDED;
    cert->lost_transactions_max = UINT64_MAX;
    cert->lost_bytes_max = in->bytes_behind;
    cert->lost_time_max_us = in->time_behind_us;
    unsigned long long missing = count_missing(in->last_executed, in->candidate_executed);
    add_reason(cert, "estimated from the canary and binary log");
    if (in->last_executed == NULL || in->last_facts_age_us < 0)
        add_reason(cert, "the primary's set was never read");
    else
        add_reason(cert,
                   "%llu transactions were missing at its last facts, %lld s earlier; more "
                   "may have come since",
                   missing, (long long)(in->last_facts_age_us / STAY_SECOND));
}

static void bound_loss(const struct certificate_input *in, struct certificate *cert)
{
    if (in->fenced && in->fenced_whole && in->fenced_executed != NULL) {
        cert->kind = CERT_BOUNDED;
        cert->lost_transactions_max = count_missing(in->fenced_executed, in->candidate_executed);
        add_reason(cert, "the fenced primary's set is known exactly");
    } else if (bound_by_frozen(in, cert)) {
        add_reason(cert, "every possible acker is frozen and what it received is known");
    } else if (in->mode == MODE_BOUNDED && !in->fenced && !in->refuses && !in->overridden) {
        add_reason(cert,
                   "the old primary is silent, not known to be dead: it may still acknowledge");
    } else if (in->mode == MODE_BOUNDED && in->time_behind_us >= 0) {
        estimate_loss(in, cert);
    } else {
        cert->kind = CERT_UNKNOWN;
        add_reason(cert, "nothing bounds the loss");
    }
}

struct certificate certificate_compute(const struct certificate_input *in)
{
    struct certificate cert = {.kind = CERT_UNKNOWN, .proof = find_proof(in)};
    if (MUTANT(in, FENCE_SKIPPED)) {
        cert.kind = CERT_LOSSLESS;
        return cert;
    }
    if (cert.proof == PROOF_NONE && in->mode == MODE_LOSSLESS) {
        add_reason(&cert,
                   "no fencing proof: %u of %u ackers could still acknowledge for the old primary",
                   count_bits((in->a | in->able) & ~in->f), count_bits(in->a | in->able));
        return cert;
    }
    bool proven = cert.proof == PROOF_F0_REVOCATION || cert.proof == PROOF_F1_CONFIRMED;
    if (!proven || !prove_lossless(in, &cert))
        bound_loss(in, &cert);
    return cert;
}

bool certificate_may_proceed(const struct certificate *cert, const struct cluster_config *config)
{
    if (cert->kind == CERT_LOSSLESS)
        return true;
    return cert->kind == CERT_BOUNDED && config->accept == ACCEPT_BOUNDED &&
           cert->lost_bytes_max <= config->loss_bytes_max &&
           cert->lost_time_max_us <= config->loss_time_max_us;
}

const char *certificate_kind_text(enum certificate_kind kind)
{
    static const char *const texts[] = {"UNKNOWN", "BOUNDED", "LOSSLESS"};
    return texts[kind];
}

const char *proof_kind_text(enum proof_kind proof)
{
    static const char *const texts[] = {"none", "F0 revocation", "F1 confirmed", "override"};
    return texts[proof];
}
