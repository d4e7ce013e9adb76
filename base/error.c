/* base/error.c - filling and chaining error texts, and the words for return codes. */
#include "base/error.h"
#include <stdarg.h>

static void fill(struct stay_error *err, enum stay_rc rc, enum stay_domain domain, int native,
                 const char *text)
{
    err->rc = rc;
    err->domain = domain;
    err->native = native;
    (void)stay_copy(err->text, sizeof err->text, text);
}

enum stay_rc stay_error(struct stay_error *err, enum stay_rc rc, const char *fmt, ...)
{
    if (err == NULL)
        return rc;
    char text[sizeof err->text]; /* apart from *err: the arguments may point into it */
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fill(err, rc, STAY_DOMAIN_NONE, 0, text);
    return rc;
}

enum stay_rc stay_error_sys(struct stay_error *err, int errnum, const char *fmt, ...)
{
    if (err == NULL)
        return STAY_ESYSTEM;
    char text[sizeof err->text], whole[sizeof err->text + 128], reason[128];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)snprintf(whole, sizeof whole, "%s: %s", text, strerror_r(errnum, reason, sizeof reason));
    fill(err, STAY_ESYSTEM, STAY_DOMAIN_SYSTEM, errnum, whole);
    return STAY_ESYSTEM;
}

enum stay_rc stay_error_native(struct stay_error *err, enum stay_rc rc, enum stay_domain domain,
                               int native, const char *fmt, ...)
{
    if (err == NULL)
        return rc;
    char text[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fill(err, rc, domain, native, text);
    return rc;
}

enum stay_rc stay_error_prefix(struct stay_error *err, enum stay_rc rc, const char *fmt, ...)
{
    if (err == NULL)
        return rc;
    char text[sizeof err->text], whole[2 * sizeof err->text + 2];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)snprintf(whole, sizeof whole, "%s: %s", text, err->text);
    fill(err, rc, err->domain, err->native, whole);
    return rc;
}

const char *stay_rc_text(enum stay_rc rc)
{
    switch (rc) {
    case STAY_OK:
        return "ok";
    case STAY_EFAILED:
        return "failed";
    case STAY_EINVALID:
        return "invalid";
    case STAY_ENOTFOUND:
        return "not found";
    case STAY_ECONFLICT:
        return "conflict";
    case STAY_ETIMEDOUT:
        return "timed out";
    case STAY_ECANCELED:
        return "canceled";
    case STAY_EREFUSED:
        return "refused";
    case STAY_EUNREACHABLE:
        return "unreachable";
    case STAY_EDENIED:
        return "denied";
    case STAY_ESYSTEM:
        return "system error";
    case STAY_ECORRUPT:
        return "corrupt";
    case STAY_EBUSY:
        return "busy";
    case STAY_ELIMIT:
        return "limit hit";
    case STAY_EUNKNOWN:
        return "unknown";
    }
    return "unclassified"; /* a number that is not one of ours, from a file or a cast */
}
