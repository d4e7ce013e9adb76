/* mainstay-load: writes unique rows as real clients would, and afterwards proves what became of
 * them. `run` records, `check` compares the record with the surviving primary's ledger. */
#include <errno.h>
#include <getopt.h>
#include <mysql.h>
#include <signal.h>

#include "tests/lib/load_run.h"
#include "tests/lib/loss_check.h"

static volatile sig_atomic_t stopped;

static void on_signal(int signo)
{
    (void)signo;
    stopped = 1;
}

static const char usage[] =
    "usage: mainstay-load run --target HOST:PORT[,HOST:PORT] --user U\n"
    "           --password-file F --out FILE [--writers 16] [--rate N]\n"
    "           [--seconds N] [--until-file PATH]\n"
    "           [--connect-timeout 1] [--read-timeout 5]\n"
    "       mainstay-load check --log FILE (--server HOST:PORT | --socket PATH)\n"
    "           --user U [--password-file F] [--fault-at MONO_US] [--plant-loss N]\n"
    "--rate: attempts a second over all writers; 0: as fast as they can. Timeouts:\n"
    "seconds. check prints JSON. Exit: 0 clean, 1 something is wrong with the\n"
    "writes, 2 usage or no answer.\n";

struct arguments {
    struct load_settings load;
    const char *log, *socket, *password_file;
    int64_t fault_us;
    size_t plant;
};

enum {
    OPT_TARGET = 256,
    OPT_USER,
    OPT_PASSWORD,
    OPT_OUT,
    OPT_WRITERS,
    OPT_RATE,
    OPT_SECONDS,
    OPT_UNTIL,
    OPT_CONNECT,
    OPT_READ,
    OPT_LOG,
    OPT_SOCKET,
    OPT_FAULT,
    OPT_PLANT
};

static const struct option options[] = {
    {"target", 1, NULL, OPT_TARGET},     {"server", 1, NULL, OPT_TARGET},
    {"user", 1, NULL, OPT_USER},         {"password-file", 1, NULL, OPT_PASSWORD},
    {"out", 1, NULL, OPT_OUT},           {"writers", 1, NULL, OPT_WRITERS},
    {"rate", 1, NULL, OPT_RATE},         {"seconds", 1, NULL, OPT_SECONDS},
    {"until-file", 1, NULL, OPT_UNTIL},  {"connect-timeout", 1, NULL, OPT_CONNECT},
    {"read-timeout", 1, NULL, OPT_READ}, {"log", 1, NULL, OPT_LOG},
    {"socket", 1, NULL, OPT_SOCKET},     {"fault-at", 1, NULL, OPT_FAULT},
    {"plant-loss", 1, NULL, OPT_PLANT},  {NULL, 0, NULL, 0}};

static bool take_targets(struct load_settings *load, const char *text)
{
    while (*text != '\0' && load->targets_count < LOAD_TARGETS_MAX) {
        int length = (int)strcspn(text, ",");
        int n = load->targets_count < LOAD_TARGETS_MAX
                    ? sscanf(text, "%63[^:,]:%u", load->targets[load->targets_count].host,
                             &load->targets[load->targets_count].port)
                    : 0;
        if (n != 2)
            return false;
        load->targets_count++;
        text += length + (text[length] == ',');
    }
    return load->targets_count > 0;
}

static bool take_unsigned(const char *text, unsigned *ret)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value > 1000000)
        return false;
    *ret = (unsigned)value;
    return true;
}

static bool take_option(struct arguments *a, int option)
{
    unsigned plant = 0;
    switch (option) {
    case OPT_TARGET:
        return take_targets(&a->load, optarg);
    case OPT_USER:
        a->load.user = optarg;
        return true;
    case OPT_PASSWORD:
        a->password_file = optarg;
        return true;
    case OPT_OUT:
        a->load.out = optarg;
        return true;
    case OPT_UNTIL:
        a->load.until_file = optarg;
        return true;
    case OPT_LOG:
        a->log = optarg;
        return true;
    case OPT_SOCKET:
        a->socket = optarg;
        return true;
    case OPT_FAULT:
        a->fault_us = strtoll(optarg, NULL, 10);
        return true;
    case OPT_WRITERS:
        return take_unsigned(optarg, &a->load.writers);
    case OPT_RATE:
        return take_unsigned(optarg, &a->load.rate);
    case OPT_SECONDS:
        return take_unsigned(optarg, &a->load.seconds);
    case OPT_CONNECT:
        return take_unsigned(optarg, &a->load.connect_timeout_s);
    case OPT_READ:
        return take_unsigned(optarg, &a->load.read_timeout_s);
    case OPT_PLANT:
        if (!take_unsigned(optarg, &plant))
            return false;
        a->plant = plant;
        return true;
    default:
        return false;
    }
}

