/* backup/repository/repo_fault.c - the table of faults, and errors made from it. */
#include "backup/repository/repo_fault.h"
#include <errno.h>
#include <stdarg.h>

static const struct {
    int exit_code;
    enum stay_rc rc;
    const char *name, *what;
} faults[REPO_FAULT_COUNT] = {[REPO_FAULT_NONE] = {1, STAY_EFAILED, "", ""},
#define X(id, code, rc, name, what) [REPO_FAULT_##id] = {code, rc, name, what},
                              REPO_FAULTS(X)
#undef X
};

enum stay_rc repo_fault(struct stay_error *err, enum repo_fault fault, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    for (char *p = text; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            *p = '?'; /* bytes of a repository that others wrote end in people's terminals */
    return stay_error_native(err, faults[fault].rc, STAY_DOMAIN_REPOSITORY, (int)fault, "%s: %s",
                             faults[fault].name, text);
}

enum stay_rc repo_fault_sys(struct stay_error *err, enum repo_fault fault, int errnum,
                            const char *fmt, ...)
{
    char text[sizeof err->text], reason[128];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG)
        fault = REPO_FAULT_FULL;
    return repo_fault(err, fault, "%s: %s", text, strerror_r(errnum, reason, sizeof reason));
}

enum repo_fault repo_fault_of(const struct stay_error *err)
{
    bool is_ours = err != NULL && err->domain == STAY_DOMAIN_REPOSITORY;
    return is_ours ? (enum repo_fault)err->native : REPO_FAULT_NONE;
}

const char *repo_fault_name(enum repo_fault fault)
{
    return faults[fault].name;
}

const char *repo_fault_text(enum repo_fault fault)
{
    return faults[fault].what;
}

int repo_fault_exit(enum repo_fault fault)
{
    return faults[fault].exit_code;
}
