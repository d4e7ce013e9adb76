/* tests/unit/base/test_str.c - the string buffer, and base.h's own functions: what grows, what is
 * cut, what aborts. */
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* In a child: must() ends the process. */
static void assert_aborts(void (*fn)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        if (freopen("/dev/null", "w", stderr) != NULL)
            fn();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void text_grows_and_is_handed_out(void **state)
{
    struct str s = {0};
    (void)state;
    assert_string_equal(str_text(&s), "");
    STAY_AUTO(stay_free_charp) char *nothing = str_take(&s);
    assert_string_equal(nothing, "");
    str_add(&s, "a");
    str_add_char(&s, 'b');
    str_add_bytes(&s, "cdX", 2);
    str_add_repeat(&s, '-', 3);
    str_addf(&s, "%d", 42);
    str_addf(&s, "%300s", "!");
    str_add(&s, "");
    assert_int_equal(s.length, 309);
    assert_int_equal(strncmp(str_text(&s), "abcd---42  ", 11), 0);
    assert_false(s.is_cut);
    STAY_AUTO(stay_free_charp) char *taken = str_take(&s);
    assert_int_equal(strlen(taken), 309);
    assert_null(s.text);
    str_clear(&s);
}

static void text_beyond_the_maximum_is_dropped_and_told(void **state)
{
    STAY_AUTO(str_clear) struct str s;
    (void)state;
    str_init(&s, 5);
    str_add(&s, "abcde");
    assert_false(s.is_cut);
    str_add(&s, "");
    assert_false(s.is_cut);
    str_add(&s, "f");
    assert_true(s.is_cut);
    assert_string_equal(str_text(&s), "abcde");
    str_reset(&s);
    assert_false(s.is_cut);
    str_addf(&s, "%s", "abcdefgh");
    str_add_repeat(&s, 'x', 9);
    assert_string_equal(str_text(&s), "abcde");
    assert_true(s.is_cut);
    str_clear(&s);
    assert_int_equal(s.max, 5);
    str_reset(&s);
}

static void consume_drops_from_the_front(void **state)
{
    STAY_AUTO(str_clear) struct str s = {0};
    (void)state;
    str_consume(&s, 3);
    str_add(&s, "abcdef");
    str_consume(&s, 2);
    assert_string_equal(str_text(&s), "cdef");
    str_consume(&s, 0);
    str_consume(&s, 9);
    assert_string_equal(str_text(&s), "");
    assert_int_equal(s.length, 0);
}

static void copies_are_terminated_and_say_when_cut(void **state)
{
    char dst[4];
    (void)state;
    assert_true(stay_copy(dst, sizeof dst, "abc"));
    assert_string_equal(dst, "abc");
    assert_false(stay_copy(dst, sizeof dst, "abcd"));
    assert_string_equal(dst, "abc");
    assert_true(stay_copy(dst, sizeof dst, ""));
    assert_string_equal(dst, "");
    STAY_AUTO(stay_free_charp) char *s = stay_sprintf("%s-%d", "x", 5);
    assert_string_equal(s, "x-5");
    free(stay_malloc(0));
    free(stay_calloc(0, 0));
    free(stay_realloc(NULL, 0, 0));
}

static void errors_chain_outermost_first(void **state)
{
    struct stay_error err = {0};
    (void)state;
    assert_int_equal(
        stay_error_native(&err, STAY_EDENIED, STAY_DOMAIN_MYSQL, 1198, "(%d) no", 1198),
        STAY_EDENIED);
    assert_int_equal(stay_error_prefix(&err, err.rc, "stop replica"), STAY_EDENIED);
    assert_int_equal(stay_error_prefix(&err, err.rc, "promote %s", "db2"), STAY_EDENIED);
    assert_string_equal(err.text, "promote db2: stop replica: (1198) no");
    assert_int_equal(err.native, 1198);
    assert_int_equal(err.domain, STAY_DOMAIN_MYSQL);
    assert_int_equal(stay_error(&err, STAY_EINVALID, "again: %s", err.text), STAY_EINVALID);
    assert_string_equal(err.text, "again: promote db2: stop replica: (1198) no");
    assert_int_equal(err.native, 0);
    assert_int_equal(stay_error_sys(&err, ENOENT, "open '%s'", "x"), STAY_ESYSTEM);
    assert_string_equal(err.text, "open 'x': No such file or directory");
    assert_int_equal(err.native, ENOENT);
    for (int i = 0; i < 100; i++)
        (void)stay_error_prefix(&err, err.rc, "a long prefix number %d", i);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(stay_error(NULL, STAY_EBUSY, "x"), STAY_EBUSY);
    assert_int_equal(stay_error_sys(NULL, EIO, "x"), STAY_ESYSTEM);
    assert_int_equal(stay_error_native(NULL, STAY_EBUSY, STAY_DOMAIN_HTTP, 1, "x"), STAY_EBUSY);
    assert_int_equal(stay_error_prefix(NULL, STAY_EBUSY, "x"), STAY_EBUSY);
}

static void every_code_has_its_own_words(void **state)
{
    (void)state;
    for (int a = STAY_EUNKNOWN; a <= STAY_OK; a++) {
        assert_true(strlen(stay_rc_text((enum stay_rc)a)) > 1);
        for (int b = STAY_EUNKNOWN; b < a; b++)
            assert_string_not_equal(stay_rc_text((enum stay_rc)a), stay_rc_text((enum stay_rc)b));
    }
    assert_string_equal(stay_rc_text(STAY_ETIMEDOUT), "timed out");
    int foreign = 77;
    enum stay_rc odd;
    memcpy(&odd, &foreign, sizeof odd);
    assert_string_equal(stay_rc_text(odd), "unclassified");
}

static void log_levels_have_names(void **state)
{
    (void)state;
    assert_string_equal(log_level_text(LOG_LEVEL_ERROR), "error");
    assert_string_equal(log_level_text(LOG_LEVEL_DEBUG), "debug");
    assert_string_equal(log_level_text(LOG_LEVEL_COUNT), "none");
    assert_false(log_is_enabled(LOG_LEVEL_NONE));
}

static void fails_must(void)
{
    must(1 + 1 == 3);
}

static void asks_for_too_much(void)
{
    free(stay_malloc(SIZE_MAX / 2));
}

static void asks_for_too_many(void)
{
    free(stay_realloc(NULL, SIZE_MAX / 2, 16));
}

static void asks_for_too_many_zeroed(void)
{
    free(stay_calloc(SIZE_MAX / 2, 16));
}

static void copies_into_nothing(void)
{
    (void)stay_copy(NULL, 0, "x");
}

static void logs_too_many_fields(void)
{
    log_write(LOG_LEVEL_ERROR, NULL, LOG_FIELDS_MAX + 1, "x");
}

static void programmer_errors_abort(void **state)
{
    (void)state;
    assert_aborts(fails_must);
    assert_aborts(copies_into_nothing);
    assert_aborts(logs_too_many_fields);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_aborts(asks_for_too_much); /* the sanitizers have their own opinion of such sizes */
    assert_aborts(asks_for_too_many);
    assert_aborts(asks_for_too_many_zeroed);
#else
    (void)asks_for_too_much;
    (void)asks_for_too_many;
    (void)asks_for_too_many_zeroed;
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows_and_is_handed_out),
        cmocka_unit_test(text_beyond_the_maximum_is_dropped_and_told),
        cmocka_unit_test(consume_drops_from_the_front),
        cmocka_unit_test(copies_are_terminated_and_say_when_cut),
        cmocka_unit_test(errors_chain_outermost_first),
        cmocka_unit_test(every_code_has_its_own_words),
        cmocka_unit_test(log_levels_have_names),
        cmocka_unit_test(programmer_errors_abort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
