/* repository list: what the objects of a repository say of each cluster. */
#include "backup/catalog/catalog.h"
#include "base/units.h"
#include "controller/run/cli_repository.h"

static const char *plural(json_int_t n)
{
    return n == 1 ? "" : "s";
}

static void print_run(struct cli *cli, const json_t *run)
{
    char from[40], to[40];
    json_int_t segments = json_integer_value(json_object_get(run, "segments"));
    if (cli_text(run, "seam")[0] != '\0')
        fprintf(cli->out, "    -- %s --\n", cli_text(run, "seam"));
    fprintf(cli->out,
            "    log %s to %s: %" JSON_INTEGER_FORMAT " segment%s, %" JSON_INTEGER_FORMAT
            " transactions\n",
            cli_time(run, "from_wall_us", from), cli_time(run, "to_wall_us", to), segments,
            plural(segments), json_integer_value(json_object_get(run, "transactions")));
    STAY_AUTO(stay_free_charp)
    char *positions =
        stay_sprintf("after %s, up to %s", cli_text(run, "before"), cli_text(run, "after"));
    cli_wrap(cli, cli->out, 6, positions);
}

static void print_snapshot(struct cli *cli, const json_t *s)
{
    char when[40], bytes[UNITS_TEXT_MAX];
    units_format_size_short(bytes, sizeof bytes,
                            (uint64_t)json_integer_value(json_object_get(s, "bytes")));
    fprintf(cli->out, "    snapshot %s of %s: %s in %" JSON_INTEGER_FORMAT " objects\n",
            cli_text(s, "id"), cli_time(s, "consistent_wall_us", when), bytes,
            json_integer_value(json_object_get(s, "objects")));
}

static void print_lineage(struct cli *cli, const json_t *l)
{
    const json_t *log = json_object_get(l, "log"), *gaps = json_object_get(l, "gaps");
    const json_t *snapshots = json_object_get(l, "snapshots");
    json_int_t strays = json_integer_value(json_object_get(l, "stray_segments"));
    fprintf(cli->out, "  lineage %s%s%s%s\n", cli_text(l, "id"),
            cli_text(l, "parent")[0] == '\0' ? "" : ", of ", cli_text(l, "parent"),
            cli_true(l, "closed") ? ", closed" : "");
    for (size_t i = 0; i < json_array_size(snapshots); i++)
        print_snapshot(cli, json_array_get(snapshots, i));
    if (json_array_size(log) == 0)
        fprintf(cli->out, "    no log\n");
    for (size_t i = 0; i < json_array_size(log); i++)
        print_run(cli, json_array_get(log, i));
    for (size_t i = 0; i < json_array_size(gaps); i++)
        if (cli_true(json_array_get(gaps, i), "healed"))
            fprintf(cli->out, "    gap %s was healed\n", cli_text(json_array_get(gaps, i), "id"));
    if (strays > 0)
        fprintf(cli->out,
                "    %" JSON_INTEGER_FORMAT " stray segment%s of an archiver whose time was over\n",
                strays, plural(strays));
}

static void print_cluster(struct cli *cli, const json_t *catalog)
{
    const json_t *lineages = json_object_get(catalog, "lineages");
    json_int_t left_out = json_integer_value(json_object_get(catalog, "left_out"));
    if (json_array_size(lineages) == 0)
        fprintf(cli->out, "nothing of cluster %s\n", cli_text(catalog, "cluster"));
    else
        fprintf(cli->out, "%s\n", cli_text(catalog, "cluster"));
    for (size_t i = 0; i < json_array_size(lineages); i++)
        print_lineage(cli, json_array_get(lineages, i));
    if (left_out > 0)
        fprintf(cli->out,
                "  %" JSON_INTEGER_FORMAT " object%s cannot be read: `mainstay repository check`\n",
                left_out, plural(left_out));
}

static enum stay_rc add_cluster(struct repository *repo, const char *cluster, json_t *list,
                                struct stay_error *err)
{
    STAY_AUTO(catalog_clear) struct catalog catalog = {0};
    enum stay_rc rc = catalog_load(repo, cluster, NULL, NULL, &catalog, err);
    if (rc == STAY_OK)
        stay_json_append(list, catalog_json(&catalog));
    return rc;
}

static enum stay_rc add_clusters(struct repository *repo, json_t *list, struct stay_error *err)
{
    char **names = NULL;
    size_t count = 0;
    enum stay_rc rc = catalog_clusters(repo, &names, &count, err);
    for (size_t i = 0; i < count; i++) {
        if (rc == STAY_OK)
            rc = add_cluster(repo, names[i], list, err);
        free(names[i]);
    }
    free(names);
    return rc;
}

int cli_repository_list(struct cli *cli)
{
    STAY_AUTO(repository_drop) struct repository *repo = NULL;
    STAY_AUTO(stay_json_drop) json_t *out = json_object();
    json_t *list = json_array();
    const char *cluster = json_string_value(json_object_get(cli->args, "cluster"));
    struct stay_error err = {0};
    int code = CLI_FAILED;
    stay_json_set(out, "clusters", list);
    if (!cli_repository_open(cli, CLI_KEY_UNUSED, &repo, &code))
        return code;
    enum stay_rc rc =
        cluster == NULL ? add_clusters(repo, list, &err) : add_cluster(repo, cluster, list, &err);
    if (rc != STAY_OK)
        return cli_repository_fail(cli, rc, &err);
    stay_json_set_bool(out, "ok", true);
    stay_json_set_string(out, "id", repo->id_text);
    stay_json_set_string(out, "zone", repo->zone);
    if (cli_repository_json(cli, out))
        return CLI_DONE;
    for (size_t i = 0; i < json_array_size(list); i++)
        print_cluster(cli, json_array_get(list, i));
    if (json_array_size(list) == 0)
        fprintf(cli->out, "nothing of any cluster\n");
    return CLI_DONE;
}
