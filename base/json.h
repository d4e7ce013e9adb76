/* base/json.h - checked access to jansson values, with errors that name the key and the types.
 *
 * Pure (heap only). Layer: base. Prefix stay_json_, since jansson owns json_. Getters leave *ret
 * alone on failure; a key that is absent or null gives STAY_ENOTFOUND from the plain getters and
 * the default from the _or ones; a wrong type is STAY_EINVALID from both. */
#ifndef BASE_JSON_H
#define BASE_JSON_H
#include "base/error.h"
#include <jansson.h>

#define STAY_JSON_TEXT_MAX 16777216 /* 16 MiB */

/* Parses one value and nothing after it; duplicate keys are refused; errors carry line and column.
 * The caller owns *ret_value (json_decref or STAY_AUTO(stay_json_drop)). */
enum stay_rc stay_json_parse(const char *text, size_t length, json_t **ret_value,
                             struct stay_error *err) STAY_MUST_USE;

/* Borrowed results live as long as `obj`. obj must be an object (checked). */
enum stay_rc stay_json_get_string(const json_t *obj, const char *key, const char **ret,
                                  struct stay_error *err) STAY_MUST_USE;
enum stay_rc stay_json_get_int(const json_t *obj, const char *key, int64_t *ret,
                               struct stay_error *err) STAY_MUST_USE;
/* As get_int, refusing values outside low..high. */
enum stay_rc stay_json_get_int_in(const json_t *obj, const char *key, int64_t low, int64_t high,
                                  int64_t *ret, struct stay_error *err) STAY_MUST_USE;
enum stay_rc stay_json_get_bool(const json_t *obj, const char *key, bool *ret,
                                struct stay_error *err) STAY_MUST_USE;
enum stay_rc stay_json_get_object(const json_t *obj, const char *key, json_t **ret,
                                  struct stay_error *err) STAY_MUST_USE;
enum stay_rc stay_json_get_array(const json_t *obj, const char *key, json_t **ret,
                                 struct stay_error *err) STAY_MUST_USE;
enum stay_rc stay_json_get_string_or(const json_t *obj, const char *key, const char *otherwise,
                                     const char **ret, struct stay_error *err) STAY_MUST_USE;
enum stay_rc stay_json_get_int_or(const json_t *obj, const char *key, int64_t otherwise,
                                  int64_t *ret, struct stay_error *err) STAY_MUST_USE;
enum stay_rc stay_json_get_bool_or(const json_t *obj, const char *key, bool otherwise, bool *ret,
                                   struct stay_error *err) STAY_MUST_USE;
/* Copies a string value into dst[size]; STAY_ELIMIT when it does not fit. */
enum stay_rc stay_json_get_copy(const json_t *obj, const char *key, char *dst, size_t size,
                                struct stay_error *err) STAY_MUST_USE;

/* Setters that cannot fail but for memory (abort). Text is cut at the first byte that is not valid
 * UTF-8 replaced by '?', so a server's odd bytes never lose a record. NULL text stores null. */
void stay_json_set_string(json_t *obj, const char *key, const char *text);
void stay_json_set_int(json_t *obj, const char *key, int64_t value);
void stay_json_set_bool(json_t *obj, const char *key, bool value);
void stay_json_set(json_t *obj, const char *key, json_t *value); /* takes value's reference */
void stay_json_append(json_t *array, json_t *value);             /* takes value's reference */
json_t *stay_json_string(const char *text) STAY_MUST_USE;        /* as set_string; new reference */

/* Heap text, caller frees; keys sorted, so equal values give equal text. */
char *stay_json_dump_compact(const json_t *value) STAY_MUST_USE;
char *stay_json_dump_pretty(const json_t *value) STAY_MUST_USE;

void stay_json_drop(json_t **value); /* for STAY_AUTO */

#endif
