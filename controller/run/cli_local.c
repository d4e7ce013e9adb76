/* What the command does by itself: help, version, configuration files, the lab. And the whole of
 * it: cli_main. */
#include "base/io/file.h"
#include "controller/run/cli.h"
#include "controller/settings/settings.h"
#include <errno.h>
#include <libgen.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char intro[] =
    "usage: mainstay [--json] [--socket PATH] [--config FILE] VERB ...\n\n"
    "mainstay keeps MariaDB and MySQL clusters writable: it asks a controller\n"
    "(mainstayd) on this host over its unix socket.\n\n";

#define HELP_WIDTH  80
#define HELP_INDENT 25 /* where an option's text begins */

static void help_option(FILE *out, const struct cli_option *option)
{
    char left[64];
    const char *text = option->help;
    const size_t room = HELP_WIDTH - HELP_INDENT;
    snprintf(left, sizeof left, "--%s%s%s", option->name, option->value == NULL ? "" : " ",
             option->value == NULL ? "" : option->value);
    fprintf(out, "  %-*s", HELP_INDENT - 2, left);
    while (strlen(text) > room) {
        size_t n = room;
        while (n > 0 && text[n] != ' ')
            n--;
        must(n > 0); /* the table's words are shorter than a line */
        fprintf(out, "%.*s\n%*s", (int)n, text, HELP_INDENT, "");
        text += n + 1;
    }
    fprintf(out, "%s\n", text);
}

static void help_options(struct cli *cli, const struct cli_verb *verb, bool general,
                         const char *title)
{
    size_t count;
    const struct cli_option *options = cli_options(&count);
    for (size_t i = 0; i < count; i++) {
        if (!cli_verb_takes(verb, &options[i]) || cli_option_is_general(&options[i]) != general)
            continue;
        fputs(title, cli->out);
        title = "";
        help_option(cli->out, &options[i]);
    }
}

static void help_verb(struct cli *cli, const struct cli_verb *verb)
{
    fprintf(cli->out, "usage: mainstay %s%s%s\n\n%s\n", verb->name,
            verb->usage[0] == '\0' ? "" : " ", verb->usage, verb->help);
    help_options(cli, verb, false, "\nOptions:\n");
}

/* A first word alone ("config") stands for all verbs that begin with it. */
static int help_named(struct cli *cli, const char *name)
{
    size_t count, length = strlen(name);
    const struct cli_verb *verbs = cli_verbs(&count), *verb = cli_verb_named(name);
    for (size_t i = 0; verb == NULL && i < count; i++) {
        if (strncmp(verbs[i].name, name, length) != 0 || verbs[i].name[length] != ' ')
            continue;
        bool is_last = i + 1 == count || strncmp(verbs[i + 1].name, name, length) != 0;
        if (is_last) {
            verb = &verbs[i];
        } else {
            help_verb(cli, &verbs[i]);
            fputc('\n', cli->out);
        }
    }
    if (verb == NULL) {
        cli_usage_error(cli, "there is no verb \"%.60s\"; `mainstay help` lists them", name);
        return CLI_USAGE;
    }
    help_verb(cli, verb);
    if ((verb->flags & CLI_REST) == 0)
        help_options(cli, verb, true, "\nOptions of every verb:\n");
    return CLI_DONE;
}

int cli_help(struct cli *cli)
{
    size_t count;
    const struct cli_verb *verbs = cli_verbs(&count);
    const char *name = json_string_value(json_object_get(cli->args, "verb"));
    bool aliases = false;
    if (name != NULL)
        return help_named(cli, name);
    fputs(intro, cli->out);
    for (size_t i = 0; i < count; i++) {
        char left[80];
        if (verbs[i].alias_of != NULL && !aliases) {
            aliases = true;
            fprintf(cli->out, "\nFor hands that know orchestrator:\n");
        }
        /* A long choice of words is for the verb's own help. */
        bool is_long = strlen(verbs[i].name) + strlen(verbs[i].usage) > 24;
        bool is_plan = strcmp(verbs[i].name, "plan") == 0;
        snprintf(left, sizeof left, "%s%s%s", verbs[i].name,
                 verbs[i].usage[0] == '\0' || (is_long && !is_plan) ? "" : " ",
                 !is_long  ? verbs[i].usage
                 : is_plan ? "CLUSTER KIND"
                           : "");
        fprintf(cli->out, "  %-25s %s\n", left, verbs[i].help);
    }
    fprintf(cli->out, "\n`mainstay help VERB` lists a verb's options. mainstay(1) says more.\n"
                      "Exit: 0 done, 1 failed, 2 usage, 3 refused by a safety rule,\n"
                      "4 cannot reach the controller, 5 outcome unknown, 10 and up: what is wrong\n"
                      "with a repository, mainstay-repository(5).\n");
    return CLI_DONE;
}

int cli_version(struct cli *cli)
{
    if (cli->json)
        fprintf(cli->out, "{\"version\":\"%s\"}\n", MAINSTAY_VERSION);
    else
        fprintf(cli->out, "mainstay %s\n", MAINSTAY_VERSION);
    return CLI_DONE;
}

