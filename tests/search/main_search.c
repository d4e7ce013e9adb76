/* search: small-scope exhaustive search over the decision core. See search.h. */
#include "tests/search/search.h"
#include <errno.h>
#include <getopt.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define TEXT_MAX 500

struct arguments {
    struct search_options o;
    const char *path;
    bool heals, mutants;
};

struct outcome_found { /* of one search, which runs in a process of its own */
    struct search_counts counts;
    struct search_path path;
    char text[TEXT_MAX];
    bool clean;
    double seconds, cpu_seconds;
    long rss_kib;
};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A search in a child: its arena is its own. False: the child died. */
static bool search_apart(const struct search_options *o, struct outcome_found *found)
{
    int fd[2];
    (void)fflush(NULL);
    if (pipe(fd) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        struct outcome_found *r = memory_map(sizeof *r);
        memory_begin();
        double begun = now_s();
        r->clean = search_run(o, &r->counts, &r->path, r->text, sizeof r->text);
        struct rusage use;
        (void)getrusage(RUSAGE_SELF, &use);
        r->seconds = now_s() - begun;
        r->cpu_seconds = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                         (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
        r->rss_kib = use.ru_maxrss;
        for (size_t at = 0; at < sizeof *r;) {
            ssize_t n = write(fd[1], (char *)r + at, sizeof *r - at);
            if (n <= 0)
                _exit(1);
            at += (size_t)n;
        }
        _exit(0);
    }
    (void)close(fd[1]);
    size_t at = 0;
    ssize_t n = 1;
    while (pid > 0 && at < sizeof *found && n > 0) {
        n = read(fd[0], (char *)found + at, sizeof *found - at);
        at += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd[0]);
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 && at == sizeof *found;
}

static void print_counts(const struct search_options *o, const struct outcome_found *f)
{
    const struct search_counts *c = &f->counts;
    printf("%s, %s%s: %llu states, %llu transitions (%llu to a known state), depth %u of %u, "
           "%.1f s (%.1f s of processor), %ld MiB, snapshot %llu KiB\n",
           engine_text(o->engine), sim_layout_text(o->layout), o->bounded ? ", bounded" : "",
           (unsigned long long)c->states, (unsigned long long)c->transitions,
           (unsigned long long)c->same, c->depth, o->events, f->seconds, f->cpu_seconds,
           f->rss_kib / 1024, (unsigned long long)c->snapshot_bytes / 1024);
    printf("  scope: paths of %u events, %u of them faults, %u writes, %u interrupted ticks; %s\n",
           o->events, o->faults, o->writes, o->interrupts,
           f->clean && c->complete ? "searched to its end" : "not searched to its end");
    printf("  states by depth:");
    for (uint32_t d = 0; d <= c->depth; d++)
        printf(" %llu", (unsigned long long)c->at_depth[d]);
    printf("\n  healed: %llu states; %llu came to rest, %llu asked a human\n",
           (unsigned long long)c->healed, (unsigned long long)c->converged,
           (unsigned long long)c->asks);
    printf("  transitions by event:");
    for (int i = 0; i < SEARCH_EVENT_COUNT; i++)
        if (c->event[i] > 0)
            printf(" %s %llu", search_event_word((enum search_event_kind)i),
                   (unsigned long long)c->event[i]);
    printf("\n  ticks by interrupt:");
    for (int i = 1; i < INTERRUPT_COUNT; i++)
        if (c->interrupt[i] > 0)
            printf(" %s %llu", search_interrupt_word((enum search_interrupt)i),
                   (unsigned long long)c->interrupt[i]);
    printf("\n");
}

static const char *layout_option(enum sim_layout layout)
{
    static const char *const names[] = {"pair", "witness", "two", "own-zone", "four"};
    return layout < LAYOUT_COUNT ? names[layout] : "?";
}

static void print_violation(const char *program, const struct search_options *o,
                            const struct outcome_found *f)
{
    char step[64];
    printf("VIOLATION %s\n", f->text);
    path_print(&f->path, stdout);
    printf("  repeat: %s --engine %s --layout %s%s%s%s%s --path \"", program,
           o->engine == ENGINE_MYSQL ? "mysql" : "mariadb", layout_option(o->layout),
           o->bounded ? " --bounded" : "", o->mutant ? " --mutant " : "",
           o->mutant ? search_mutant_name(o->mutant) : "",
           strstr(f->text, "healed)") ? " --heal" : "");
    for (uint32_t i = 0; i < f->path.n; i++) {
        step_text(&f->path.step[i], step, sizeof step);
        printf("%s%s", i ? " " : "", step);
    }
    printf("\"\n");
}

static int search_once(const char *program, const struct search_options *o)
{
    struct outcome_found *found = memory_map(sizeof *found);
    if (!search_apart(o, found)) {
        printf("the search died\n");
        return 2;
    }
    print_counts(o, found);
    if (found->clean)
        return 0;
    print_violation(program, o, found);
    return 1;
}

/* Is the path clean without the bug? Lived in a child, which says so by its exit. */
static bool is_clean_without(const struct search_options *o, const struct outcome_found *f)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        char text[TEXT_MAX];
        struct search_options sound = *o;
        sound.mutant = MUTANT_NONE;
        memory_begin();
        bool heals = strstr(f->text, "healed)") != NULL;
        _exit(search_replay(&sound, &f->path, heals, false, text, sizeof text) != INV_NONE);
    }
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* False: not found. */
static bool search_mutant(const char *program, const struct search_options *o)
{
    struct outcome_found *found = memory_map(sizeof *found);
    const char *name = search_mutant_name(o->mutant);
    if (!search_apart(o, found)) {
        printf("%-28s the search died\n", name);
        return false;
    }
    unsigned long long states = found->counts.states;
    if (found->clean) {
        printf("%-28s not found: %llu states, %.1f s\n", name, states, found->seconds);
        return false;
    }
    if (!is_clean_without(o, found)) {
        printf("%-28s not found: its path fails without it as well\n", name);
        print_violation(program, o, found);
        return false;
    }
    printf("%-28s found after %llu states, %.1f s, %u events\n", name, states, found->seconds,
           found->path.n);
    print_violation(program, o, found);
    return true;
}

