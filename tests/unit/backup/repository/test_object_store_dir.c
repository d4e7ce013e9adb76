/* tests/unit/backup/repository/test_object_store_dir.c - a directory as a store: the suite of all
 * stores, then what only a directory can do wrong: links, devices, leftovers, a full disk, a crash
 * in the middle. */
#include "tests/unit/backup/repository/object_store_suite.h"
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <utime.h>

static struct sample sample;

static int open_store(void **state)
{
    (void)state;
    sample_folder(&sample);
    assert_done(object_store_open(sample.url, OBJECT_STORE_CREATE, &conformance_store, err));
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    object_store_close(conformance_store);
    sample_remove(&sample);
    return 0;
}

static void a_planted_link_leads_nowhere(void **state)
{
    STAY_AUTO(stay_free_charp) char *outside = stay_sprintf("%s/outside", sample.dir);
    STAY_AUTO(stay_free_charp) char *file = stay_sprintf("%s/secret", outside);
    STAY_AUTO(stay_free_charp) char *folder = sample_path(&sample, "c");
    STAY_AUTO(stay_free_charp) char *object = sample_path(&sample, "linked.json");
    STAY_AUTO(stay_free_charp) char *pipe = sample_path(&sample, "pipe.json");
    STAY_AUTO(stay_free_charp) char *odd = sample_path(&sample, "UPPER\n..");
    char bytes[8];
    size_t n;
    (void)state;
    assert_int_equal(mkdir(outside, 0700), 0);
    assert_done(file_write_atomic(file, "secret", 6, 0600, err));
    assert_int_equal(symlink(outside, folder), 0);
    assert_int_equal(symlink(file, object), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_done(file_write_atomic(odd, "x", 1, 0600, err));
    assert_fault(REPO_FAULT_HOSTILE_NAME,
                 object_read(conformance_store, "c/secret", 0, bytes, 6, &n, err));
    assert_fault(REPO_FAULT_HOSTILE_NAME,
                 object_read(conformance_store, "linked.json", 0, bytes, 6, &n, err));
    assert_fault(REPO_FAULT_HOSTILE_NAME,
                 object_read(conformance_store, "pipe.json", 0, bytes, 6, &n, err));
    assert_fault(REPO_FAULT_HOSTILE_NAME, object_put(conformance_store, "c/new", "x", 1, err));
    assert_fault(REPO_FAULT_HOSTILE_NAME, object_delete(conformance_store, "c/secret", err));
    assert_true(file_exists(file));
    STAY_AUTO(str_clear) struct str have = {0};
    assert_done(object_list(conformance_store, "", note_name, &have, err));
    assert_non_null(strstr(str_text(&have), "!UPPER\\x0a..=1 "));
    assert_non_null(strstr(str_text(&have), "!c="));
    assert_non_null(strstr(str_text(&have), "!linked.json="));
    assert_non_null(strstr(str_text(&have), "!pipe.json="));
}

static size_t count_tmp(void)
{
    STAY_AUTO(str_clear) struct str have = {0};
    size_t count = 0;
    assert_done(object_list(conformance_store, "tmp/", note_name, &have, err));
    for (const char *p = str_text(&have); (p = strchr(p, '=')) != NULL; p++)
        count++;
    return count;
}

static void leftovers_of_the_dead_are_removed_others_not(void **state)
{
    STAY_AUTO(stay_free_charp)
    char *dead = sample_path(&sample, "tmp/00000000000000000000000000000001");
    STAY_AUTO(stay_free_charp)
    char *young = sample_path(&sample, "tmp/00000000000000000000000000000002");
    struct object_store *second = NULL;
    struct object_upload *up = NULL;
    const struct utimbuf old = {1000000000, 1000000000};
    (void)state;
    put("x", "y");
    assert_done(object_upload_begin(conformance_store, "alive", 0, &up, err));
    assert_done(file_write_atomic(dead, "half", 4, 0600, err));
    assert_done(file_write_atomic(young, "half", 4, 0600, err));
    assert_int_equal(utime(dead, &old), 0);
    STAY_AUTO(stay_free_charp) char *others = sample_path(&sample, "tmp/dump.sql");
    assert_done(file_write_atomic(others, "theirs", 6, 0600, err));
    assert_int_equal(utime(others, &old), 0);
    assert_int_equal(count_tmp(), 4);
    assert_done(object_store_open(sample.url, 0, &second, err));
    assert_done(object_put(second, "z", "z", 1, err));
    assert_int_equal(count_tmp(), 3);
    assert_false(file_exists(dead));
    assert_true(file_exists(others));
    assert_done(object_store_sweep(second, err)); /* whatever its age; who lives keeps his */
    assert_int_equal(count_tmp(), 2);
    assert_false(file_exists(young));
    object_store_close(second);
    assert_done(object_upload_finish(up, NULL, err));
    assert_listed("", "alive=0 x=1 z=1 ");
}

static void a_full_disk_leaves_nothing(void **state)
{
    struct rlimit before, small;
    char bytes[8192] = {0};
    (void)state;
    put("before", "here");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_fault(REPO_FAULT_FULL, object_put(conformance_store, "big", bytes, sizeof bytes, err));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_fault(REPO_FAULT_FULL, object_upload_begin(conformance_store, "huge", UINT64_C(1) << 60,
                                                      &(struct object_upload *){NULL}, err));
    assert_int_equal(count_tmp(), 0);
    assert_listed("", "before=4 ");
}

/* Writes objects until it is killed; each is whole when it is there. */
_Noreturn static void write_for_ever(int from)
{
    struct object_store *store = NULL;
    char name[64], bytes[50000];
    if (object_store_open(sample.url, 0, &store, NULL) != STAY_OK)
        _exit(1);
    for (int i = from;; i++) {
        (void)snprintf(name, sizeof name, "c/%d/%d", i % 7, i);
        memset(bytes, 'a' + i % 26, sizeof bytes);
        if (object_put(store, name, bytes, sizeof bytes, NULL) != STAY_OK)
            _exit(2);
    }
}

static enum stay_rc check_whole(void *arg, const struct object_found *found, struct stay_error *err)
{
    static char bytes[50001];
    size_t n = 0;
    assert_null(found->strange);
    enum stay_rc rc = object_read(conformance_store, found->name, 0, bytes, sizeof bytes, &n, err);
    assert_int_equal(rc, STAY_OK);
    assert_int_equal(n, 50000);
    assert_int_equal(bytes[0], bytes[49999]);
    ++*(int *)arg;
    return STAY_OK;
}

static void a_writer_killed_at_any_moment_leaves_whole_objects(void **state)
{
    int seen = 0;
    (void)state;
    for (int round = 0; round < 20; round++) {
        pid_t child = fork();
        int status = 0;
        assert_true(child >= 0);
        if (child == 0)
            write_for_ever(round * 100000);
        (void)usleep(3000 + (unsigned)round * 731);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status)); /* it did not end by itself */
    }
    assert_done(object_list(conformance_store, "", check_whole, &seen, err));
    print_message("%d objects, %zu left in tmp\n", seen, count_tmp());
}

