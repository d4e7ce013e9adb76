/* base/json.c - checked access to jansson values. */
#include "base/json.h"

static const char *type_name(const json_t *value)
{
    if (value == NULL)
        return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    }
    return "nothing";
}

enum stay_rc stay_json_parse(const char *text, size_t length, json_t **ret_value,
                             struct stay_error *err)
{
    json_error_t e;
    if (length > STAY_JSON_TEXT_MAX)
        return stay_error(err, STAY_ELIMIT, "JSON longer than %d bytes", STAY_JSON_TEXT_MAX);
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (value == NULL)
        return stay_error(err, STAY_EINVALID, "JSON line %d column %d: %s", e.line, e.column,
                          e.text);
    *ret_value = value;
    return STAY_OK;
}

static enum stay_rc wrong_type(struct stay_error *err, const char *key, const char *want,
                               const json_t *have)
{
    return stay_error(err, STAY_EINVALID, "'%s' must be %s, not %s", key, want, type_name(have));
}

/* *ret_value is NULL when the key is absent or null. */
static enum stay_rc find(const json_t *obj, const char *key, json_t **ret_value,
                         struct stay_error *err)
{
    if (!json_is_object(obj))
        return stay_error(err, STAY_EINVALID, "expected an object with '%s', not %s", key,
                          type_name(obj));
    json_t *value = json_object_get(obj, key);
    *ret_value = json_is_null(value) ? NULL : value;
    return STAY_OK;
}

static enum stay_rc find_present(const json_t *obj, const char *key, json_t **ret_value,
                                 struct stay_error *err)
{
    json_t *value = NULL;
    enum stay_rc rc = find(obj, key, &value, err);
    if (rc != STAY_OK)
        return rc;
    if (value == NULL)
        return stay_error(err, STAY_ENOTFOUND, "'%s' is missing", key);
    *ret_value = value;
    return STAY_OK;
}

static enum stay_rc as_string(const char *key, const json_t *value, const char **ret,
                              struct stay_error *err)
{
    if (!json_is_string(value))
        return wrong_type(err, key, "a string", value);
    if (strlen(json_string_value(value)) != json_string_length(value))
        return stay_error(err, STAY_EINVALID, "'%s' holds a zero byte", key);
    *ret = json_string_value(value);
    return STAY_OK;
}

static enum stay_rc as_int(const char *key, const json_t *value, int64_t *ret,
                           struct stay_error *err)
{
    if (!json_is_integer(value))
        return wrong_type(err, key, "a whole number", value);
    *ret = json_integer_value(value);
    return STAY_OK;
}

static enum stay_rc as_bool(const char *key, const json_t *value, bool *ret, struct stay_error *err)
{
    if (!json_is_boolean(value))
        return wrong_type(err, key, "a boolean", value);
    *ret = json_is_true(value);
    return STAY_OK;
}

enum stay_rc stay_json_get_string(const json_t *obj, const char *key, const char **ret,
                                  struct stay_error *err)
{
    json_t *value = NULL;
    enum stay_rc rc = find_present(obj, key, &value, err);
    return rc != STAY_OK ? rc : as_string(key, value, ret, err);
}

enum stay_rc stay_json_get_int(const json_t *obj, const char *key, int64_t *ret,
                               struct stay_error *err)
{
    json_t *value = NULL;
    enum stay_rc rc = find_present(obj, key, &value, err);
    return rc != STAY_OK ? rc : as_int(key, value, ret, err);
}

enum stay_rc stay_json_get_int_in(const json_t *obj, const char *key, int64_t low, int64_t high,
                                  int64_t *ret, struct stay_error *err)
{
    int64_t v = 0;
    enum stay_rc rc = stay_json_get_int(obj, key, &v, err);
    if (rc != STAY_OK)
        return rc;
    if (v < low || v > high)
        return stay_error(err, STAY_EINVALID, "'%s' is %lld: it must be from %lld to %lld", key,
                          (long long)v, (long long)low, (long long)high);
    *ret = v;
    return STAY_OK;
}

enum stay_rc stay_json_get_bool(const json_t *obj, const char *key, bool *ret,
                                struct stay_error *err)
{
    json_t *value = NULL;
    enum stay_rc rc = find_present(obj, key, &value, err);
    return rc != STAY_OK ? rc : as_bool(key, value, ret, err);
}

