/* tests/unit/base/io/test_file.c - files replaced whole or not at all, bounded reads, secrets that
 * others can read refused with the repair named. */
#include "base/io/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[64];

static int setup(void **state)
{
    (void)state;
    (void)stay_copy(dir, sizeof dir, "/tmp/test-file-XXXXXX");
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static const char *in_dir(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void assert_content(const char *path, const char *want)
{
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(file_read(path, 1000, &text, &length, NULL), STAY_OK);
    assert_string_equal(text, want);
    assert_int_equal(length, strlen(want));
    free(text);
}

static int teardown(void **state)
{
    static const char *const names[] = {"f", "g", "s", "a/b/c", "a/b", "a"};
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(names); i++)
        (void)remove(in_dir(names[i]));
    return rmdir(dir); /* fails when something, such as a .part, was left */
}

static void write_replaces_the_whole_file_with_its_mode(void **state)
{
    struct stat st;
    (void)state;
    const char *path = in_dir("f");
    assert_false(file_exists(path));
    assert_int_equal(file_write_atomic(path, "first, longer", 13, 0644, NULL), STAY_OK);
    assert_content(path, "first, longer");
    assert_int_equal(file_write_atomic(path, "second", 6, 0600, NULL), STAY_OK);
    assert_content(path, "second");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(file_exists(path));
    assert_int_equal(file_write_atomic(path, "", 0, 0600, NULL), STAY_OK);
    assert_content(path, "");
}

static void failed_write_names_the_place_and_leaves_nothing(void **state)
{
    struct stay_error err = {0};
    (void)state;
    assert_int_equal(file_write_atomic("/nonexistent/x", "y", 1, 0600, &err), STAY_ESYSTEM);
    assert_non_null(strstr(err.text, "/nonexistent/x"));
    assert_int_equal(err.native, ENOENT);
    assert_int_equal(mkdir(in_dir("a"), 0700), 0);
    assert_int_equal(mkdir(in_dir("a/b"), 0700), 0);
    assert_int_equal(file_write_atomic(in_dir("a"), "y", 1, 0600, &err), STAY_ESYSTEM);
    assert_non_null(strstr(err.text, "rename"));
}

static void read_is_bounded_and_only_of_regular_files(void **state)
{
    char *text = NULL;
    struct stay_error err = {0};
    (void)state;
    const char *path = in_dir("f");
    char large[20000];
    memset(large, 'x', sizeof large);
    assert_int_equal(file_write_atomic(path, large, sizeof large, 0600, NULL), STAY_OK);
    assert_int_equal(file_read(path, sizeof large - 1, &text, NULL, &err), STAY_ELIMIT);
    assert_null(text);
    assert_int_equal(file_read(path, sizeof large, &text, NULL, &err), STAY_OK);
    assert_int_equal(strlen(text), sizeof large);
    free(text);
    assert_int_equal(file_read(in_dir("none"), 10, &text, NULL, &err), STAY_ENOTFOUND);
    assert_int_equal(file_read(dir, 10, &text, NULL, &err), STAY_EINVALID);
    assert_int_equal(mkfifo(in_dir("g"), 0600), 0); /* must not wait for a writer */
    assert_int_equal(file_read(in_dir("g"), 10, &text, NULL, &err), STAY_EINVALID);
    assert_int_equal(file_read("/dev/null/x", 10, &text, NULL, &err), STAY_ESYSTEM);
}

static void open_secret_is_refused_with_the_repair(void **state)
{
    char *text = NULL;
    struct stay_error err = {0};
    (void)state;
    const char *path = in_dir("s");
    assert_int_equal(file_write_atomic(path, "secret\n", 7, 0640, NULL), STAY_OK);
    assert_int_equal(file_read_secret(path, &text, &err), STAY_EREFUSED);
    assert_null(text);
    char want[600];
    (void)snprintf(want, sizeof want,
                   "secret file '%s' can be read by others (mode 0640): chmod 0600 '%s'", path,
                   path);
    assert_string_equal(err.text, want);
    assert_int_equal(file_check_secret(path, &err), STAY_EREFUSED);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(file_check_secret(path, NULL), STAY_OK);
    assert_int_equal(file_read_secret(path, &text, &err), STAY_OK);
    assert_string_equal(text, "secret");
    free(text);
    assert_int_equal(file_check_secret(in_dir("none"), &err), STAY_ENOTFOUND);
    assert_int_equal(file_read_secret(in_dir("none"), &text, &err), STAY_ENOTFOUND);
}

static void secret_of_somebody_else_is_refused(void **state)
{
    struct stay_error err = {0};
    (void)state;
    const char *path = in_dir("s");
    assert_int_equal(file_write_atomic(path, "secret", 6, 0600, NULL), STAY_OK);
    if (geteuid() != 0)
        skip(); /* cannot give files away */
    assert_int_equal(chown(path, 12345, 12345), 0);
    assert_int_equal(file_check_secret(path, &err), STAY_EREFUSED);
    assert_non_null(strstr(err.text, "belongs to user 12345"));
}

static void empty_or_binary_secret_is_refused(void **state)
{
    char *text = NULL;
    struct stay_error err = {0};
    (void)state;
    const char *path = in_dir("s");
    assert_int_equal(file_write_atomic(path, "\r\n\n", 3, 0600, NULL), STAY_OK);
    assert_int_equal(file_read_secret(path, &text, &err), STAY_EINVALID);
    assert_non_null(strstr(err.text, "is empty"));
    assert_int_equal(file_write_atomic(path, "a\0b", 3, 0600, NULL), STAY_OK);
    assert_int_equal(file_read_secret(path, &text, &err), STAY_EINVALID);
    assert_non_null(strstr(err.text, "is not text"));
}

static void mkdir_p_makes_parents_and_accepts_what_is_there(void **state)
{
    struct stat st;
    struct stay_error err = {0};
    (void)state;
    assert_int_equal(file_mkdir_p(in_dir("a/b/c"), 0750, NULL), STAY_OK);
    assert_int_equal(file_mkdir_p(in_dir("a//b/c/"), 0700, NULL), STAY_OK);
    assert_int_equal(stat(in_dir("a/b/c"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0750);
    assert_int_equal(file_write_atomic(in_dir("f"), "", 0, 0600, NULL), STAY_OK);
    assert_int_equal(file_mkdir_p(in_dir("f"), 0700, &err), STAY_ECONFLICT);
    assert_int_equal(file_mkdir_p(in_dir("f/g"), 0700, &err), STAY_ESYSTEM);
    assert_int_equal(file_mkdir_p("", 0700, &err), STAY_EINVALID);
    assert_int_equal(file_mkdir_p("/", 0700, &err), STAY_OK);
    char *huge = stay_malloc(PATH_MAX + 1);
    memset(huge, 'x', PATH_MAX);
    huge[PATH_MAX] = '\0';
    assert_int_equal(file_mkdir_p(huge, 0700, &err), STAY_EINVALID);
    free(huge);
}

static void descriptors_are_dropped_or_taken_once(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), taken = fd_take(&fd);
    assert_int_equal(fd, -1);
    assert_true(taken >= 0);
    fd_drop(&fd);
    fd_drop(&taken);
    assert_int_equal(taken, -1);
}

static void room_is_left_to_others(void **state)
{
    (void)state;
    struct stay_error err = {0};
    struct statvfs st;
    STAY_AUTO(fd_drop) int fd = open(in_dir("."), O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstatvfs(fd, &st), 0);
    uint64_t all = (uint64_t)st.f_bavail * st.f_frsize;
    if (all > UINT64_C(2) << 30) /* else this machine's own disk is near full */
        assert_int_equal(file_check_room(fd, 1, "bundle", &err), STAY_OK);
    assert_int_equal(file_check_room(fd, all - 4096, "bundle", &err), STAY_ELIMIT);
    assert_non_null(strstr(err.text, "bundle: "));
    assert_int_equal(file_check_room(fd, UINT64_MAX, "bundle", &err), STAY_ELIMIT);
    assert_int_equal(file_check_room(-1, 1, "bundle", &err), STAY_ESYSTEM);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(write_replaces_the_whole_file_with_its_mode),
        T(failed_write_names_the_place_and_leaves_nothing),
        T(read_is_bounded_and_only_of_regular_files),
        T(open_secret_is_refused_with_the_repair),
        T(secret_of_somebody_else_is_refused),
        T(empty_or_binary_secret_is_refused),
        T(mkdir_p_makes_parents_and_accepts_what_is_there),
        T(descriptors_are_dropped_or_taken_once),
        T(room_is_left_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