static int search_mutants(const char *program, const struct search_options *o)
{
    int found = 0, tried = 0;
    for (unsigned id = MUTANT_NONE + 1; id < MUTANT_COUNT; id++) {
        struct search_options one = *o;
        if (o->mutant != MUTANT_NONE && o->mutant != id)
            continue;
        one.mutant = id;
        tried++;
        found += search_mutant(program, &one);
    }
    printf("mutants: %d found of %d\n", found, tried);
    return found != tried;
}

static int replay(const struct arguments *a)
{
    struct search_path path;
    char text[TEXT_MAX];
    if (!path_parse(a->path, &path)) {
        printf("this is no path: '%s'\n", a->path);
        return 2;
    }
    memory_begin();
    enum sim_invariant inv = search_replay(&a->o, &path, a->heals, true, text, sizeof text);
    printf("%s\n", inv ? text : "no violation");
    return inv != INV_NONE;
}

static void usage(FILE *out)
{
    fprintf(
        out,
        "usage: search [--engine mariadb|mysql] [--layout pair|witness|two|own-zone|four]\n"
        "              [--bounded] [--events N] [--faults N] [--writes N] [--interrupts N]\n"
        "              [--heal-every N] [--only WORD,...]  [--states N] [--seconds N]\n"
        "              [--mutant NAME]\n"
        "       search --path \"EVENT ...\" [--heal] ...\n"
        "       search-mutants --mutants ...\n"
        "\n"
        "Every order of up to N events on a small cluster, each state judged by the invariants.\n"
        "\n"
        "  --engine E        mariadb\n"
        "  --layout L        servers by zone: pair a b; witness a b w; two a b b (default);\n"
        "                    own-zone a b a; four a b b w\n"
        "  --events N        length of a path (12)\n"
        "  --faults N        events of one path other than ticks, data, writes and repairs (2)\n"
        "  --writes N        writes of clients of one path (1)\n"
        "  --interrupts N    interrupted ticks of one path (1)\n"
        "  --heal-every N    each N-th new state is healed and must come to rest (1; 0: none)\n"
        "  --only W,...      the events that are placed, beside ticks (all); --without W,... all "
        "but\n"
        "  --states N        stops after so many states (2000000)\n"
        "  --seconds N       or so many seconds (100000)\n"
        "  --mutants         looks for each seeded bug\n"
        "  --path P          lives one path and prints all that happens in it\n"
        "\nEvents:\n");
#define X(id, word, kind, what) fprintf(out, "  %-17s %s\n", word, what);
    SEARCH_EVENTS(X)
#undef X
    fprintf(out, "Interrupts of a tick, as in tick@3:die (boundary 3 of the plan in it):\n");
#define X(id, word, what)                                                                          \
    if (INTERRUPT_##id != INTERRUPT_NONE)                                                          \
        fprintf(out, "  %-17s %s\n", word, what);
    SEARCH_INTERRUPTS(X)
#undef X
    fprintf(out, "\nExit: 0 clean, 1 a violation or a bug that was not found, 2 bad arguments.\n");
}

static const struct option long_options[] = {
    {"engine", required_argument, NULL, 'e'},
    {"layout", required_argument, NULL, 'l'},
    {"bounded", no_argument, NULL, 'b'},
    {"events", required_argument, NULL, 'n'},
    {"faults", required_argument, NULL, 'f'},
    {"interrupts", required_argument, NULL, 'i'},
    {"heal-every", required_argument, NULL, 'v'},
    {"without", required_argument, NULL, 'w'},
    {"writes", required_argument, NULL, 'c'},
    {"only", required_argument, NULL, 'o'},
    {"states", required_argument, NULL, 's'},
    {"seconds", required_argument, NULL, 't'},
    {"mutants", no_argument, NULL, 'm'},
    {"mutant", required_argument, NULL, 'u'},
    {"path", required_argument, NULL, 'p'},
    {"heal", no_argument, NULL, 'a'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool parse_words(char *list, uint64_t *ret_kinds)
{
    char *word;
    uint64_t kinds = 0;
    while ((word = strsep(&list, ",")) != NULL) {
        uint8_t k = 0;
        while (k < SEARCH_EVENT_COUNT &&
               strcmp(search_event_word((enum search_event_kind)k), word) != 0)
            k++;
        if (k == SEARCH_EVENT_COUNT)
            return false;
        kinds |= UINT64_C(1) << k;
    }
    *ret_kinds = kinds;
    return true;
}

static bool parse_layout(const char *text, enum sim_layout *ret_layout)
{
    for (int l = 0; l < LAYOUT_COUNT; l++)
        if (strcmp(text, layout_option((enum sim_layout)l)) == 0) {
            *ret_layout = (enum sim_layout)l;
            return true;
        }
    return false;
}

static bool parse(int argc, char **argv, struct arguments *a)
{
    struct search_options *o = &a->o;
    int c;
    bool ok = true;
    while (ok && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 'e':
            ok = strcmp(optarg, "mysql") == 0 || strcmp(optarg, "mariadb") == 0;
            o->engine = strcmp(optarg, "mysql") == 0 ? ENGINE_MYSQL : ENGINE_MARIADB;
            break;
        case 'l':
            ok = parse_layout(optarg, &o->layout);
            break;
        case 'b':
            o->bounded = true;
            break;
        case 'n':
            o->events = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'f':
            o->faults = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'c':
            o->writes = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'i':
            o->interrupts = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'v':
            o->heal_every = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'o':
            ok = parse_words(optarg, &o->kinds);
            break;
        case 'w':
            ok = parse_words(optarg, &o->kinds);
            o->kinds = ~o->kinds;
            break;
        case 's':
            o->states_max = strtoull(optarg, NULL, 10);
            break;
        case 't':
            o->seconds_max = strtod(optarg, NULL);
            break;
        case 'm':
            a->mutants = true;
            break;
        case 'u':
            o->mutant = search_mutant_by_name(optarg);
            break;
        case 'p':
            a->path = optarg;
            break;
        case 'a':
            a->heals = true;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            ok = false;
            break;
        }
    }
    return ok && optind == argc && o->events > 0 && o->events <= PATH_MAX_STEPS - 1 &&
           o->states_max > 0 && o->mutant < MUTANT_COUNT && o->faults < 16 && o->interrupts < 16 &&
           o->writes < 16;
}

int main(int argc, char **argv)
{
    struct arguments a = {.o = {.engine = ENGINE_MARIADB,
                                .layout = LAYOUT_TWO,
                                .events = 12,
                                .faults = 2,
                                .writes = 1,
                                .interrupts = 1,
                                .heal_every = 1,
                                .states_max = 2000000,
                                .seconds_max = 100000,
                                .kinds = UINT64_MAX}};
    if (!parse(argc, argv, &a)) {
        usage(stderr);
        return 2;
    }
#ifndef MAINSTAY_MUTANTS
    if (a.mutants || a.o.mutant) {
        printf("this build has no mutants: use search-mutants\n");
        return 2;
    }
#endif
    if (a.path)
        return replay(&a);
    return a.mutants ? search_mutants(argv[0], &a.o) : search_once(argv[0], &a.o);
}
