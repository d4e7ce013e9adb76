/* errant list, errant show. */
#include "controller/run/cli_errant.h"

#include "base/str.h"
#include "base/table.h"
#include "controller/act/errant_dir.h"
#include "controller/settings/settings.h"

#include <unistd.h>

#define ROWS_SHOWN  20  /* of one transaction, unless --max */
#define VALUE_SHOWN 120 /* bytes of a value */

int cli_errant_fail(struct cli *cli, int exit_code, const struct stay_error *err)
{
    if (cli->json) {
        STAY_AUTO(stay_json_drop) json_t *out = json_object();
        stay_json_set_bool(out, "ok", false);
        stay_json_set_string(out, "error", err->text);
        STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(out);
        fprintf(cli->out, "%s\n", text);
    } else {
        fprintf(cli->err, "mainstay: %s\n", err->text);
    }
    return exit_code;
}

char *cli_errant_dir(struct cli *cli)
{
    struct settings *settings = NULL;
    struct stay_error err = {0};
    if (settings_load(cli_config_path(cli), SETTINGS_WITHOUT_SECRETS, &settings, NULL, &err) !=
        STAY_OK) {
        (void)cli_errant_fail(cli, CLI_USAGE, &err);
        return NULL;
    }
    char *dir = errant_dir(settings->state_path, NULL);
    settings_free(settings);
    return dir;
}

/* The newest bundle of a node: manifests tell when they were taken. */
static char *newest_of(const char *dir, const char *node)
{
    STAY_AUTO(stay_json_drop) json_t *names = bundle_list(dir);
    char *best = NULL;
    int64_t best_us = INT64_MIN;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/%s", dir, name);
        struct bundle *b = NULL;
        struct stay_error ignored;
        if (bundle_open(path, &b, &ignored) != STAY_OK)
            continue;
        if (strcmp(b->node, node) == 0 && b->taken_wall_us > best_us) {
            free(best);
            best = stay_strdup(path);
            best_us = b->taken_wall_us;
        }
        bundle_free(b);
    }
    return best;
}

struct bundle *cli_errant_open(struct cli *cli, const char *cluster, const char *word)
{
    struct stay_error err = {0};
    struct bundle *b = NULL;
    STAY_AUTO(stay_free_charp) char *root = cli_errant_dir(cli);
    if (root == NULL)
        return NULL;
    STAY_AUTO(stay_free_charp) char *dir = stay_sprintf("%s/%s", root, cluster);
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/%s", dir, word);
    STAY_AUTO(stay_free_charp) char *manifest = stay_sprintf("%s/manifest.json", path);
    STAY_AUTO(stay_free_charp) char *newest = NULL;
    const char *which = path;
    bool plain = strchr(word, '/') == NULL && strchr(cluster, '/') == NULL;
    if (!plain || access(manifest, R_OK) != 0)
        which = newest = plain ? newest_of(dir, word) : NULL;
    if (which == NULL)
        (void)stay_error(&err, STAY_ENOTFOUND,
                         "no bundle \"%.60s\" of cluster %.60s in %s: `mainstay errant list`", word,
                         cluster, root);
    else if (bundle_open(which, &b, &err) == STAY_OK)
        return b;
    (void)cli_errant_fail(cli, which == NULL ? CLI_USAGE : CLI_FAILED, &err);
    return NULL;
}

/* --- list ---------------------------------------------------------------------------------------
 */

static const struct table_column list_columns[] = {
    {"cluster", TABLE_LEFT, TABLE_KEEP},     {"bundle", TABLE_LEFT, TABLE_KEEP},
    {"taken (UTC)", TABLE_LEFT, TABLE_KEEP}, {"trx", TABLE_RIGHT, TABLE_KEEP},
    {"open", TABLE_RIGHT, TABLE_KEEP},       {"rewind", TABLE_LEFT, TABLE_CUT}};

