/* tests/unit/backup/catalog/test_repository_copy.c - a second repository holds the same, may be
 * made in pieces, follows destroyed keys, and takes over nothing that is damaged. */
#include "backup/catalog/erasure.h"
#include "backup/catalog/lineage.h"
#include "backup/catalog/repository_check.h"
#include "backup/catalog/repository_copy.h"
#include "tests/unit/backup/repository/repository_samples.h"

static struct sample s;
static char url[96];

static int make(void **state)
{
    char lineage[LINEAGE_ID_TEXT];
    const struct lineage_spec spec = {.cluster = "shop", .engine = "mysql"};
    uint8_t domain[DOMAIN_BYTES];
    (void)state;
    sample_repository(&s);
    sample_object(&s, SAMPLE_DATA, 5, 300000);
    assert_done(repository_domain_ready(s.repo, "shop", "acme", domain, err));
    assert_done(lineage_create(s.repo, &spec, lineage, err));
    (void)snprintf(url, sizeof url, "file://%s/second", s.dir);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    sample_remove(&s);
    return 0;
}

static struct copy_outcome copy(void)
{
    struct copy_outcome out = {0};
    assert_done(repository_copy(s.repo, url, NULL, NULL, &out, err));
    return out;
}

static struct check_outcome check_copy(void)
{
    const struct repository_spec spec = {.url = url, .key_path = s.key};
    STAY_AUTO(repository_drop) struct repository *repo = NULL;
    struct check_outcome out = {0};
    assert_done(repository_open(&spec, &repo, err));
    assert_done(repository_check(repo, 0, NULL, NULL, &out, err));
    return out;
}

static void the_copy_is_a_repository_by_itself(void **state)
{
    (void)state;
    struct copy_outcome out = copy();
    assert_int_equal(out.refused, 0);
    assert_int_equal(out.objects, 7); /* four keys, rows, lineage, repo.json */
    struct check_outcome seen = check_copy();
    assert_int_equal(seen.fault_count, 0);
    assert_int_equal(seen.objects, 7);
    out = copy();
    assert_int_equal(out.objects, 0);
    assert_int_equal(out.there, 7);
}

static void a_copy_that_ended_early_is_ended_by_the_next(void **state)
{
    STAY_AUTO(stay_free_charp) char *repo_json = stay_sprintf("%s/second/repo.json", s.dir);
    (void)state;
    (void)copy();
    assert_int_equal(unlink(repo_json), 0);
    assert_int_equal(copy().objects, 1);
    assert_int_equal(check_copy().fault_count, 0);
}

static void what_is_damaged_is_not_copied(void **state)
{
    STAY_AUTO(stay_free_charp) char *there = stay_sprintf("%s/second/%s", s.dir, SAMPLE_DATA);
    (void)state;
    sample_flip(&s, SAMPLE_DATA, sample_length(&s, SAMPLE_DATA) / 2, 1);
    assert_int_equal(copy().refused, 1);
    assert_false(file_exists(there));
    sample_flip(&s, SAMPLE_DATA, sample_length(&s, SAMPLE_DATA) / 2, 1);
    assert_int_equal(copy().objects, 1);
    assert_int_equal(check_copy().fault_count, 0);
}

static void destroyed_keys_go_from_the_copy_too(void **state)
{
    STAY_AUTO(stay_json_drop) json_t *certificate = NULL;
    (void)state;
    (void)copy();
    assert_done(erasure_shred(s.repo, "shop", "acme", &certificate, err));
    assert_int_equal(copy().keys_removed, 1);
    struct check_outcome seen = check_copy();
    assert_int_equal(seen.fault_count, 0);
    assert_int_equal(seen.keys, 3);
}

static void another_repository_is_left_as_it_is(void **state)
{
    struct sample other;
    struct copy_outcome out;
    STAY_AUTO(stay_free_charp) char *photos = stay_sprintf("%s/photos", s.dir);
    STAY_AUTO(stay_free_charp) char *file = stay_sprintf("%s/one.jpg", photos);
    (void)state;
    sample_repository(&other);
    assert_fault(REPO_FAULT_FOREIGN, repository_copy(s.repo, other.url, NULL, NULL, &out, err));
    sample_remove(&other);
    assert_int_equal(mkdir(photos, 0700), 0);
    assert_done(file_write_atomic(file, "x", 1, 0600, err));
    assert_fault(REPO_FAULT_FOREIGN, repository_copy(s.repo, photos, NULL, NULL, &out, err));
}

int main(void)
{
#define IN(test) cmocka_unit_test_setup_teardown(test, make, clear)
    const struct CMUnitTest tests[] = {
        IN(the_copy_is_a_repository_by_itself),  IN(a_copy_that_ended_early_is_ended_by_the_next),
        IN(what_is_damaged_is_not_copied),       IN(destroyed_keys_go_from_the_copy_too),
        IN(another_repository_is_left_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
