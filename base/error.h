/* base/error.h - return codes and the fixed-size error text that travels outward with them.
 *
 * Pure. Layer: base. A fallible function returns enum stay_rc (0 or negative), takes
 * `struct stay_error *err` last (may be NULL), leaves *err alone on success and out-parameters
 * alone on failure. The code drives logic; the text names node, statement and native number. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H
#include "base/base.h"

enum stay_rc {
    STAY_OK = 0,
    STAY_EFAILED = -1,  /* the other side said no, or an unclassified failure */
    STAY_EINVALID = -2, /* input is malformed: text names what and how to fix it */
    STAY_ENOTFOUND = -3,
    STAY_ECONFLICT = -4, /* a compare failed: somebody else changed it first */
    STAY_ETIMEDOUT = -5,
    STAY_ECANCELED = -6,
    STAY_EREFUSED = -7, /* refused by a safety rule; text names the rule */
    STAY_EUNREACHABLE = -8,
    STAY_EDENIED = -9,   /* authentication or privilege */
    STAY_ESYSTEM = -10,  /* errno-style failure of this machine */
    STAY_ECORRUPT = -11, /* stored bytes are not what was written */
    STAY_EBUSY = -12,
    STAY_ELIMIT = -13,   /* a named bound was hit */
    STAY_EUNKNOWN = -14, /* outcome unknown: it may or may not have happened */
};

enum stay_domain {
    STAY_DOMAIN_NONE = 0,
    STAY_DOMAIN_SYSTEM,
    STAY_DOMAIN_MYSQL,
    STAY_DOMAIN_MONGO,
    STAY_DOMAIN_HTTP,
    STAY_DOMAIN_TLS,
    STAY_DOMAIN_SQLITE,
    STAY_DOMAIN_REPOSITORY, /* native: enum repo_fault of backup/repository/repo_fault.h */
    STAY_DOMAIN_COUNT
};

struct stay_error {
    enum stay_rc rc;
    enum stay_domain domain;
    int native;     /* errno, MySQL error number, HTTP status, SQLite code; 0 if none */
    char text[512]; /* chained outermost first: "promote db2: stop replica: (1198) ..." */
};

/* Fills err (if not NULL) and returns rc, so that `return stay_error(err, STAY_EINVALID, "...")`.
 */
enum stay_rc stay_error(struct stay_error *err, enum stay_rc rc, const char *fmt, ...)
    STAY_PRINTF(3, 4);
/* As stay_error with STAY_ESYSTEM, native = errnum, and ": strerror" appended. */
enum stay_rc stay_error_sys(struct stay_error *err, int errnum, const char *fmt, ...)
    STAY_PRINTF(3, 4);
/* As stay_error with a domain and native number; text becomes "...: (native) ..." by the caller. */
enum stay_rc stay_error_native(struct stay_error *err, enum stay_rc rc, enum stay_domain domain,
                               int native, const char *fmt, ...) STAY_PRINTF(5, 6);
/* Puts "prefix: " before err->text, keeping rc; returns rc. NULL err is fine. */
enum stay_rc stay_error_prefix(struct stay_error *err, enum stay_rc rc, const char *fmt, ...)
    STAY_PRINTF(3, 4);

/* "invalid", "timed out", ...: one or two words for tables and JSON. Never NULL. */
const char *stay_rc_text(enum stay_rc rc);

#endif
