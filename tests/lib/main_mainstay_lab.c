/* mainstay-lab: the lab's verbs for people and scripts; `mainstay lab VERB ...` runs this. One
 * table holds every verb, its arguments and its help. */
#include <errno.h>

#include "tests/lib/lab.h"

struct request {
    struct lab_options options;
    bool json, one_way, free_disk, one_proxy, plain_up;
    const char *user, *extra;
    int writers, rate, plant;
    int64_t fault_us;
    const char *words[8]; /* what is neither verb nor option, the cluster's name left out */
    int count;
};

struct verb {
    const char *name;
    int least, most; /* words after the verb */
    const char *arguments, *help;
    bool (*run)(struct lab *lab, const struct request *r);
};

static bool say(const struct request *r, const char *text)
{
    if (!r->json)
        printf("%s\n", text);
    return true;
}

static void print_server(struct lab *lab, const char *name)
{
    STAY_AUTO(stay_free_charp) char *state = NULL;
    static const char mariadb[] =
        "SELECT IF(@@read_only, 'read-only', 'writable'), @@gtid_current_pos";
    static const char mysql[] = "SELECT IF(@@super_read_only, 'read-only', 'writable'), "
                                "REPLACE(@@gtid_executed, '\\n', '')";
    const char *word = lab_is_running(lab, name) ? "runs, does not answer" : "not running";
    if (lab_is_running(lab, name) &&
        lab_sql(lab, name, lab_engine_of(lab) == LAB_MYSQL ? mysql : mariadb, &state))
        word = state;
    printf("  %-8s %-14s %s\n", name, lab_address(lab, name), word);
}

static bool verb_status(struct lab *lab, const struct request *r)
{
    json_error_t problem;
    char *path = stay_sprintf("%s/lab.json", lab_dir(lab));
    json_t *root = json_load_file(path, 0, &problem);
    free(path);
    json_t *hosts = json_object_get(root, "hosts"), *host;
    size_t i;
    if (!r->json)
        printf("lab '%s' (%s %s) in %s\n", json_string_value(json_object_get(root, "name")),
               json_string_value(json_object_get(root, "engine")),
               json_string_value(json_object_get(root, "version")), lab_dir(lab));
    json_array_foreach(hosts, i, host)
    {
        const char *name = json_string_value(json_object_get(host, "name"));
        const char *kind = json_string_value(json_object_get(host, "kind"));
        json_object_set_new(host, "running", json_boolean(lab_is_running(lab, name)));
        if (!r->json && strcmp(kind, "server") == 0)
            print_server(lab, name);
        else if (!r->json && strcmp(kind, "proxy") == 0)
            printf("  %-8s %-14s %s\n", name, lab_address(lab, name),
                   lab_is_running(lab, name) ? "runs" : "not running");
    }
    bool controller = lab_is_running(lab, "controller"), load = lab_is_running(lab, "load");
    json_object_set_new(root, "controller_running", json_boolean(controller));
    json_object_set_new(root, "load_running", json_boolean(load));
    if (r->json)
        json_dumpf(root, stdout, JSON_INDENT(2));
    else
        printf("  controller %s, load %s, network faults: %zu\n",
               controller ? "runs" : "not running", load ? "runs" : "not running",
               json_array_size(json_object_get(root, "faults")));
    json_decref(root);
    return true;
}

static bool verb_up(struct lab *lab, const struct request *r)
{
    int64_t start_us = lab_now_us();
    if (!lab_up(lab))
        return false;
    if (r->json)
        return verb_status(lab, r);
    printf("lab is up after %.1f s\n", (double)(lab_now_us() - start_us) / 1e6);
    return verb_status(lab, r);
}

static bool verb_down(struct lab *lab, const struct request *r)
{
    return lab_down(lab) && say(r, "lab is down, its folder is gone");
}

static bool verb_kill(struct lab *lab, const struct request *r)
{
    return lab_kill(lab, r->words[0]) && say(r, "killed (SIGKILL)");
}

static bool verb_hang(struct lab *lab, const struct request *r)
{
    return lab_hang(lab, r->words[0]) && say(r, "hung (SIGSTOP); thaw ends it");
}

static bool verb_thaw(struct lab *lab, const struct request *r)
{
    return lab_thaw(lab, r->words[0]) && say(r, "thawed");
}

static bool verb_stop(struct lab *lab, const struct request *r)
{
    return lab_stop(lab, r->words[0]) && say(r, "stopped (SIGTERM)");
}

static bool verb_terminate(struct lab *lab, const struct request *r)
{
    return lab_terminate(lab, r->words[0]) && say(r, "sent SIGTERM, not waited for");
}

