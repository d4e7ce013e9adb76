/* tests/unit/backup/catalog/test_repository_crash.c - a process killed before each single system
 * call that changes a repository: whatever is there then is whole, and the next attempt
 * succeeds. And in which order the calls are made that a power cut would tell apart. */
#include "backup/catalog/lineage.h"
#include "backup/catalog/repository_check.h"
#include "tests/unit/backup/repository/repository_samples.h"
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CALLS_MAX 200

static struct sample s;

typedef enum stay_rc (*deed_fn)(void);

static struct repository_spec spec_of(void)
{
    return (struct repository_spec){.url = s.url, .key_path = s.key};
}

static bool changes_something(const struct __ptrace_syscall_info *info)
{
    switch (info->entry.nr) {
    case SYS_openat:
        return (info->entry.args[2] & O_CREAT) != 0;
    case SYS_mkdirat:
    case SYS_write:
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_renameat2:
    case SYS_linkat:
    case SYS_unlinkat:
        return true;
    default: /* numbers of the kernel, not an enum */
        return false;
    }
}

/* Lets a child do the deed and kills it before its changing call number `at`, counted from 1. Gives
 * false when it came to its end before. made (may be NULL): those calls' numbers. */
static bool kill_before(deed_fn deed, unsigned at, long *made, unsigned *ret_count)
{
    int status = 0;
    unsigned count = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
        _exit(deed() == STAY_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACESYSGOOD);
    while (WIFSTOPPED(status)) {
        struct __ptrace_syscall_info info = {0};
        if (WSTOPSIG(status) == (SIGTRAP | 0x80))
            (void)ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY && changes_something(&info)) {
            if (++count == at) {
                (void)kill(child, SIGKILL);
                (void)waitpid(child, &status, 0);
                return true;
            }
            if (made != NULL && count <= CALLS_MAX)
                made[count - 1] = (long)info.entry.nr;
        }
        (void)ptrace(PTRACE_SYSCALL, child, NULL, NULL);
        assert_int_equal(waitpid(child, &status, 0), child);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the deed failed by itself: status %x", (unsigned)status);
    if (ret_count != NULL)
        *ret_count = count;
    return false;
}

/* What a crash may never leave. */
static void assert_whole(unsigned at)
{
    const struct repository_spec spec = spec_of();
    STAY_AUTO(repository_drop) struct repository *repo = NULL;
    struct check_outcome out = {0};
    assert_done(repository_open(&spec, &repo, err));
    assert_done(repository_check(repo, 0, NULL, NULL, &out, err));
    if (out.fault_count > 0)
        fail_msg("killed before call %u: %s", at, repo_fault_name(check_outcome_worst(&out)));
}

static enum stay_rc write_lineage(void)
{
    const struct repository_spec spec = spec_of();
    const struct lineage_spec what = {.cluster = "shop", .engine = "mysql"};
    char id[LINEAGE_ID_TEXT];
    STAY_AUTO(repository_drop) struct repository *repo = NULL;
    enum stay_rc rc = repository_open(&spec, &repo, NULL);
    return rc != STAY_OK ? rc : lineage_create(repo, &what, id, NULL);
}

static void empty_tmp(void)
{
    STAY_AUTO(stay_free_charp) char *path = sample_path(&s, "tmp");
    (void)nftw(path, remove_entry, 4, FTW_DEPTH | FTW_PHYS);
}

static void a_document_is_whole_or_not_there(void **state)
{
    unsigned at = 1;
    (void)state;
    sample_repository(&s);
    while (kill_before(write_lineage, at, NULL, NULL)) {
        assert_whole(at);
        empty_tmp(); /* which every writer looks through: more calls each time */
        at++;
    }
    print_message("%u calls that change something\n", at - 1);
    assert_true(at > 10);
    sample_remove(&s);
}

static enum stay_rc init(void)
{
    const struct repository_spec spec = spec_of();
    return repository_init(&spec, NULL, NULL);
}

