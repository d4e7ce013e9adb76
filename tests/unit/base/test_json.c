/* tests/unit/base/test_json.c - checked JSON access: each wrong type, absence and null; stable
 * dumps; bytes that are not UTF-8 do not lose a record. */
#include "base/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static json_t *parsed(const char *text)
{
    json_t *value = NULL;
    struct stay_error err = {0};
    if (stay_json_parse(text, strlen(text), &value, &err) != STAY_OK)
        fail_msg("%s", err.text);
    return value;
}

#define SAMPLE                                                                                     \
    "{\"s\":\"text\",\"i\":-5,\"t\":true,\"f\":false,\"o\":{\"x\":1},\"a\":[1,2],\"r\":1.5,"       \
    "\"n\":null,\"z\":\"a\\u0000b\"}"

static void present_values_are_read(void **state)
{
    STAY_AUTO(stay_json_drop)
    json_t *obj = parsed("{\"s\":\"text\",\"i\":-5,\"t\":true,\"f\":false,"
                         "\"o\":{\"x\":1},\"a\":[1,2]}");
    const char *s = NULL;
    int64_t i = 0;
    bool t = false, f = true;
    json_t *o = NULL, *a = NULL;
    char copy[5];
    (void)state;
    assert_int_equal(stay_json_get_string(obj, "s", &s, NULL), STAY_OK);
    assert_string_equal(s, "text");
    assert_int_equal(stay_json_get_int(obj, "i", &i, NULL), STAY_OK);
    assert_int_equal(i, -5);
    assert_int_equal(stay_json_get_bool(obj, "t", &t, NULL), STAY_OK);
    assert_int_equal(stay_json_get_bool(obj, "f", &f, NULL), STAY_OK);
    assert_true(t && !f);
    assert_int_equal(stay_json_get_object(obj, "o", &o, NULL), STAY_OK);
    assert_int_equal(stay_json_get_array(obj, "a", &a, NULL), STAY_OK);
    assert_int_equal(json_array_size(a), 2);
    assert_int_equal(stay_json_get_int_in(o, "x", 1, 1, &i, NULL), STAY_OK);
    assert_int_equal(stay_json_get_copy(obj, "s", copy, sizeof copy, NULL), STAY_OK);
    assert_string_equal(copy, "text");
    assert_int_equal(stay_json_get_string_or(obj, "s", "d", &s, NULL), STAY_OK);
    assert_string_equal(s, "text");
    assert_int_equal(stay_json_get_int_or(obj, "i", 9, &i, NULL), STAY_OK);
    assert_int_equal(i, -5);
    assert_int_equal(stay_json_get_bool_or(obj, "f", true, &f, NULL), STAY_OK);
    assert_false(f);
}

static void absent_and_null_are_missing_or_the_default(void **state)
{
    STAY_AUTO(stay_json_drop) json_t *obj = parsed("{\"n\":null}");
    static const char *const keys[] = {"n", "none"};
    (void)state;
    for (size_t k = 0; k < STAY_COUNT(keys); k++) {
        const char *s = "kept", *key = keys[k];
        int64_t i = 7;
        bool b = true;
        json_t *v = obj;
        char copy[5];
        struct stay_error err = {0};
        assert_int_equal(stay_json_get_string(obj, key, &s, &err), STAY_ENOTFOUND);
        assert_non_null(strstr(err.text, "is missing"));
        assert_int_equal(stay_json_get_int(obj, key, &i, NULL), STAY_ENOTFOUND);
        assert_int_equal(stay_json_get_int_in(obj, key, 0, 1, &i, NULL), STAY_ENOTFOUND);
        assert_int_equal(stay_json_get_bool(obj, key, &b, NULL), STAY_ENOTFOUND);
        assert_int_equal(stay_json_get_object(obj, key, &v, NULL), STAY_ENOTFOUND);
        assert_int_equal(stay_json_get_array(obj, key, &v, NULL), STAY_ENOTFOUND);
        assert_int_equal(stay_json_get_copy(obj, key, copy, sizeof copy, NULL), STAY_ENOTFOUND);
        assert_string_equal(s, "kept");
        assert_true(i == 7 && b && v == obj);
        assert_int_equal(stay_json_get_string_or(obj, key, "d", &s, NULL), STAY_OK);
        assert_int_equal(stay_json_get_int_or(obj, key, 9, &i, NULL), STAY_OK);
        assert_int_equal(stay_json_get_bool_or(obj, key, false, &b, NULL), STAY_OK);
        assert_string_equal(s, "d");
        assert_true(i == 9 && !b);
    }
}