static bool verb_start(struct lab *lab, const struct request *r)
{
    return lab_start(lab, r->words[0], r->extra) && say(r, "started with its start-up values");
}

static bool verb_restart(struct lab *lab, const struct request *r)
{
    return lab_stop(lab, r->words[0]) && verb_start(lab, r);
}

static bool verb_cut(struct lab *lab, const struct request *r)
{
    return lab_cut(lab, r->words[0], r->words[1], r->one_way) && say(r, "cut");
}

static bool verb_reset(struct lab *lab, const struct request *r)
{
    return lab_reset(lab, r->words[0], r->words[1]) && say(r, "TCP between them is reset");
}

static bool number_of(const char *text, long least, long most, long *ret)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least || value > most)
        return false;
    *ret = value;
    return true;
}

/* A number that is out of range becomes 0, which the lab refuses with its own sentence. */
static int amount_of(const struct request *r)
{
    long value = 0;
    return number_of(r->words[2], 1, 100000, &value) ? (int)value : 0;
}

static bool verb_lossy(struct lab *lab, const struct request *r)
{
    return lab_lossy(lab, r->words[0], r->words[1], amount_of(r)) && say(r, "packets get lost");
}

static bool verb_slow(struct lab *lab, const struct request *r)
{
    return lab_slow(lab, r->words[0], r->words[1], amount_of(r)) && say(r, "packets are delayed");
}

static bool verb_heal(struct lab *lab, const struct request *r)
{
    return lab_heal(lab, r->count > 0 ? r->words[0] : NULL, r->count > 1 ? r->words[1] : NULL) &&
           say(r, "healed");
}

static bool verb_fill(struct lab *lab, const struct request *r)
{
    return lab_fill_disk(lab, r->words[0], !r->free_disk) &&
           say(r, r->free_disk ? "room again" : "disk is full; --free gives the room back");
}

static bool verb_readonly(struct lab *lab, const struct request *r)
{
    return lab_readonly_disk(lab, r->words[0]) && say(r, "disk is read-only until the next start");
}

static bool verb_freeze(struct lab *lab, const struct request *r)
{
    return lab_freeze_disk(lab, r->words[0], !r->free_disk) &&
           say(r, r->free_disk ? "disk goes on" : "disk hangs; --free ends it");
}

static bool verb_clock(struct lab *lab, const struct request *r)
{
    long seconds = 0;
    if (!number_of(r->words[1], -1000000000, 1000000000, &seconds)) {
        fprintf(stderr, "mainstay-lab: seconds must be a number\n");
        return false;
    }
    return lab_clock(lab, r->words[0], seconds) && say(r, "clock set");
}

static bool verb_sql(struct lab *lab, const struct request *r)
{
    char *text = NULL;
    if (!lab_sql_as(lab, r->words[0], r->user == NULL ? "root" : r->user, r->words[1], &text))
        return false;
    if (text != NULL && text[0] != '\0')
        printf("%s\n", text);
    free(text);
    return true;
}

static bool verb_logs(struct lab *lab, const struct request *r)
{
    char *path = stay_sprintf("%s/log/%s.log", lab_dir(lab), r->words[0]);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        fprintf(stderr, "mainstay-lab: %s: %s\n", path, strerror(errno));
    free(path);
    for (int c = in == NULL ? EOF : getc(in); c != EOF; c = getc(in))
        putchar(c);
    if (in != NULL)
        fclose(in);
    return in != NULL;
}

static bool is(const char *word, const char *what)
{
    return strcmp(word, what) == 0;
}

static bool verb_proxy(struct lab *lab, const struct request *r)
{
    if (is(r->words[0], "restart"))
        return lab_proxy_restart(lab, r->words[1]) && say(r, "proxy restarted");
    if (is(r->words[0], "kill"))
        return lab_proxy_kill(lab, r->words[1]) && say(r, "proxy killed");
    if (is(r->words[0], "show")) {
        char *text = NULL;
        if (!lab_proxy_command(lab, r->words[1], "show servers state", &text))
            return false;
        printf("%s", text);
        free(text);
        return true;
    }
    fprintf(stderr, "mainstay-lab: proxy restart|kill|show a|b\n");
    return false;
}

static bool verb_controller(struct lab *lab, const struct request *r)
{
    if (is(r->words[0], "start"))
        return lab_start_controller(lab) && say(r, "controller started");
    if (is(r->words[0], "stop"))
        return lab_stop_controller(lab) && say(r, "controller stopped");
    if (is(r->words[0], "kill"))
        return lab_kill_controller(lab) && say(r, "controller killed");
    fprintf(stderr, "mainstay-lab: controller start|stop|kill\n");
    return false;
}