static bool read_password(struct arguments *a, char *buf, size_t size)
{
    if (a->password_file == NULL)
        return true;
    FILE *in = fopen(a->password_file, "re");
    if (in == NULL || fgets(buf, (int)size, in) == NULL) {
        fprintf(stderr, "mainstay-load: %s: %s\n", a->password_file, strerror(errno));
        if (in != NULL)
            fclose(in);
        return false;
    }
    fclose(in);
    buf[strcspn(buf, "\r\n")] = '\0';
    a->load.password = buf;
    return true;
}

static MYSQL *open_ledger(const struct arguments *a)
{
    MYSQL *db = mysql_init(NULL);
    must(db != NULL);
    unsigned wait_s = 5;
    mysql_options(db, MYSQL_OPT_CONNECT_TIMEOUT, &wait_s);
    bool tcp = a->socket == NULL;
    if (mysql_real_connect(db, tcp ? a->load.targets[0].host : NULL, a->load.user, a->load.password,
                           NULL, tcp ? a->load.targets[0].port : 0, a->socket, 0) != NULL)
        return db;
    fprintf(stderr, "mainstay-load: (%u) %s\n", mysql_errno(db), mysql_error(db));
    mysql_close(db);
    return NULL;
}

/* Rows of earlier runs (up to base) are left out. */
static bool read_ledger(const struct arguments *a, uint64_t base, struct ledger *ledger)
{
    MYSQL *db = open_ledger(a);
    if (db == NULL)
        return false;
    STAY_AUTO(stay_free_charp)
    char *statement =
        stay_sprintf("SELECT client, seq FROM shop.ledger WHERE seq > %lu ORDER BY id", base);
    bool ok = mysql_query(db, statement) == 0;
    MYSQL_RES *result = ok ? mysql_use_result(db) : NULL;
    for (MYSQL_ROW row = result == NULL ? NULL : mysql_fetch_row(result); row != NULL;
         row = mysql_fetch_row(result))
        ledger_add(ledger, (unsigned)strtoul(row[0], NULL, 10), strtoul(row[1], NULL, 10));
    ok = result != NULL && mysql_errno(db) == 0;
    if (!ok)
        fprintf(stderr, "mainstay-load: (%u) %s\n", mysql_errno(db), mysql_error(db));
    mysql_free_result(result);
    mysql_close(db);
    return ok;
}

/* A load that still runs wrote rows after its log was read: they are looked for in it again. */
static void read_on(const char *log, struct load_record *record, const struct ledger *ledger)
{
    size_t before = record->count, without = 1;
    for (int tries = 0; tries < 10 && without > 0; tries++) {
        struct load_record later = {0};
        char why[256];
        record->count = before;
        if (!load_record_read(log, &later, why, sizeof why))
            return;
        without = later.count < before ? 0 : loss_take_later(record, &later, ledger);
        load_record_clear(&later);
        if (without > 0)
            (void)usleep(200 * 1000);
    }
}

static int check(const struct arguments *a)
{
    struct load_record record = {0};
    struct ledger ledger = {0};
    char why[256];
    if (a->log == NULL || a->load.user == NULL ||
        (a->socket == NULL && a->load.targets_count == 0)) {
        fputs(usage, stderr);
        return 2;
    }
    if (!load_record_read(a->log, &record, why, sizeof why)) {
        fprintf(stderr, "mainstay-load: %s\n", why);
        return 2;
    }
    if (!read_ledger(a, record.base_seq, &ledger)) {
        load_record_clear(&record);
        ledger_clear(&ledger);
        return 2;
    }
    read_on(a->log, &record, &ledger);
    struct loss_report report;
    size_t planted = a->plant > 0 ? loss_plant(&ledger, &record, a->plant) : 0;
    loss_check(&record, &ledger, a->fault_us, &report);
    report.planted = planted;
    json_t *json = loss_report_json(&report);
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
    load_record_clear(&record);
    ledger_clear(&ledger);
    return loss_report_is_clean(&report) ? 0 : 1;
}

static int run(const struct arguments *a)
{
    char why[256];
    if (a->load.targets_count == 0 || a->load.user == NULL || a->load.out == NULL ||
        a->load.writers == 0 || a->load.writers > LOAD_WRITERS_MAX) {
        fputs(usage, stderr);
        return 2;
    }
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (load_run(&a->load, &stopped, why, sizeof why))
        return 0;
    fprintf(stderr, "mainstay-load: %s\n", why);
    return 1;
}

int main(int argc, char **argv)
{
    struct arguments a = {.load = {.writers = 16, .connect_timeout_s = 1, .read_timeout_s = 5}};
    char password[128] = "";
    int option = 0;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!take_option(&a, option)) {
            if (option != '?')
                fprintf(stderr, "mainstay-load: bad value '%s'\n", optarg);
            fputs(usage, stderr);
            return 2;
        }
    if (optind + 1 == argc && strcmp(argv[optind], "run") == 0)
        return read_password(&a, password, sizeof password) ? run(&a) : 2;
    if (optind + 1 == argc && strcmp(argv[optind], "check") == 0)
        return read_password(&a, password, sizeof password) ? check(&a) : 2;
    fputs(usage, stderr);
    return 2;
}