static void wrong_types_are_named(void **state)
{
    STAY_AUTO(stay_json_drop) json_t *obj = NULL;
    const char *s = NULL;
    int64_t i = 0;
    bool b = false;
    json_t *v = NULL;
    struct stay_error err = {0};
    (void)state;
    obj = json_loads(SAMPLE, JSON_ALLOW_NUL, NULL);
    static const char *const names[][2] = {
        {"i", "'i' must be a string, not a whole number"},
        {"t", "'t' must be a string, not a boolean"},
        {"f", "'f' must be a string, not a boolean"},
        {"o", "'o' must be a string, not an object"},
        {"a", "'a' must be a string, not an array"},
        {"r", "'r' must be a string, not a number with a fraction"},
        {"z", "'z' holds a zero byte"},
    };
    for (size_t k = 0; k < STAY_COUNT(names); k++) {
        assert_int_equal(stay_json_get_string(obj, names[k][0], &s, &err), STAY_EINVALID);
        assert_string_equal(err.text, names[k][1]);
    }
    assert_int_equal(stay_json_get_int(obj, "s", &i, &err), STAY_EINVALID);
    assert_string_equal(err.text, "'s' must be a whole number, not a string");
    assert_int_equal(stay_json_get_int(obj, "r", &i, &err), STAY_EINVALID);
    assert_int_equal(stay_json_get_bool(obj, "i", &b, &err), STAY_EINVALID);
    assert_int_equal(stay_json_get_object(obj, "a", &v, &err), STAY_EINVALID);
    assert_int_equal(stay_json_get_array(obj, "o", &v, &err), STAY_EINVALID);
    assert_int_equal(stay_json_get_string_or(obj, "i", "", &s, &err), STAY_EINVALID);
    assert_int_equal(stay_json_get_int_or(obj, "s", 0, &i, &err), STAY_EINVALID);
    assert_int_equal(stay_json_get_bool_or(obj, "s", true, &b, &err), STAY_EINVALID);
    assert_int_equal(stay_json_get_int_in(obj, "i", 0, 9, &i, &err), STAY_EINVALID);
    assert_string_equal(err.text, "'i' is -5: it must be from 0 to 9");
    assert_int_equal(stay_json_get_int_in(obj, "i", -9, -6, &i, &err), STAY_EINVALID);
    char copy[4];
    assert_int_equal(stay_json_get_copy(obj, "s", copy, sizeof copy, &err), STAY_ELIMIT);
    assert_string_equal(err.text, "'s' is longer than 3 bytes");
}

static void only_objects_have_keys(void **state)
{
    STAY_AUTO(stay_json_drop) json_t *array = json_array();
    STAY_AUTO(stay_json_drop) json_t *null = json_null();
    const char *s = NULL;
    int64_t i;
    bool b;
    struct stay_error err = {0};
    (void)state;
    assert_int_equal(stay_json_get_string(array, "k", &s, &err), STAY_EINVALID);
    assert_string_equal(err.text, "expected an object with 'k', not an array");
    assert_int_equal(stay_json_get_string(NULL, "k", &s, &err), STAY_EINVALID);
    assert_string_equal(err.text, "expected an object with 'k', not nothing");
    assert_int_equal(stay_json_get_string_or(null, "k", "d", &s, &err), STAY_EINVALID);
    assert_string_equal(err.text, "expected an object with 'k', not null");
    assert_int_equal(stay_json_get_int_or(array, "k", 1, &i, &err), STAY_EINVALID);
    assert_int_equal(stay_json_get_bool_or(array, "k", true, &b, &err), STAY_EINVALID);
}

static void bad_text_is_refused_with_its_place(void **state)
{
    json_t *value = NULL;
    struct stay_error err = {0};
    static const char *const bad[] = {"", "{", "{\"a\":1,\"a\":2}", "[1] x", "\"\xff\"", "nul"};
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        assert_int_equal(stay_json_parse(bad[i], strlen(bad[i]), &value, &err), STAY_EINVALID);
        assert_int_equal(strncmp(err.text, "JSON line 1 column ", 19), 0);
        assert_null(value);
    }
    assert_int_equal(stay_json_parse("", STAY_JSON_TEXT_MAX + 1, &value, &err), STAY_ELIMIT);
}

static void equal_values_dump_equal_text(void **state)
{
    STAY_AUTO(stay_json_drop) json_t *a = json_object();
    STAY_AUTO(stay_json_drop) json_t *b = parsed("{\"l\":[\"x\"],\"i\":1,\"b\":true,\"s\":null}");
    (void)state;
    stay_json_set_string(a, "s", NULL);
    stay_json_set_bool(a, "b", true);
    stay_json_set_int(a, "i", 1);
    stay_json_set(a, "l", json_array());
    stay_json_append(json_object_get(a, "l"), stay_json_string("x"));
    STAY_AUTO(stay_free_charp) char *text_a = stay_json_dump_compact(a);
    STAY_AUTO(stay_free_charp) char *text_b = stay_json_dump_compact(b);
    assert_string_equal(text_a, text_b);
    assert_string_equal(text_a, "{\"b\":true,\"i\":1,\"l\":[\"x\"],\"s\":null}");
    STAY_AUTO(stay_free_charp) char *pretty = stay_json_dump_pretty(a);
    assert_non_null(strstr(pretty, "{\n  \"b\": true,\n"));
}

static void bytes_that_are_not_utf8_become_question_marks(void **state)
{
    STAY_AUTO(stay_json_drop) json_t *bad = stay_json_string("a\xff\xfez");
    STAY_AUTO(stay_json_drop) json_t *good = stay_json_string("\xc3\xa9");
    (void)state;
    assert_string_equal(json_string_value(bad), "a??z");
    assert_string_equal(json_string_value(good), "\xc3\xa9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(present_values_are_read),
        cmocka_unit_test(absent_and_null_are_missing_or_the_default),
        cmocka_unit_test(wrong_types_are_named),
        cmocka_unit_test(only_objects_have_keys),
        cmocka_unit_test(bad_text_is_refused_with_its_place),
        cmocka_unit_test(equal_values_dump_equal_text),
        cmocka_unit_test(bytes_that_are_not_utf8_become_question_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
