/* tests/unit/backup/catalog/test_catalog.c - lineages, log, gaps and snapshots are known again from
 * the objects alone, without a key and without anything beside them. */
#include "backup/catalog/catalog.h"
#include "backup/catalog/erasure.h"
#include "backup/catalog/lineage.h"
#include "backup/catalog/repository_check.h"
#include "backup/catalog/snapshot.h"
#include "tests/unit/backup/repository/repository_samples.h"

static struct sample s;
static char lineage[LINEAGE_ID_TEXT];
static uint8_t domains[1][DOMAIN_BYTES];
static uint8_t last_hash[SHA256_BYTES]; /* of the newest segment */

static int make(void **state)
{
    const struct lineage_spec spec = {.cluster = "shop", .engine = "mariadb"};
    (void)state;
    sample_repository(&s);
    assert_done(repository_domain_ready(s.repo, "shop", NULL, domains[0], err));
    assert_done(lineage_create(s.repo, &spec, lineage, err));
    return 0;
}

static int clear(void **state)
{
    (void)state;
    sample_remove(&s);
    return 0;
}

static void log_segment(uint64_t seq, const char *before, const char *after)
{
    struct segment_about a = {.seq = seq,
                              .epoch = 1,
                              .has_prev = seq > 1,
                              .first_commit_us = INT64_C(1763634667000000) + (int64_t)seq * 5000000,
                              .transactions = 2};
    struct object_writer *w = NULL;
    struct object_written done;
    (void)stay_copy(a.lineage, sizeof a.lineage, lineage);
    memcpy(a.prev, last_hash, sizeof a.prev);
    a.last_commit_us = a.first_commit_us + 4000000;
    a.before = stay_strdup(before);
    a.after = stay_strdup(after);
    assert_done(
        segment_begin(s.repo, "shop", &a, (const uint8_t(*)[DOMAIN_BYTES])domains, 1, &w, err));
    assert_done(object_writer_frame(w, 0, SEGMENT_EVENTS, "events", 6, err));
    assert_done(object_writer_finish(w, &done, err));
    memcpy(last_hash, done.end_hash, sizeof last_hash);
    segment_about_clear(&a);
}

static void take_snapshot(const char *position)
{
    STAY_AUTO(snapshot_clear) struct snapshot shot = {0};
    STAY_AUTO(stay_json_drop) json_t *body = json_object();
    const struct snapshot_about about = {.method = "logical",
                                         .consistency = "exact",
                                         .position = position,
                                         .consistent_wall_us = INT64_C(1763634669000000)};
    assert_done(snapshot_begin("shop", lineage, &shot, err));
    for (uint32_t i = 1; i <= 3; i++) {
        struct object_writer *w = NULL;
        struct object_written done;
        assert_done(snapshot_object_begin(s.repo, &shot, domains[0], i, "", &w, err));
        assert_done(object_writer_write(w, 0, 1, "rows", 4, err));
        assert_done(object_writer_finish(w, &done, err));
        snapshot_add(&shot, domains[0], i, &done);
    }
    stay_json_set_string(body, "tool", "test");
    assert_done(snapshot_publish(s.repo, &shot, &about, body, err));
}

static enum repo_fault check_now(void)
{
    struct check_outcome out = {0};
    assert_done(repository_check(s.repo, 0, NULL, NULL, &out, err));
    return check_outcome_worst(&out);
}

static void it_is_known_again_without_a_key(void **state)
{
    const struct repository_spec spec = {.url = s.url};
    STAY_AUTO(catalog_clear) struct catalog c = {0};
    STAY_AUTO(repository_drop) struct repository *repo = NULL;
    (void)state;
    log_segment(1, "0-1-1", "0-1-5");
    log_segment(2, "0-1-5", "0-1-9");
    take_snapshot("0-1-7");
    assert_int_equal(check_now(), REPO_FAULT_NONE);
    assert_done(repository_open(&spec, &repo, err));
    assert_done(catalog_load(repo, "shop", NULL, NULL, &c, err));
    assert_int_equal(c.lineage_count, 1);
    assert_int_equal(c.unreadable, 0);
    const struct catalog_lineage *l = &c.lineages[0];
    assert_string_equal(l->engine, "mariadb");
    assert_int_equal(l->segment_count, 2);
    assert_int_equal(l->run_count, 1);
    assert_int_equal(l->snapshot_count, 1);
    assert_string_equal(l->snapshots[0].position, "0-1-7");
    assert_int_equal(l->snapshots[0].objects, 3);
    STAY_AUTO(stay_json_drop) json_t *json = catalog_json(&c);
    json_t *run = json_array_get(
        json_object_get(json_array_get(json_object_get(json, "lineages"), 0), "log"), 0);
    assert_string_equal(json_string_value(json_object_get(run, "before")), "0-1-1");
    assert_string_equal(json_string_value(json_object_get(run, "after")), "0-1-9");
    assert_int_equal(json_integer_value(json_object_get(run, "transactions")), 4);
}

