/* repository keys list, rotate, shred. */
#include "controller/run/cli_repository.h"

#include "backup/catalog/erasure.h"
#include "base/table.h"
#include <inttypes.h>

struct key_list {
    json_t *rows;
};

static enum stay_rc on_key(void *arg, const struct key_entry *entry, struct stay_error *err)
{
    struct key_list *list = arg;
    json_t *row = json_object();
    const struct key_record *r = &entry->record;
    (void)err;
    stay_json_set_string(row, "domain", entry->name.domain);
    if (entry->name.place == PLACE_SHREDDED) {
        stay_json_set_string(row, "state", "destroyed");
        stay_json_append(list->rows, row);
        return STAY_OK;
    }
    stay_json_set_int(row, "generation", entry->name.generation);
    stay_json_set_string(row, "master", entry->name.master);
    stay_json_set_string(row, "state", entry->is_open ? "good" : "closed");
    if (entry->is_open) {
        stay_json_set_string(row, "purpose", key_purpose_text(r->purpose));
        stay_json_set_string(row, "cluster", r->cluster[0] == '\0' ? NULL : r->cluster);
        stay_json_set_string(row, "tenant", r->tenant[0] == '\0' ? NULL : r->tenant);
        stay_json_set_int(row, "created_wall_us", r->created_wall_us);
    } else {
        stay_json_set_string(row, "why", entry->why.text);
    }
    stay_json_append(list->rows, row);
    return STAY_OK;
}

static const struct table_column columns[] = {{"key of", TABLE_LEFT, TABLE_CUT},
                                              {"generation", TABLE_RIGHT, TABLE_KEEP},
                                              {"made (UTC)", TABLE_LEFT, TABLE_KEEP},
                                              {"state", TABLE_LEFT, TABLE_KEEP},
                                              {"domain", TABLE_LEFT, TABLE_KEEP}};

static void print_keys(struct cli *cli, const json_t *rows)
{
    STAY_AUTO(table_clear) struct table t = {0};
    table_init(&t, columns, STAY_COUNT(columns));
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *purpose = cli_text(row, "purpose"), *tenant = cli_text(row, "tenant");
        char made[40], generation[16];
        STAY_AUTO(stay_free_charp)
        char *whose = stay_sprintf("%s%s%s%s%s", purpose, cli_text(row, "cluster")[0] ? " " : "",
                                   cli_text(row, "cluster"), tenant[0] ? " / " : "", tenant);
        json_int_t number = json_integer_value(json_object_get(row, "generation"));
        (void)snprintf(generation, sizeof generation, "%" JSON_INTEGER_FORMAT, number);
        table_cell(&t, whose[0] == '\0' ? "-" : whose);
        table_cell(&t, number == 0 ? "-" : generation);
        table_cell(&t, cli_time(row, "created_wall_us", made));
        table_cell(&t, cli_text(row, "state"));
        table_cell(&t, cli_text(row, "domain"));
    }
    cli_put_table(cli, &t, NULL);
}

static int list_keys(struct cli *cli, struct repository *repo)
{
    STAY_AUTO(stay_json_drop) json_t *out = json_object();
    struct key_list list = {json_array()};
    struct stay_error err = {0};
    stay_json_set(out, "keys", list.rows);
    enum stay_rc rc = key_ring_list(repo->ring, on_key, &list, &err);
    if (rc != STAY_OK)
        return cli_repository_fail(cli, rc, &err);
    stay_json_set_bool(out, "ok", true);
    stay_json_set_string(out, "master", key_ring_master(repo->ring)->id);
    if (!cli_repository_json(cli, out))
        print_keys(cli, list.rows);
    return CLI_DONE;
}

