/* controller/settings/option.h - the one table of every option: it drives parser, defaults,
 * `mainstay config show --defaults` and mainstay.conf(5).
 *
 * Pure data. Layer: settings. A path is the option's place with list positions left out:
 * "clusters.nodes.address". Rows stand in the order in which a reader meets them; children follow
 * their group. */
#ifndef CONTROLLER_SETTINGS_OPTION_H
#define CONTROLLER_SETTINGS_OPTION_H
#include "base/base.h"

enum option_type {
    OPTION_NONE = 0,
    OPTION_GROUP,    /* { ... }: children are rows of their own */
    OPTION_LIST,     /* ( { ... }, ... ): as GROUP, several times */
    OPTION_FREE,     /* { ... } of a later issue: shape not looked into */
    OPTION_ID,       /* [a-z0-9-]{1,32} */
    OPTION_NAME,     /* [A-Za-z0-9_$-]{1,64} */
    OPTION_TEXT,     /* any text without control characters */
    OPTION_PATH,     /* absolute path; need not exist */
    OPTION_FILE,     /* absolute path of a file we can read */
    OPTION_ADDRESS,  /* host:port */
    OPTION_SERVER,   /* host[:3306], into struct node_config */
    OPTION_LOOPBACK, /* 127.0.0.0/8, [::1] or localhost, with port */
    OPTION_SOCKETS,  /* [ "host:port", "/path" ] */
    OPTION_ARGV,     /* [ "/path/to/program", "argument" ] */
    OPTION_DURATION, /* int64_t microseconds */
    OPTION_SIZE,     /* uint64_t bytes */
    OPTION_NUMBER,   /* uint32_t */
    OPTION_BOOL,
    OPTION_WORD,   /* one of `range`, stored as int: first_value + position */
    OPTION_SECRET, /* { file = "..." } or { credential = "..." } */
    OPTION_TYPE_COUNT
};

enum option_flags {
    OPTION_REQUIRED = 1,
    OPTION_RESTART = 2, /* a change needs a restart; all others: reload */
    OPTION_LATER = 4,   /* accepted and checked for shape; not built yet, nothing is stored */
    OPTION_BY_PATH = 8, /* SECRET: where it is, is all that is kept; others read it */
};

struct option {
    const char *path;
    enum option_type type;
    unsigned flags;
    size_t offset;         /* in the struct of the list element (or struct settings) it is in */
    size_t size;           /* bytes of text; LIST: of one element */
    size_t count_offset;   /* LIST, SOCKETS, ARGV: where the uint32_t number of elements goes */
    unsigned count_max;    /* LIST, SOCKETS, ARGV */
    int first_value;       /* WORD */
    const char *otherwise; /* default as one would write it without quotes; NULL: none */
    const char *range;     /* WORD: "a|b|c"; DURATION, SIZE, NUMBER: "low..high"; NULL: any */
    const char *help;      /* one line, no full stop */
};

/* Every option, groups before their members, in the order of mainstay.conf(5). Static. */
const struct option *option_table(size_t *ret_count);
/* The row of exactly this path, NULL if there is none. */
const struct option *option_find(const char *path);
/* Is `child` a direct child of `parent` ("" is the file itself)? */
bool option_is_child(const struct option *child, const char *parent);
/* The last part of the path. */
const char *option_leaf(const struct option *option);
/* "duration", "size", "text" ... for people. */
const char *option_type_text(enum option_type type);

#endif
