/* tests/unit/controller/decide/golden_file.h - golden cases of plan, candidate and certificate:
 * each NAME.case is facts, a line "---", and the expected text. GOLDEN_ACCEPT=1 in the environment
 * writes the text we have now instead of comparing. */
#ifndef TESTS_GOLDEN_FILE_H
#define TESTS_GOLDEN_FILE_H
#include "base/base.h"
#include "base/str.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define GOLDEN_TEXT_MAX  65536
#define GOLDEN_CASES_MAX 400

/* Turns facts (may be changed) into the text to compare. */
typedef void (*golden_fn)(char *facts, struct str *out);

static char *golden_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = stay_calloc(1, GOLDEN_TEXT_MAX);
    if (file == NULL)
        fail_msg("cannot read %s", path);
    size_t length = fread(text, 1, GOLDEN_TEXT_MAX - 1, file);
    (void)fclose(file);
    if (length == GOLDEN_TEXT_MAX - 1)
        fail_msg("%s is too long", path);
    return text;
}

static bool golden_one(const char *path, golden_fn fn)
{
    STAY_AUTO(str_clear) struct str out = {0};
    STAY_AUTO(stay_free_charp) char *text = golden_read(path);
    char *cut = strstr(text, "\n---\n");
    char *expected = cut == NULL ? text + strlen(text) : cut + 5;
    if (cut != NULL)
        cut[1] = '\0';
    STAY_AUTO(stay_free_charp) char *facts = stay_strdup(text);
    fn(facts, &out);
    if (strcmp(expected, str_text(&out)) == 0)
        return true;
    if (getenv("GOLDEN_ACCEPT") == NULL) {
        print_error("%s\n--- expected\n%s--- now\n%s", path, expected, str_text(&out));
        return false;
    }
    FILE *file = fopen(path, "w");
    if (file == NULL)
        fail_msg("cannot write %s", path);
    (void)fprintf(file, "%s---\n%s", text, str_text(&out));
    (void)fclose(file);
    return true;
}

/* Every FOLDER/PREFIX*.case; fails naming each that differs. Returns how many there are. */
static int golden_run(const char *folder, const char *prefix, golden_fn fn)
{
    char path[400];
    int count = 0, bad = 0;
    (void)snprintf(path, sizeof path, "%s/%s", MAINSTAY_GOLDEN_DIR, folder);
    DIR *dir = opendir(path);
    if (dir == NULL)
        fail_msg("no folder %s", path);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        size_t length = strlen(e->d_name);
        if (length < 6 || strcmp(e->d_name + length - 5, ".case") != 0 ||
            strncmp(e->d_name, prefix, strlen(prefix)) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s/%.200s", MAINSTAY_GOLDEN_DIR, folder, e->d_name);
        bad += !golden_one(path, fn);
        count++;
    }
    (void)closedir(dir);
    print_message("%s/%s*: %d cases\n", folder, prefix, count);
    assert_int_equal(bad, 0);
    return count;
}

#endif
