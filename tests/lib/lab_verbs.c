/* The verbs of `mainstay-lab`: what each does with the lab and says about it. One table holds every
 * verb, its arguments and its help. */
#include <errno.h>

#include "tests/lib/lab_verbs.h"

static bool say(const struct lab_request *r, const char *text)
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

static bool verb_status(struct lab *lab, const struct lab_request *r)
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

static bool verb_up(struct lab *lab, const struct lab_request *r)
{
    int64_t start_us = lab_now_us();
    if (!lab_up(lab))
        return false;
    if (r->json)
        return verb_status(lab, r);
    printf("lab is up after %.1f s\n", (double)(lab_now_us() - start_us) / 1e6);
    return verb_status(lab, r);
}

static bool verb_down(struct lab *lab, const struct lab_request *r)
{
    return lab_down(lab) && say(r, "lab is down, its folder is gone");
}

static bool verb_kill(struct lab *lab, const struct lab_request *r)
{
    return lab_kill(lab, r->words[0]) && say(r, "killed (SIGKILL)");
}

static bool verb_hang(struct lab *lab, const struct lab_request *r)
{
    return lab_hang(lab, r->words[0]) && say(r, "hung (SIGSTOP); thaw ends it");
}

static bool verb_thaw(struct lab *lab, const struct lab_request *r)
{
    return lab_thaw(lab, r->words[0]) && say(r, "thawed");
}

static bool verb_stop(struct lab *lab, const struct lab_request *r)
{
    return lab_stop(lab, r->words[0]) && say(r, "stopped (SIGTERM)");
}

static bool verb_terminate(struct lab *lab, const struct lab_request *r)
{
    return lab_terminate(lab, r->words[0]) && say(r, "sent SIGTERM, not waited for");
}

static bool verb_start(struct lab *lab, const struct lab_request *r)
{
    return lab_start(lab, r->words[0], r->extra) && say(r, "started with its start-up values");
}

static bool verb_restart(struct lab *lab, const struct lab_request *r)
{
    return lab_stop(lab, r->words[0]) && verb_start(lab, r);
}

static bool verb_cut(struct lab *lab, const struct lab_request *r)
{
    return lab_cut(lab, r->words[0], r->words[1], r->one_way) && say(r, "cut");
}

static bool verb_reset(struct lab *lab, const struct lab_request *r)
{
    return lab_reset(lab, r->words[0], r->words[1]) && say(r, "TCP between them is reset");
}

bool lab_number_of(const char *text, long least, long most, long *ret)
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
static int amount_of(const struct lab_request *r)
{
    long value = 0;
    return lab_number_of(r->words[2], 1, 100000, &value) ? (int)value : 0;
}

static bool verb_lossy(struct lab *lab, const struct lab_request *r)
{
    return lab_lossy(lab, r->words[0], r->words[1], amount_of(r)) && say(r, "packets get lost");
}

static bool verb_slow(struct lab *lab, const struct lab_request *r)
{
    return lab_slow(lab, r->words[0], r->words[1], amount_of(r)) && say(r, "packets are delayed");
}

static bool verb_big(struct lab *lab, const struct lab_request *r)
{
    return lab_big(lab, r->words[0], r->words[1], amount_of(r)) && say(r, "big packets are lost");
}

static bool verb_narrow(struct lab *lab, const struct lab_request *r)
{
    long kbit = 0;
    return lab_number_of(r->words[1], 8, 1000000, &kbit) &&
           lab_narrow(lab, r->words[0], (int)kbit) && say(r, "its link is narrow");
}

static bool verb_fail_fsync(struct lab *lab, const struct lab_request *r)
{
    return lab_fail_fsync(lab, r->words[0]) && say(r, "its fsync fails from now on");
}

static bool verb_heal(struct lab *lab, const struct lab_request *r)
{
    return lab_heal(lab, r->count > 0 ? r->words[0] : NULL, r->count > 1 ? r->words[1] : NULL) &&
           say(r, "healed");
}

static bool verb_fill(struct lab *lab, const struct lab_request *r)
{
    return lab_fill_disk(lab, r->words[0], !r->free_disk) &&
           say(r, r->free_disk ? "room again" : "disk is full; --free gives the room back");
}

static bool verb_readonly(struct lab *lab, const struct lab_request *r)
{
    return lab_readonly_disk(lab, r->words[0]) && say(r, "disk is read-only until the next start");
}

static bool verb_freeze(struct lab *lab, const struct lab_request *r)
{
    return lab_freeze_disk(lab, r->words[0], !r->free_disk) &&
           say(r, r->free_disk ? "disk goes on" : "disk hangs; --free ends it");
}

static bool verb_clock(struct lab *lab, const struct lab_request *r)
{
    long seconds = 0;
    if (!lab_number_of(r->words[1], -1000000000, 1000000000, &seconds)) {
        fprintf(stderr, "mainstay-lab: seconds must be a number\n");
        return false;
    }
    return lab_clock(lab, r->words[0], seconds) && say(r, "clock set");
}

static bool verb_sql(struct lab *lab, const struct lab_request *r)
{
    char *text = NULL;
    if (!lab_sql_as(lab, r->words[0], r->user == NULL ? "root" : r->user, r->words[1], &text))
        return false;
    if (text != NULL && text[0] != '\0')
        printf("%s\n", text);
    free(text);
    return true;
}

static bool verb_logs(struct lab *lab, const struct lab_request *r)
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

