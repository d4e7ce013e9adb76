/* controller/run/cli.h - the operator's command `mainstay`: one table of verbs and one of options
 * drive parsing, help and mainstay(1); everything else is asked of the controller over its unix
 * socket.
 *
 * Layer: run. A short-lived process: blocking calls, memory freed at the end. It executes nothing
 * itself: when the controller is down it says so and prints the runbook. Only `discover` talks to
 * database servers, and reads only. */
#ifndef CONTROLLER_RUN_CLI_H
#define CONTROLLER_RUN_CLI_H
#include "base/error.h"
#include "base/json.h"

enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_REFUSED = 3,
    CLI_UNREACHABLE = 4,
    CLI_UNKNOWN = 5
};

enum cli_flags {
    CLI_CHANGES = 1, /* takes --dry-run */
    CLI_ASKS = 2,    /* asks before it acts; --yes answers */
    CLI_PLANS = 4,   /* starts a plan: waits for its end unless --no-wait */
    CLI_STREAMS = 8, /* prints until interrupted */
    CLI_REST = 16,   /* everything after the verb is passed on */
    CLI_NAMES = 32,  /* with CLI_ASKS: the answer is the server's name, its data is destroyed */
    CLI_WAITS = 64,  /* a job answers: as long as --timeout says */
};

#define CLI_ARGS_MAX 4

struct cli;
struct table;
typedef int (*cli_local_fn)(struct cli *cli);
typedef void (*cli_print_fn)(struct cli *cli, const json_t *data);

/* A row of the verb table. usage: words; lower case is literal, upper case a value, [X] optional,
 * a|b a choice. Values CLUSTER, and wire keys by the option table, go into the request. */
struct cli_verb {
    const char *name;
    const char *usage;   /* "CLUSTER [NODE]" */
    const char *options; /* names of own options, blank-separated: "to accept-loss"; or NULL */
    unsigned flags;
    const char *wire; /* verb of the socket; NULL: `local` does it */
    cli_local_fn local;
    cli_print_fn print;   /* of the answer's data; NULL: nothing to show */
    const char *preset;   /* "key=value" sent as an argument, for aliases; or NULL */
    const char *alias_of; /* shown under Aliases; or NULL */
    const char *help;
};

struct cli_option {
    const char *name;  /* without -- */
    const char *value; /* "N", "TIME"; NULL: a switch */
    const char *wire;  /* key in args; NULL: handled here */
    const char *help;
};

struct cli {
    FILE *out, *err;
    bool out_is_terminal, in_is_terminal, use_color;
    size_t width; /* of the terminal; 0: no limit */
    const struct cli_verb *verb;
    int rest_count; /* CLI_REST: what is passed on */
    char **rest;
    const char *cluster; /* borrowed from argv */
    json_t *args;        /* of the request */
    bool json, dry_run, yes, no_wait, defaults, any_name, fix, end, verify, new_key, quick;
    const char *socket, *config;
    int64_t timeout_us; /* for the end of a plan; discover: for a server, 0 when not given */
    char socket_path[256], runbook_path[256];
    char config_path[256];
    int exit_code; /* of print functions that judge */
};

/* The whole program but for process-wide things: argv[0] is its name. Returns the exit code. */
int cli_main(int argc, char **argv, FILE *out, FILE *err);

/* The tables of verbs and options; static. */
const struct cli_verb *cli_verbs(size_t *ret_count);
const struct cli_option *cli_options(size_t *ret_count);
const struct cli_verb *cli_verb_named(const char *name);     /* or NULL */
bool cli_option_is_general(const struct cli_option *option); /* every verb takes it */
bool cli_verb_takes(const struct cli_verb *verb, const struct cli_option *option);

/* cli_parse.c: false: the error was printed, exit 2. */
bool cli_parse(struct cli *cli, int argc, char **argv);
void cli_usage_error(struct cli *cli, const char *fmt, ...) STAY_PRINTF(2, 3);

/* cli_place.c: --config, else the installed configuration; where nothing is installed (neither
 * that file nor a controller's socket) and no --socket is given, quickstart's lab's. Never NULL;
 * the file may not exist. */
#define CLI_SOCKET_DEFAULT "/run/mainstay/mainstay.sock"
const char *cli_config_path(const struct cli *cli);

