/* tests/unit/controller/decide/test_rehearsal_golden.c - what would happen if a server or a zone
 * died now: verdict, candidate, certificate, what blocks; and that the view itself is not changed.
 */
#include "tests/unit/controller/decide/case_view.h"
#include "tests/unit/controller/decide/golden_file.h"

#include "controller/decide/decision.h"
#include "controller/decide/rehearsal.h"

static void say_notes(const struct case_view *c, const struct rehearsal *r, struct str *out)
{
    for (size_t i = 0; i < r->note_count; i++)
        str_addf(out, "  %s: %s\n", c->config.nodes[r->notes[i].node].name, r->notes[i].why);
}

static void rehearsal_text(const struct case_view *c, const struct rehearsal *r, struct str *out)
{
    char name[NAME_MAX_LEN + 8];
    rehearsal_name(&r->loss, name);
    str_addf(out, "%s: %s%s\n", name, r->is_failable ? "failable" : "not failable",
             r->primary_lost ? "" : ", the primary lives");
    str_addf(out, "verdict %u %s, wants %s", r->verdict.rule_id, r->verdict.name,
             plan_kind_text(r->want));
    for (int guard = 0; guard < GUARD_COUNT; guard++)
        if (r->vetoes & (UINT32_C(1) << guard))
            str_addf(out, ", held by %s", guard_name((enum guard_id)guard));
    str_add(out, "\n");
    if (r->detection_us >= 0)
        str_addf(out, "first sign after %lld ms, verdict %lld ms later\n",
                 (long long)(r->sign_us / STAY_MS), (long long)(r->detection_us / STAY_MS));
    if (r->has_certificate)
        str_addf(out, "candidate %s, %s by %s\n", c->config.nodes[r->candidate].name,
                 certificate_kind_text(r->certificate.kind), proof_kind_text(r->certificate.proof));
    say_notes(c, r, out);
    for (size_t i = 0; i < r->block_count; i++)
        str_addf(out, "blocked: %s\n", r->blocks[i]);
    for (int o = 0; o < OBJECTIVE_COUNT; o++) {
        char why[REHEARSAL_BLOCK_MAX];
        struct verdict v = verdict_objective((enum verdict_objective)o);
        if (rehearsal_misses(&c->config, r, (enum verdict_objective)o, why))
            str_addf(out, "problem %u %s: %s\n", v.rule_id, v.name, why);
        assert_int_equal(why[0] != '\0',
                         rehearsal_misses(&c->config, r, (enum verdict_objective)o, why));
    }
}

/* What a standing promise rests on, and heartbeats that count: without them a rehearsal would find
 * the promise broken and the receivers' silence meaningless, as the controller would. */
static void make_whole(struct case_view *c)
{
    c->view.record.watch_uptime_base_s = CASE_WALL / STAY_SECOND - 5000;
    for (uint32_t node = 0; node < c->config.node_count; node++) {
        struct server_facts *facts = &c->view.nodes[node].facts;
        facts->beats_shown = facts->ss_after_sync = TRI_YES;
        facts->heartbeat_ms = 500;
        facts->ss_timeout_ms = UINT64_C(4294967295);
        facts->ss_wait_count = 1;
        facts->max_connections = 200;
    }
}

static void lose_text(char *facts, struct str *out)
{
    static const struct step_times never;
    struct case_view c;
    struct rehearsal_loss loss;
    struct stay_error err = {0};
    case_load(&c, facts);
    make_whole(&c);
    assert_memory_equal(c.command, "lose ", 5);
    if (rehearsal_parse(&c.config, c.command + 5, &loss, &err) != STAY_OK) {
        str_addf(out, "%s\n", err.text);
        case_clear(&c);
        return;
    }
    struct rehearsal *r = stay_calloc(1, sizeof *r);
    struct decision_turn turn = {
        .view = &c.view, .now_mono_us = CASE_NOW, .now_wall_us = CASE_WALL};
    STAY_AUTO(stay_free_charp)
    char *before = decision_input_text(&turn);
    rehearsal_judge(&c.view, NULL, NULL, &loss, &never, CASE_NOW, CASE_WALL, r);
    STAY_AUTO(stay_free_charp)
    char *after = decision_input_text(&turn);
    assert_string_equal(before, after);
    rehearsal_text(&c, r, out);
    assert_int_equal(r->outage_us, -1); /* nothing was measured */
    free(r);
    case_clear(&c);
}

static void golden_rehearsals_are_as_recorded(void **state)
{
    (void)state;
    assert_true(golden_run("rehearsal", "", lose_text) >= 12);
}

static void objectives_are_missed_by_what_was_measured(void **state)
{
    (void)state;
    char why[REHEARSAL_BLOCK_MAX];
    struct cluster_config config;
    struct rehearsal r = {.primary_lost = true, .is_failable = true, .has_certificate = true};
    cluster_config_defaults(&config);
    config.mode = MODE_BOUNDED;
    r.certificate.kind = CERT_BOUNDED;
    r.certificate.lost_bytes_max = config.loss_bytes_max;
    r.certificate.lost_time_max_us = config.loss_time_max_us;
    r.outage_us = config.recovery_time_max_us;
    assert_false(rehearsal_misses(&config, &r, OBJECTIVE_LOSS, why));
    assert_false(rehearsal_misses(&config, &r, OBJECTIVE_TIME, why));
    r.certificate.lost_bytes_max++;
    r.outage_us++;
    assert_true(rehearsal_misses(&config, &r, OBJECTIVE_LOSS, why));
    assert_true(rehearsal_misses(&config, &r, OBJECTIVE_TIME, why));
    assert_string_equal(why, "600 s rehearsed, 600 s allowed");
    r.outage_us = -1; /* never measured */
    assert_false(rehearsal_misses(&config, &r, OBJECTIVE_TIME, why));
    config.mode = MODE_UNSAFE;
    assert_false(rehearsal_misses(&config, &r, OBJECTIVE_LOSS, why));
    config.mode = MODE_LOSSLESS;
    assert_true(rehearsal_misses(&config, &r, OBJECTIVE_LOSS, why));
    assert_string_equal(why, "BOUNDED instead of LOSSLESS");
    r.certificate.kind = CERT_LOSSLESS;
    assert_false(rehearsal_misses(&config, &r, OBJECTIVE_LOSS, why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(objectives_are_missed_by_what_was_measured),
                                       cmocka_unit_test(golden_rehearsals_are_as_recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
