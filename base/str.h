/* base/str.h - a growable text buffer that never grows past its maximum.
 *
 * Pure (heap only). Layer: base. Zero-initialised is a valid empty buffer with STR_MAX_DEFAULT.
 * Text that would pass the maximum is dropped and is_cut stays true until str_reset, so a caller
 * adds freely and asks once at the end. */
#ifndef BASE_STR_H
#define BASE_STR_H
#include "base/base.h"
#include <stdarg.h>

#define STR_MAX_DEFAULT 1048576 /* 1 MiB */

struct str {
    char *text;    /* terminated; NULL while nothing was added (str_text never gives NULL) */
    size_t length; /* bytes before the terminator */
    size_t capacity;
    size_t max; /* largest length; 0 means STR_MAX_DEFAULT */
    bool is_cut;
};

/* An empty buffer of at most `max` bytes of text. */
void str_init(struct str *s, size_t max);
void str_clear(struct str *s); /* releases the memory; the maximum stays. For STAY_AUTO. */
void str_reset(struct str *s); /* empties it, keeps the memory */

/* Appends; text is copied. */
void str_add(struct str *s, const char *text);
void str_add_bytes(struct str *s, const void *bytes, size_t length);
void str_add_char(struct str *s, char c);
void str_add_repeat(struct str *s, char c, size_t count);
void str_addf(struct str *s, const char *fmt, ...) STAY_PRINTF(2, 3);
void str_addv(struct str *s, const char *fmt, va_list args) STAY_PRINTF(2, 0);
/* Removes the first `count` bytes (all, when there are fewer). */
void str_consume(struct str *s, size_t count);

const char *str_text(const struct str *s); /* borrowed until the next change; "" when empty */
/* Hands the text out (never NULL, caller frees) and leaves an empty buffer. */
char *str_take(struct str *s) STAY_MUST_USE;

#endif
