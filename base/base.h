/* base/base.h - first include of every source file: scoped clean-up, assertions that stay on in
 * release builds, and the list of calls this project does not use. One exception to "first":
 * <mysql.h> uses poisoned names in its own macros and goes before it.
 *
 * Pure. Layer: base. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* STAY_AUTO(fn) T v: calls fn(&v) when v leaves scope (GNU cleanup attribute). */
#define STAY_AUTO(fn)          __attribute__((cleanup(fn)))
#define STAY_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define STAY_MUST_USE          __attribute__((warn_unused_result))
#define STAY_COUNT(array)      (sizeof(array) / sizeof((array)[0]))

/* must(x): a programmer's error if false; prints the place and aborts, in release builds too. Never
 * used on anything that came from network, disk or user. */
#define must(expr)                                                                                 \
    do {                                                                                           \
        if (__builtin_expect(!(expr), 0))                                                          \
            stay_must_failed(#expr, __FILE__, __LINE__);                                           \
    } while (0)

_Noreturn void stay_must_failed(const char *expr, const char *file, int line);

/* Allocation that aborts when memory is out (style: untested OOM branches are worse than a
 * restart). Sizes that come from outside are capped by the caller. stay_calloc zeroes. Free with
 * free(). */
void *stay_malloc(size_t size) STAY_MUST_USE;
void *stay_calloc(size_t count, size_t size) STAY_MUST_USE;
void *stay_realloc(void *ptr, size_t count, size_t size) STAY_MUST_USE;
char *stay_strdup(const char *text) STAY_MUST_USE;
char *stay_sprintf(const char *fmt, ...) STAY_PRINTF(1, 2) STAY_MUST_USE; /* heap; caller frees */

/* Copies src into dst[size], always terminated; returns false when it was cut short. */
bool stay_copy(char *dst, size_t size, const char *src);

/* STAY_AUTO(stay_free_charp) char *text. */
void stay_free_charp(char **text);

/* Time everywhere: int64_t microseconds; "mono" and "wall" are part of the name, never mixed. */
#define STAY_MS     INT64_C(1000)
#define STAY_SECOND INT64_C(1000000)
#define STAY_NEVER  INT64_MIN /* a time that has not happened */

#pragma GCC poison strcpy strcat strncpy sprintf strtok gmtime localtime atoi system popen

#endif