static void two_writers_of_one_name_leave_one(void **state)
{
    struct object_store *second = NULL;
    struct object_upload *ours = NULL, *theirs = NULL;
    STAY_AUTO(str_clear) struct str have = {0};
    (void)state;
    assert_done(object_store_open(sample.url, 0, &second, err));
    assert_done(object_upload_begin(conformance_store, "c/one", 0, &ours, err));
    assert_done(object_upload_begin(second, "c/one", 0, &theirs, err));
    assert_done(object_upload_write(ours, "ours", 4, err));
    assert_done(object_upload_write(theirs, "theirs", 6, err));
    assert_done(object_upload_finish(theirs, NULL, err));
    assert_fault(REPO_FAULT_ALREADY_EXISTS, object_upload_finish(ours, NULL, err));
    assert_done(object_read_all(conformance_store, "c/one", 100, &have, err));
    assert_string_equal(str_text(&have), "theirs");
    object_store_close(second);
}

/* As another user in a child: names can be read, what they are cannot. */
static void a_list_that_cannot_be_whole_is_an_error(void **state)
{
    STAY_AUTO(stay_free_charp) char *folder = sample_path(&sample, "c");
    STAY_AUTO(stay_free_charp) char *root = sample_path(&sample, "");
    int status = 0, count = 0;
    (void)state;
    put("c/one", "x");
    assert_int_equal(chmod(folder, 0744), 0);
    assert_int_equal(chmod(root, 0755), 0);
    assert_int_equal(chmod(sample.dir, 0755), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct stay_error why = {0};
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(77);
        if (object_list(conformance_store, "", stop_at_once, &count, &why) == STAY_OK)
            _exit(1);
        _exit(repo_fault_of(&why) == REPO_FAULT_STORE ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void what_is_no_store_is_named(void **state)
{
    struct object_store *store = NULL;
    struct stay_error why = {0};
    (void)state;
    assert_fault(REPO_FAULT_NOT_A_REPOSITORY, object_store_open("/nowhere/at/all", 0, &store, err));
    assert_int_equal(object_store_open("relative/path", 0, &store, &why), STAY_EINVALID);
    assert_non_null(strstr(why.text, "file:///path"));
    assert_int_equal(object_store_open("s3://bucket/x", 0, &store, &why), STAY_EINVALID);
}

int main(void)
{
#define IN(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)
    const struct CMUnitTest tests[] = {
        CONFORMANCE(open_store, close_store),
        IN(a_planted_link_leads_nowhere),
        IN(leftovers_of_the_dead_are_removed_others_not),
        IN(a_full_disk_leaves_nothing),
        IN(a_writer_killed_at_any_moment_leaves_whole_objects),
        IN(a_list_that_cannot_be_whole_is_an_error),
        IN(two_writers_of_one_name_leave_one),
        IN(what_is_no_store_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
