/* repository copy: a second repository brought up to date. */
#include "backup/catalog/repository_copy.h"
#include "base/units.h"
#include "controller/run/cli_repository.h"
#include <inttypes.h>

struct refusals {
    struct cli *cli;
    json_t *list;
    enum repo_fault first;
};

static void on_refused(void *arg, const char *name, const struct stay_error *why)
{
    struct refusals *r = arg;
    json_t *row = json_object();
    if (!r->cli->json)
        fprintf(r->cli->out, "%s\n", why->text);
    if (r->first == REPO_FAULT_NONE)
        r->first = repo_fault_of(why);
    stay_json_set_string(row, "object", name);
    stay_json_set_string(row, "fault", repo_fault_name(repo_fault_of(why)));
    stay_json_set_string(row, "text", why->text);
    stay_json_append(r->list, row);
}

static void print(struct cli *cli, const struct copy_outcome *o, const char *url)
{
    char bytes[UNITS_TEXT_MAX];
    units_format_size_short(bytes, sizeof bytes, o->bytes);
    fprintf(cli->out, "%" PRIu64 " objects (%s) copied to %s, %" PRIu64 " were there", o->objects,
            bytes, url, o->there);
    if (o->keys_removed > 0)
        fprintf(cli->out, ", %" PRIu64 " keys removed that are gone here", o->keys_removed);
    if (o->refused > 0)
        fprintf(cli->out, "; %s%" PRIu64 " not copied%s", cli_color(cli, CLI_RED), o->refused,
                cli_color_end(cli, CLI_RED));
    fputc('\n', cli->out);
}

int cli_repository_copy(struct cli *cli)
{
    STAY_AUTO(repository_drop) struct repository *repo = NULL;
    STAY_AUTO(stay_json_drop) json_t *out = json_object();
    STAY_AUTO(stay_free_charp) char *url = NULL;
    struct refusals refusals = {.cli = cli, .list = json_array()};
    struct copy_outcome o = {0};
    struct stay_error err = {0};
    int code = CLI_FAILED;
    stay_json_set(out, "refused", refusals.list);
    if (!cli_repository_open(cli, CLI_KEY_UNUSED, &repo, &code))
        return code;
    enum stay_rc rc = cli_repository_url(
        cli, json_string_value(json_object_get(cli->args, "target")), &url, &err);
    if (rc == STAY_OK)
        rc = repository_copy(repo, url, on_refused, &refusals, &o, &err);
    if (rc != STAY_OK)
        return cli_repository_fail(cli, rc, &err);
    code = o.refused == 0 ? CLI_DONE : repo_fault_exit(refusals.first);
    stay_json_set_bool(out, "ok", o.refused == 0);
    stay_json_set_int(out, "exit", code);
    stay_json_set_int(out, "objects", (int64_t)o.objects);
    stay_json_set_int(out, "bytes", (int64_t)o.bytes);
    stay_json_set_int(out, "there", (int64_t)o.there);
    stay_json_set_int(out, "keys_removed", (int64_t)o.keys_removed);
    if (!cli_repository_json(cli, out))
        print(cli, &o, url);
    return code;
}