static void a_hole_that_nobody_recorded_is_a_broken_chain(void **state)
{
    const struct gap_spec gap = {.cluster = "shop",
                                 .lineage = lineage,
                                 .after = "0-1-5",
                                 .before = "0-1-8",
                                 .reason = "purged",
                                 .detected_by = "test"};
    char id[ULID_TEXT];
    (void)state;
    log_segment(1, "0-1-1", "0-1-5");
    log_segment(2, "0-1-8", "0-1-9");
    assert_int_equal(check_now(), REPO_FAULT_BROKEN_CHAIN);
    assert_done(gap_record(s.repo, &gap, id, err));
    assert_int_equal(check_now(), REPO_FAULT_NONE);
}

static void a_segment_that_went_is_missed(void **state)
{
    STAY_AUTO(stay_free_charp)
    char *name = stay_sprintf("c/shop/l/%s/w/2025112010/00000001-0000000000000002.msl", lineage);
    STAY_AUTO(stay_free_charp) char *path = sample_path(&s, name);
    (void)state;
    log_segment(1, "0-1-1", "0-1-5");
    log_segment(2, "0-1-5", "0-1-6");
    log_segment(3, "0-1-6", "0-1-9");
    assert_int_equal(check_now(), REPO_FAULT_NONE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(check_now(), REPO_FAULT_BROKEN_CHAIN);
}

static void a_snapshot_whose_object_went_does_not_become_one(void **state)
{
    STAY_AUTO(snapshot_clear) struct snapshot shot = {0};
    STAY_AUTO(stay_json_drop) json_t *body = json_object();
    const struct snapshot_about about = {"logical", "exact", "0-1-1", 1};
    struct object_written done;
    struct object_writer *w = NULL;
    char name[OBJECT_NAME_MAX];
    (void)state;
    assert_done(snapshot_begin("shop", lineage, &shot, err));
    assert_done(snapshot_object_begin(s.repo, &shot, domains[0], 1, "", &w, err));
    assert_done(object_writer_write(w, 0, 1, "rows", 4, err));
    assert_done(object_writer_finish(w, &done, err));
    snapshot_add(&shot, domains[0], 1, &done);
    snapshot_object_name(&shot, domains[0], 1, name);
    assert_done(object_delete(s.repo->store, name, err));
    assert_fault(REPO_FAULT_MISSING, snapshot_publish(s.repo, &shot, &about, body, err));
    STAY_AUTO(catalog_clear) struct catalog c = {0};
    assert_done(catalog_load(s.repo, "shop", NULL, NULL, &c, err));
    assert_int_equal(c.lineages[0].snapshot_count, 0);
}

static void a_certificate_names_the_newest_commit_of_all(void **state)
{
    uint8_t domain[DOMAIN_BYTES];
    STAY_AUTO(stay_json_drop) json_t *first = NULL;
    (void)state;
    assert_done(repository_domain_ready(s.repo, "shop", "acme", domain, err));
    log_segment(2000, "0-1-1", "0-1-5"); /* hours later, by its name */
    log_segment(1, "0-1-5", "0-1-6");
    assert_done(erasure_shred(s.repo, "shop", "acme", &first, err));
    assert_int_equal(json_integer_value(json_object_get(first, "log_newest_commit_wall_us")),
                     INT64_C(1763634667000000) + INT64_C(2000) * 5000000 + 4000000);
    assert_int_equal(json_integer_value(json_object_get(first, "log_segments_unreadable")), 0);
}

static void lineages_are_kept_apart(void **state)
{
    const struct lineage_spec child = {
        .cluster = "shop", .engine = "mariadb", .parent = lineage, .parent_cut = "0-1-5"};
    char second[LINEAGE_ID_TEXT];
    STAY_AUTO(catalog_clear) struct catalog c = {0};
    (void)state;
    log_segment(1, "0-1-1", "0-1-5");
    assert_done(lineage_close(s.repo, "shop", lineage, "0-1-5", "restored", err));
    assert_done(lineage_create(s.repo, &child, second, err));
    assert_done(catalog_load(s.repo, "shop", NULL, NULL, &c, err));
    assert_int_equal(c.lineage_count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool is_child = strcmp(c.lineages[i].id, second) == 0;
        assert_int_equal(c.lineages[i].is_closed, !is_child);
        assert_string_equal(c.lineages[i].parent, is_child ? lineage : "");
    }
    assert_int_equal(check_now(), REPO_FAULT_NONE);
}

int main(void)
{
#define IN(test) cmocka_unit_test_setup_teardown(test, make, clear)
    const struct CMUnitTest tests[] = {
        IN(it_is_known_again_without_a_key),
        IN(a_hole_that_nobody_recorded_is_a_broken_chain),
        IN(a_segment_that_went_is_missed),
        IN(a_snapshot_whose_object_went_does_not_become_one),
        IN(a_certificate_names_the_newest_commit_of_all),
        IN(lineages_are_kept_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
