/* tests/fuzz/replay.h - the plain main of a fuzz target: replays files and folders named on the
 * command line, then seeded mutations of them, so that gcc runs the corpus in every test run. With
 * clang's libFuzzer define MAINSTAY_LIBFUZZER and main is left to it.
 *
 * Usage: fuzz_x [--mutations N] [--seed N] FILE-OR-FOLDER.. ; include from the target's one .c
 * file. */
#ifndef TESTS_FUZZ_REPLAY_H
#define TESTS_FUZZ_REPLAY_H
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef MAINSTAY_LIBFUZZER
#include "base/random.h"
#include <dirent.h>
#include <sys/stat.h>

#define REPLAY_INPUT_MAX (1024 * 1024)
#define REPLAY_MUTATIONS 2000 /* per file */

struct fuzz_replay {
    struct random random;
    uint64_t seed;
    unsigned long mutations, runs;
};

/* Flips, drops, doubles and moves pieces; the copy has exactly `size` bytes so that ASan sees one
 * past the end. */
static inline void replay_mutated(struct fuzz_replay *r, const uint8_t *data, size_t size)
{
    size_t length = size == 0 ? 0 : 1 + random_below(&r->random, size);
    size_t from = random_below(&r->random, size - length + 1);
    size_t again = random_chance(&r->random, 300000) ? random_below(&r->random, length + 1) : 0;
    uint8_t *copy = stay_malloc(length + again);
    if (length > 0)
        memcpy(copy, data + from, length);
    memcpy(copy + length, copy, again);
    for (uint64_t n = random_below(&r->random, 4); n > 0 && length + again > 0; n--) {
        static const char likely[] = "-:,.0123456789aZ_ \n{}[]\"\\";
        uint8_t *at = &copy[random_below(&r->random, length + again)];
        *at = random_chance(&r->random, 700000)
                  ? (uint8_t)likely[random_below(&r->random, sizeof likely - 1)]
                  : (uint8_t)random_u64(&r->random);
    }
    (void)LLVMFuzzerTestOneInput(copy, length + again);
    r->runs++;
    free(copy);
}

static inline bool replay_file(struct fuzz_replay *r, const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return false;
    uint8_t *data = stay_malloc(REPLAY_INPUT_MAX);
    size_t size = fread(data, 1, REPLAY_INPUT_MAX, file);
    (void)fclose(file);
    data = stay_realloc(data, size, 1);
    (void)LLVMFuzzerTestOneInput(data, size);
    r->runs++;
    for (unsigned long i = 0; i < r->mutations; i++)
        replay_mutated(r, data, size);
    free(data);
    return true;
}

static inline bool replay_path(struct fuzz_replay *r, const char *path)
{
    struct stat st;
    struct dirent **names = NULL;
    if (stat(path, &st) != 0)
        return false;
    if (!S_ISDIR(st.st_mode))
        return replay_file(r, path);
    bool is_good = true;
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *inner = stay_sprintf("%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            is_good = replay_path(r, inner) && is_good;
        free(inner);
        free(names[i]);
    }
    free(names);
    return is_good && count >= 0;
}

int main(int argc, char **argv)
{
    struct fuzz_replay r = {.seed = 1, .mutations = REPLAY_MUTATIONS};
    bool is_good = true;
    int first = 1;
    for (; first + 1 < argc && strncmp(argv[first], "--", 2) == 0; first += 2) {
        uint64_t value = strtoull(argv[first + 1], NULL, 10);
        if (strcmp(argv[first], "--seed") == 0)
            r.seed = value;
        else if (strcmp(argv[first], "--mutations") == 0)
            r.mutations = value;
        else
            is_good = false;
    }
    random_init(&r.random, r.seed);
    for (int i = first; i < argc; i++) {
        if (!replay_path(&r, argv[i])) {
            (void)fprintf(stderr, "cannot read '%s'\n", argv[i]);
            is_good = false;
        }
    }
    (void)printf("%lu inputs, seed %llu\n", r.runs, (unsigned long long)r.seed);
    return is_good && r.runs > 0 ? 0 : 1;
}
#endif
#endif
