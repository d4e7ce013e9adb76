/* repository init, repository check. */
#include "controller/run/cli_repository.h"

#include "backup/catalog/repository_check.h"
#include "base/names.h"
#include "base/units.h"
#include "controller/settings/settings.h"
#include <inttypes.h>
#include <sys/prctl.h>

static enum stay_rc find(struct cli *cli, const char *name, struct settings **ret_settings,
                         const struct settings_repository **ret_repo, struct stay_error *err)
{
    struct settings *settings = NULL;
    const char *path = cli_config_path(cli);
    enum stay_rc rc = settings_load(path, SETTINGS_WITHOUT_SECRETS, &settings, NULL, err);
    if (rc != STAY_OK)
        return STAY_EINVALID;
    *ret_repo = settings_repository_named(settings, name);
    if (*ret_repo == NULL) {
        settings_free(settings);
        return stay_error(err, STAY_EINVALID,
                          "there is no repository \"%s\" in %s; a folder is written "
                          "file:///path",
                          name, path);
    }
    *ret_settings = settings;
    return STAY_OK;
}

enum stay_rc cli_repository_url(struct cli *cli, const char *word, char **ret_url,
                                struct stay_error *err)
{
    struct settings *settings = NULL;
    const struct settings_repository *repo = NULL;
    if (!names_is_id(word)) {
        *ret_url = stay_strdup(word);
        return STAY_OK;
    }
    enum stay_rc rc = find(cli, word, &settings, &repo, err);
    if (rc == STAY_OK)
        *ret_url = stay_strdup(repo->url);
    settings_free(settings);
    return rc;
}

/* A plain word is the name of one in the configuration; its place, key and zone are taken in. */
static enum stay_rc look_up(struct cli *cli, const char *name, struct stay_error *err)
{
    struct settings *settings = NULL;
    const struct settings_repository *repo = NULL;
    enum stay_rc rc = find(cli, name, &settings, &repo, err);
    if (rc != STAY_OK)
        return rc;
    stay_json_set_string(cli->args, "repository", repo->url);
    if (repo->master_key.is_set && json_object_get(cli->args, "master_key_file") == NULL)
        stay_json_set_string(cli->args, "master_key_file", repo->master_key.path);
    if (repo->zone[0] != '\0' && json_object_get(cli->args, "zone") == NULL)
        stay_json_set_string(cli->args, "zone", repo->zone);
    settings_free(settings);
    return STAY_OK;
}

enum stay_rc cli_repository_spec(struct cli *cli, struct repository_spec *ret_spec,
                                 struct stay_error *err)
{
    STAY_AUTO(stay_free_charp)
    char *word = stay_strdup(json_string_value(json_object_get(cli->args, "repository")));
    enum stay_rc rc = names_is_id(word) ? look_up(cli, word, err) : STAY_OK;
    if (rc == STAY_OK)
        *ret_spec = (struct repository_spec){
            .url = json_string_value(json_object_get(cli->args, "repository")),
            .key_path = json_string_value(json_object_get(cli->args, "master_key_file")),
            .zone = json_string_value(json_object_get(cli->args, "zone"))};
    return rc;
}

int cli_repository_fail(struct cli *cli, enum stay_rc rc, const struct stay_error *err)
{
    return cli_repository_fail_with(cli, rc, err, NULL);
}

int cli_repository_fail_with(struct cli *cli, enum stay_rc rc, const struct stay_error *err,
                             json_t *findings)
{
    enum repo_fault fault = repo_fault_of(err);
    int code = fault != REPO_FAULT_NONE ? repo_fault_exit(fault)
               : rc == STAY_EINVALID    ? CLI_USAGE
               : rc == STAY_EREFUSED    ? CLI_REFUSED
                                        : CLI_FAILED;
    fprintf(cli->err, "mainstay: %s\n", err->text);
    if (cli->json) {
        STAY_AUTO(stay_json_drop) json_t *out = json_object();
        stay_json_set_bool(out, "ok", false);
        stay_json_set_int(out, "exit", code);
        stay_json_set_string(out, "fault",
                             fault == REPO_FAULT_NONE ? NULL : repo_fault_name(fault));
        stay_json_set_string(out, "error", err->text);
        if (findings != NULL)
            stay_json_set(out, "findings", json_incref(findings));
        (void)cli_repository_json(cli, out);
    }
    return code;
}

bool cli_repository_json(struct cli *cli, const json_t *json)
{
    if (!cli->json)
        return false;
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(json);
    fprintf(cli->out, "%s\n", text);
    return true;
}

bool cli_repository_open(struct cli *cli, enum cli_key key, struct repository **ret_repo,
                         int *ret_exit)
{
    struct repository_spec spec = {0};
    struct stay_error err = {0};
    enum stay_rc rc = cli_repository_spec(cli, &spec, &err);
    if (rc == STAY_OK && key == CLI_KEY_NEEDED && spec.key_path == NULL)
        rc = stay_error(&err, STAY_EINVALID, "%s needs --master-key-file FILE", cli->verb->name);
    if (key == CLI_KEY_UNUSED)
        spec.key_path = NULL;
    else
        (void)prctl(PR_SET_DUMPABLE, 0); /* no key in a core file */
    if (rc == STAY_OK)
        rc = repository_open(&spec, ret_repo, &err);
    if (rc != STAY_OK)
        *ret_exit = cli_repository_fail(cli, rc, &err);
    return rc == STAY_OK;
}