static void notes_json(struct cli *cli, const char *path, const struct settings_notes *notes,
                       bool ok)
{
    json_t *json = json_object(), *lines = json_array();
    for (uint32_t i = 0; i < notes->line_count; i++) {
        json_t *line = json_object();
        stay_json_set_string(line, "severity", notes->lines[i].is_error ? "error" : "warning");
        stay_json_set_string(line, "text", notes->lines[i].text);
        stay_json_append(lines, line);
    }
    stay_json_set_bool(json, "ok", ok);
    stay_json_set_string(json, "file", path);
    stay_json_set_int(json, "errors", notes->error_count);
    stay_json_set_int(json, "warnings", notes->warning_count);
    stay_json_set(json, "notes", lines);
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_pretty(json);
    fprintf(cli->out, "%s\n", text);
    json_decref(json);
}

int cli_config_check(struct cli *cli)
{
    const char *path = cli_config_path(cli);
    STAY_AUTO(settings_drop) struct settings *settings = NULL;
    struct settings_notes *notes = stay_calloc(1, sizeof *notes);
    enum stay_rc rc = settings_load(path, 0, &settings, notes, NULL);
    if (cli->json)
        notes_json(cli, path, notes, rc == STAY_OK);
    for (uint32_t i = 0; i < notes->line_count && !cli->json; i++) {
        enum cli_color color = notes->lines[i].is_error ? CLI_RED : CLI_YELLOW;
        fprintf(cli->out, "%s%s%s: %s\n", cli_color(cli, color),
                notes->lines[i].is_error ? "error" : "warning", cli_color_end(cli, color),
                notes->lines[i].text);
    }
    if (!cli->json && rc == STAY_OK) {
        uint32_t nodes = 0;
        for (uint32_t i = 0; i < settings->cluster_count; i++)
            nodes += settings->clusters[i].config.node_count;
        fprintf(cli->out, "%s: good: %u cluster%s, %u servers, %u warning%s\n", path,
                settings->cluster_count, settings->cluster_count == 1 ? "" : "s", nodes,
                notes->warning_count, notes->warning_count == 1 ? "" : "s");
    } else if (!cli->json) {
        fprintf(cli->out, "%s: %u error%s, %u warning%s: a controller refuses this file\n", path,
                notes->error_count, notes->error_count == 1 ? "" : "s", notes->warning_count,
                notes->warning_count == 1 ? "" : "s");
    }
    free(notes);
    return rc == STAY_OK ? CLI_DONE : CLI_FAILED;
}

int cli_config_show(struct cli *cli)
{
    STAY_AUTO(stay_free_charp) char *text = NULL;
    struct stay_error err = {0};
    const char *path = cli_config_path(cli);
    if (cli->defaults)
        text = settings_format_defaults();
    else if (file_read(path, SETTINGS_FILE_MAX, &text, NULL, &err) != STAY_OK) {
        fprintf(cli->err, "mainstay: %s; `mainstay config show --defaults` lists every option\n",
                err.text);
        return CLI_FAILED;
    }
    fputs(text, cli->out);
    return CLI_DONE;
}

/* mainstay-lab beside this program, else from PATH. Only returns when it cannot be run. */
int cli_lab(struct cli *cli)
{
    char self[512] = "", beside[600], name[] = "mainstay-lab";
    char **argv = stay_calloc((size_t)cli->rest_count + 2, sizeof *argv);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    argv[0] = name;
    for (int i = 0; i < cli->rest_count; i++)
        argv[i + 1] = cli->rest[i];
    fflush(cli->out);
    if (n > 0) {
        snprintf(beside, sizeof beside, "%s/%s", dirname(self), name);
        execv(beside, argv);
    }
    execvp(name, argv);
    fprintf(cli->err, "mainstay: cannot run %s: %s (it stands beside mainstay after a build)\n",
            name, strerror(errno));
    free(argv);
    return CLI_FAILED;
}

static size_t terminal_width(FILE *out)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col;
    long n = columns == NULL ? 0 : strtol(columns, NULL, 10);
    return n >= 40 && n < 1000 ? (size_t)n : 80;
}

int cli_main(int argc, char **argv, FILE *out, FILE *err)
{
    struct cli *cli = stay_calloc(1, sizeof *cli);
    int exit_code = CLI_USAGE;
    cli->out = out;
    cli->err = err;
    cli->args = json_object();
    cli->out_is_terminal = fileno(out) >= 0 && isatty(fileno(out)) != 0;
    cli->in_is_terminal = isatty(STDIN_FILENO) != 0;
    cli->use_color = cli->out_is_terminal && getenv("NO_COLOR") == NULL;
    cli->width = cli->out_is_terminal ? terminal_width(out) : 0;
    if (cli_parse(cli, argc, argv))
        exit_code = cli->verb->local != NULL ? cli->verb->local(cli) : cli_talk(cli);
    json_decref(cli->args);
    free(cli);
    return exit_code;
}
