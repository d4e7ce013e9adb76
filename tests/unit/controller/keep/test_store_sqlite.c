/* The SQLite store: conformance, and what only a file can do wrong: be held, foreign, damaged, newer,
 * full or read-only. The daemon must refuse to start then, naming the file and the way out. */
#include "base/base.h"
#include "base/io/file.h"
#include "base/io/loop.h"
#include "controller/keep/store_sqlite.h"
#include "tests/unit/controller/keep/store_conformance.h"
#include <fcntl.h>
#include <sqlite3.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct loop loop;
static char folder[64], path[96];
static struct store *store;

static void open_store(void)
{
    struct stay_error err;
    enum stay_rc rc = store_sqlite_open(&loop, path, "ctl-test", &store, &err);
    if (rc != STAY_OK)
        fail_msg("%s", err.text);
}

static void close_store(void)
{
    if (store)
        store->ops->close(store);
    store = NULL;
}

struct store *conformance_store(void)
{
    return store;
}

void conformance_turn(void)
{
    (void)loop_turn(&loop, 5 * STAY_MS);
}

void conformance_reopen(void)
{
    close_store();
    open_store();
}

static int make_folder(void **state)
{
    (void)state;
    struct stay_error err;
    (void)snprintf(folder, sizeof folder, "/tmp/mainstay-store-XXXXXX");
    if (!mkdtemp(folder) || loop_init(&loop, &err) != STAY_OK)
        return -1;
    (void)snprintf(path, sizeof path, "%s/state.db", folder);
    return 0;
}

static int setup(void **state)
{
    if (make_folder(state) != 0)
        return -1;
    open_store();
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"state.db", "state.db-wal", "state.db-shm", "state.db.lock",
                                        "state.db-journal", "copy.db"};
    (void)state;
    close_store();
    for (int i = 0; i < 5; i++)
        (void)loop_turn(&loop, 0);
    loop_close(&loop);
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        (void)unlink(name);
    }
    return rmdir(folder);
}

static void expect_refused(enum stay_rc want, const char *text)
{
    struct stay_error err = {0};
    struct store *other = NULL;
    enum stay_rc rc = store_sqlite_open(&loop, path, "second", &other, &err);
    if (rc != want || !strstr(err.text, text) || !strstr(err.text, path))
        fail_msg("got %d '%s', wanted %d '%s'", rc, err.text, want, text);
    assert_null(other);
}

/* Two daemons on one state file would be two brains: the second is told who holds it. */
static void second_holder_is_refused_and_told_who_holds(void **state)
{
    (void)state;
    expect_refused(STAY_EBUSY, "held by ctl-test, process");
    struct answer a = put_if("still", STORE_ABSENT, "works");
    assert_int_equal(a.rc, STAY_OK);
}

/* Seen on a busy disk: the killed controller was gone from the list of processes, its files were
 * not closed yet, and the next one refused to start. Here its child has them a moment longer. */
static void a_holder_that_was_killed_is_waited_for(void **state)
{
    (void)state;
    close_store();
    STAY_AUTO(stay_free_charp) char *lock = stay_sprintf("%s.lock", path);
    pid_t holder = fork();
    assert_true(holder >= 0);
    if (holder == 0) {
        char text[60];
        int fd = open(lock, O_RDWR | O_CREAT, 0600);
        int length = snprintf(text, sizeof text, "ctl-test, process %ld\n", (long)getpid());
        bool held = flock(fd, LOCK_EX) == 0 && ftruncate(fd, 0) == 0 &&
                    pwrite(fd, text, (size_t)length, 0) == length;
        if (held && fork() == 0)
            (void)usleep(300 * 1000);
        _exit(0);
    }
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)holder, &info, WEXITED | WNOWAIT), 0); /* a zombie */
    open_store();
    assert_int_equal(waitpid(holder, NULL, 0), holder);
}

static void run_sql(const char *file, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void foreign_database_is_refused_untouched(void **state)
{
    (void)state;
    run_sql(path, "CREATE TABLE customer(id)");
    expect_refused(STAY_EINVALID, "another program's");
    expect_refused(STAY_EINVALID, "another program's");
}

static void write_bytes(const char *bytes, size_t length)
{
    struct stay_error err;
    if (file_write_atomic(path, bytes, length, 0600, &err) != STAY_OK)
        fail_msg("%s", err.text);
}

static void text_file_is_refused(void **state)
{
    (void)state;
    char bytes[4096];
    memset(bytes, 'x', sizeof bytes);
    write_bytes(bytes, sizeof bytes);
    expect_refused(STAY_EINVALID, "not a mainstay state file");
}

static void newer_schema_is_refused(void **state)
{
    (void)state;
    open_store();
    close_store();
    run_sql(path, "PRAGMA user_version = 9");
    expect_refused(STAY_EINVALID, "schema version 9");
}

static void fill(int count)
{
    static char value[2000];
    memset(value, 'v', sizeof value - 1);
    for (int i = 0; i < count; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "k/%04d", i);
        assert_int_equal(put_if(key, STORE_ABSENT, value).rc, STAY_OK);
    }
}

static void damaged_file_is_refused(void **state)
{
    (void)state;
    open_store();
    fill(60);
    close_store();
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    char noise[4096];
    memset(noise, 0x5a, sizeof noise);
    for (off_t page = 3; page < 12; page++)
        assert_int_equal(pwrite(fd, noise, sizeof noise, page * 4096), sizeof noise);
    (void)close(fd);
    expect_refused(STAY_ECORRUPT, "damaged");
}

