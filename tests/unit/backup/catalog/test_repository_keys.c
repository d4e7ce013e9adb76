/* tests/unit/backup/catalog/test_repository_keys.c - keys are sealed anew without touching data,
 * and a tenant's are destroyed without touching another's, whatever happens in the middle. */
#include "backup/catalog/erasure.h"
#include "backup/catalog/repository_check.h"
#include "tests/unit/backup/repository/repository_samples.h"

static struct sample s;

static int make(void **state)
{
    (void)state;
    sample_repository(&s);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    sample_remove(&s);
    return 0;
}

static struct repository_spec spec_of(const struct sample *of)
{
    return (struct repository_spec){.url = of->url, .key_path = of->key};
}

static enum repo_fault check_now(unsigned flags, struct check_outcome *out)
{
    assert_done(repository_check(s.repo, flags, NULL, NULL, out, err));
    return check_outcome_worst(out);
}

static void assert_checked(enum repo_fault want)
{
    struct check_outcome out;
    enum repo_fault have = check_now(0, &out);
    if (have != want)
        fail_msg("the check says '%s', not '%s'", repo_fault_name(have), repo_fault_name(want));
}

static void assert_read(const char *name, size_t frames, size_t length)
{
    STAY_AUTO(object_reader_drop) struct object_reader *r = NULL;
    struct object_frame frame;
    bool more = true;
    size_t count = 0;
    assert_done(object_reader_open(s.repo, name, &r, err));
    assert_string_equal(object_reader_header(r)->about, "{\"table\":1}");
    for (;;) {
        assert_done(object_reader_next(r, &frame, &more, err));
        if (!more)
            break;
        count++;
        assert_false(frame.is_sealed);
        assert_int_equal(frame.header.type, 7);
        assert_int_equal(frame.plain.length, length);
    }
    assert_int_equal(count, frames);
    assert_int_equal(object_reader_plain_length(r), frames * length);
}

static void rotation_seals_keys_anew_and_rewrites_nothing(void **state)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/second.key", s.dir);
    STAY_AUTO(master_key_clear) struct master_key second = {0};
    const struct repository_spec with_old = spec_of(&s);
    const struct repository_spec with_new = {.url = s.url, .key_path = path};
    struct object_sum before, after;
    uint32_t count = 0, generation = 0;
    struct repository *repo = NULL;
    (void)state;
    sample_object(&s, SAMPLE_DATA, 2, 1000);
    assert_done(object_verify(s.repo, SAMPLE_DATA, &before, err));
    assert_done(repository_rotate(s.repo, "shop", NULL, &generation, err));
    assert_true(generation > 100000000); /* seconds: no number is given twice */
    assert_done(master_key_create(path, err));
    assert_done(master_key_load(path, &second, err));
    assert_done(key_ring_reseal(s.repo->ring, &second, &count, err));
    assert_int_equal(count, 4); /* names, signing, two generations of shop */
    repository_close(s.repo);
    s.repo = NULL;
    assert_fault(REPO_FAULT_WRONG_KEY, repository_open(&with_old, &repo, err));
    assert_done(repository_open(&with_new, &s.repo, err));
    assert_read(SAMPLE_DATA, 2, 1000);
    assert_done(object_verify(s.repo, SAMPLE_DATA, &after, err));
    assert_memory_equal(before.sha256, after.sha256, SHA256_BYTES);
    assert_checked(REPO_FAULT_NONE);
}

/* Every object of keys/ as a test may lose it. */
static enum stay_rc seal_by_hand(void *arg, const struct key_entry *entry, struct stay_error *err)
{
    static const uint8_t nonce[AEAD_NONCE_BYTES] = {1};
    const struct master_key *master = arg;
    struct object_name name = entry->name;
    char text[OBJECT_NAME_MAX];
    STAY_AUTO(stay_free_charp) char *record = key_record_encode(&entry->record, master, nonce);
    (void)stay_copy(name.master, sizeof name.master, master->id);
    object_name_format(&name, text);
    return object_put(s.repo->store, text, record, strlen(record), err);
}

