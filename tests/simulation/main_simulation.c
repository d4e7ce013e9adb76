/* simulation - lives seeds of the simulated world and reports violations, each with the command
 * that repeats it. Built twice: `simulation` with the shipped decide and executor,
 * `simulation-mutants` with their seeded bugs (base/mutant.h), where every mutant must be
 * caught. */
#include "tests/simulation/sim_crash.h"
#include "tests/simulation/sim_report.h"
#include <errno.h>
#include <getopt.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 16
#define FOUND_MAX 200
#define HUMAN_MAX 24
#define MUTANT_SEEDS_MAX 100000

struct found {
    uint64_t seed;
    enum sim_invariant inv;
    char text[400];
};

struct job {
    struct sim_stats stats;
    struct found found[FOUND_MAX];
    uint32_t found_n;
    struct human {
        char text[240];
        uint64_t seed, count;
    } human[HUMAN_MAX]; /* why a human was waited for, by kind */
    uint32_t human_n;
};

struct shared {
    struct job job[JOBS_MAX];
    uint64_t caught_seed; /* mutants: lowest seed that caught it, UINT64_MAX none */
    char caught_text[400];
};

struct options {
    uint64_t from, seeds, seed;
    bool one, trace, mutants, reach, verbose, replays, scripts, crashes;
    uint32_t jobs;
    unsigned mutant;
    const char *json, *killers, *point;
    const char *program;
};

static const char *mutant_name(unsigned id)
{
    static const char *const names[] = {
#define X(id, what) #id,
        MUTANTS(X)
#undef X
    };
    return id < MUTANT_COUNT ? names[id] : "?";
}

static unsigned mutant_by_name(const char *name)
{
    for (unsigned i = 0; i < MUTANT_COUNT; i++)
        if (strcmp(name, mutant_name(i)) == 0)
            return i;
    return MUTANT_COUNT;
}

/* Texts that differ only in node names and numbers are one kind. */
static void count_human(struct job *job, const char *text, uint64_t seed)
{
    char kind[240];
    size_t n = 0;
    for (; *text && n + 1 < sizeof kind; text++)
        if (*text < '0' || *text > '9')
            kind[n++] = *text;
    kind[n] = '\0';
    for (uint32_t i = 0; i < job->human_n; i++)
        if (strcmp(job->human[i].text, kind) == 0) {
            job->human[i].count++;
            return;
        }
    if (job->human_n == HUMAN_MAX)
        return;
    struct human *h = &job->human[job->human_n++];
    stay_copy(h->text, sizeof h->text, kind);
    h->seed = seed;
    h->count = 1;
}

static void live_seeds(struct shared *shared, uint32_t j, const struct options *o)
{
    struct job *job = &shared->job[j];
    struct sim *s = sim_new(&job->stats);
    s->mutant = o->mutant;
    s->replays = o->replays;
    s->scripts_only = o->scripts;
    for (uint64_t i = j; i < o->seeds; i += o->jobs) {
        enum sim_invariant inv = sim_run(s, o->from + i);
        if (s->human[0])
            count_human(job, s->human, o->from + i);
        if (inv == INV_NONE || job->found_n == FOUND_MAX)
            continue;
        struct found *f = &job->found[job->found_n++];
        f->seed = o->from + i;
        f->inv = inv;
        stay_copy(f->text, sizeof f->text, s->violation_text);
    }
    sim_free(s);
}

/* A safety invariant, or a plain failure that is no longer failed over; slow does not count. */
static bool is_catch(enum sim_invariant inv)
{
    return (inv != INV_NONE && inv <= INV_S14) || inv == INV_L2;
}

static void hunt_mutant(struct shared *shared, uint32_t j, const struct options *o)
{
    static struct sim_stats stats;
    struct sim *s = sim_new(&stats);
    s->scripts_only = o->scripts;
    for (uint64_t i = j; i < o->seeds; i += o->jobs) {
        uint64_t seed = o->from + i;
        if (__atomic_load_n(&shared->caught_seed, __ATOMIC_RELAXED) != UINT64_MAX)
            break;
        s->mutant = o->mutant;
        enum sim_invariant inv = sim_run(s, seed);
        if (!is_catch(inv))
            continue;
        char text[400];
        stay_copy(text, sizeof text, s->violation_text);
        s->mutant = MUTANT_NONE;
        if (sim_run(s, seed) != INV_NONE)
            continue; /* not the mutant's doing */
        shared->caught_seed = seed;
        stay_copy(shared->caught_text, sizeof shared->caught_text, text);
    }
    sim_free(s);
}