/* cli_talk.c: asks the controller and prints its answer. */
int cli_talk(struct cli *cli);
/* Asks the verb `wire` with cli's cluster and arguments, prints nothing but a failure. CLI_DONE:
 * *ret_data is the caller's. */
int cli_fetch(struct cli *cli, const struct cli_verb *verb, json_t **ret_data);
/* The same after a cli_fetch, and silent: false when the controller does not answer, or fails. */
bool cli_try_fetch(struct cli *cli, const struct cli_verb *verb, json_t **ret_data);
int cli_verify(struct cli *cli); /* cli_verify.c: a plan, then with --verify the rows it left */
int cli_check(struct cli *cli);  /* cli_check.c: `check`, and `check --fix` */
/* cli_local.c */
int cli_help(struct cli *cli);
int cli_version(struct cli *cli);
int cli_config_check(struct cli *cli);
int cli_config_show(struct cli *cli);
int cli_lab(struct cli *cli);
/* cli_replay.c, cli_explain.c: from the recordings, without the controller. */
int cli_replay(struct cli *cli);
int cli_explain(struct cli *cli); /* of a plan's id: cli_talk */

/* cli_errant*.c: bundles of errant transactions; reset asks for the node's name, then cli_talk. */
int cli_errant_list(struct cli *cli);
int cli_errant_show(struct cli *cli);
int cli_errant_inject(struct cli *cli);
int cli_errant_reset(struct cli *cli);

/* cli_evacuate.c: shows the plan, or gives the order and waits for its moves, or ends it. */
int cli_evacuate(struct cli *cli);

/* cli_repository*.c: repositories of backups, by themselves: no controller. What is wrong with one
 * has exit codes of its own, 10 and up (backup/repository/repo_fault.h). */
int cli_repository_init(struct cli *cli);
int cli_repository_check(struct cli *cli);
int cli_repository_list(struct cli *cli);
int cli_repository_copy(struct cli *cli);
int cli_repository_keys(struct cli *cli);

/* cli_discover.c: asks database servers, no controller. */
int cli_discover(struct cli *cli);

/* cli_print*.c */
void cli_print_status(struct cli *cli, const json_t *data);
void cli_print_outage(struct cli *cli, const json_t *cluster);   /* part of status */
void cli_print_evacuations(struct cli *cli, const json_t *data); /* part of status */
void cli_print_topology(struct cli *cli, const json_t *data);
void cli_print_problems(struct cli *cli, const json_t *data);
void cli_print_verdict(struct cli *cli, const json_t *data);
void cli_print_check(struct cli *cli, const json_t *data);
void cli_print_which(struct cli *cli, const json_t *data);
void cli_print_plan(struct cli *cli, const json_t *data);
void cli_print_what_if(struct cli *cli, const json_t *data);
void cli_print_outcome(struct cli *cli, const json_t *data);
void cli_print_switch(struct cli *cli, const json_t *data);
void cli_print_injected(struct cli *cli, const json_t *data);
void cli_print_verified(struct cli *cli, const json_t *data);
void cli_print_history(struct cli *cli, const json_t *data);
void cli_print_explain(struct cli *cli, const json_t *data);
void cli_print_moment(struct cli *cli, const json_t *data); /* explain CLUSTER@TIME */
void cli_print_reload(struct cli *cli, const json_t *data);
void cli_print_event(struct cli *cli, const json_t *event);

/* cli_text.c: for the printers. */
const char *cli_text(const json_t *obj, const char *key); /* "" when absent */
bool cli_true(const json_t *obj, const char *key);
void cli_wrap(struct cli *cli, FILE *to, unsigned indent, const char *text);
/* "12.3 ms", "-" when absent or negative. */
const char *cli_duration(const json_t *obj, const char *key, char dst[32]);
/* "2026-02-03 04:05:06" UTC, "-" when absent. */
const char *cli_time(const json_t *obj, const char *key, char dst[40]);
enum cli_color { CLI_PLAIN = 0, CLI_GREEN, CLI_YELLOW, CLI_RED };
const char *cli_color(const struct cli *cli, enum cli_color color); /* escape or "" */
const char *cli_color_end(const struct cli *cli, enum cli_color color);
/* "db1, db2" of an array of names; "-" when empty. */
void cli_names(const json_t *array, char *dst, size_t size);
/* Prints a table, indented by 2, within the terminal, each row in its colour (NULL: plain). */
void cli_put_table(struct cli *cli, const struct table *t, const enum cli_color *colors);

#endif
