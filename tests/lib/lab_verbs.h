/* tests/lib/lab_verbs.h - the verbs of `mainstay-lab` and what a command line asks of them.
 *
 * Layer: tests. A verb prints for people, or JSON for machines; false: it failed, and the sentence
 * is in lab_error() or was printed to stderr. */
#ifndef TESTS_LIB_LAB_VERBS_H
#define TESTS_LIB_LAB_VERBS_H
#include "tests/lib/lab.h"

struct lab_request {
    struct lab_options options;
    bool json, one_way, free_disk, one_proxy;
    const char *user, *extra;
    int writers, rate, plant;
    int64_t fault_us;     /* lab_now_us() of the fault; 0: when the lab struck last */
    const char *words[8]; /* what is neither verb nor option, the cluster's name left out */
    int count;
};

struct lab_verb {
    const char *name;
    int least, most; /* words after the verb */
    const char *arguments, *help;
    bool makes_lab; /* the others attach to one that is up */
    bool (*run)(struct lab *lab, const struct lab_request *r);
};

const struct lab_verb *lab_verb_named(const char *name); /* NULL: none */
/* Every verb, its arguments and its help, for a usage text. */
void lab_verbs_print(FILE *out);

/* The whole text as a number; false: it is none, or out of range. */
bool lab_number_of(const char *text, long least, long most, long *ret);

static inline bool lab_word_is(const char *word, const char *what)
{
    return strcmp(word, what) == 0;
}

#endif