static void a_rotation_that_a_crash_ended_is_ended_by_the_next(void **state)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/second.key", s.dir);
    STAY_AUTO(master_key_clear) struct master_key second = {0};
    const struct repository_spec with_old = spec_of(&s);
    const struct repository_spec with_new = {.url = s.url, .key_path = path};
    struct repository *repo = NULL;
    uint32_t count = 9;
    (void)state;
    sample_object(&s, SAMPLE_DATA, 2, 1000);
    assert_done(master_key_create(path, err));
    assert_done(master_key_load(path, &second, err));
    /* All are sealed with both, none is removed yet: it opens with either. */
    assert_done(key_ring_list(s.repo->ring, seal_by_hand, &second, err));
    assert_done(repository_open(&with_new, &repo, err));
    repository_close(repo);
    assert_done(key_ring_reseal(s.repo->ring, &second, &count, err));
    assert_int_equal(count, 0);
    assert_fault(REPO_FAULT_WRONG_KEY, repository_open(&with_old, &repo, err));
    repository_close(s.repo);
    s.repo = NULL;
    assert_done(repository_open(&with_new, &s.repo, err));
    assert_checked(REPO_FAULT_NONE);
    assert_read(SAMPLE_DATA, 2, 1000);
}

/* Under a tenant's own domain. */
static void put_tenant(const char *tenant, const char *name)
{
    uint8_t domains[1][DOMAIN_BYTES];
    struct object_writer *w = NULL;
    assert_done(repository_domain_ready(s.repo, "shop", tenant, domains[0], err));
    const struct object_spec spec = {.name = name,
                                     .kind = OBJECT_DATA,
                                     .about = "",
                                     .domain_count = 1,
                                     .domains = (const uint8_t(*)[DOMAIN_BYTES])domains};
    assert_done(object_writer_begin(s.repo, &spec, &w, err));
    assert_done(object_writer_write(w, 0, 1, tenant, strlen(tenant), err));
    assert_done(object_writer_finish(w, NULL, err));
}

static void tenant_object(const char *tenant, char name[OBJECT_NAME_MAX])
{
    struct object_name n = object_name_parse(SAMPLE_DATA);
    uint8_t domain[DOMAIN_BYTES];
    assert_done(repository_domain(s.repo, "shop", tenant, domain, err));
    hex_format(domain, sizeof domain, n.domain);
    object_name_format(&n, name);
}

static bool is_readable(const char *name)
{
    STAY_AUTO(object_reader_drop) struct object_reader *r = NULL;
    struct object_frame frame;
    bool more;
    assert_done(object_reader_open(s.repo, name, &r, err));
    assert_done(object_reader_next(r, &frame, &more, err));
    return !frame.is_sealed;
}

/* As a writer would that looked before the domain was destroyed. */
static void put_back_a_key(const json_t *certificate)
{
    static const uint8_t nonce[AEAD_NONCE_BYTES] = {2};
    struct key_record record = {.purpose = KEY_TENANT, .generation = 3, .cluster = "shop"};
    struct object_name name = {.place = PLACE_KEY, .generation = 3};
    const struct master_key *master = key_ring_master(s.repo->ring);
    char text[OBJECT_NAME_MAX];
    const char *domain = json_string_value(json_object_get(certificate, "domain"));
    (void)stay_copy(record.tenant, sizeof record.tenant, "acme");
    (void)stay_copy(name.domain, sizeof name.domain, domain);
    (void)stay_copy(name.master, sizeof name.master, master->id);
    memcpy(record.repo, s.repo->id, REPO_ID_BYTES);
    assert_true(hex_parse(domain, record.domain, DOMAIN_BYTES));
    STAY_AUTO(stay_free_charp) char *json = key_record_encode(&record, master, nonce);
    object_name_format(&name, text);
    assert_done(object_put(s.repo->store, text, json, strlen(json), err));
}

