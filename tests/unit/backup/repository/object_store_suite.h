/* tests/unit/backup/repository/object_store_suite.h - what every kind of store must do; each has a
 * test program that includes this and says how one is opened. */
#ifndef TESTS_UNIT_BACKUP_REPOSITORY_OBJECT_STORE_SUITE_H
#define TESTS_UNIT_BACKUP_REPOSITORY_OBJECT_STORE_SUITE_H
#include "backup/repository/object_store.h"
#include "tests/unit/backup/repository/repository_samples.h"

static struct object_store *conformance_store; /* empty before each test */

static enum stay_rc note_name(void *arg, const struct object_found *found, struct stay_error *err)
{
    (void)err;
    str_addf(arg, "%s%s=%llu ", found->strange == NULL ? "" : "!", found->name,
             (unsigned long long)found->size);
    return STAY_OK;
}

static void assert_listed(const char *prefix, const char *want)
{
    STAY_AUTO(str_clear) struct str have = {0};
    assert_done(object_list(conformance_store, prefix, note_name, &have, err));
    assert_string_equal(str_text(&have), want);
}

static void put(const char *name, const char *text)
{
    assert_done(object_put(conformance_store, name, text, strlen(text), err));
}

static void what_was_put_is_read(void **state)
{
    char bytes[16] = {0};
    size_t n = 0;
    uint64_t size = 0;
    (void)state;
    put("c/shop/one.json", "0123456789");
    assert_done(object_size(conformance_store, "c/shop/one.json", &size, err));
    assert_int_equal(size, 10);
    assert_done(object_read(conformance_store, "c/shop/one.json", 3, bytes, 4, &n, err));
    assert_int_equal(n, 4);
    assert_memory_equal(bytes, "3456", 4);
    assert_done(object_read(conformance_store, "c/shop/one.json", 8, bytes, 16, &n, err));
    assert_int_equal(n, 2);
    assert_done(object_read(conformance_store, "c/shop/one.json", 10, bytes, 16, &n, err));
    assert_int_equal(n, 0);
    assert_done(object_read(conformance_store, "c/shop/one.json", 1U << 30, bytes, 1, &n, err));
    assert_int_equal(n, 0);
    put("empty", "");
    assert_done(object_size(conformance_store, "empty", &size, err));
    assert_int_equal(size, 0);
}

static void nothing_is_ever_overwritten(void **state)
{
    STAY_AUTO(str_clear) struct str have = {0};
    (void)state;
    put("a/b", "first");
    put("a/b", "first"); /* a retry */
    assert_fault(REPO_FAULT_ALREADY_EXISTS, object_put(conformance_store, "a/b", "other", 5, err));
    assert_fault(REPO_FAULT_ALREADY_EXISTS, object_put(conformance_store, "a/b", "firs", 4, err));
    assert_done(object_read_all(conformance_store, "a/b", 100, &have, err));
    assert_string_equal(str_text(&have), "first");
    assert_listed("", "a/b=5 ");
}

static void it_is_there_only_when_it_is_whole(void **state)
{
    struct object_upload *up = NULL;
    struct object_sum sum, want;
    uint64_t size;
    (void)state;
    assert_done(object_upload_begin(conformance_store, "a/long", 0, &up, err));
    assert_done(object_upload_write(up, "half ", 5, err));
    assert_listed("", "");
    assert_fault(REPO_FAULT_MISSING, object_size(conformance_store, "a/long", &size, err));
    assert_done(object_upload_write(up, "whole", 5, err));
    assert_done(object_upload_finish(up, &sum, err));
    sha256_of("half whole", 10, want.sha256);
    assert_int_equal(sum.size, 10);
    assert_memory_equal(sum.sha256, want.sha256, SHA256_BYTES);
    assert_listed("", "a/long=10 ");
    assert_done(object_upload_begin(conformance_store, "a/never", 0, &up, err));
    assert_done(object_upload_write(up, "x", 1, err));
    object_upload_abort(up);
    assert_listed("", "a/long=10 ");
}

