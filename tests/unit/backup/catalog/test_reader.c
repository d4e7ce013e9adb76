/* tests/unit/backup/catalog/test_reader.c - a reader in another language, written from
 * mainstay-repository(5), reads what this one wrote, and sees what was changed. */
#include "backup/catalog/erasure.h"
#include "backup/catalog/lineage.h"
#include "tests/unit/backup/repository/repository_samples.h"
#include <sys/wait.h>

static struct sample s;

static int make(void **state)
{
    const struct lineage_spec spec = {.cluster = "shop", .engine = "mysql"};
    char lineage[LINEAGE_ID_TEXT];
    (void)state;
    sample_repository(&s);
    sample_object(&s, SAMPLE_DATA, 7, 200000);
    assert_done(lineage_create(s.repo, &spec, lineage, err));
    return 0;
}

static int clear(void **state)
{
    (void)state;
    sample_remove(&s);
    return 0;
}

/* What the reader prints, and how it ends. */
static int run_reader(const char *name, struct str *out)
{
    STAY_AUTO(stay_free_charp)
    char *script = stay_sprintf("%s/../reader/repository_reader.py", MAINSTAY_GOLDEN_DIR);
    STAY_AUTO(stay_free_charp) char *dir = sample_path(&s, "");
    int pipes[2], status = 0;
    char bytes[65536];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(pipes[1], STDOUT_FILENO);
        (void)close(pipes[0]);
        (void)close(pipes[1]);
        if (name != NULL && freopen("/dev/null", "w", stderr) == NULL)
            _exit(126);
        (void)execlp("python3", "python3", script, dir, s.key, name, (char *)NULL);
        _exit(127);
    }
    (void)close(pipes[1]);
    for (ssize_t n; (n = read(pipes[0], bytes, sizeof bytes)) > 0;)
        str_add_bytes(out, bytes, (size_t)n);
    (void)close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_plain(const struct str *have)
{
    STAY_AUTO(object_reader_drop) struct object_reader *r = NULL;
    struct object_frame frame;
    bool more = true;
    size_t at = 0;
    assert_done(object_reader_open(s.repo, SAMPLE_DATA, &r, err));
    for (;;) {
        assert_done(object_reader_next(r, &frame, &more, err));
        if (!more)
            break;
        assert_true(at + frame.plain.length <= have->length);
        assert_int_equal(memcmp(have->text + at, frame.plain.bytes, frame.plain.length), 0);
        at += frame.plain.length;
    }
    assert_int_equal(at, have->length);
}

static void it_reads_every_byte(void **state)
{
    STAY_AUTO(str_clear) struct str have = {.max = 16U << 20};
    STAY_AUTO(str_clear) struct str list = {0};
    (void)state;
    assert_int_equal(run_reader(SAMPLE_DATA, &have), 0);
    assert_plain(&have);
    assert_int_equal(run_reader(NULL, &list), 0);
    assert_non_null(strstr(str_text(&list), "/lineage.json 14 ")); /* {"servers":[]} */
    assert_non_null(strstr(str_text(&list), SAMPLE_DATA " 1400000 "));
}

static void it_sees_a_flipped_bit(void **state)
{
    (void)state;
    off_t length = sample_length(&s, SAMPLE_DATA);
    for (off_t i = 0; i < 7; i++) {
        STAY_AUTO(str_clear) struct str have = {.max = 16U << 20};
        off_t at = i * (length - 1) / 6;
        sample_flip(&s, SAMPLE_DATA, at, 16);
        if (run_reader(SAMPLE_DATA, &have) == 0)
            fail_msg("byte %ld of %ld is not seen", (long)at, (long)length);
        sample_flip(&s, SAMPLE_DATA, at, 16);
    }
}

static void it_passes_over_what_was_shredded(void **state)
{
    STAY_AUTO(str_clear) struct str list = {0};
    uint8_t domains[1][DOMAIN_BYTES];
    struct object_writer *w = NULL;
    STAY_AUTO(stay_json_drop) json_t *certificate = NULL;
    static const char name[] = "c/shop/l/00112233445566aa/s/20261120t023000z-0000abcd/data/"
                               "0123456789abcdef0123456789abcdef/000002.mso";
    (void)state;
    assert_done(repository_domain_ready(s.repo, "shop", "acme", domains[0], err));
    const struct object_spec spec = {.name = name,
                                     .kind = OBJECT_DATA,
                                     .about = "",
                                     .domain_count = 1,
                                     .domains = (const uint8_t(*)[DOMAIN_BYTES])domains};
    assert_done(object_writer_begin(s.repo, &spec, &w, err));
    assert_done(object_writer_write(w, 0, 1, "secret", 6, err));
    assert_done(object_writer_finish(w, NULL, err));
    assert_int_equal(run_reader(name, &list), 0);
    assert_string_equal(str_text(&list), "secret");
    assert_done(erasure_shred(s.repo, "shop", "acme", &certificate, err));
    str_reset(&list);
    assert_int_equal(run_reader(name, &list), 0);
    assert_string_equal(str_text(&list), "");
}

int main(void)
{
#define IN(test) cmocka_unit_test_setup_teardown(test, make, clear)
    const struct CMUnitTest tests[] = {
        IN(it_reads_every_byte),
        IN(it_sees_a_flipped_bit),
        IN(it_passes_over_what_was_shredded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
