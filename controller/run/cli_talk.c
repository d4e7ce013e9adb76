/* Asking the controller: one request line, event lines, one answer; questions before changes; and
 * what to say when nobody answers. */
#include "base/io/file.h"
#include "base/io/line_client.h"
#include "base/io/real_clock.h"
#include "controller/run/cli.h"
#include "controller/settings/settings.h"
#include <time.h>

#define ANSWER_US       (20 * STAY_SECOND)
#define RUNBOOK_MAX     (256u * 1024)
#define RUNBOOK_DEFAULT "/var/lib/mainstay/runbook.txt"

/* Where the controller listens and keeps its runbook: options, then the configuration, then
 * defaults. False: the configuration that was named cannot be read. */
static bool find_controller(struct cli *cli)
{
    const char *path = cli_config_path(cli);
    STAY_AUTO(settings_drop) struct settings *settings = NULL;
    struct stay_error err = {0};
    (void)stay_copy(cli->socket_path, sizeof cli->socket_path,
                    cli->socket == NULL ? CLI_SOCKET_DEFAULT : cli->socket);
    (void)stay_copy(cli->runbook_path, sizeof cli->runbook_path, RUNBOOK_DEFAULT);
    if (settings_load(path, SETTINGS_WITHOUT_SECRETS, &settings, NULL, &err) == STAY_OK) {
        if (cli->socket == NULL)
            (void)stay_copy(cli->socket_path, sizeof cli->socket_path, settings->socket);
        (void)stay_copy(cli->runbook_path, sizeof cli->runbook_path, settings->runbook);
        if (cli->socket != NULL && strcmp(cli->socket, settings->socket) != 0)
            cli->runbook_path[0] = '\0'; /* another controller's: its words are not this one's */
    } else if (cli->config != NULL && cli->socket == NULL) {
        cli_usage_error(cli, "%s", err.text);
        return false;
    }
    if (settings == NULL && cli->socket != NULL && strcmp(cli->socket, CLI_SOCKET_DEFAULT) != 0)
        cli->runbook_path[0] = '\0';
    return true;
}

static int unreachable(struct cli *cli, const struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *runbook = NULL;
    bool is_known = cli->runbook_path[0] != '\0';
    if (!is_known || file_read(cli->runbook_path, RUNBOOK_MAX, &runbook, NULL, NULL) != STAY_OK)
        runbook = NULL;
    if (cli->json) {
        json_t *json = json_object();
        stay_json_set_int(json, "exit", CLI_UNREACHABLE);
        stay_json_set_string(json, "error", err->text);
        stay_json_set_string(json, "runbook", runbook);
        STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(json);
        fprintf(cli->out, "%s\n", text);
        json_decref(json);
        return CLI_UNREACHABLE;
    }
    fprintf(cli->err, "mainstay: cannot reach the controller: %s\n", err->text);
    if (err->rc != STAY_EDENIED)
        fprintf(cli->err,
                "Nothing was done: this command executes nothing by itself.\n"
                "Is mainstayd running? systemctl status mainstayd; journalctl -u mainstayd\n");
    if (runbook != NULL)
        fprintf(cli->out, "\nWhat the controller last wrote to %s:\n\n%s", cli->runbook_path,
                runbook);
    else if (is_known)
        fprintf(cli->err, "There is no runbook at %s.\n", cli->runbook_path);
    else
        fprintf(cli->err, "Where that controller keeps its runbook says its configuration: name it "
                          "with --config FILE.\n");
    return CLI_UNREACHABLE;
}

static json_t *request_json(const struct cli *cli, bool dry_run)
{
    json_t *request = json_object();
    stay_json_set_string(request, "verb", cli->verb->wire);
    if (cli->cluster != NULL)
        stay_json_set_string(request, "cluster", cli->cluster);
    json_object_set(request, "args", cli->args);
    stay_json_set_bool(request, "dry_run", dry_run);
    return request;
}

static enum stay_rc send_request(const struct cli *cli, bool dry_run,
                                 struct line_client **ret_client, struct stay_error *err)
{
    STAY_AUTO(stay_json_drop) json_t *request = request_json(cli, dry_run);
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(request);
    STAY_AUTO(line_client_drop) struct line_client *client = NULL;
    enum stay_rc rc =
        line_client_open(cli->socket_path, real_clock_mono_us() + ANSWER_US, &client, err);
    if (rc == STAY_OK)
        rc = line_client_send(client, text, err);
    if (rc != STAY_OK)
        return rc;
    *ret_client = client;
    client = NULL;
    return STAY_OK;
}

static void show_event(struct cli *cli, const json_t *event, const char *line)
{
    FILE *to = (cli->verb->flags & CLI_STREAMS) != 0 ? cli->out : cli->err;
    if (cli->json)
        fprintf(to, "%s\n", line);
    else
        cli_print_event(cli, event);
    fflush(to);
}

