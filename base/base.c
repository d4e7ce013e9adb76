/* base/base.c - the abort behind must(), and allocation that never returns NULL. */
#include "base/base.h"
#include <stdarg.h>

_Noreturn void stay_must_failed(const char *expr, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: must hold but does not: %s\n", file, line, expr);
    abort();
}

static _Noreturn void out_of_memory(size_t count, size_t size)
{
    (void)fprintf(stderr, "out of memory: asked for %zu x %zu bytes\n", count, size);
    abort();
}

void *stay_malloc(size_t size)
{
    void *p = malloc(size == 0 ? 1 : size);
    if (p == NULL)
        out_of_memory(1, size);
    return p;
}

void *stay_calloc(size_t count, size_t size)
{
    void *p = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
    if (p == NULL)
        out_of_memory(count, size);
    return p;
}

void *stay_realloc(void *ptr, size_t count, size_t size)
{
    void *p = reallocarray(ptr, count == 0 ? 1 : count, size == 0 ? 1 : size);
    if (p == NULL)
        out_of_memory(count, size);
    return p;
}

char *stay_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = stay_malloc(size);
    memcpy(copy, text, size);
    return copy;
}

char *stay_sprintf(const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, args);
    must(length >= 0);
    char *text = stay_malloc((size_t)length + 1);
    (void)vsnprintf(text, (size_t)length + 1, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}

bool stay_copy(char *dst, size_t size, const char *src)
{
    must(size > 0);
    size_t length = strnlen(src, size);
    bool is_whole = length < size;
    if (!is_whole)
        length = size - 1;
    memmove(dst, src, length);
    dst[length] = '\0';
    return is_whole;
}

void stay_free_charp(char **text)
{
    free(*text);
    *text = NULL;
}