static size_t open_count(const struct bundle *b)
{
    STAY_AUTO(stay_json_drop) json_t *decisions = bundle_decisions(b);
    STAY_AUTO(stay_json_drop) json_t *decided = json_object();
    for (size_t i = 0; i < json_array_size(decisions); i++) {
        const json_t *line = json_array_get(decisions, i);
        const char *gtid = json_string_value(json_object_get(line, "gtid"));
        if (gtid != NULL && strcmp(cli_text(line, "decision"), "conflict") != 0)
            stay_json_set_bool(decided, gtid, true);
        if (gtid != NULL && strcmp(gtid, "*") == 0)
            return 0;
    }
    size_t done = json_object_size(decided);
    return done > b->transaction_count ? 0 : b->transaction_count - done;
}

static json_t *bundle_json(const struct bundle *b)
{
    char text[240];
    json_t *obj = json_object();
    STAY_AUTO(stay_free_charp) char *extra = gtid_set_format(&b->extra);
    const char *obstacle = bundle_obstacle(b, text);
    stay_json_set_string(obj, "cluster", b->cluster);
    stay_json_set_string(obj, "bundle", b->name);
    stay_json_set_string(obj, "path", b->path);
    stay_json_set_string(obj, "node", b->node);
    stay_json_set_string(obj, "primary", b->primary);
    stay_json_set_int(obj, "epoch", (int64_t)b->epoch);
    stay_json_set_int(obj, "taken_wall_us", b->taken_wall_us);
    stay_json_set_string(obj, "extra", extra);
    stay_json_set_int(obj, "transactions", (int64_t)b->transaction_count);
    stay_json_set_int(obj, "undecided", (int64_t)open_count(b));
    stay_json_set_bool(obj, "can_rewind", obstacle == NULL);
    stay_json_set_string(obj, "why_not", obstacle);
    return obj;
}

static void list_cluster(struct cli *cli, const char *root, const char *cluster, json_t *list)
{
    STAY_AUTO(stay_free_charp) char *dir = stay_sprintf("%s/%s", root, cluster);
    STAY_AUTO(stay_json_drop) json_t *names = bundle_list(dir);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/%s", dir, name);
        struct bundle *b = NULL;
        struct stay_error err = {0};
        if (bundle_open(path, &b, &err) == STAY_OK) {
            stay_json_append(list, bundle_json(b));
        } else {
            fprintf(cli->err, "mainstay: %s\n", err.text);
            cli->exit_code = CLI_FAILED;
        }
        bundle_free(b);
    }
}

static void print_list(struct cli *cli, const json_t *list)
{
    struct table t;
    table_init(&t, list_columns, STAY_COUNT(list_columns));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *b = json_array_get(list, i);
        char taken[40];
        table_cell(&t, cli_text(b, "cluster"));
        table_cell(&t, cli_text(b, "bundle"));
        table_cell(&t, cli_time(b, "taken_wall_us", taken));
        table_cellf(&t, "%lld", json_integer_value(json_object_get(b, "transactions")));
        table_cellf(&t, "%lld", json_integer_value(json_object_get(b, "undecided")));
        table_cell(&t, cli_true(b, "can_rewind") ? "yes" : cli_text(b, "why_not"));
    }
    if (json_array_size(list) == 0)
        fprintf(cli->out, "No errant transactions are kept.\n");
    else
        cli_put_table(cli, &t, NULL);
    table_clear(&t);
}

int cli_errant_list(struct cli *cli)
{
    STAY_AUTO(stay_free_charp) char *root = cli_errant_dir(cli);
    if (root == NULL)
        return CLI_USAGE;
    STAY_AUTO(stay_json_drop) json_t *list = json_array();
    if (cli->cluster != NULL) {
        list_cluster(cli, root, cli->cluster, list);
    } else {
        STAY_AUTO(stay_json_drop) json_t *clusters = bundle_list(root);
        for (size_t i = 0; i < json_array_size(clusters); i++)
            list_cluster(cli, root, json_string_value(json_array_get(clusters, i)), list);
    }
    if (cli->json) {
        STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(list);
        fprintf(cli->out, "%s\n", text);
    } else {
        print_list(cli, list);
    }
    return cli->exit_code;
}

