/* tests/unit/backup/repository/test_repository.c - a repository in a folder: made once, opened with
 * its key alone, and everything that can be wrong with it has its own name. */
#include "backup/catalog/repository_check.h"
#include "backup/repository/sealed_document.h"
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

/* What a check says now: "missing-object " ..., each once. */
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

static void what_was_written_is_read_with_the_key_alone(void **state)
{
    (void)state;
    sample_object(&s, SAMPLE_DATA, 5, 300000);
    assert_read(SAMPLE_DATA, 5, 300000);
    repository_close(s.repo);
    s.repo = NULL;
    const struct repository_spec spec = spec_of(&s);
    assert_done(repository_open(&spec, &s.repo, err));
    assert_string_equal(s.repo->zone, "eu-1c");
    assert_read(SAMPLE_DATA, 5, 300000);
    assert_checked(REPO_FAULT_NONE);
}

static void without_the_key_it_is_listed_and_summed_but_not_read(void **state)
{
    const struct repository_spec spec = {.url = s.url};
    struct check_outcome out;
    struct object_frame frame;
    STAY_AUTO(object_reader_drop) struct object_reader *r = NULL;
    bool more;
    (void)state;
    sample_object(&s, SAMPLE_DATA, 3, 5000);
    repository_close(s.repo);
    s.repo = NULL;
    assert_done(repository_open(&spec, &s.repo, err));
    assert_int_equal(check_now(0, &out), REPO_FAULT_NONE);
    assert_done(object_reader_open(s.repo, SAMPLE_DATA, &r, err));
    assert_done(object_reader_next(r, &frame, &more, err));
    assert_true(frame.is_sealed);
    assert_int_equal(frame.plain.length, 0);
    sample_flip(&s, SAMPLE_DATA, sample_length(&s, SAMPLE_DATA) / 2, 4);
    assert_int_equal(check_now(0, &out), REPO_FAULT_CORRUPT);
}

static void init_changes_nothing_that_is_there(void **state)
{
    const struct repository_spec spec = spec_of(&s);
    STAY_AUTO(stay_free_charp) char *folder = stay_sprintf("%s/other", s.dir);
    STAY_AUTO(stay_free_charp) char *file = stay_sprintf("%s/photo.jpg", folder);
    STAY_AUTO(stay_free_charp) char *before = NULL;
    STAY_AUTO(stay_free_charp) char *after = NULL;
    STAY_AUTO(stay_free_charp) char *repo_json = sample_path(&s, "repo.json");
    (void)state;
    assert_done(file_read(repo_json, 65536, &before, NULL, err));
    assert_fault(REPO_FAULT_ALREADY_EXISTS, repository_init(&spec, NULL, err));
    assert_fault(REPO_FAULT_ALREADY_EXISTS, master_key_create(s.key, err));
    assert_done(file_read(repo_json, 65536, &after, NULL, err));
    assert_string_equal(before, after);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_done(file_write_atomic(file, "x", 1, 0600, err));
    const struct repository_spec other = {.url = folder, .key_path = s.key};
    assert_fault(REPO_FAULT_ALREADY_EXISTS, repository_init(&other, NULL, err));
    STAY_AUTO(stay_free_charp) char *keys = stay_sprintf("%s/keys", folder);
    assert_false(file_exists(keys));
}

static void init_leaves_a_tmp_of_others_alone(void **state)
{
    STAY_AUTO(stay_free_charp) char *folder = stay_sprintf("%s/srv", s.dir);
    STAY_AUTO(stay_free_charp) char *tmp = stay_sprintf("%s/tmp", folder);
    STAY_AUTO(stay_free_charp) char *dump = stay_sprintf("%s/dump.sql", tmp);
    const struct repository_spec there = {.url = folder, .key_path = s.key};
    (void)state;
    assert_done(file_mkdir_p(tmp, 0700, err));
    assert_done(file_write_atomic(dump, "theirs", 6, 0600, err));
    assert_fault(REPO_FAULT_ALREADY_EXISTS, repository_init(&there, NULL, err));
    assert_true(file_exists(dump));
}

