/* tests/unit/controller/run/test_cli_repository.c - what can be wrong with a repository ends with
 * its own exit code and name at the command line, and nothing that was there is changed. */
#include "backup/catalog/lineage.h"
#include "controller/run/cli.h"
#include "tests/unit/backup/repository/repository_samples.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

static struct sample s;
static char *said; /* of the last call: out, then err */

static int make(void **state)
{
    char lineage[LINEAGE_ID_TEXT];
    const struct lineage_spec spec = {.cluster = "shop", .engine = "mysql"};
    (void)state;
    sample_repository(&s);
    sample_object(&s, SAMPLE_DATA, 3, 5000);
    assert_done(lineage_create(s.repo, &spec, lineage, err));
    return 0;
}

static int clear(void **state)
{
    (void)state;
    sample_remove(&s);
    free(said);
    said = NULL;
    return 0;
}

/* "@" stands for the test's folder. */
static int run(const char *line)
{
    char text[1024] = "", *argv[32] = {NULL}, *rest = text;
    char *out_text = NULL, *err_text = NULL;
    size_t out_size = 0, err_size = 0;
    int argc = 0;
    for (const char *p = line; *p != '\0'; p++) {
        size_t n = strlen(text);
        (void)snprintf(text + n, sizeof text - n, *p == '@' ? "%s" : "%.1s", *p == '@' ? s.dir : p);
    }
    for (char *word; (word = strsep(&rest, " ")) != NULL && argc < 31;)
        argv[argc++] = word;
    FILE *out = open_memstream(&out_text, &out_size), *err = open_memstream(&err_text, &err_size);
    int code = cli_main(argc, argv, out, err);
    (void)fclose(out);
    (void)fclose(err);
    free(said);
    said = stay_sprintf("%s%s", out_text, err_text);
    free(out_text);
    free(err_text);
    return code;
}

#define CHECK "mainstay repository check @/repo --master-key-file @/master.key"

/* Sums every file of the repository, names included. */
static struct sha256 *tree;

static int add_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    STAY_AUTO(stay_free_charp) char *text = NULL;
    size_t length = 0;
    (void)st;
    (void)ftw;
    sha256_add(tree, path, strlen(path));
    if (flag == FTW_F && file_read(path, 1U << 20, &text, &length, NULL) == STAY_OK)
        sha256_add(tree, text, length);
    return 0;
}

static void sum_tree(uint8_t ret[SHA256_BYTES])
{
    STAY_AUTO(stay_free_charp) char *path = sample_path(&s, "");
    tree = sha256_new();
    (void)nftw(path, add_file, 16, FTW_PHYS);
    sha256_read(tree, ret);
    sha256_free(tree);
}

/* The call ends with `code`, says `words`, and leaves every file as it was. */
static void expect(const char *line, int code, const char *words)
{
    uint8_t before[SHA256_BYTES], after[SHA256_BYTES];
    sum_tree(before);
    int have = run(line);
    sum_tree(after);
    if (have != code || strstr(said, words) == NULL)
        fail_msg("%s\n exit %d, wanted %d; wanted '%s' in:\n%s", line, have, code, words, said);
    assert_memory_equal(before, after, sizeof before);
}

static void a_good_one_is_good(void **state)
{
    (void)state;
    expect(CHECK, 0, "all is there and whole");
    expect(CHECK " --json", 0, "\"ok\":true");
    expect("mainstay repository check file://@/repo", 0, "nothing was opened");
    expect(CHECK " --quick", 0, "all is there");
}

static void keys_that_do_not_fit_are_told_apart(void **state)
{
    STAY_AUTO(stay_free_charp) char *other = stay_sprintf("%s/other.key", s.dir);
    (void)state;
    assert_done(master_key_create(other, err));
    expect("mainstay repository check @/repo --master-key-file @/other.key", 12, "wrong-key: ");
    expect("mainstay repository check @/repo --master-key-file @/other.key --json", 12,
           "\"fault\":\"wrong-key\"");
    expect("mainstay repository check @/repo --master-key-file @/none", 14, "key-file: ");
    assert_int_equal(chmod(other, 0644), 0);
    expect("mainstay repository check @/repo --master-key-file @/other.key", 14, "chmod 0600");
    expect("mainstay repository keys list @/repo", CLI_USAGE, "needs --master-key-file");
}