/* --- show ---------------------------------------------------------------------------------------
 */

struct showing {
    struct cli *cli;
    size_t rows, rows_max;
};

/* `name=value`, quoted where it is text. */
static void add_value(struct str *out, const struct bundle_cell *c)
{
    if (!c->is_present) {
        str_add(out, "?");
    } else if (c->is_null) {
        str_add(out, "NULL");
    } else if (c->form == VALUE_BYTES) {
        str_addf(out, "0x%s%s", c->text, c->is_cut ? ".." : "");
    } else if (c->form == VALUE_TEXT) {
        str_add_char(out, '\'');
        for (const char *at = c->text; *at != '\0'; at++)
            str_add_char(out, (unsigned char)*at < ' ' ? '?' : *at);
        str_add(out, c->is_cut ? "..'" : "'");
    } else {
        str_add(out, c->text);
    }
}

static bool same(const struct bundle_row *row, uint32_t i)
{
    const struct binlog_cell *a = &row->raw_before[i], *b = &row->raw_after[i];
    return a->is_present == b->is_present && a->is_null == b->is_null && a->length == b->length &&
           (a->length == 0 || memcmp(a->value, b->value, a->length) == 0);
}

static bool is_key(const struct bundle_row *row, uint32_t i)
{
    return row->known != NULL && row->known->columns[i].key != 0;
}

/* An update shows its key and what changed, the others every column. */
static enum stay_rc show_row(void *arg, const struct bundle_row *row, struct stay_error *err)
{
    struct showing *s = arg;
    STAY_AUTO(str_clear) struct str line = {0};
    (void)err;
    if (++s->rows > s->rows_max)
        return STAY_OK; /* counted */
    str_addf(&line, "%s %s.%s ", rows_kind_text(row->kind), row->table->schema, row->table->name);
    for (uint32_t i = 0; i < row->column_count; i++) {
        const struct bundle_cell *first = row->before != NULL ? &row->before[i] : &row->after[i];
        bool changed = row->kind == ROWS_UPDATE && !same(row, i);
        if (row->kind == ROWS_UPDATE && !changed && !is_key(row, i))
            continue;
        str_addf(&line, " %s=", row->names[i]);
        add_value(&line, first);
        if (changed) {
            str_add(&line, " -> ");
            add_value(&line, &row->after[i]);
        }
    }
    cli_wrap(s->cli, s->cli->out, 2, str_text(&line));
    return STAY_OK;
}

static void show_text(void *arg, const char *text, size_t length)
{
    struct showing *s = arg;
    STAY_AUTO(str_clear) struct str line = {0};
    str_add(&line, "# ");
    str_add_bytes(&line, text, length > 400 ? 400 : length);
    cli_wrap(s->cli, s->cli->out, 2, str_text(&line));
}

static enum stay_rc show_transaction(struct cli *cli, const struct bundle *b,
                                     const struct bundle_transaction *t, size_t rows_max,
                                     struct stay_error *err)
{
    char when[40];
    STAY_AUTO(stay_json_drop) json_t *stamp = json_object();
    STAY_AUTO(stay_free_charp) char *decision = bundle_decision(b, t->gtid);
    struct showing s = {.cli = cli, .rows_max = rows_max};
    struct bundle_visit visit = {
        .on_row = show_row, .on_text = show_text, .arg = &s, .text_max = VALUE_SHOWN};
    stay_json_set_int(stamp, "t", t->wall_us);
    fprintf(cli->out, "%s  %s%s%s\n", t->gtid, cli_time(stamp, "t", when),
            decision == NULL ? "" : "  ", decision == NULL ? "" : decision);
    if (t->obstacle != NULL) {
        STAY_AUTO(stay_free_charp) char *line = stay_sprintf("! %s", t->obstacle);
        cli_wrap(cli, cli->out, 2, line);
    }
    enum stay_rc rc = bundle_visit_rows(b, t, &visit, err);
    if (rc == STAY_OK && s.rows > rows_max)
        fprintf(cli->out, "  and %zu rows more: --max N, or --json for all\n", s.rows - rows_max);
    return rc;
}

