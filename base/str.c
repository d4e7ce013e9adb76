/* base/str.c - a growable text buffer that never grows past its maximum. */
#include "base/str.h"

#define FIRST_CAPACITY 64

void str_init(struct str *s, size_t max)
{
    *s = (struct str){.max = max};
}

void str_clear(struct str *s)
{
    free(s->text);
    *s = (struct str){.max = s->max};
}

void str_reset(struct str *s)
{
    s->length = 0;
    s->is_cut = false;
    if (s->text != NULL)
        s->text[0] = '\0';
}

/* Makes room for `more` bytes and a terminator; returns how many of them fit under the maximum. */
static size_t reserve(struct str *s, size_t more)
{
    size_t max = s->max == 0 ? STR_MAX_DEFAULT : s->max;
    if (more > max - s->length) {
        more = max - s->length;
        s->is_cut = true;
    }
    size_t need = s->length + more + 1;
    if (need > s->capacity) {
        size_t capacity = s->capacity == 0 ? FIRST_CAPACITY : s->capacity * 2;
        s->capacity = capacity > need ? capacity : need;
        s->text = stay_realloc(s->text, s->capacity, 1);
        s->text[s->length] = '\0';
    }
    return more;
}

void str_add_bytes(struct str *s, const void *bytes, size_t length)
{
    length = reserve(s, length);
    if (length > 0)
        memcpy(s->text + s->length, bytes, length);
    s->length += length;
    s->text[s->length] = '\0';
}

void str_add(struct str *s, const char *text)
{
    str_add_bytes(s, text, strlen(text));
}

void str_add_char(struct str *s, char c)
{
    str_add_bytes(s, &c, 1);
}

void str_add_repeat(struct str *s, char c, size_t count)
{
    count = reserve(s, count);
    memset(s->text + s->length, c, count);
    s->length += count;
    s->text[s->length] = '\0';
}

void str_addv(struct str *s, const char *fmt, va_list args)
{
    char small[256];
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(small, sizeof small, fmt, args);
    must(length >= 0);
    if ((size_t)length < sizeof small) {
        str_add_bytes(s, small, (size_t)length);
    } else {
        STAY_AUTO(stay_free_charp) char *large = stay_malloc((size_t)length + 1);
        (void)vsnprintf(large, (size_t)length + 1, fmt, again);
        str_add_bytes(s, large, (size_t)length);
    }
    va_end(again);
}

void str_addf(struct str *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    str_addv(s, fmt, args);
    va_end(args);
}

void str_consume(struct str *s, size_t count)
{
    if (count >= s->length) {
        str_reset(s);
        return;
    }
    s->length -= count;
    memmove(s->text, s->text + count, s->length + 1);
}

const char *str_text(const struct str *s)
{
    return s->text == NULL ? "" : s->text;
}

char *str_take(struct str *s)
{
    char *text = s->text == NULL ? stay_strdup("") : s->text;
    *s = (struct str){.max = s->max};
    return text;
}
