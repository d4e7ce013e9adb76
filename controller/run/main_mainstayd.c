/* mainstayd: the controller. Reads its options, checks the configuration, runs until told to stop.
 * Exit: 0 stopped by a signal, 1 failed, 2 usage or configuration. */
#include "base/base.h"
#include "base/io/log_sink.h"
#include "controller/run/daemon.h"
#include "controller/settings/settings.h"
#include <getopt.h>
#include <malloc.h>
#include <signal.h>

/* By default every thread may get a heap of its own, and each keeps what it once needed; lanes work
 * a few milliseconds in a second, so few ever meet. */
#define HEAPS_MAX 2

static const char usage[] =
    "usage: mainstayd [--config FILE] [--check]\n"
    "  --config FILE  configuration (default " SETTINGS_PATH_DEFAULT ")\n"
    "  --check        check the configuration and exit: 0 good, 2 not\n"
    "  --foreground   stay in the foreground (always so; accepted for habit)\n"
    "  --version      print the version and exit\n"
    "  --help         print this and exit\n";

struct arguments {
    const char *config;
    bool is_check, is_version, is_help;
};

static bool parse_arguments(int argc, char **argv, struct arguments *ret)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
        {"foreground", no_argument, NULL, 'f'},   {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    struct arguments args = {.config = SETTINGS_PATH_DEFAULT};
    int option;
    while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        if (option == 'c')
            args.config = optarg;
        else if (option == 'k')
            args.is_check = true;
        else if (option == 'V')
            args.is_version = true;
        else if (option == 'h')
            args.is_help = true;
        else if (option != 'f')
            return false;
    }
    *ret = args;
    return optind == argc;
}

/* Prints everything that was found, not only the first error. */
static int check(const char *path, struct settings **ret_settings)
{
    struct settings_notes *notes = stay_calloc(1, sizeof *notes);
    struct stay_error err;
    enum stay_rc rc = settings_load(path, 0, ret_settings, notes, &err);
    for (uint32_t i = 0; i < notes->line_count && i < SETTINGS_NOTES_MAX; i++)
        (void)fprintf(stderr, "%s: %s\n", notes->lines[i].is_error ? "error" : "warning",
                      notes->lines[i].text);
    if (rc != STAY_OK && notes->error_count == 0)
        (void)fprintf(stderr, "error: %s\n", err.text);
    free(notes);
    return rc == STAY_OK ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct arguments args;
    if (!parse_arguments(argc, argv, &args)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (args.is_help || args.is_version) {
        (void)(args.is_help ? fputs(usage, stdout) : puts("mainstayd " MAINSTAY_VERSION));
        return 0;
    }
    struct settings *settings = NULL;
    int status = check(args.config, &settings);
    if (status != 0 || args.is_check) {
        settings_free(settings);
        if (status == 0)
            (void)printf("%s: good\n", args.config);
        return status;
    }
    log_sink_open("mainstayd", (enum log_level)settings->log_level);
    settings_free(settings);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)mallopt(M_ARENA_MAX, HEAPS_MAX);
    struct daemon *daemon = NULL;
    struct stay_error err;
    if (daemon_open(args.config, &daemon, &err) != STAY_OK) {
        log_plain(LOG_LEVEL_ERROR, "not started: %s", err.text);
        return 1;
    }
    (void)malloc_trim(0); /* the file as a tree is several times what is kept of it */
    daemon_run(daemon);
    daemon_close(daemon);
    return 0;
}