static void what_is_there_is_not_made_again(void **state)
{
    (void)state;
    expect("mainstay repository init @/repo --master-key-file @/master.key", 11,
           "already-exists: ");
    expect("mainstay repository init @/repo --master-key-file @/master.key --new-key", 11,
           "a key is never overwritten");
    expect("mainstay repository init @ --master-key-file @/master.key", 11, "is not empty");
    expect("mainstay repository check @/nowhere", 10, "not-a-repository: ");
    expect("mainstay repository check @", 10, "holds no repo.json");
    expect("mainstay repository check s3://bucket/x", CLI_USAGE, "not built yet");
}

static void damage_is_named(void **state)
{
    STAY_AUTO(stay_free_charp) char *object = sample_path(&s, SAMPLE_DATA);
    STAY_AUTO(stay_free_charp) char *link_path = sample_path(&s, "c/shop/link");
    (void)state;
    sample_flip(&s, SAMPLE_DATA, sample_length(&s, SAMPLE_DATA) / 2, 1);
    expect(CHECK, 15, "corrupt-object: ");
    expect(CHECK " --json", 15, "\"fault\":\"corrupt-object\"");
    expect("mainstay repository check @/repo", 15, "corrupt-object: ");
    assert_int_equal(truncate(object, sample_length(&s, SAMPLE_DATA) / 2), 0);
    expect(CHECK, 16, "truncated-object: ");
    assert_int_equal(unlink(object), 0);
    expect(CHECK, 0, "all is there"); /* no manifest lists it */
    assert_int_equal(symlink("/etc/passwd", link_path), 0);
    expect(CHECK, 19, "hostile-name: ");
}

static void an_object_of_another_repository_is_foreign(void **state)
{
    struct sample mine = s, other;
    STAY_AUTO(stay_free_charp) char *here = sample_path(&s, SAMPLE_DATA);
    (void)state;
    sample_repository(&other);
    sample_object(&other, SAMPLE_DATA, 1, 10);
    STAY_AUTO(stay_free_charp) char *there = sample_path(&other, SAMPLE_DATA);
    assert_int_equal(rename(there, here), 0);
    s = mine;
    expect(CHECK, 18, "foreign-repository: ");
    sample_remove(&other);
}

