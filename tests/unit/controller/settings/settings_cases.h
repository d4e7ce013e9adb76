/* What the tests of settings share: one good configuration, a folder of secrets, and how a table of
 * wrong configurations is tried. */
#ifndef TESTS_SETTINGS_CASES_H
#define TESTS_SETTINGS_CASES_H
#include <setjmp.h>
#include <stdarg.h>
#include "base/base.h"
#include "base/io/file.h"
#include "base/str.h"
#include "controller/settings/settings.h"
#include <cmocka.h>
#include <unistd.h>

/* @ stands for the folder of secrets. Line numbers in expected messages count from here. */
static const char settings_good[] =
    "controller = {\n"                                                                     /* 1 */
    "  name = \"ctl-c\"; zone = \"eu-1c\";\n"                                              /* 2 */
    "  state = \"sqlite:/tmp/x/state.db\";\n"                                              /* 3 */
    "  listen = ( { address = \"127.0.0.1:8420\"; } );\n"                                  /* 4 */
    "};\n"                                                                                 /* 5 */
    "clusters = ( {\n"                                                                     /* 6 */
    "  name = \"shop\"; engine = \"mariadb\";\n"                                           /* 7 */
    "  nodes = ( { name = \"db1\"; address = \"10.1.0.11:3306\"; zone = \"eu-1a\"; },\n"   /* 8 */
    "            { name = \"db2\"; address = \"10.2.0.11:3306\"; zone = \"eu-1b\"; } );\n" /* 9 */
    "  accounts = {\n"                                                                     /* 10 */
    "    monitor = { user = \"m\"; password = { file = \"@/good\"; }; };\n"                /* 11 */
    "    canary = { user = \"c\"; password = { file = \"@/good\"; }; };\n"                 /* 12 */
    "    operate = { user = \"o\"; password = { file = \"@/good\"; }; };\n"                /* 13 */
    "    replicate = { user = \"r\"; password = { file = \"@/good\"; }; };\n"              /* 14 */
    "  };\n"                                                                               /* 15 */
    "  tls = { ca = \"@/good\"; required = true; };\n"                                     /* 16 */
    "  durability = { mode = \"lossless\"; acks = 1; without_acker = \"degrade\"; };\n"    /* 17 */
    "  failover = { mode = \"automatic\"; grace = \"0s\"; cooldown = \"1h\"; };\n"         /* 18 */
    "  routes = ( { type = \"haproxy\"; sockets = [ \"10.1.0.2:9999\" ];\n"                /* 19 */
    "               write = \"shop_rw\"; client = \"10.1.0.2:3306\"; } );\n"               /* 20 */
    "} );\n";                                                                              /* 21 */

struct settings_folder {
    char path[64];
};

static inline void settings_folder_file(const struct settings_folder *f, const char *name,
                                        const char *text, unsigned mode)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    assert_int_equal(file_write_atomic(path, text, strlen(text), mode, NULL), STAY_OK);
}

static inline void settings_folder_make(struct settings_folder *f)
{
    static const char long_word[] =
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567";
    snprintf(f->path, sizeof f->path, "/tmp/settings-test-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    settings_folder_file(f, "good", "hunter2\n", 0600);
    settings_folder_file(f, "open", "hunter2\n", 0644);
    settings_folder_file(f, "empty", "", 0600);
    settings_folder_file(f, "long", long_word, 0600);
}

static inline void settings_folder_remove(const struct settings_folder *f)
{
    static const char *const names[] = {"good", "open", "empty", "long"};
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
        unlink(path);
    }
    rmdir(f->path);
}

static struct settings_folder folder;

/* cmocka's group setup and teardown of `folder`. */
static inline int make_folder(void **state)
{
    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    settings_folder_make(&folder);
    return 0;
}

static inline int remove_folder(void **state)
{
    (void)state;
    settings_folder_remove(&folder);
    return 0;
}

/* Every "@/" becomes the folder. Caller frees. */
static inline char *settings_expand(const struct settings_folder *f, const char *text)
{
    struct str out = {0};
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '@' && p[1] == '/')
            str_add(&out, f->path);
        else
            str_add_char(&out, *p);
    }
    return str_take(&out);
}

/* The good text with its first `from` (NULL: none) replaced by `to`, expanded. Caller frees. */
static inline char *settings_text_with(const struct settings_folder *f, const char *from,
                                       const char *to)
{
    const char *at = from == NULL ? settings_good : strstr(settings_good, from);
    if (at == NULL)
        fail_msg("'%s' does not occur in the good configuration", from);
    STAY_AUTO(stay_free_charp) char *text =
        stay_sprintf("%.*s%s%s", (int)(at - settings_good), settings_good, from == NULL ? "" : to,
                     at + (from == NULL ? 0 : strlen(from)));
    return settings_expand(f, text);
}

/* The good configuration with one thing changed, and the one message that refuses it. */
struct bad_case {
    const char *name;
    const char *from; /* NULL: `to` is the whole file */
    const char *to;
    const char *message;
};

static inline char *settings_bad_text(const struct bad_case *c)
{
    return c->from == NULL ? settings_expand(&folder, c->to)
                           : settings_text_with(&folder, c->from, c->to);
}

/* Each is refused with exactly its message; SETTINGS_PRINT in the environment prints them all. */
static inline void settings_refuses(const struct bad_case *cases, size_t count)
{
    int failures = 0;
    bool print = getenv("SETTINGS_PRINT") != NULL;
    for (size_t i = 0; i < count; i++) {
        const struct bad_case *c = &cases[i];
        STAY_AUTO(stay_free_charp) char *text = settings_bad_text(c);
        STAY_AUTO(stay_free_charp) char *expected = settings_expand(&folder, c->message);
        struct settings *settings = NULL;
        struct stay_error err = {0};
        enum stay_rc rc = settings_parse(text, "m.conf", 0, &settings, NULL, &err);
        assert_true(rc == STAY_OK || settings == NULL);
        if (print)
            printf("%s\t%s\n", c->name, rc == STAY_OK ? "ACCEPTED" : err.text);
        else if (rc == STAY_OK || strcmp(err.text, expected) != 0)
            failures += printf("%s:\n  expected %s\n  got      %s\n", c->name, expected,
                               rc == STAY_OK ? "no error" : err.text) > 0;
        settings_free(settings);
    }
    assert_int_equal(failures, 0);
}

#endif
