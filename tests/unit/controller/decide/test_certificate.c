/* tests/unit/controller/decide/test_certificate.c - golden cases of the survival certificate: key
 * and value a line (a, f, r: how many of three ackers; sets as text), then kind, proof, bounds,
 * reason. */
#include "tests/unit/controller/decide/golden_file.h"

#include "controller/decide/certificate.h"

struct inputs {
    struct certificate_input in;
    struct cluster_config config;
    struct gtid_set fenced, last, candidate, drained, received;
};

static void take(struct inputs *i, const char *key, const char *value)
{
    struct certificate_input *in = &i->in;
    uint64_t number = strtoull(value, NULL, 0);
    enum gtid_flavor flavor = in->engine == ENGINE_MYSQL ? GTID_MYSQL : GTID_MARIADB;
    struct {
        const char *key;
        struct gtid_set *set;
        const struct gtid_set **at;
    } sets[] = {{"fenced_executed", &i->fenced, &in->fenced_executed},
                {"last_executed", &i->last, &in->last_executed},
                {"candidate", &i->candidate, &in->candidate_executed},
                {"drained_union", &i->drained, &in->drained_union},
                {"frozen_received", &i->received, &in->frozen_received}};
    for (size_t s = 0; s < STAY_COUNT(sets); s++)
        if (strcmp(key, sets[s].key) == 0) {
            assert_int_equal(gtid_set_parse(flavor, value, sets[s].set, NULL), STAY_OK);
            *sets[s].at = sets[s].set;
            return;
        }
    if (strcmp(key, "engine") == 0)
        in->engine = strcmp(value, "mysql") == 0 ? ENGINE_MYSQL : ENGINE_MARIADB;
    else if (strcmp(key, "mode") == 0)
        in->mode = strcmp(value, "lossless") == 0  ? MODE_LOSSLESS
                   : strcmp(value, "bounded") == 0 ? MODE_BOUNDED
                                                   : MODE_UNSAFE;
    else if (strcmp(key, "accept") == 0)
        i->config.accept = strcmp(value, "bounded") == 0 ? ACCEPT_BOUNDED : ACCEPT_LOSSLESS;
    else if (strcmp(key, "stood") == 0)
        in->lossless_stood = number != 0;
    else if (strcmp(key, "acks") == 0)
        in->acks = (uint32_t)number;
    else if (strcmp(key, "a") == 0)
        in->a = (uint32_t)number;
    else if (strcmp(key, "f") == 0)
        in->f = (uint32_t)number;
    else if (strcmp(key, "r") == 0)
        in->r = (uint32_t)number;
    else if (strcmp(key, "fenced") == 0)
        in->fenced = number != 0;
    else if (strcmp(key, "able") == 0)
        in->able = (uint32_t)number;
    else if (strcmp(key, "overlapped") == 0)
        in->fence_overlapped = number != 0;
    else if (strcmp(key, "unheard") == 0)
        in->fence_unheard = number != 0;
    else if (strcmp(key, "whole") == 0)
        in->fenced_whole = number != 0;
    else if (strcmp(key, "refuses") == 0)
        in->refuses = number != 0;
    else if (strcmp(key, "overridden") == 0)
        in->overridden = number != 0;
    else if (strcmp(key, "ended_first") == 0)
        in->connections_ended_first = number != 0;
    else if (strcmp(key, "flowed") == 0)
        in->acks_flowed = number != 0;
    else if (strcmp(key, "sessions") == 0)
        in->sessions_waiting_max = number;
    else if (strcmp(key, "bytes") == 0)
        in->bytes_behind = number;
    else if (strcmp(key, "facts_age_s") == 0)
        in->last_facts_age_us = strtol(value, NULL, 10) * STAY_SECOND;
    else if (strcmp(key, "time_s") == 0)
        in->time_behind_us = strtol(value, NULL, 10) * STAY_SECOND;
    else
        fail_msg("unknown key %s", key);
}

static void certificate_text(char *facts, struct str *out)
{
    struct inputs i = {
        .in = {.engine = ENGINE_MARIADB, .acks = 1, .time_behind_us = -1, .last_facts_age_us = -1}};
    cluster_config_defaults(&i.config);
    for (char *line; (line = strsep(&facts, "\n")) != NULL;) {
        char *key = strsep(&line, " ");
        if (key[0] != '\0' && key[0] != '#')
            take(&i, key, line == NULL ? "" : line);
    }
    struct certificate cert = certificate_compute(&i.in);
    str_addf(out, "%s by %s, may proceed: %s\n", certificate_kind_text(cert.kind),
             proof_kind_text(cert.proof), certificate_may_proceed(&cert, &i.config) ? "yes" : "no");
    if (cert.kind == CERT_BOUNDED && cert.lost_transactions_max != UINT64_MAX)
        str_addf(out, "at most %llu transactions\n",
                 (unsigned long long)cert.lost_transactions_max);
    if (cert.kind == CERT_BOUNDED && cert.lost_transactions_max == UINT64_MAX)
        str_addf(out, "estimated %llu bytes, %lld s\n", (unsigned long long)cert.lost_bytes_max,
                 (long long)(cert.lost_time_max_us / STAY_SECOND));
    str_addf(out, "%s\n", cert.reason);
    gtid_set_clear(&i.fenced);
    gtid_set_clear(&i.last);
    gtid_set_clear(&i.candidate);
    gtid_set_clear(&i.drained);
    gtid_set_clear(&i.received);
}

static void golden_certificates_are_as_recorded(void **state)
{
    (void)state;
    assert_true(golden_run("certificate", "", certificate_text) >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_certificates_are_as_recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