/* In a child with a file system of its own, 256 kB large. */
static void a_full_file_system_is_named_and_leaves_nothing(void **state)
{
    int status = 0;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        STAY_AUTO(stay_free_charp) char *small = stay_sprintf("%s/small", s.dir);
        STAY_AUTO(stay_free_charp) char *filler = stay_sprintf("%s/filler", small);
        static char bytes[4096];
        if (unshare(CLONE_NEWNS) != 0 || mkdir(small, 0700) != 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("none", small, "tmpfs", 0, "size=256k") != 0)
            _exit(77);
        if (run("mainstay repository init @/small/r --master-key-file @/master.key") != 0)
            _exit(1);
        int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        while (write(fd, bytes, sizeof bytes) > 0) {
        }
        int code = run("mainstay repository init @/small/second --master-key-file @/master.key");
        if (code != 20 || strstr(said, "store-full: ") == NULL)
            _exit(2);
        code = run("mainstay repository check @/small/r --master-key-file @/master.key");
        _exit(code == 0 ? 0 : 3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("no right to mount: not tried\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static void it_is_found_by_its_name_in_the_configuration(void **state)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/m.conf", s.dir);
    STAY_AUTO(stay_free_charp)
    char *text = stay_sprintf(
        "controller = { zone = \"a\"; };\n"
        "clusters = ( { name = \"shop\"; engine = \"mysql\"; nodes = ( { name = \"db1\"; address = "
        "\"10.9.0.1\"; zone = \"a\"; }, { name = \"db2\"; address = \"10.9.0.2\"; zone = \"b\"; } "
        "); accounts = { monitor = { user = \"m\"; password = { file = \"/none\"; }; }; }; "
        "failover = { mode = \"observe\"; }; } );\n"
        "repositories = ( { name = \"main\"; zone = \"eu-1c\"; url = \"%s\"; master_key = { file = "
        "\"%s\"; }; } );\n",
        s.url, s.key);
    (void)state;
    assert_done(file_write_atomic(path, text, strlen(text), 0600, err));
    expect("mainstay repository check main --config @/m.conf", 0, "all is there");
    expect("mainstay repository keys list main --config @/m.conf", 0, "cluster shop");
    expect("mainstay repository check other --config @/m.conf", CLI_USAGE,
           "there is no repository \"other\"");
}

static void what_it_holds_is_listed_without_a_key(void **state)
{
    (void)state;
    expect("mainstay repository list @/repo", 0, "lineage ");
    expect("mainstay repository list @/repo", 0, "no log");
    expect("mainstay repository list @/repo --json", 0, "\"engine\":\"mysql\"");
    expect("mainstay repository list @/repo --cluster none", 0, "nothing of cluster none");
    expect("mainstay repository list @/none", 10, "not-a-repository: ");
}

static void a_second_one_is_brought_up_to_date(void **state)
{
    (void)state;
    expect("mainstay repository copy @/repo @/second", 0, "copied to ");
    expect("mainstay repository copy @/repo @/second", 0, "0 objects");
    expect("mainstay repository check @/second --master-key-file @/master.key", 0, "all is there");
    expect("mainstay repository copy @/repo @", 18, "foreign-repository: ");
    sample_flip(&s, SAMPLE_DATA, sample_length(&s, SAMPLE_DATA) / 2, 1);
    expect("mainstay repository copy @/repo @/third", 15, "corrupt-object: ");
    expect("mainstay repository copy @/repo", CLI_USAGE, "needs TARGET");
}

static void keys_are_listed_rotated_and_destroyed(void **state)
{
    uint8_t domain[DOMAIN_BYTES];
    STAY_AUTO(stay_free_charp) char *second = stay_sprintf("%s/second.key", s.dir);
    (void)state;
#define KEYS(action) "mainstay repository keys " action " @/repo --master-key-file @/master.key"
    assert_done(repository_domain_ready(s.repo, "shop", "acme", domain, err));
    expect(KEYS("list"), 0, "tenant shop / acme");
    expect(KEYS("rotate"), CLI_USAGE, "--new-master FILE");
    assert_int_equal(run(KEYS("rotate") " --cluster shop"), 0);
    assert_non_null(strstr(said, "is sealed with it"));
    expect(KEYS("rotate") " --cluster none", 13, "key-missing: ");
    expect(KEYS("shred") " --cluster shop", CLI_USAGE, "needs --cluster CLUSTER and --tenant");
    expect(KEYS("shred") " --cluster shop --tenant acme", CLI_USAGE, "add --yes");
    expect(KEYS("shred") " --cluster shop --tenant zeta --yes", 13, "key-missing: ");
    expect(KEYS("shred") " --cluster shpo --tenant acme --yes", 13, "key-missing: ");
    assert_int_equal(run(KEYS("shred") " --cluster shop --tenant acme --yes"), 0);
    assert_non_null(strstr(said, "\"signature\""));
    expect(KEYS("list"), 0, "destroyed");
    assert_done(master_key_create(second, err));
    assert_int_equal(run(KEYS("rotate") " --new-master @/second.key"), 0);
    expect(CHECK, 12, "wrong-key: ");
    expect("mainstay repository check @/repo --master-key-file @/second.key", 0, "all is there");
}

int main(void)
{
#define IN(test) cmocka_unit_test_setup_teardown(test, make, clear)
    const struct CMUnitTest tests[] = {
        IN(a_good_one_is_good),
        IN(keys_that_do_not_fit_are_told_apart),
        IN(what_is_there_is_not_made_again),
        IN(damage_is_named),
        IN(an_object_of_another_repository_is_foreign),
        IN(a_full_file_system_is_named_and_leaves_nothing),
        IN(it_is_found_by_its_name_in_the_configuration),
        IN(what_it_holds_is_listed_without_a_key),
        IN(a_second_one_is_brought_up_to_date),
        IN(keys_are_listed_rotated_and_destroyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