static void a_shredded_tenant_is_gone_and_no_other(void **state)
{
    char acme[OBJECT_NAME_MAX], zeta[OBJECT_NAME_MAX];
    uint8_t domain[DOMAIN_BYTES];
    uint32_t generation = 0;
    struct check_outcome out;
    STAY_AUTO(stay_json_drop) json_t *certificate = NULL;
    STAY_AUTO(stay_json_drop) json_t *again = NULL;
    struct stay_error why = {0};
    (void)state;
    assert_done(repository_domain_ready(s.repo, "shop", NULL, domain, err));
    tenant_object("acme", acme);
    tenant_object("zeta", zeta);
    assert_string_not_equal(acme, zeta);
    assert_fault(REPO_FAULT_KEY_MISSING, erasure_shred(s.repo, "shop", "acme", &again, err));
    put_tenant("acme", acme);
    put_tenant("zeta", zeta);
    assert_done(repository_rotate(s.repo, "shop", "acme", &generation, err));
    assert_true(is_readable(acme));
    assert_done(erasure_shred(s.repo, "shop", "acme", &certificate, err));
    assert_int_equal(json_integer_value(json_object_get(certificate, "generations")), 2);
    assert_int_equal(json_integer_value(json_object_get(certificate, "objects_unreadable")), 1);
    assert_true(erasure_is_good(s.repo, certificate));
    assert_false(is_readable(acme));
    assert_true(is_readable(zeta));
    assert_int_equal(check_now(0, &out), REPO_FAULT_NONE);
    assert_int_equal(out.unreadable, 1);
    assert_int_equal(repository_domain_ready(s.repo, "shop", "acme", domain, &why), STAY_EREFUSED);
    put_back_a_key(certificate);
    assert_checked(REPO_FAULT_STORE);
    assert_done(erasure_shred(s.repo, "shop", "acme", &again, err)); /* as after a crash */
    assert_checked(REPO_FAULT_NONE);
    stay_json_set_int(certificate, "objects_unreadable", 2);
    assert_false(erasure_is_good(s.repo, certificate));
}

/* Names the key of a cluster and its only generation. */
static char *key_path(const char *cluster)
{
    struct object_name name = {.place = PLACE_KEY};
    uint8_t domain[DOMAIN_BYTES];
    char text[OBJECT_NAME_MAX];
    assert_done(repository_domain(s.repo, cluster, NULL, domain, err));
    assert_done(key_ring_current(s.repo->ring, domain, &name.generation, err));
    hex_format(domain, sizeof domain, name.domain);
    (void)stay_copy(name.master, sizeof name.master, key_ring_master(s.repo->ring)->id);
    object_name_format(&name, text);
    return sample_path(&s, text);
}

static void a_lost_key_is_no_destroyed_one(void **state)
{
    const struct repository_spec spec = spec_of(&s);
    struct object_reader *r = NULL;
    (void)state;
    sample_object(&s, SAMPLE_DATA, 1, 100);
    STAY_AUTO(stay_free_charp) char *path = key_path("shop");
    assert_int_equal(unlink(path), 0);
    repository_close(s.repo); /* which still knew it */
    s.repo = NULL;
    assert_done(repository_open(&spec, &s.repo, err));
    assert_fault(REPO_FAULT_KEY_MISSING, object_reader_open(s.repo, SAMPLE_DATA, &r, err));
    assert_checked(REPO_FAULT_KEY_MISSING);
    uint8_t domain[DOMAIN_BYTES]; /* nor is a first one made again */
    assert_fault(REPO_FAULT_KEY_MISSING,
                 repository_domain_ready(s.repo, "shop", NULL, domain, err));
}

static void a_number_is_never_given_twice(void **state)
{
    struct object_name name = {.place = PLACE_KEY, .generation = UINT32_MAX};
    uint8_t domain[DOMAIN_BYTES];
    uint32_t first = 0, second = 0, third = 0;
    char text[OBJECT_NAME_MAX];
    (void)state;
    assert_done(repository_domain_ready(s.repo, "shop", "acme", domain, err));
    assert_done(key_ring_current(s.repo->ring, domain, &first, err));
    assert_done(repository_rotate(s.repo, "shop", "acme", &second, err)); /* in the same second */
    assert_true(second > first);
    hex_format(domain, sizeof domain, name.domain);
    (void)stay_copy(name.master, sizeof name.master, key_ring_master(s.repo->ring)->id);
    object_name_format(&name, text);
    assert_done(object_put(s.repo->store, text, "", 0, err));
    assert_fault(REPO_FAULT_HOSTILE_NAME, repository_rotate(s.repo, "shop", "acme", &third, err));
}