static void lists_are_by_name(void **state)
{
    (void)state;
    put("c/s/b", "1");
    put("c/s.b", "22");
    put("c/s-b", "333");
    put("c/s0", "4444");
    put("c/s/a/x", "");
    put("k/z", "");
    assert_listed("", "c/s-b=3 c/s.b=2 c/s/a/x=0 c/s/b=1 c/s0=4 k/z=0 ");
    assert_listed("c/s/", "c/s/a/x=0 c/s/b=1 ");
    assert_listed("none/", "");
}

static enum stay_rc stop_at_once(void *arg, const struct object_found *found,
                                 struct stay_error *err)
{
    (void)found;
    ++*(int *)arg;
    return stay_error(err, STAY_ECANCELED, "enough");
}

static void a_list_can_be_ended(void **state)
{
    int count = 0;
    struct stay_error err = {0};
    (void)state;
    put("a", "");
    put("b", "");
    assert_int_equal(object_list(conformance_store, "", stop_at_once, &count, &err),
                     STAY_ECANCELED);
    assert_int_equal(count, 1);
    assert_string_equal(err.text, "enough");
}

static void what_is_deleted_is_gone(void **state)
{
    uint64_t size;
    (void)state;
    put("a/b", "x");
    assert_done(object_delete(conformance_store, "a/b", err));
    assert_fault(REPO_FAULT_MISSING, object_size(conformance_store, "a/b", &size, err));
    assert_listed("", "");
    assert_done(object_delete(conformance_store, "a/b", err)); /* again: no error */
    assert_done(object_delete(conformance_store, "x/y/z", err));
    put("a/b", "another");
    assert_listed("", "a/b=7 ");
}

static void hostile_names_reach_no_store(void **state)
{
    static const char *const names[] = {
        "",     "/a",   "a/",      "a//b", "../a",     "a/../b", "./a",   "a/.", "A",    "a b",
        "a\nb", "a\\b", ".hidden", "a/.b", "\xc3\xa9", "-a",     "a/-rf", "a*",  "a%2f", "a:b"};
    char byte;
    size_t n;
    uint64_t size;
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        assert_fault(REPO_FAULT_HOSTILE_NAME, object_put(conformance_store, names[i], "x", 1, err));
        assert_fault(REPO_FAULT_HOSTILE_NAME,
                     object_read(conformance_store, names[i], 0, &byte, 1, &n, err));
        assert_fault(REPO_FAULT_HOSTILE_NAME, object_size(conformance_store, names[i], &size, err));
        assert_fault(REPO_FAULT_HOSTILE_NAME, object_delete(conformance_store, names[i], err));
    }
    assert_listed("", "");
}

static void a_big_object_comes_back_as_it_was(void **state)
{
    const size_t length = 9 * 1024 * 1024 + 17; /* more than one part of S3 */
    uint8_t *bytes = stay_malloc(length), *have = stay_malloc(length);
    struct object_upload *up = NULL;
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)((i * 2654435761U) >> 11); /* no two parts alike */
    assert_done(object_upload_begin(conformance_store, "big", length, &up, err));
    for (size_t at = 0; at < length; at += 700001)
        assert_done(
            object_upload_write(up, bytes + at, length - at < 700001 ? length - at : 700001, err));
    assert_done(object_upload_finish(up, NULL, err));
    assert_done(object_read(conformance_store, "big", 0, have, length, &n, err));
    assert_int_equal(n, length);
    assert_int_equal(memcmp(bytes, have, length), 0);
    free(bytes);
    free(have);
}

#define CONFORMANCE(setup, teardown)                                                               \
    cmocka_unit_test_setup_teardown(what_was_put_is_read, setup, teardown),                        \
        cmocka_unit_test_setup_teardown(nothing_is_ever_overwritten, setup, teardown),             \
        cmocka_unit_test_setup_teardown(it_is_there_only_when_it_is_whole, setup, teardown),       \
        cmocka_unit_test_setup_teardown(lists_are_by_name, setup, teardown),                       \
        cmocka_unit_test_setup_teardown(a_list_can_be_ended, setup, teardown),                     \
        cmocka_unit_test_setup_teardown(what_is_deleted_is_gone, setup, teardown),                 \
        cmocka_unit_test_setup_teardown(hostile_names_reach_no_store, setup, teardown),            \
        cmocka_unit_test_setup_teardown(a_big_object_comes_back_as_it_was, setup, teardown)

#endif
