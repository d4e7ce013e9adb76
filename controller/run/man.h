/* controller/run/man.h - the manual pages, made from the tables that run, so that they cannot be
 * wrong about an option, verb, rule, step or route that exists.
 *
 * Layer: run. Pure output in mdoc(7). .ci/man.sh compares deploy/man with what these print. */
#ifndef CONTROLLER_RUN_MAN_H
#define CONTROLLER_RUN_MAN_H
#include "base/str.h"

#define MAN_DATE "November 22, 2026"

struct man_page {
    const char *name; /* "mainstay" */
    unsigned section;
    const char *title; /* of NAME, lower case, no full stop */
    void (*body)(struct str *out);
};

/* Every page; static. */
const struct man_page *man_pages(size_t *ret_count);
/* The whole page. */
void man_format(const struct man_page *page, struct str *out);

/* A text line: escaped, never taken for a macro. */
void man_text(struct str *out, const char *text);
/* Escaped, without a newline, for use inside a macro line. */
void man_word(struct str *out, const char *text);

/* man_cli.c, man_conf.c, man_tables.c, man_api.c, man_repository.c */
void man_mainstay(struct str *out);
void man_mainstayd(struct str *out);
void man_conf(struct str *out);
void man_verdicts(struct str *out);
void man_plans(struct str *out);
void man_api(struct str *out);
void man_repository(struct str *out);

#endif