static void what_a_killed_rotation_left_goes_with_the_tenant(void **state)
{
    STAY_AUTO(stay_free_charp)
    char *left = sample_path(&s, "tmp/00112233445566778899aabbccddeeff");
    STAY_AUTO(stay_free_charp) char *others = sample_path(&s, "tmp/not-ours");
    uint8_t domain[DOMAIN_BYTES];
    STAY_AUTO(stay_json_drop) json_t *certificate = NULL;
    (void)state;
    assert_done(repository_domain_ready(s.repo, "shop", "acme", domain, err));
    assert_done(file_write_atomic(left, "a key", 5, 0600, err));
    assert_done(file_write_atomic(others, "x", 1, 0600, err));
    assert_done(erasure_shred(s.repo, "shop", "acme", &certificate, err));
    assert_false(file_exists(left));
    assert_true(file_exists(others));
}

/* A label as a later version may write it. */
static void put_key(const char *label, uint8_t domain[DOMAIN_BYTES])
{
    static const uint8_t nonce[AEAD_NONCE_BYTES] = {3};
    const struct master_key *master = key_ring_master(s.repo->ring);
    struct key_record record = {.generation = 5, .purpose = KEY_TENANT};
    struct object_name name = {.place = PLACE_KEY, .generation = 5};
    char text[OBJECT_NAME_MAX];
    assert_done(repository_domain(s.repo, "shop", label, domain, err)); /* any */
    memcpy(record.repo, s.repo->id, REPO_ID_BYTES);
    memcpy(record.domain, domain, DOMAIN_BYTES);
    (void)stay_copy(record.label, sizeof record.label, label);
    hex_format(domain, DOMAIN_BYTES, name.domain);
    (void)stay_copy(name.master, sizeof name.master, master->id);
    object_name_format(&name, text);
    STAY_AUTO(stay_free_charp) char *json = key_record_encode(&record, master, nonce);
    assert_done(object_put(s.repo->store, text, json, strlen(json), err));
}

static enum stay_rc find_label(void *arg, const struct key_entry *entry, struct stay_error *err)
{
    (void)err;
    *(int *)arg += strstr(entry->record.label, "\"owner\":\"x\"") != NULL;
    return STAY_OK;
}

static void what_a_later_version_says_of_a_key_is_kept(void **state)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/second.key", s.dir);
    STAY_AUTO(master_key_clear) struct master_key second = {0};
    uint8_t domain[DOMAIN_BYTES];
    uint32_t count = 0;
    int found = 0;
    (void)state;
    put_key("{\"cluster\":\"shop\",\"owner\":\"x\",\"purpose\":\"tenant\",\"tenant\":\"a\"}",
            domain);
    assert_done(master_key_create(path, err));
    assert_done(master_key_load(path, &second, err));
    assert_done(key_ring_reseal(s.repo->ring, &second, &count, err));
    assert_done(key_ring_list(s.repo->ring, find_label, &found, err));
    assert_int_equal(found, 1);
    put_key("{\"purpose\":\"escrow\"}", domain);
    assert_checked(REPO_FAULT_NEWER);
}

static void any_name_of_a_tenant_has_a_key(void **state)
{
    char name[KEY_TENANT_MAX + 1];
    uint8_t domain[DOMAIN_BYTES], other[DOMAIN_BYTES];
    struct stay_error why = {0};
    (void)state;
    memset(name, 1, sizeof name);
    name[KEY_TENANT_MAX] = '\0';
    assert_int_equal(repository_domain_ready(s.repo, "shop", name, domain, &why), STAY_EINVALID);
    assert_int_equal(repository_domain_ready(s.repo, "shop", "", domain, &why), STAY_EINVALID);
    name[KEY_TENANT_MAX - 1] = '\0';
    assert_done(repository_domain_ready(s.repo, "shop", name, domain, err));
    assert_done(repository_domain_ready(s.repo, "shop", "a/../\xff\n", other, err));
    assert_memory_not_equal(domain, other, sizeof domain);
    assert_checked(REPO_FAULT_NONE);
}

int main(void)
{
#define IN(test) cmocka_unit_test_setup_teardown(test, make, clear)
    const struct CMUnitTest tests[] = {
        IN(rotation_seals_keys_anew_and_rewrites_nothing),
        IN(a_rotation_that_a_crash_ended_is_ended_by_the_next),
        IN(a_lost_key_is_no_destroyed_one),
        IN(a_number_is_never_given_twice),
        IN(what_a_killed_rotation_left_goes_with_the_tenant),
        IN(what_a_later_version_says_of_a_key_is_kept),
        IN(any_name_of_a_tenant_has_a_key),
        IN(a_shredded_tenant_is_gone_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