enum stay_rc stay_json_get_object(const json_t *obj, const char *key, json_t **ret,
                                  struct stay_error *err)
{
    json_t *value = NULL;
    enum stay_rc rc = find_present(obj, key, &value, err);
    if (rc != STAY_OK)
        return rc;
    if (!json_is_object(value))
        return wrong_type(err, key, "an object", value);
    *ret = value;
    return STAY_OK;
}

enum stay_rc stay_json_get_array(const json_t *obj, const char *key, json_t **ret,
                                 struct stay_error *err)
{
    json_t *value = NULL;
    enum stay_rc rc = find_present(obj, key, &value, err);
    if (rc != STAY_OK)
        return rc;
    if (!json_is_array(value))
        return wrong_type(err, key, "an array", value);
    *ret = value;
    return STAY_OK;
}

enum stay_rc stay_json_get_string_or(const json_t *obj, const char *key, const char *otherwise,
                                     const char **ret, struct stay_error *err)
{
    json_t *value = NULL;
    enum stay_rc rc = find(obj, key, &value, err);
    if (rc != STAY_OK || value != NULL)
        return rc != STAY_OK ? rc : as_string(key, value, ret, err);
    *ret = otherwise;
    return STAY_OK;
}

enum stay_rc stay_json_get_int_or(const json_t *obj, const char *key, int64_t otherwise,
                                  int64_t *ret, struct stay_error *err)
{
    json_t *value = NULL;
    enum stay_rc rc = find(obj, key, &value, err);
    if (rc != STAY_OK || value != NULL)
        return rc != STAY_OK ? rc : as_int(key, value, ret, err);
    *ret = otherwise;
    return STAY_OK;
}

enum stay_rc stay_json_get_bool_or(const json_t *obj, const char *key, bool otherwise, bool *ret,
                                   struct stay_error *err)
{
    json_t *value = NULL;
    enum stay_rc rc = find(obj, key, &value, err);
    if (rc != STAY_OK || value != NULL)
        return rc != STAY_OK ? rc : as_bool(key, value, ret, err);
    *ret = otherwise;
    return STAY_OK;
}

enum stay_rc stay_json_get_copy(const json_t *obj, const char *key, char *dst, size_t size,
                                struct stay_error *err)
{
    const char *text = "";
    enum stay_rc rc = stay_json_get_string(obj, key, &text, err);
    if (rc != STAY_OK)
        return rc;
    if (strlen(text) >= size)
        return stay_error(err, STAY_ELIMIT, "'%s' is longer than %zu bytes", key, size - 1);
    memcpy(dst, text, strlen(text) + 1);
    return STAY_OK;
}

json_t *stay_json_string(const char *text)
{
    if (text == NULL)
        return json_null();
    json_t *value = json_string(text);
    if (value != NULL)
        return value;
    STAY_AUTO(stay_free_charp) char *clean = stay_strdup(text); /* not valid UTF-8 */
    for (char *p = clean; *p != '\0'; p++) {
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    }
    value = json_string(clean);
    must(value != NULL);
    return value;
}

void stay_json_set(json_t *obj, const char *key, json_t *value)
{
    must(value != NULL && json_object_set_new(obj, key, value) == 0);
}

void stay_json_append(json_t *array, json_t *value)
{
    must(value != NULL && json_array_append_new(array, value) == 0);
}

void stay_json_set_string(json_t *obj, const char *key, const char *text)
{
    stay_json_set(obj, key, stay_json_string(text));
}

void stay_json_set_int(json_t *obj, const char *key, int64_t value)
{
    stay_json_set(obj, key, json_integer(value));
}

void stay_json_set_bool(json_t *obj, const char *key, bool value)
{
    stay_json_set(obj, key, json_boolean(value));
}

char *stay_json_dump_compact(const json_t *value)
{
    char *text = json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
    must(text != NULL);
    return text;
}

char *stay_json_dump_pretty(const json_t *value)
{
    char *text = json_dumps(value, JSON_SORT_KEYS | JSON_INDENT(2) | JSON_ENCODE_ANY);
    must(text != NULL);
    return text;
}

void stay_json_drop(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}