static void half_file_is_refused(void **state)
{
    (void)state;
    open_store();
    fill(60);
    close_store();
    assert_int_equal(truncate(path, 4096 * 5 + 100), 0);
    expect_refused(STAY_ECORRUPT, "damaged");
}

static void folder_is_refused(void **state)
{
    (void)state;
    (void)stay_copy(path, sizeof path, "/dev/null");
    struct stay_error err;
    struct store *other = NULL;
    assert_int_not_equal(store_sqlite_open(&loop, "/proc/version", "x", &other, &err), STAY_OK);
    assert_non_null(strstr(err.text, "/proc/version"));
}

/* A full disk: nothing is written, the error says so, and the store goes on once there is room. */
static void full_disk_refuses_writes_and_recovers(void **state)
{
    (void)state;
    struct rlimit old, tight = {.rlim_cur = 100 * 1024, .rlim_max = RLIM_INFINITY};
    static char value[200 * 1024];
    memset(value, 'v', sizeof value - 1);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight.rlim_max = old.rlim_max;
    assert_int_equal(put_if("small", STORE_ABSENT, "1").rc, STAY_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    struct answer a = put_if("big", STORE_ABSENT, value);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(a.rc == STAY_ESYSTEM || a.rc == STAY_EUNKNOWN);
    conformance_reopen();
    assert_int_equal(get_one("big").items, 0);
    assert_int_equal(get_one("small").items, 1);
    assert_int_equal(put_if("big", STORE_ABSENT, "1").rc, STAY_OK);
}

/* A journal grows with the sets that servers show: too big is an answer, never the daemon's end, and
 * does not fail those who share its batch. */
static void a_value_that_is_too_big_is_refused_alone(void **state)
{
    (void)state;
    char *big = stay_calloc(1, STORE_VALUE_MAX + 2);
    memset(big, 'v', STORE_VALUE_MAX + 1);
    struct answer answers[2] = {0};
    struct store_put puts[2] = {{"small", "1"}, {"big", big}}, other = {"other", "2"};
    store->ops->txn(store, NULL, 0, puts, 2, take_txn, &answers[0]);
    store->ops->txn(store, NULL, 0, &other, 1, take_txn, &answers[1]);
    for (int i = 0; i < 500 && answers[1].count == 0; i++)
        (void)loop_turn(&loop, 10 * STAY_MS);
    assert_int_equal(answers[0].rc, STAY_ELIMIT);
    assert_int_equal(answers[1].rc, STAY_OK);
    assert_int_equal(get_one("small").items, 0);
    assert_int_equal(get_one("other").items, 1);
    big[STORE_VALUE_MAX] = '\0';
    assert_int_equal(put_if("big", STORE_ABSENT, big).rc, STAY_OK);
    free(big);
}

/* Closing answers everything that waits: no caller is left without its callback. */
static void close_answers_what_is_queued(void **state)
{
    (void)state;
    enum { COUNT = 150 };
    struct answer answers[COUNT] = {0};
    struct store_put put = {"n", "v"};
    for (int i = 0; i < COUNT; i++)
        store->ops->txn(store, NULL, 0, &put, 1, take_txn, &answers[i]);
    close_store();
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(answers[i].count, 1);
    assert_int_equal(answers[COUNT - 1].rc, STAY_ECANCELED);
}

/* kill -9 between commits: a copy of the files as they lie on disk opens and has what was answered. */
static void files_as_they_lie_hold_what_was_answered(void **state)
{
    (void)state;
    fill(10);
    char copy[96], command_from[128], command_to[128];
    static const char *const suffixes[] = {"", "-wal"};
    (void)snprintf(copy, sizeof copy, "%s/copy.db", folder);
    for (size_t i = 0; i < STAY_COUNT(suffixes); i++) {
        char *bytes = NULL;
        size_t length = 0;
        struct stay_error err;
        (void)snprintf(command_from, sizeof command_from, "%s%s", path, suffixes[i]);
        (void)snprintf(command_to, sizeof command_to, "%s%s", copy, suffixes[i]);
        assert_int_equal(file_read(command_from, 1 << 24, &bytes, &length, &err), STAY_OK);
        assert_int_equal(file_write_atomic(command_to, bytes, length, 0600, &err), STAY_OK);
        free(bytes);
    }
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_open(copy, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM item", -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(stmt, 0), 10);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFORMANCE_TESTS(setup, teardown),
        cmocka_unit_test_setup_teardown(second_holder_is_refused_and_told_who_holds, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_holder_that_was_killed_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(foreign_database_is_refused_untouched, make_folder,
                                        teardown),
        cmocka_unit_test_setup_teardown(text_file_is_refused, make_folder, teardown),
        cmocka_unit_test_setup_teardown(newer_schema_is_refused, make_folder, teardown),
        cmocka_unit_test_setup_teardown(damaged_file_is_refused, make_folder, teardown),
        cmocka_unit_test_setup_teardown(half_file_is_refused, make_folder, teardown),
        cmocka_unit_test_setup_teardown(folder_is_refused, make_folder, teardown),
        cmocka_unit_test_setup_teardown(full_disk_refuses_writes_and_recovers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_value_that_is_too_big_is_refused_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(close_answers_what_is_queued, setup, teardown),
        cmocka_unit_test_setup_teardown(files_as_they_lie_hold_what_was_answered, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