static void an_init_that_a_crash_ended_is_ended_by_the_next(void **state)
{
    const struct repository_spec spec = spec_of(&s);
    STAY_AUTO(stay_free_charp) char *repo_json = sample_path(&s, "repo.json");
    STAY_AUTO(stay_free_charp) char *other = stay_sprintf("%s/other.key", s.dir);
    const struct repository_spec foreign = {.url = s.url, .key_path = other};
    char id[OBJECT_ID_TEXT];
    (void)state;
    assert_done(master_key_create(other, err));
    assert_int_equal(unlink(repo_json), 0); /* the last thing that is written */
    assert_fault(REPO_FAULT_WRONG_KEY, repository_init(&foreign, NULL, err));
    assert_fault(REPO_FAULT_NOT_A_REPOSITORY,
                 repository_open(&spec, &(struct repository *){NULL}, err));
    assert_done(repository_init(&spec, id, err));
    assert_string_equal(id, s.repo->id_text);
    repository_close(s.repo);
    s.repo = NULL;
    assert_done(repository_open(&spec, &s.repo, err));
    sample_object(&s, SAMPLE_DATA, 1, 10);
    assert_checked(REPO_FAULT_NONE);
}

static void a_wrong_key_is_a_wrong_key(void **state)
{
    STAY_AUTO(stay_free_charp) char *other = stay_sprintf("%s/other.key", s.dir);
    const struct repository_spec spec = {.url = s.url, .key_path = other};
    struct repository *repo = NULL;
    (void)state;
    assert_done(master_key_create(other, err));
    assert_fault(REPO_FAULT_WRONG_KEY, repository_open(&spec, &repo, err));
}

static void the_file_of_the_key_is_closed_and_holds_a_key(void **state)
{
    static const char *const bad[] = {"", "short\n", "z123456789abcdef", "0123456789ABCDEF"};
    const struct repository_spec spec = spec_of(&s);
    struct repository *repo = NULL;
    (void)state;
    assert_int_equal(chmod(s.key, 0640), 0);
    assert_fault(REPO_FAULT_KEY_FILE, repository_open(&spec, &repo, err));
    assert_int_equal(chmod(s.key, 0600), 0);
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        assert_done(file_write_atomic(s.key, bad[i], strlen(bad[i]), 0600, err));
        assert_fault(REPO_FAULT_KEY_FILE, repository_open(&spec, &repo, err));
    }
    assert_int_equal(unlink(s.key), 0);
    assert_fault(REPO_FAULT_KEY_FILE, repository_open(&spec, &repo, err));
}

static void any_flipped_byte_of_an_object_is_found(void **state)
{
    (void)state;
    sample_object(&s, SAMPLE_DATA, 3, 200);
    off_t length = sample_length(&s, SAMPLE_DATA);
    for (off_t at = 0; at < length; at++) {
        struct stay_error why = {0};
        sample_flip(&s, SAMPLE_DATA, at, (uint8_t)(1 << at % 8));
        enum stay_rc rc = object_verify(s.repo, SAMPLE_DATA, NULL, &why);
        enum repo_fault fault = repo_fault_of(&why);
        bool version = at == 8 || at == 9; /* a version above ours, by its number */
        if (rc == STAY_OK ||
            (fault != REPO_FAULT_CORRUPT && !(version && fault == REPO_FAULT_NEWER) &&
             !(at >= 12 && at < 16 && fault == REPO_FAULT_TRUNCATED)))
            fail_msg("byte %ld of %ld: %s", (long)at, (long)length, why.text);
        sample_flip(&s, SAMPLE_DATA, at, (uint8_t)(1 << at % 8));
    }
    assert_checked(REPO_FAULT_NONE);
}

static void an_object_cut_anywhere_is_truncated(void **state)
{
    STAY_AUTO(stay_free_charp) char *path = sample_path(&s, SAMPLE_DATA);
    (void)state;
    sample_object(&s, SAMPLE_DATA, 3, 200);
    off_t length = sample_length(&s, SAMPLE_DATA);
    for (off_t at = length - 1; at >= 0; at--) {
        struct stay_error why = {0};
        assert_int_equal(truncate(path, at), 0);
        assert_int_not_equal(object_verify(s.repo, SAMPLE_DATA, NULL, &why), STAY_OK);
        if (repo_fault_of(&why) != REPO_FAULT_TRUNCATED)
            fail_msg("cut at %ld of %ld: %s", (long)at, (long)length, why.text);
    }
    assert_checked(REPO_FAULT_TRUNCATED);
}

static void an_object_of_elsewhere_is_foreign(void **state)
{
    struct sample other;
    STAY_AUTO(stay_free_charp) char *here = sample_path(&s, SAMPLE_DATA);
    STAY_AUTO(stay_free_charp) char *moved = stay_strdup(here);
    (void)state;
    sample_object(&s, SAMPLE_DATA, 1, 10);
    moved[strlen(moved) - 5] = '2'; /* 000002.mso: the same bytes under another name */
    assert_int_equal(link(here, moved), 0);
    assert_checked(REPO_FAULT_FOREIGN);
    assert_int_equal(unlink(moved), 0);
    assert_checked(REPO_FAULT_NONE);
    sample_repository(&other);
    struct sample mine = s;
    sample_object(&other, SAMPLE_DATA, 1, 10);
    STAY_AUTO(stay_free_charp) char *there = sample_path(&other, SAMPLE_DATA);
    assert_int_equal(rename(there, here), 0);
    s = mine;
    assert_checked(REPO_FAULT_FOREIGN);
    sample_remove(&other);
}