int cli_repository_init(struct cli *cli)
{
    struct repository_spec spec = {0};
    struct stay_error err = {0};
    char id[OBJECT_ID_TEXT];
    STAY_AUTO(stay_json_drop) json_t *out = json_object();
    enum stay_rc rc = cli_repository_spec(cli, &spec, &err);
    if (rc == STAY_OK && spec.key_path == NULL)
        rc = stay_error(&err, STAY_EINVALID,
                        "repository init needs --master-key-file FILE; --new-key makes it");
    if (rc == STAY_OK && cli->new_key)
        rc = master_key_create(spec.key_path, &err);
    if (rc == STAY_OK)
        rc = repository_init(&spec, id, &err);
    if (rc != STAY_OK)
        return cli_repository_fail(cli, rc, &err);
    stay_json_set_bool(out, "ok", true);
    stay_json_set_string(out, "id", id);
    stay_json_set_string(out, "url", spec.url);
    if (cli_repository_json(cli, out))
        return CLI_DONE;
    fprintf(cli->out, "repository %s in %s\n", id, spec.url);
    STAY_AUTO(stay_free_charp)
    char *advice = stay_sprintf("Keep a copy of %s where neither this repository nor this host is: "
                                "whoever lost it has lost every backup.",
                                spec.key_path);
    cli_wrap(cli, cli->out, 2, advice);
    return CLI_DONE;
}

struct checking {
    struct cli *cli;
    json_t *findings;
};

static void on_finding(void *arg, const struct check_finding *finding)
{
    struct checking *c = arg;
    json_t *row = json_object();
    if (!c->cli->json)
        fprintf(c->cli->out, "%s\n", finding->text);
    stay_json_set_string(row, "fault", repo_fault_name(finding->fault));
    stay_json_set_string(row, "object", finding->object);
    stay_json_set_string(row, "text", finding->text);
    stay_json_append(c->findings, row);
}

static void set_counts(json_t *out, const struct check_outcome *o)
{
    stay_json_set_int(out, "objects", (int64_t)o->objects);
    stay_json_set_int(out, "bytes", (int64_t)o->bytes);
    stay_json_set_int(out, "read_bytes", (int64_t)o->read_bytes);
    stay_json_set_int(out, "keys", (int64_t)o->keys);
    stay_json_set_int(out, "clusters", (int64_t)o->clusters);
    stay_json_set_int(out, "snapshots", (int64_t)o->snapshots);
    stay_json_set_int(out, "segments", (int64_t)o->segments);
    stay_json_set_int(out, "unknown", (int64_t)o->unknown);
    stay_json_set_int(out, "unreadable", (int64_t)o->unreadable);
}

static void print_counts(struct cli *cli, const struct repository *repo,
                         const struct check_outcome *o)
{
    char bytes[UNITS_TEXT_MAX], read[UNITS_TEXT_MAX];
    units_format_size_short(bytes, sizeof bytes, o->bytes);
    units_format_size_short(read, sizeof read, o->read_bytes);
    fprintf(cli->out, "repository %s, zone %s: %" PRIu64 " objects, %s (%s read)\n", repo->id_text,
            repo->zone[0] == '\0' ? "-" : repo->zone, o->objects, bytes, read);
    fprintf(cli->out,
            "%" PRIu64 " clusters, %" PRIu64 " snapshots, %" PRIu64 " segments, %" PRIu64 " keys",
            o->clusters, o->snapshots, o->segments, o->keys);
    if (o->unreadable > 0)
        fprintf(cli->out, ", %" PRIu64 " objects whose key was destroyed", o->unreadable);
    if (o->unknown > 0)
        fprintf(cli->out, ", %" PRIu64 " objects of no place we know", o->unknown);
    fprintf(cli->out, "\n%s",
            repo->ring != NULL
                ? ""
                : "no master key was given: sums were compared, nothing was opened\n");
    if (o->fault_count == 0)
        fprintf(cli->out, "%sall is there and whole%s\n", cli_color(cli, CLI_GREEN),
                cli_color_end(cli, CLI_GREEN));
    else
        fprintf(cli->out, "%s%" PRIu64 " %s wrong%s\n", cli_color(cli, CLI_RED), o->fault_count,
                o->fault_count == 1 ? "thing is" : "things are", cli_color_end(cli, CLI_RED));
}

int cli_repository_check(struct cli *cli)
{
    STAY_AUTO(repository_drop) struct repository *repo = NULL;
    STAY_AUTO(stay_json_drop) json_t *out = json_object();
    struct checking checking = {.cli = cli, .findings = json_array()};
    struct check_outcome outcome = {0};
    struct stay_error err = {0};
    int code = CLI_FAILED;
    stay_json_set(out, "findings", checking.findings);
    if (!cli_repository_open(cli, CLI_KEY_USED, &repo, &code))
        return code;
    enum stay_rc rc =
        repository_check(repo, cli->quick ? CHECK_QUICK : 0, on_finding, &checking, &outcome, &err);
    if (rc != STAY_OK)
        return cli_repository_fail_with(cli, rc, &err, checking.findings);
    enum repo_fault worst = check_outcome_worst(&outcome);
    code = worst == REPO_FAULT_NONE ? CLI_DONE : repo_fault_exit(worst);
    stay_json_set_bool(out, "ok", worst == REPO_FAULT_NONE);
    stay_json_set_int(out, "exit", code);
    stay_json_set_string(out, "id", repo->id_text);
    stay_json_set_string(out, "zone", repo->zone);
    set_counts(out, &outcome);
    if (!cli_repository_json(cli, out))
        print_counts(cli, repo, &outcome);
    return code;
}
