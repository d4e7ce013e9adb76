/* mainstay-lab: the command line of the lab; `mainstay lab VERB ...` runs this. */
#include "tests/lib/lab_verbs.h"

static void usage(FILE *out)
{
    fprintf(out, "usage: mainstay-lab [--name NAME] [--dir DIR] [--json] VERB ...\n"
                 "hosts: db1 db2 ... proxy-a proxy-b client controller\n"
                 "zones: a b witness clients; all of them: all\n");
    lab_verbs_print(out);
}

static bool take_engine(struct lab_request *r, const char *value)
{
    r->options.engine = lab_word_is(value, "mysql")     ? LAB_MYSQL
                        : lab_word_is(value, "mariadb") ? LAB_MARIADB
                                                        : LAB_ENGINE_NONE;
    return r->options.engine != LAB_ENGINE_NONE;
}

static bool take_number(const char *value, int *ret)
{
    long number = 0;
    if (!lab_number_of(value, 0, 1000000, &number))
        return false;
    *ret = (int)number;
    return true;
}

static bool take_flag(struct lab_request *r, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"--json", &r->json},
                 {"--one-way", &r->one_way},
                 {"--free", &r->free_disk},
                 {"--one-proxy", &r->one_proxy},
                 {"--acker", &r->options.acker},
                 {"--disks", &r->options.disks},
                 {"--clocks", &r->options.clocks}};
    for (size_t i = 0; i < STAY_COUNT(flags); i++)
        if (lab_word_is(name, flags[i].name)) {
            *flags[i].flag = true;
            return true;
        }
    return false;
}

static bool take_value(struct lab_request *r, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"--name", &r->options.name},
                 {"--dir", &r->options.dir},
                 {"--listen", &r->options.listen},
                 {"--without-acker", &r->options.without_acker},
                 {"--user", &r->user},
                 {"--extra", &r->extra}};
    const struct {
        const char *name;
        int *number;
    } numbers[] = {{"--replicas", &r->options.replicas},
                   {"--writers", &r->writers},
                   {"--rate", &r->rate},
                   {"--plant-loss", &r->plant}};
    for (size_t i = 0; i < STAY_COUNT(texts); i++)
        if (lab_word_is(name, texts[i].name)) {
            *texts[i].text = value;
            return true;
        }
    for (size_t i = 0; i < STAY_COUNT(numbers); i++)
        if (lab_word_is(name, numbers[i].name))
            return take_number(value, numbers[i].number);
    if (lab_word_is(name, "--fault-at")) {
        r->fault_us = strtoll(value, NULL, 10);
        return true;
    }
    return lab_word_is(name, "--engine") && take_engine(r, value);
}

/* Fills r and the verb (NULL: none is named); false: an option makes no sense, said to stderr. */
static bool read_arguments(int argc, char **argv, struct lab_request *r, const char **ret_verb)
{
    for (int i = 1; i < argc; i++) {
        bool option = strncmp(argv[i], "--", 2) == 0;
        if (option && take_flag(r, argv[i]))
            continue;
        if (option && (i + 1 >= argc || !take_value(r, argv[i], argv[i + 1]))) {
            fprintf(
                stderr,
                "mainstay-lab: option '%s' is unknown or its value is wrong\n",
                argv[i]);
            return false;
        }
        if (option) {
            i++;
        } else if (*ret_verb == NULL) {
            *ret_verb = argv[i];
        } else if (r->count == 0 && lab_word_is(argv[i], "shop")) {
            continue; /* `mainstay lab kill shop db1`: there is one cluster */
        } else if (r->count < (int)STAY_COUNT(r->words)) {
            r->words[r->count++] = argv[i];
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct lab_request r = {0};
    const char *name = NULL;
    for (int i = 1; i < argc; i++)
        if (lab_word_is(argv[i], "--help") || lab_word_is(argv[i], "-h") ||
            lab_word_is(argv[1], "help")) {
            usage(stdout);
            return 0;
        }
    if (!read_arguments(argc, argv, &r, &name))
        return 2;
    const struct lab_verb *verb = name == NULL ? NULL : lab_verb_named(name);
    if (name == NULL) {
        usage(stderr);
        return 2;
    }
    if (verb == NULL || r.count < verb->least || r.count > verb->most) {
        if (verb != NULL)
            fprintf(stderr, "usage: mainstay-lab %s %s\n", verb->name, verb->arguments);
        else
            fprintf(stderr, "mainstay-lab: no verb '%s'; try: mainstay-lab help\n", name);
        return 2;
    }
    struct lab *lab = lab_new(&r.options);
    bool ok = (verb->makes_lab || lab_attach(lab)) && verb->run(lab, &r);
    if (!ok && lab_error(lab)[0] != '\0')
        fprintf(stderr, "mainstay-lab: %s\n", lab_error(lab));
    lab_free(lab);
    return ok ? 0 : 1;
}