static void repo_json_cannot_be_changed_unseen(void **state)
{
    const struct repository_spec spec = spec_of(&s);
    struct repository *repo = NULL;
    STAY_AUTO(stay_free_charp) char *path = sample_path(&s, "repo.json");
    STAY_AUTO(stay_free_charp) char *text = NULL;
    (void)state;
    assert_done(file_read(path, 65536, &text, NULL, err));
    memcpy(strstr(text, "eu-1c"), "eu-1a", 5);
    assert_done(file_write_atomic(path, text, strlen(text), 0600, err));
    assert_fault(REPO_FAULT_CORRUPT, repository_open(&spec, &repo, err));
    char *version = strstr(text, "\"min_reader\":1");
    version[strlen("\"min_reader\":")] = '2';
    assert_done(file_write_atomic(path, text, strlen(text), 0600, err));
    assert_fault(REPO_FAULT_NEWER, repository_open(&spec, &repo, err));
    assert_done(file_write_atomic(path, "{", 1, 0600, err));
    assert_fault(REPO_FAULT_CORRUPT, repository_open(&spec, &repo, err));
}

static struct object_name lineage_name(void)
{
    struct object_name name = {.place = PLACE_LINEAGE};
    (void)stay_copy(name.cluster, sizeof name.cluster, "shop");
    (void)stay_copy(name.lineage, sizeof name.lineage, "00112233445566aa");
    return name;
}

static void a_document_is_read_and_any_changed_byte_of_it_is_found(void **state)
{
    struct object_name name = lineage_name();
    char text[OBJECT_NAME_MAX];
    json_t *about = json_object(), *body = json_object();
    STAY_AUTO(document_clear) struct document back = {0};
    (void)state;
    stay_json_set_int(about, "epoch", 3);
    stay_json_set_string(body, "uuid", "3e11fa47-71ca-11e1-9e33-c80aa9429562");
    assert_done(document_write(s.repo, &name, about, body, err));
    object_name_format(&name, text);
    assert_done(document_read(s.repo, text, &back, err));
    assert_int_equal(json_equal(back.body, body), 1);
    assert_int_equal(json_equal(back.about, about), 1);
    assert_done(document_write(s.repo, &name, about, body, err)); /* a retry */
    stay_json_set_int(body, "other", 1);
    assert_fault(REPO_FAULT_ALREADY_EXISTS, document_write(s.repo, &name, about, body, err));
    assert_int_equal(json_object_del(body, "other"), 0);
    off_t length = sample_length(&s, text);
    for (off_t at = 0; at < length; at++) {
        struct document d = {0};
        struct stay_error why = {0};
        sample_flip(&s, text, at, 1);
        enum stay_rc rc = document_read(s.repo, text, &d, &why);
        /* The last character of base64 may carry bits of nothing. */
        if (rc == STAY_OK && json_equal(d.body, body) != 1)
            fail_msg("byte %ld of %ld is not seen", (long)at, (long)length);
        if (rc == STAY_OK && at < length - 6)
            fail_msg("byte %ld of %ld is not seen", (long)at, (long)length);
        document_clear(&d);
        sample_flip(&s, text, at, 1);
    }
    json_decref(about);
    json_decref(body);
}

static void a_document_that_could_not_be_read_again_is_not_written(void **state)
{
    struct object_name name = lineage_name();
    STAY_AUTO(stay_json_drop) json_t *about = json_object();
    STAY_AUTO(stay_json_drop) json_t *body = json_object();
    STAY_AUTO(stay_free_charp) char *text = stay_malloc(DOCUMENT_JSON_MAX);
    struct stay_error why = {0};
    struct check_outcome out;
    (void)state;
    memset(text, 'a', DOCUMENT_JSON_MAX - 1);
    text[DOCUMENT_JSON_MAX - 1] = '\0';
    stay_json_set_string(body, "long", text);
    assert_int_equal(document_write(s.repo, &name, about, body, &why), STAY_ELIMIT);
    assert_int_equal(json_object_del(body, "long"), 0);
    stay_json_set_string(about, "long", text);
    assert_int_equal(document_write(s.repo, &name, about, body, &why), STAY_ELIMIT);
    (void)check_now(CHECK_QUICK, &out);
    assert_int_equal(out.clusters, 0);
}