static void show_head(struct cli *cli, const struct bundle *b)
{
    char text[240], taken[40];
    STAY_AUTO(stay_json_drop) json_t *head = bundle_json(b);
    STAY_AUTO(stay_free_charp) char *extra = gtid_set_format(&b->extra);
    STAY_AUTO(stay_free_charp) char *set = stay_sprintf("GTIDs: %s", extra);
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("kept in %s", b->path);
    const char *obstacle = bundle_obstacle(b, text);
    fprintf(cli->out, "%s: %zu transactions that %s holds and %s lacks, saved %s\n", b->name,
            b->transaction_count, b->node, b->primary, cli_time(head, "taken_wall_us", taken));
    cli_wrap(cli, cli->out, 2, set);
    cli_wrap(cli, cli->out, 2, path);
    STAY_AUTO(stay_free_charp)
    char *way = obstacle == NULL
                    ? stay_sprintf("`mainstay errant inject` gives them to the primary as new "
                                   "transactions, `mainstay errant reset %s %s` undoes them on %s.",
                                   b->cluster, b->node, b->node)
                    : stay_sprintf("cannot be rewound: %s", obstacle);
    cli_wrap(cli, cli->out, 2, way);
    fputc('\n', cli->out);
}

static enum stay_rc show_json(struct cli *cli, const struct bundle *b, const char *only,
                              struct stay_error *err)
{
    STAY_AUTO(stay_json_drop) json_t *head = bundle_json(b);
    json_t *list = json_array();
    enum stay_rc rc = STAY_OK;
    stay_json_set(head, "list", list);
    for (size_t i = 0; rc == STAY_OK && i < b->transaction_count; i++) {
        json_t *t = NULL;
        if (only != NULL && strcmp(only, b->transactions[i].gtid) != 0)
            continue;
        rc = bundle_transaction_json(b, &b->transactions[i], &t, err);
        if (rc == STAY_OK)
            stay_json_append(list, t);
    }
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(head);
    if (rc == STAY_OK)
        fprintf(cli->out, "%s\n", text);
    return rc;
}

int cli_errant_show(struct cli *cli)
{
    struct stay_error err = {0};
    const char *only = json_string_value(json_object_get(cli->args, "only"));
    const char *word = json_string_value(json_object_get(cli->args, "bundle"));
    const json_t *max = json_object_get(cli->args, "max");
    size_t rows_max = json_is_integer(max) ? (size_t)json_integer_value(max) : ROWS_SHOWN;
    struct bundle *b = cli_errant_open(cli, cli->cluster, word);
    if (b == NULL)
        return CLI_USAGE;
    enum stay_rc rc = STAY_OK;
    if (only != NULL && bundle_transaction_named(b, only) == b->transaction_count)
        rc = stay_error(&err, STAY_ENOTFOUND, "%s holds no transaction %.80s", b->name, only);
    else if (cli->json)
        rc = show_json(cli, b, only, &err);
    else
        show_head(cli, b);
    for (size_t i = 0; rc == STAY_OK && !cli->json && i < b->transaction_count; i++)
        if (only == NULL || strcmp(only, b->transactions[i].gtid) == 0)
            rc = show_transaction(cli, b, &b->transactions[i], rows_max, &err);
    bundle_free(b);
    return rc == STAY_OK
               ? CLI_DONE
               : cli_errant_fail(cli, rc == STAY_ENOTFOUND ? CLI_USAGE : CLI_FAILED, &err);
}
