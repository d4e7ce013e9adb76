/* tests/unit/base/io/test_log_sink.c - one message is one line whatever it holds, and systemd is
 * told what it asks for, through a socket of our own in place of its. */
#include "base/io/log_sink.h"
#include "base/io/notify.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

static char text[40000];

static const char *read_pipe(int fd)
{
    ssize_t n = read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void a_message_is_one_line_with_fields(void **state)
{
    int ends[2];
    const struct log_field fields[] = {
        {"NODE", "db1"}, {"LEFT_OUT", NULL}, {"NOTE", "a\tb\nERROR fake\x1b[2J\x7f"}};
    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    log_sink_open_fd(ends[1], false, LOG_LEVEL_INFO);
    log_write(LOG_LEVEL_NOTICE, fields, STAY_COUNT(fields), "plan %d\nstarts", 7);
    assert_string_equal(read_pipe(ends[0]), "notice plan 7\\nstarts NODE=db1 NOTE=a\\tb\\nERROR "
                                            "fake\\x1b[2J\\x7f\n");
    log_plain(LOG_LEVEL_DEBUG, "not wanted");
    log_write(LOG_LEVEL_DEBUG, NULL, 0, "not wanted");
    assert_string_equal(read_pipe(ends[0]), "");
    log_sink_open_fd(ends[1], true, LOG_LEVEL_DEBUG);
    log_plain(LOG_LEVEL_DEBUG, "wanted");
    (void)read_pipe(ends[0]);
    assert_int_equal(strlen(text), strlen("2026-02-03T04:05:06.789Z debug wanted\n"));
    assert_string_equal(text + 25, "debug wanted\n");
    log_set_sink(NULL, NULL, LOG_LEVEL_DEBUG);
    assert_false(log_is_enabled(LOG_LEVEL_ERROR));
    log_plain(LOG_LEVEL_ERROR, "nowhere");
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void long_messages_are_cut_and_still_one_line(void **state)
{
    int ends[2];
    char huge[20001];
    (void)state;
    memset(huge, '\n', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    log_sink_open_fd(ends[1], false, LOG_LEVEL_INFO);
    const struct log_field field = {"HUGE", huge};
    log_write(LOG_LEVEL_INFO, &field, 1, "%s", huge);
    (void)read_pipe(ends[0]);
    assert_true(strlen(text) == 16 * 1024 + 1);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* A closed descriptor must not end the program. */
static void unwritable_log_is_survived(void **state)
{
    (void)state;
    log_sink_open_fd(-1, false, LOG_LEVEL_INFO);
    log_plain(LOG_LEVEL_ERROR, "nobody hears");
    log_set_sink(NULL, NULL, LOG_LEVEL_NONE);
}

static void stderr_is_the_sink_outside_systemd(void **state)
{
    int ends[2], kept = dup(STDERR_FILENO);
    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(setenv("JOURNAL_STREAM", "0:0", 1), 0); /* somebody else's stream */
    log_sink_open("test", LOG_LEVEL_INFO);
    log_plain(LOG_LEVEL_WARNING, "here");
    assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    assert_non_null(strstr(read_pipe(ends[0]), " warning here\n"));
    log_set_sink(NULL, NULL, LOG_LEVEL_NONE);
    (void)close(kept);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* Under systemd stderr is the journal's stream; without a journal here, the message may only not
 * hurt. */
static void journal_is_the_sink_under_systemd(void **state)
{
    int ends[2], kept = dup(STDERR_FILENO);
    char stream[64];
    struct stat st;
    const struct log_field fields[] = {{"NODE", "db1"}, {"LEFT_OUT", NULL}};
    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
    log_sink_open("mainstay-test", LOG_LEVEL_DEBUG);
    for (unsigned i = LOG_LEVEL_ERROR; i < LOG_LEVEL_COUNT; i++)
        log_write((enum log_level)i, fields, STAY_COUNT(fields), "unit test, level %u", i);
    assert_int_equal(setenv("JOURNAL_STREAM", "nonsense", 1), 0);
    log_sink_open("mainstay-test", LOG_LEVEL_DEBUG);
    assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
    log_set_sink(NULL, NULL, LOG_LEVEL_NONE);
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    (void)close(kept);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void systemd_is_told(void **state)
{
    char dir[] = "/tmp/test-notify-XXXXXX", path[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/s", dir);
    (void)stay_copy(address.sun_path, sizeof address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    notify_ready("2 clusters\nFAKE=1");
    assert_string_equal(read_pipe(fd), "READY=1\nSTATUS=2 clusters FAKE=1");
    notify_status(NULL);
    assert_string_equal(read_pipe(fd), "STATUS=");
    notify_watchdog();
    assert_string_equal(read_pipe(fd), "WATCHDOG=1");
    notify_stopping("bye");
    assert_string_equal(read_pipe(fd), "STOPPING=1\nSTATUS=bye");
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    notify_ready("nobody listens");
    assert_int_equal(notify_watchdog_period_us(), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", "3000000", 1), 0);
    assert_int_equal(notify_watchdog_period_us(), 3 * STAY_SECOND);
    assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
    (void)close(fd);
    assert_int_equal(unlink(path) + rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_one_line_with_fields),
        cmocka_unit_test(long_messages_are_cut_and_still_one_line),
        cmocka_unit_test(unwritable_log_is_survived),
        cmocka_unit_test(stderr_is_the_sink_outside_systemd),
        cmocka_unit_test(journal_is_the_sink_under_systemd),
        cmocka_unit_test(systemd_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