static void an_init_is_ended_by_the_next(void **state)
{
    (void)state;
    unsigned at = 1;
    for (bool killed = true; killed; at++) {
        sample_folder(&s);
        const struct repository_spec here = spec_of();
        assert_done(master_key_create(s.key, err));
        killed = kill_before(init, at, NULL, NULL);
        struct stay_error why = {0};
        enum stay_rc rc = repository_init(&here, NULL, &why);
        if (rc != STAY_OK && repo_fault_of(&why) != REPO_FAULT_ALREADY_EXISTS)
            fail_msg("killed before call %u: %s", at, why.text);
        if (rc != STAY_OK && strstr(why.text, "is a repository already") == NULL)
            fail_msg("killed before call %u: %s", at, why.text);
        assert_whole(at);
        sample_remove(&s);
    }
    print_message("%u calls that change something\n", at - 2);
}

static enum stay_rc reseal(void)
{
    const struct repository_spec spec = spec_of();
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/second.key", s.dir);
    STAY_AUTO(repository_drop) struct repository *repo = NULL;
    struct master_key second;
    uint32_t count;
    enum stay_rc rc = master_key_load(path, &second, NULL);
    if (rc == STAY_OK)
        rc = repository_open(&spec, &repo, NULL);
    return rc != STAY_OK ? rc : key_ring_reseal(repo->ring, &second, &count, NULL);
}

/* At every moment one of the two keys opens it, and that one can end what was begun. */
static void a_rotation_leaves_a_key_that_opens(void **state)
{
    unsigned at = 1;
    (void)state;
    for (bool killed = true; killed; at++) {
        sample_repository(&s);
        sample_object(&s, SAMPLE_DATA, 1, 100);
        STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/second.key", s.dir);
        const struct repository_spec with_old = spec_of();
        const struct repository_spec with_new = {.url = s.url, .key_path = path};
        assert_done(master_key_create(path, err));
        killed = kill_before(reseal, at, NULL, NULL);
        struct repository *repo = NULL;
        if (repository_open(&with_old, &repo, NULL) == STAY_OK) {
            repository_close(repo);
            assert_int_equal(reseal(), STAY_OK);
        }
        assert_done(repository_open(&with_new, &repo, err));
        assert_done(object_verify(repo, SAMPLE_DATA, NULL, err));
        struct check_outcome out = {0};
        assert_done(repository_check(repo, 0, NULL, NULL, &out, err));
        assert_int_equal(out.fault_count, 0);
        repository_close(repo);
        sample_remove(&s);
    }
}

static long calls[CALLS_MAX];

/* Of the calls that matter to a disk: bytes synced before they get their name, the name after. */
static void bytes_are_durable_before_their_name_and_names_at_the_end(void **state)
{
    unsigned count = 0, renames = 0, syncs_before = 0, syncs_after = 0;
    (void)state;
    sample_repository(&s);
    assert_int_equal(write_lineage(), STAY_OK); /* the key of shop is there */
    assert_false(kill_before(write_lineage, 0, calls, &count));
    assert_true(count < CALLS_MAX);
    for (unsigned i = 0; i < count; i++) {
        if (calls[i] == SYS_renameat2) {
            renames++;
            assert_true(syncs_before > 0);
            syncs_after = 0;
        } else if (calls[i] == SYS_fsync) {
            syncs_before++;
            syncs_after++;
        } else if (calls[i] == SYS_write && renames == 0) {
            syncs_before = 0; /* what is written after a sync needs another */
        }
    }
    assert_int_equal(renames, 1);
    assert_true(syncs_after >= 2); /* its folder, and those above */
    sample_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_whole_or_not_there),
        cmocka_unit_test(an_init_is_ended_by_the_next),
        cmocka_unit_test(a_rotation_leaves_a_key_that_opens),
        cmocka_unit_test(bytes_are_durable_before_their_name_and_names_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