static int rotate_keys(struct cli *cli, struct repository *repo, const char *cluster,
                       const char *tenant)
{
    STAY_AUTO(stay_json_drop) json_t *out = json_object();
    STAY_AUTO(master_key_clear) struct master_key master = {0};
    const char *path = json_string_value(json_object_get(cli->args, "new_master"));
    struct stay_error err = {0};
    uint32_t count = 0, generation = 0;
    enum stay_rc rc = STAY_OK;
    if ((path == NULL) == (cluster == NULL))
        rc = stay_error(&err, STAY_EINVALID,
                        "keys rotate: write --cluster CLUSTER [--tenant TENANT] for a generation "
                        "more, or --new-master FILE");
    else if (path != NULL)
        rc = master_key_load(path, &master, &err);
    if (rc == STAY_OK && path != NULL)
        rc = key_ring_reseal(repo->ring, &master, &count, &err);
    else if (rc == STAY_OK)
        rc = repository_rotate(repo, cluster, tenant, &generation, &err);
    if (rc != STAY_OK)
        return cli_repository_fail(cli, rc, &err);
    stay_json_set_bool(out, "ok", true);
    stay_json_set_string(out, "master", key_ring_master(repo->ring)->id);
    stay_json_set_int(out, "resealed", count);
    stay_json_set_int(out, "generation", generation);
    if (cli_repository_json(cli, out))
        return CLI_DONE;
    if (path != NULL)
        fprintf(cli->out,
                "%" PRIu32 " keys are sealed with master key %s now; the one of before "
                "opens nothing any more\n",
                count, master.id);
    else
        fprintf(cli->out, "generation %" PRIu32 ": what is written from now on is sealed with it\n",
                generation);
    return CLI_DONE;
}

/* It cannot be undone: the tenant's name is typed, or --yes. */
static bool is_confirmed(struct cli *cli, const char *cluster, const char *tenant)
{
    char line[KEY_TENANT_MAX + 2] = "";
    if (cli->yes)
        return true;
    if (!cli->in_is_terminal) {
        cli_usage_error(cli, "keys shred destroys a tenant's backups and nobody can be asked here: "
                             "add --yes");
        return false;
    }
    fprintf(cli->out,
            "Every snapshot of tenant %s of %s becomes unreadable at once and for ever.\n"
            "Type the tenant's name to go on: ",
            tenant, cluster);
    fflush(cli->out);
    bool is_read = fgets(line, sizeof line, stdin) != NULL;
    line[strcspn(line, "\r\n")] = '\0';
    if (is_read && strcmp(line, tenant) == 0)
        return true;
    fprintf(cli->out, "Nothing was changed.\n");
    return false;
}

static int shred_keys(struct cli *cli, struct repository *repo, const char *cluster,
                      const char *tenant)
{
    STAY_AUTO(stay_json_drop) json_t *out = json_object();
    json_t *certificate = NULL;
    struct stay_error err = {0};
    if (cluster == NULL || tenant == NULL) {
        (void)stay_error(&err, STAY_EINVALID,
                         "keys shred needs --cluster CLUSTER and --tenant TENANT");
        return cli_repository_fail(cli, STAY_EINVALID, &err);
    }
    if (!is_confirmed(cli, cluster, tenant))
        return CLI_USAGE;
    enum stay_rc rc = erasure_shred(repo, cluster, tenant, &certificate, &err);
    if (rc != STAY_OK)
        return cli_repository_fail(cli, rc, &err);
    stay_json_set_bool(out, "ok", true);
    stay_json_set(out, "certificate", certificate);
    if (cli_repository_json(cli, out))
        return CLI_DONE;
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_pretty(certificate);
    fprintf(cli->out, "%s\n", text);
    cli_wrap(cli, cli->out, 0,
             "The keys are gone from this repository. A copy of its keys/ elsewhere is to be "
             "removed there. Row events in the cluster's log stay readable with the cluster's key "
             "until those segments expire.");
    return CLI_DONE;
}

int cli_repository_keys(struct cli *cli)
{
    STAY_AUTO(repository_drop) struct repository *repo = NULL;
    const char *action = json_string_value(json_object_get(cli->args, "action"));
    const char *cluster = json_string_value(json_object_get(cli->args, "cluster"));
    const char *tenant = json_string_value(json_object_get(cli->args, "tenant"));
    int code = CLI_FAILED;
    if (!cli_repository_open(cli, CLI_KEY_NEEDED, &repo, &code))
        return code;
    if (strcmp(action, "rotate") == 0)
        return rotate_keys(cli, repo, cluster, tenant);
    if (strcmp(action, "shred") == 0)
        return shred_keys(cli, repo, cluster, tenant);
    return list_keys(cli, repo);
}