static long long count_of(const json_t *report, const char *name)
{
    return json_integer_value(json_object_get(report, name));
}

static void print_losses(const json_t *report, const char *node)
{
    printf("acknowledged %lld writes; compared with what %s holds:\n"
           "  lost          %lld\n"
           "  unexpected    %lld  rows nobody wrote, or whose write was refused\n"
           "  duplicates    %lld\n"
           "  out of order  %lld\n"
           "  overlaps      %lld  two servers acknowledging at once\n"
           "  unanswered    %lld  writes whose end the client was not told: %lld are there\n",
           count_of(report, "acked"), node, count_of(report, "lost"),
           count_of(report, "unexpected"), count_of(report, "duplicates"),
           count_of(report, "order_violations"), count_of(report, "overlaps"),
           count_of(report, "unknown"), count_of(report, "unknown_found"));
    if (count_of(report, "planted") > 0)
        printf("  planted       %lld  rows taken away to prove that the check sees it\n",
               count_of(report, "planted"));
    printf("longest pause of the clients: %.0f ms%s\n",
           json_number_value(json_object_get(report, "outage_ms")),
           json_is_true(json_object_get(report, "recovered")) ? "" : ", and no write since");
    puts(json_is_true(json_object_get(report, "clean")) ? "Nothing is lost." : "NOT CLEAN.");
}

static bool check_load(struct lab *lab, const struct request *r)
{
    json_t *report = NULL;
    const char *node = r->count > 1 ? r->words[1] : lab_writable(lab);
    if (node[0] == '\0' || node[0] == '?') {
        fprintf(stderr, "mainstay-lab: %s server is writable: name the surviving primary\n",
                node[0] == '?' ? "more than one" : "no");
        return false;
    }
    int64_t fault_us = r->fault_us != 0 ? r->fault_us : lab_fault_us(lab);
    if (!lab_load_check(lab, node, fault_us, r->plant, &report))
        return false;
    if (r->json) {
        json_dumpf(report, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_losses(report, node);
    }
    bool clean = json_is_true(json_object_get(report, "clean"));
    json_decref(report);
    return clean;
}

static bool verb_load(struct lab *lab, const struct request *r)
{
    struct lab_load_options o = {.writers = r->writers, .rate = r->rate, .one_proxy = r->one_proxy};
    if (is(r->words[0], "start"))
        return lab_load_start(lab, &o) && say(r, "load started");
    if (is(r->words[0], "stop"))
        return lab_load_stop(lab) && say(r, "load stopped");
    if (is(r->words[0], "check"))
        return check_load(lab, r);
    fprintf(stderr, "mainstay-lab: load start|stop|check [NODE]\n");
    return false;
}

static bool verb_grants(struct lab *lab, const struct request *r)
{
    (void)r;
    return lab_prove_grants(lab, stdout);
}

static const struct verb verbs[] = {
    {"up", 0, 0,
     "[--engine mariadb|mysql] [--acker] [--replicas N] [--disks] [--clocks] "
     "[--listen ADDR:PORT] [--without-acker degrade|block]",
     "make a lab", verb_up},
    {"down", 0, 0, "", "end it and remove everything", verb_down},
    {"status", 0, 0, "", "what runs", verb_status},
    {"kill", 1, 1, "NODE", "SIGKILL", verb_kill},
    {"hang", 1, 1, "NODE", "SIGSTOP: connected but silent", verb_hang},
    {"thaw", 1, 1, "NODE", "SIGCONT", verb_thaw},
    {"stop", 1, 1, "NODE", "SIGTERM and wait", verb_stop},
    {"terminate", 1, 1, "NODE", "SIGTERM, do not wait", verb_terminate},
    {"start", 1, 1, "NODE [--extra \"--option ...\"]", "run again, start-up values", verb_start},
    {"restart", 1, 1, "NODE", "stop and start", verb_restart},
    {"cut", 2, 2, "A B [--one-way]", "drop packets between hosts or zones", verb_cut},
    {"heal", 0, 2, "[A [B]]", "mend network faults", verb_heal},
    {"lossy", 3, 3, "A B PERCENT", "lose packets", verb_lossy},
    {"slow", 3, 3, "A B MS", "delay packets, each way", verb_slow},
    {"reset", 2, 2, "A B", "answer TCP with resets", verb_reset},
    {"fill-disk", 1, 1, "NODE [--free]", "disk full (up --disks)", verb_fill},
    {"readonly-disk", 1, 1, "NODE", "disk fails read-only (up --disks)", verb_readonly},
    {"freeze-disk", 1, 1, "NODE [--free]", "disk hangs (up --disks)", verb_freeze},
    {"clock", 2, 2, "NODE|controller SECONDS", "clock jump (up --clocks)", verb_clock},
    {"sql", 2, 2, "NODE [--user U] STATEMENT", "SQL over the server's socket", verb_sql},
    {"logs", 1, 1, "NODE|proxy-a|controller|load", "print a log", verb_logs},
    {"proxy", 2, 2, "restart|kill|show a|b", "HAProxy of a zone", verb_proxy},
    {"controller", 1, 1, "start|stop|kill", "mainstayd in the witness zone", verb_controller},
    {"load", 1, 2, "start [--writers N] [--rate N]|stop|check [NODE] [--plant-loss N]",
     "clients that write through HAProxy, and the loss checker", verb_load},
    {"prove-grants", 0, 0, "", "use every right of deploy/grants (spoils the lab)", verb_grants},
};

static void usage(FILE *out)
{
    fprintf(out, "usage: mainstay-lab [--name NAME] [--dir DIR] [--json] VERB ...\n"
                 "hosts: db1 db2 ... proxy-a proxy-b client controller; zones: a b witness clients;"
                 " all\n");
    for (size_t i = 0; i < STAY_COUNT(verbs); i++)
        fprintf(out, "  %-13s %s\n%-16s%s\n", verbs[i].name, verbs[i].arguments, "", verbs[i].help);
}

static bool take_engine(struct request *r, const char *value)
{
    r->options.engine = is(value, "mysql")     ? LAB_MYSQL
                        : is(value, "mariadb") ? LAB_MARIADB
                                               : LAB_ENGINE_NONE;
    return r->options.engine != LAB_ENGINE_NONE;
}

static bool take_number(const char *value, int *ret)
{
    long number = 0;
    if (!number_of(value, 0, 1000000, &number))
        return false;
    *ret = (int)number;
    return true;
}

static bool take_flag(struct request *r, const char *name)
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
        if (is(name, flags[i].name)) {
            *flags[i].flag = true;
            return true;
        }
    return false;
}