static bool verb_proxy(struct lab *lab, const struct lab_request *r)
{
    if (lab_word_is(r->words[0], "restart"))
        return lab_proxy_restart(lab, r->words[1]) && say(r, "proxy restarted");
    if (lab_word_is(r->words[0], "kill"))
        return lab_proxy_kill(lab, r->words[1]) && say(r, "proxy killed");
    if (lab_word_is(r->words[0], "show")) {
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

static bool verb_controller(struct lab *lab, const struct lab_request *r)
{
    if (lab_word_is(r->words[0], "start"))
        return lab_start_controller(lab) && say(r, "controller started");
    if (lab_word_is(r->words[0], "stop"))
        return lab_stop_controller(lab) && say(r, "controller stopped");
    if (lab_word_is(r->words[0], "kill"))
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

static bool check_load(struct lab *lab, const struct lab_request *r)
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

static bool verb_load(struct lab *lab, const struct lab_request *r)
{
    struct lab_load_options o = {.writers = r->writers, .rate = r->rate, .one_proxy = r->one_proxy};
    if (lab_word_is(r->words[0], "start"))
        return lab_load_start(lab, &o) && say(r, "load started");
    if (lab_word_is(r->words[0], "stop"))
        return lab_load_stop(lab) && say(r, "load stopped");
    if (lab_word_is(r->words[0], "check"))
        return check_load(lab, r);
    fprintf(stderr, "mainstay-lab: load start|stop|check [NODE]\n");
    return false;
}

static bool verb_grants(struct lab *lab, const struct lab_request *r)
{
    (void)r;
    return lab_prove_grants(lab, stdout);
}

#define INDENT    "                " /* where arguments begin, and the help of a verb with many */
#define SHORT_MAX 25

static const struct lab_verb verbs[] = {
    {"up", 0, 0,
     "[--engine mariadb|mysql] [--acker] [--replicas N] [--disks]\n" INDENT
     "[--clocks] [--listen ADDR:PORT] [--without-acker degrade|block]",
     "make a lab", true, verb_up},
    {"down", 0, 0, "", "end it and remove everything", false, verb_down},
    {"status", 0, 0, "", "what runs", false, verb_status},
    {"kill", 1, 1, "NODE", "SIGKILL", false, verb_kill},
    {"hang", 1, 1, "NODE", "SIGSTOP: connected but silent", false, verb_hang},
    {"thaw", 1, 1, "NODE", "SIGCONT", false, verb_thaw},
    {"stop", 1, 1, "NODE", "SIGTERM and wait", false, verb_stop},
    {"terminate", 1, 1, "NODE", "SIGTERM, do not wait", false, verb_terminate},
    {"start", 1, 1, "NODE [--extra \"--option ...\"]", "run again, start-up values", false,
     verb_start},
    {"restart", 1, 1, "NODE", "stop and start", false, verb_restart},
    {"cut", 2, 2, "A B [--one-way]", "drop packets between hosts or zones", false, verb_cut},
    {"heal", 0, 2, "[A [B]]", "mend network faults", false, verb_heal},
    {"lossy", 3, 3, "A B PERCENT", "lose packets", false, verb_lossy},
    {"slow", 3, 3, "A B MS", "delay packets, each way", false, verb_slow},
    {"reset", 2, 2, "A B", "answer TCP with resets", false, verb_reset},
    {"big", 3, 3, "A B BYTES", "drop larger packets (MTU black hole)", false, verb_big},
    {"narrow", 2, 2, "HOST KBIT", "hold what goes to it to a rate", false, verb_narrow},
    {"fail-fsync", 1, 1, "NODE", "each fsync answers EIO", false, verb_fail_fsync},
    {"fill-disk", 1, 1, "NODE [--free]", "disk full (up --disks)", false, verb_fill},
    {"readonly-disk", 1, 1, "NODE", "disk fails read-only (up --disks)", false, verb_readonly},
    {"freeze-disk", 1, 1, "NODE [--free]", "disk hangs (up --disks)", false, verb_freeze},
    {"clock", 2, 2, "NODE|controller SECONDS", "clock jump (up --clocks)", false, verb_clock},
    {"sql", 2, 2, "NODE [--user U] STATEMENT", "SQL over the server's socket", false, verb_sql},
    {"logs", 1, 1, "NODE|proxy-a|controller|load", "print a log", false, verb_logs},
    {"proxy", 2, 2, "restart|kill|show a|b", "HAProxy of a zone", false, verb_proxy},
    {"controller", 1, 1, "start|stop|kill", "mainstayd in the witness zone", false,
     verb_controller},
    {"load", 1, 2,
     "start [--writers N] [--rate N] [--one-proxy]\n" INDENT "stop\n" INDENT
     "check [NODE] [--fault-at MICROSECONDS] [--plant-loss N]",
     "clients that write through HAProxy, and the loss checker", false, verb_load},
    {"prove-grants", 0, 0, "", "use all of deploy/grants; spoils the lab", false, verb_grants},
};

const struct lab_verb *lab_verb_named(const char *name)
{
    for (size_t i = 0; i < STAY_COUNT(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

void lab_verbs_print(FILE *out)
{
    for (size_t i = 0; i < STAY_COUNT(verbs); i++) {
        const struct lab_verb *v = &verbs[i];
        bool is_short = strlen(v->arguments) <= SHORT_MAX;
        fprintf(out, "  %-13s %-*s", v->name, is_short ? SHORT_MAX : 0, v->arguments);
        fprintf(out, is_short ? "  %s\n" : "\n" INDENT "%s\n", v->help);
    }
}
