/* tests/bench/bench_options.c - getopt_long over a bench's own table; see the header. */
#include "tests/bench/bench_options.h"

#include <getopt.h>
#include <stdlib.h>

static bool take(const struct bench_option *o, const char *text)
{
    char *end = NULL;
    if (o->flag != NULL)
        *o->flag = o->sets;
    else if (o->text != NULL)
        *o->text = text;
    if (o->number == NULL)
        return true;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < o->min || value > o->max) {
        fprintf(stderr, "bench: --%s takes a number from %d to %d\n", o->name, o->min, o->max);
        return false;
    }
    *o->number = (int)value;
    return true;
}

bool bench_options(int argc, char **argv, const struct bench_option *table, size_t count,
                   void (*usage)(FILE *out))
{
    struct option known[BENCH_OPTIONS_MAX + 2] = {0};
    bool ok = true;
    int which = 0;
    must(count <= BENCH_OPTIONS_MAX);
    for (size_t i = 0; i < count; i++)
        known[i] =
            (struct option){.name = table[i].name,
                            .has_arg = table[i].flag != NULL ? no_argument : required_argument};
    known[count].name = "help";
    for (int c; ok && (c = getopt_long(argc, argv, "", known, &which)) != -1;) {
        if (c == 0 && (size_t)which == count) {
            usage(stdout);
            exit(0);
        }
        ok = c == 0 && take(&table[which], optarg);
    }
    ok = ok && optind == argc;
    if (!ok)
        usage(stderr);
    return ok;
}