/* Reads up to the answer. STAY_ENOTFOUND: the stream ended without one. */
static enum stay_rc read_answer(struct cli *cli, struct line_client *client, json_t **ret_answer,
                                struct stay_error *err)
{
    const char *line;
    for (;;) {
        enum stay_rc rc = line_client_read(client, &line, err);
        if (rc != STAY_OK)
            return rc;
        if (line == NULL)
            return stay_error(err, STAY_ENOTFOUND, "the controller ended the connection");
        json_t *json = NULL;
        rc = stay_json_parse(line, strlen(line), &json, err);
        if (rc != STAY_OK)
            return stay_error_prefix(err, rc, "the controller's answer");
        if (json_object_get(json, "event") == NULL) {
            *ret_answer = json;
            return STAY_OK;
        }
        show_event(cli, json, line);
        json_decref(json);
    }
}

static int show_failure(struct cli *cli, const json_t *answer)
{
    const json_t *code = json_object_get(answer, "exit");
    int exit_code = json_is_integer(code) ? (int)json_integer_value(code) : CLI_FAILED;
    const char *text = cli_text(answer, "error");
    char rules[200];
    cli_names(json_object_get(answer, "refused_by"), rules, sizeof rules);
    if (cli->json) {
        STAY_AUTO(stay_free_charp) char *json = stay_json_dump_compact(answer);
        fprintf(cli->out, "%s\n", json);
        return exit_code;
    }
    if (exit_code == CLI_REFUSED && strcmp(rules, "-") != 0 && strncmp(text, "refused", 7) != 0)
        fprintf(cli->err, "mainstay: refused by %s: %s\n", rules, text);
    else if (exit_code == CLI_UNKNOWN)
        fprintf(cli->err, "mainstay: outcome unknown: %s\n", text);
    else
        fprintf(cli->err, "mainstay: %s\n", text);
    return exit_code;
}

static int show_answer(struct cli *cli, const json_t *answer, bool preview)
{
    const json_t *data = json_object_get(answer, "data");
    if (!cli_true(answer, "ok"))
        return show_failure(cli, answer);
    cli->exit_code = CLI_DONE;
    if (cli->json && !preview) {
        STAY_AUTO(stay_free_charp)
        char *text =
            cli->out_is_terminal ? stay_json_dump_pretty(data) : stay_json_dump_compact(data);
        fprintf(cli->out, "%s\n", text);
    } else if (cli->dry_run || preview) {
        if ((cli->verb->flags & CLI_PLANS) != 0)
            cli_print_plan(cli, data);
        else if (cli_true(data, "trial"))
            cli->verb->print(cli, data);
        else
            fprintf(cli->out, "Would %s%s%s. Nothing was changed.\n", cli->verb->name,
                    cli->cluster == NULL ? "" : " ", cli->cluster == NULL ? "" : cli->cluster);
    } else if (cli->verb->print != NULL) {
        cli->verb->print(cli, data);
    }
    if (!preview && json_integer_value(json_object_get(data, "refused")) > 0)
        cli->exit_code = CLI_REFUSED; /* not all of it was done, or would be */
    if (json_integer_value(json_object_get(data, "differences")) > 0)
        cli->exit_code = CLI_FAILED;
    else if (json_object_get(data, "differences") != NULL &&
             json_integer_value(json_object_get(data, "unknown")) > 0)
        cli->exit_code = CLI_UNKNOWN;
    return cli->exit_code;
}

/* Asks once. preview: dry run before a question. */
static int ask(struct cli *cli, bool dry_run, bool preview)
{
    STAY_AUTO(line_client_drop) struct line_client *client = NULL;
    STAY_AUTO(stay_json_drop) json_t *answer = NULL;
    struct stay_error err = {0};
    bool waits = (cli->verb->flags & CLI_WAITS) != 0 ||
                 ((cli->verb->flags & CLI_PLANS) != 0 && !dry_run && !cli->no_wait);
    if (send_request(cli, dry_run, &client, &err) != STAY_OK)
        return unreachable(cli, &err);
    if (waits)
        line_client_set_deadline(client, real_clock_mono_us() + cli->timeout_us);
    if ((cli->verb->flags & CLI_STREAMS) != 0)
        line_client_set_deadline(client, INT64_MAX);
    enum stay_rc rc = read_answer(cli, client, &answer, &err);
    if (rc == STAY_OK)
        return show_answer(cli, answer, preview);
    if ((cli->verb->flags & (CLI_CHANGES | CLI_WAITS)) == 0 || dry_run)
        return unreachable(cli, &err);
    json_t *unknown = json_object();
    char text[700];
    snprintf(text, sizeof text,
             rc == STAY_ETIMEDOUT && (cli->verb->flags & CLI_PLANS) == 0
                 ? "no end within the time given (%s); the work goes on, its end is logged; "
                   "--timeout gives it longer"
             : rc == STAY_ETIMEDOUT
                 ? "no end within the time given (%s); the plan goes on: `mainstay explain last`"
                 : "%s before it said how this ended; look with `mainstay status` and `mainstay "
                   "explain last`",
             err.text);
    stay_json_set_bool(unknown, "ok", false);
    stay_json_set_int(unknown, "exit", CLI_UNKNOWN);
    stay_json_set_string(unknown, "error", text);
    int exit_code = show_failure(cli, unknown);
    json_decref(unknown);
    return exit_code;
}