static void a_writer_that_was_not_told_can_ask(void **state)
{
    struct object_sum sum;
    STAY_AUTO(object_reader_drop) struct object_reader *r = NULL;
    struct object_frame frame;
    uint8_t plain[SHA256_BYTES];
    bool more = true, is_same = false;
    STAY_AUTO(sha256_drop) struct sha256 *all = sha256_new();
    (void)state;
    sample_object(&s, SAMPLE_DATA, 2, 500);
    assert_done(object_verify(s.repo, SAMPLE_DATA, &sum, err));
    assert_done(object_reader_open(s.repo, SAMPLE_DATA, &r, err));
    while (more) {
        assert_done(object_reader_next(r, &frame, &more, err));
        sha256_add(all, frame.plain.bytes, frame.plain.length);
    }
    sha256_read(all, plain);
    assert_done(object_holds(s.repo, SAMPLE_DATA, "{\"table\":1}", 1000, plain, &is_same, err));
    assert_true(is_same);
    assert_done(object_holds(s.repo, SAMPLE_DATA, "{\"table\":2}", 1000, plain, &is_same, err));
    assert_false(is_same);
    plain[0] ^= 1;
    assert_done(object_holds(s.repo, SAMPLE_DATA, "{\"table\":1}", 1000, plain, &is_same, err));
    assert_false(is_same);
}

static void an_object_that_a_manifest_lists_is_missed(void **state)
{
    struct object_name name = object_name_parse(SAMPLE_DATA);
    STAY_AUTO(stay_json_drop) json_t *about = json_object();
    STAY_AUTO(stay_json_drop) json_t *body = json_object();
    json_t *list = json_array(), *row = json_object();
    struct object_sum sum;
    char hex[65];
    (void)state;
    sample_object(&s, SAMPLE_DATA, 1, 100);
    assert_done(object_verify(s.repo, SAMPLE_DATA, &sum, err));
    hex_format(sum.sha256, sizeof sum.sha256, hex);
    stay_json_set_string(row, "name", strstr(SAMPLE_DATA, "data/"));
    stay_json_set_int(row, "stored_len", (int64_t)sum.size);
    stay_json_set_string(row, "stored_sha256", hex);
    stay_json_append(list, row);
    stay_json_set(about, "objects", list);
    name.place = PLACE_MANIFEST;
    name.number = 0;
    name.domain[0] = '\0';
    assert_done(document_write(s.repo, &name, about, body, err));
    assert_checked(REPO_FAULT_NONE);
    STAY_AUTO(stay_free_charp) char *path = sample_path(&s, SAMPLE_DATA);
    assert_int_equal(unlink(path), 0);
    assert_checked(REPO_FAULT_MISSING);
    sample_object(&s, SAMPLE_DATA, 1, 100); /* whole, but not the one that is listed */
    assert_checked(REPO_FAULT_CORRUPT);
}

static void hostile_entries_are_named_and_left(void **state)
{
    STAY_AUTO(stay_free_charp) char *path = sample_path(&s, "c\n$(reboot)");
    STAY_AUTO(stay_free_charp) char *link_path = sample_path(&s, "keys/link");
    (void)state;
    assert_int_equal(symlink("/etc", link_path), 0);
    assert_checked(REPO_FAULT_HOSTILE_NAME);
    assert_int_equal(unlink(link_path), 0);
    assert_done(file_write_atomic(path, "x", 1, 0600, err));
    assert_checked(REPO_FAULT_HOSTILE_NAME);
    assert_true(file_exists(path));
}

int main(void)
{
#define IN(test) cmocka_unit_test_setup_teardown(test, make, clear)
    const struct CMUnitTest tests[] = {
        IN(what_was_written_is_read_with_the_key_alone),
        IN(without_the_key_it_is_listed_and_summed_but_not_read),
        IN(init_changes_nothing_that_is_there),
        IN(init_leaves_a_tmp_of_others_alone),
        IN(a_document_that_could_not_be_read_again_is_not_written),
        IN(a_writer_that_was_not_told_can_ask),
        IN(an_init_that_a_crash_ended_is_ended_by_the_next),
        IN(a_wrong_key_is_a_wrong_key),
        IN(the_file_of_the_key_is_closed_and_holds_a_key),
        IN(any_flipped_byte_of_an_object_is_found),
        IN(an_object_cut_anywhere_is_truncated),
        IN(an_object_of_elsewhere_is_foreign),
        IN(repo_json_cannot_be_changed_unseen),
        IN(a_document_is_read_and_any_changed_byte_of_it_is_found),
        IN(an_object_that_a_manifest_lists_is_missed),
        IN(hostile_entries_are_named_and_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