static bool take_value(struct request *r, const char *name, const char *value)
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
        if (is(name, texts[i].name)) {
            *texts[i].text = value;
            return true;
        }
    for (size_t i = 0; i < STAY_COUNT(numbers); i++)
        if (is(name, numbers[i].name))
            return take_number(value, numbers[i].number);
    if (is(name, "--fault-at")) {
        r->fault_us = strtoll(value, NULL, 10);
        return true;
    }
    return is(name, "--engine") && take_engine(r, value);
}

/* Fills r and the verb; false when the command line makes no sense. */
static bool read_arguments(int argc, char **argv, struct request *r, const char **ret_verb)
{
    for (int i = 1; i < argc; i++) {
        bool option = strncmp(argv[i], "--", 2) == 0;
        if (option && take_flag(r, argv[i]))
            continue;
        if (option && (i + 1 >= argc || !take_value(r, argv[i], argv[i + 1]))) {
            fprintf(stderr, "mainstay-lab: option '%s' is unknown or its value is wrong\n",
                    argv[i]);
            return false;
        }
        if (option) {
            i++;
        } else if (*ret_verb == NULL) {
            *ret_verb = argv[i];
        } else if (r->count == 0 && is(argv[i], "shop")) {
            continue; /* `mainstay lab kill shop db1`: there is one cluster */
        } else if (r->count < (int)STAY_COUNT(r->words)) {
            r->words[r->count++] = argv[i];
        }
    }
    return *ret_verb != NULL;
}

int main(int argc, char **argv)
{
    struct request r = {0};
    const char *name = NULL;
    if (!read_arguments(argc, argv, &r, &name) || is(name, "help")) {
        usage(name == NULL ? stderr : stdout);
        return name == NULL || !is(name, "help") ? 2 : 0;
    }
    const struct verb *verb = NULL;
    for (size_t i = 0; i < STAY_COUNT(verbs); i++)
        if (is(verbs[i].name, name))
            verb = &verbs[i];
    if (verb == NULL || r.count < verb->least || r.count > verb->most) {
        if (verb != NULL)
            fprintf(stderr, "usage: mainstay-lab %s %s\n", verb->name, verb->arguments);
        else
            fprintf(stderr, "mainstay-lab: no verb '%s'; try: mainstay-lab help\n", name);
        return 2;
    }
    struct lab *lab = lab_new(&r.options);
    bool ok = (verb->run == verb_up || lab_attach(lab)) && verb->run(lab, &r);
    if (!ok && lab_error(lab)[0] != '\0')
        fprintf(stderr, "mainstay-lab: %s\n", lab_error(lab));
    lab_free(lab);
    return ok ? 0 : 1;
}