/* The dry run is shown, then the question is put; anything but y ends it. */
static int confirm(struct cli *cli, bool *ret_go)
{
    char line[80] = "";
    *ret_go = false;
    if (!cli->in_is_terminal) {
        cli_usage_error(cli,
                        "%s changes a running system and nobody can be asked here: add --yes, or "
                        "look first with --dry-run",
                        cli->verb->name);
        return CLI_USAGE;
    }
    int exit_code = ask(cli, true, true);
    if (exit_code != CLI_DONE)
        return exit_code;
    const char *node = json_string_value(json_object_get(cli->args, "node"));
    if ((cli->verb->flags & CLI_NAMES) != 0 && node != NULL) {
        fprintf(cli->out, "\n%s destroys what %s holds. Type its name to go on: ", cli->verb->name,
                node);
        fflush(cli->out);
        bool read = fgets(line, sizeof line, stdin) != NULL;
        line[strcspn(line, "\r\n")] = '\0';
        *ret_go = read && strcmp(line, node) == 0;
        if (!*ret_go)
            fprintf(cli->out, "Nothing was changed.\n");
        return *ret_go ? CLI_DONE : CLI_FAILED;
    }
    fprintf(cli->out, "\n%s%s%s: go on? [y/N] ", cli->verb->name, cli->cluster == NULL ? "" : " ",
            cli->cluster == NULL ? "" : cli->cluster);
    fflush(cli->out);
    *ret_go = fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
    if (!*ret_go)
        fprintf(cli->out, "Nothing was changed.\n");
    return *ret_go ? CLI_DONE : CLI_FAILED;
}

/* watch on a terminal: status again each second; elsewhere the stream of events. */
static int watch_status(struct cli *cli)
{
    const struct cli_verb *status = cli_verb_named("status");
    const struct timespec second = {.tv_sec = 1};
    for (;;) {
        cli->verb = status;
        fprintf(cli->out, "\033[H\033[2J");
        int exit_code = ask(cli, false, false);
        if (exit_code != CLI_DONE)
            return exit_code;
        fprintf(cli->out, "\nmainstay watch: Ctrl-C ends it\n");
        fflush(cli->out);
        nanosleep(&second, NULL);
    }
}

int cli_fetch(struct cli *cli, const struct cli_verb *verb, json_t **ret_data)
{
    STAY_AUTO(line_client_drop) struct line_client *client = NULL;
    STAY_AUTO(stay_json_drop) json_t *answer = NULL;
    struct stay_error err = {0};
    cli->verb = verb;
    if (!find_controller(cli))
        return CLI_USAGE;
    enum stay_rc rc = send_request(cli, false, &client, &err);
    if (rc == STAY_OK)
        rc = read_answer(cli, client, &answer, &err);
    if (rc != STAY_OK)
        return unreachable(cli, &err);
    if (!cli_true(answer, "ok"))
        return show_failure(cli, answer);
    *ret_data = json_incref(json_object_get(answer, "data"));
    return CLI_DONE;
}

bool cli_try_fetch(struct cli *cli, const struct cli_verb *verb, json_t **ret_data)
{
    STAY_AUTO(line_client_drop) struct line_client *client = NULL;
    STAY_AUTO(stay_json_drop) json_t *answer = NULL;
    cli->verb = verb;
    if (send_request(cli, false, &client, NULL) != STAY_OK ||
        read_answer(cli, client, &answer, NULL) != STAY_OK || !cli_true(answer, "ok"))
        return false;
    *ret_data = json_incref(json_object_get(answer, "data"));
    return true;
}

int cli_talk(struct cli *cli)
{
    if (!find_controller(cli))
        return CLI_USAGE;
    if ((cli->verb->flags & CLI_PLANS) != 0)
        stay_json_set_bool(cli->args, "wait", !cli->no_wait);
    if (strcmp(cli->verb->wire, "maintenance") == 0 && json_object_get(cli->args, "for_us") == NULL)
        stay_json_set_int(cli->args, "for_us", 3600 * STAY_SECOND);
    if (strcmp(cli->verb->wire, "watch") == 0 && cli->out_is_terminal && !cli->json)
        return watch_status(cli);
    if ((cli->verb->flags & CLI_ASKS) != 0 && !cli->yes && !cli->dry_run) {
        bool go;
        int exit_code = confirm(cli, &go);
        if (!go)
            return exit_code;
    }
    return ask(cli, cli->dry_run, false);
}