/* Runs `work` in o->jobs processes; false when one of them died. */
static bool run_jobs(struct shared *shared, const struct options *o,
                     void (*work)(struct shared *, uint32_t, const struct options *))
{
    pid_t pids[JOBS_MAX];
    (void)fflush(NULL);
    for (uint32_t j = 0; j < o->jobs; j++) {
        pids[j] = fork();
        if (pids[j] == 0) {
            work(shared, j, o);
            (void)fflush(NULL);
            exit(0);
        }
    }
    bool ok = true;
    for (uint32_t j = 0; j < o->jobs; j++) {
        int status = 0;
        if (pids[j] < 0 || waitpid(pids[j], &status, 0) < 0 || status != 0)
            ok = false;
    }
    return ok;
}

static double seconds_since(const struct timespec *from)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

/* Processor seconds of all jobs: the rate per core does not depend on who else uses the machine. */
static double cpu_seconds(void)
{
    struct rusage use;
    (void)getrusage(RUSAGE_CHILDREN, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static void print_found(const struct shared *shared, const struct options *o)
{
    for (uint32_t j = 0; j < o->jobs; j++)
        for (uint32_t i = 0; i < shared->job[j].found_n; i++) {
            const struct found *f = &shared->job[j].found[i];
            printf("%s\n    repeat: %s --seed %llu --trace%s\n", f->text, o->program,
                   (unsigned long long)f->seed, o->replays ? " --replay" : "");
        }
    for (uint32_t j = 0; o->verbose && j < o->jobs; j++)
        for (uint32_t i = 0; i < shared->job[j].human_n; i++)
            printf("a human is waited for %llu times, seed %llu: %s\n",
                   (unsigned long long)shared->job[j].human[i].count,
                   (unsigned long long)shared->job[j].human[i].seed, shared->job[j].human[i].text);
}

static int run_many(struct shared *shared, const struct options *o)
{
    struct timespec begin;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    bool ok = run_jobs(shared, o, live_seeds);
    double seconds = seconds_since(&begin);
    static struct sim_stats sum;
    for (uint32_t j = 0; j < o->jobs; j++)
        report_add(&sum, &shared->job[j].stats);
    print_found(shared, o);
    report_summary(&sum, seconds, cpu_seconds());
    uint32_t zeros = o->reach ? report_reach(&sum) : 0;
    if (o->json && !report_json(o->json, &sum, seconds, cpu_seconds()))
        printf("cannot write '%s'\n", o->json);
    if (!ok)
        printf("a job died\n");
    bool all = sum.scenarios == o->seeds || o->scripts;
    bool clean = sum.violations[INV_NONE] == sum.scenarios && all;
    return ok && clean && zeros == 0 ? 0 : 1;
}

static int run_one(const struct options *o)
{
    static struct sim_stats stats;
    struct sim *s = sim_new(&stats);
    s->trace = o->trace;
    s->mutant = o->mutant;
    s->replays = o->replays;
    enum sim_invariant inv = sim_run(s, o->seed);
    printf("seed %llu: %s\n", (unsigned long long)o->seed,
           inv ? s->violation_text : "no violation");
    sim_free(s);
    return inv != INV_NONE;
}

static int run_mutants(struct shared *shared, struct options *o)
{
    int missed = 0;
    for (unsigned id = MUTANT_NONE + 1; id < MUTANT_COUNT; id++) {
        if (o->mutant != MUTANT_NONE && o->mutant != id)
            continue;
        struct options one = *o;
        one.mutant = id;
        shared->caught_seed = UINT64_MAX;
        bool ok = run_jobs(shared, &one, hunt_mutant);
        if (!ok || shared->caught_seed == UINT64_MAX) {
            printf("%-28s NOT CAUGHT in %llu seeds\n", mutant_name(id),
                   (unsigned long long)o->seeds);
            missed++;
            continue;
        }
        printf("%-28s %8llu  %s\n", mutant_name(id), (unsigned long long)shared->caught_seed,
               shared->caught_text);
    }
    printf("mutants: %d not caught of %d\n", missed, (int)MUTANT_COUNT - 1);
    return missed != 0;
}

/* One line "MUTANT FROM COUNT": some seed of FROM .. FROM + COUNT - 1 catches it and is clean
 * without. */
static bool is_killed(struct sim *s, unsigned id, uint64_t from, uint64_t count)
{
    for (uint64_t seed = from; seed < from + count; seed++) {
        s->mutant = id;
        if (!is_catch(sim_run(s, seed)))
            continue;
        s->mutant = MUTANT_NONE;
        if (sim_run(s, seed) == INV_NONE)
            return true;
    }
    return false;
}

static int run_killers(const struct options *o)
{
    FILE *file = fopen(o->killers, "r");
    if (!file) {
        printf("cannot read '%s': %s\n", o->killers, strerror(errno));
        return 2;
    }
    static struct sim_stats stats;
    struct sim *s = sim_new(&stats);
    char name[64];
    unsigned long long from, count;
    int failed = 0, n = 0;
    while (fscanf(file, " %63s %llu %llu", name, &from, &count) == 3) {
        unsigned id = mutant_by_name(name);
        n++;
        if (id < MUTANT_COUNT && is_killed(s, id, from, count))
            continue;
        failed++;
        printf("%s is not caught by seeds %llu to %llu: find new ones with --mutants --mutant %s\n",
               name, from, from + count - 1, name);
    }
    (void)fclose(file);
    sim_free(s);
    printf("killers: %d replayed, %d failed\n", n, failed);
    return failed != 0 || n != (int)MUTANT_COUNT - 1;
}

static void usage(FILE *out)
{
    fprintf(out,
            "usage: simulation [--seeds N] [--from S] [--jobs N] [--reach] [--verbose]\n"
            "                  [--replay] [--json FILE]\n"
            "       simulation --seed S [--trace] [--replay] [--mutant NAME]\n"
            "       simulation --crash-points | --point PLAN/ROW/SIDE/FAULT/ENGINE\n"
            "       simulation-mutants --mutants [--mutant NAME] | --killers FILE\n"
            "\n"
            "  --seeds N      lives N seeds (20000) and reports every violation\n"
            "  --from S       the first of them (1)\n"
            "  --jobs N       processes, 1 to %d (2)\n"
            "  --reach        also prints how often each rule, plan, step and fault was met\n"
            "  --verbose      also prints why lives ended with a question to a human\n"
            "  --replay       each turn is recorded and judged again, which must be the same\n"
            "  --scripts      lives only those of them that draw a scripted sequence of faults\n"
            "  --json FILE    writes the figures there\n"
            "  --seed S       lives one seed; --trace prints all that happens in it\n"
            "  --crash-points every row of every plan, before and after, x die, freeze, cut\n"
            "                 store, cut target; --point traces one, as\n"
            "                 \"failover/6/before/die/mariadb\"\n"
            "  --mutants      looks for a seed that catches each seeded bug (or the one named)\n"
            "  --killers FILE lines of \"MUTANT FROM COUNT\": each must catch its bug\n"
            "\n"
            "Exit: 0 clean, 1 a violation or a bug that was not caught, 2 bad arguments.\n",
            JOBS_MAX);
}

static const struct option long_options[] = {
    {"seeds", required_argument, NULL, 'n'},  {"from", required_argument, NULL, 'f'},
    {"seed", required_argument, NULL, 's'},   {"trace", no_argument, NULL, 't'},
    {"mutants", no_argument, NULL, 'm'},      {"mutant", required_argument, NULL, 'i'},
    {"verbose", no_argument, NULL, 'v'},      {"replay", no_argument, NULL, 'p'},
    {"reach", no_argument, NULL, 'r'},        {"jobs", required_argument, NULL, 'j'},
    {"json", required_argument, NULL, 'o'},   {"killers", required_argument, NULL, 'k'},
    {"crash-points", no_argument, NULL, 'x'}, {"point", required_argument, NULL, 'z'},
    {"help", no_argument, NULL, 'h'},         {"scripts", no_argument, NULL, 'c'},
    {NULL, 0, NULL, 0},
};

static bool parse(int argc, char **argv, struct options *o)
{
    int c;
    bool seeds_given = false;
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 'n': o->seeds = strtoull(optarg, NULL, 10); seeds_given = true; break;
        case 'f': o->from = strtoull(optarg, NULL, 10); break;
        case 's': o->seed = strtoull(optarg, NULL, 10); o->one = true; break;
        case 't': o->trace = true; break;
        case 'm': o->mutants = true; break;
        case 'i': o->mutant = mutant_by_name(optarg); break;
        case 'v': o->verbose = true; break;
        case 'r': o->reach = true; break;
        case 'c': o->scripts = true; break;
        case 'p': o->replays = true; break;
        case 'j': o->jobs = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'o': o->json = optarg; break;
        case 'x': o->crashes = true; break;
        case 'z': o->point = optarg; o->crashes = true; break;
        case 'k': o->killers = optarg; break;
        case 'h': usage(stdout); exit(0);
        default: return false;
        }
    }
    if (o->mutants && !seeds_given)
        o->seeds = MUTANT_SEEDS_MAX;
    return optind == argc && o->jobs >= 1 && o->jobs <= JOBS_MAX && o->mutant < MUTANT_COUNT;
}

int main(int argc, char **argv)
{
    struct options o = {.from = 1, .seeds = 20000, .jobs = 2, .program = argv[0]};
    if (!parse(argc, argv, &o)) {
        usage(stderr);
        return 2;
    }
#ifndef MAINSTAY_MUTANTS
    if (o.mutants || o.mutant || o.killers) {
        printf("this build has no mutants: use simulation-mutants\n");
        return 2;
    }
#endif
    if (o.crashes)
        return crash_matrix(o.point, o.mutant);
    if (o.one)
        return run_one(&o);
    if (o.killers)
        return run_killers(&o);
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        printf("cannot map memory: %s\n", strerror(errno));
        return 2;
    }
    return o.mutants ? run_mutants(shared, &o) : run_many(shared, &o);
}
