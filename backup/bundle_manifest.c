/* Field by field; reading trusts nothing. */
#include "backup/bundle_manifest.h"

static const char *flavor_text(enum gtid_flavor flavor)
{
    return flavor == GTID_MYSQL ? "mysql" : "mariadb";
}

static void set_gtids(json_t *obj, const char *key, const struct gtid_set *set)
{
    STAY_AUTO(stay_free_charp) char *text = gtid_set_format(set);
    stay_json_set_string(obj, key, text);
}

static json_t *transaction_to_json(const struct bundle_transaction *t)
{
    json_t *obj = json_object();
    stay_json_set_string(obj, "gtid", t->gtid);
    stay_json_set_int(obj, "wall_us", t->wall_us);
    stay_json_set_int(obj, "offset", (int64_t)t->offset);
    stay_json_set_int(obj, "length", (int64_t)t->length);
    stay_json_set_int(obj, "format_offset", (int64_t)t->format_offset);
    stay_json_set_int(obj, "inserted", (int64_t)t->inserted);
    stay_json_set_int(obj, "updated", (int64_t)t->updated);
    stay_json_set_int(obj, "deleted", (int64_t)t->deleted);
    stay_json_set_string(obj, "tables", t->tables);
    stay_json_set_string(obj, "obstacle", t->obstacle);
    return obj;
}

static json_t *table_to_json(const struct bundle_table *t)
{
    json_t *obj = json_object(), *columns = json_array();
    stay_json_set_string(obj, "schema", t->schema);
    stay_json_set_string(obj, "name", t->name);
    stay_json_set_string(obj, "engine", t->engine);
    stay_json_set_string(obj, "cascades", t->cascades);
    for (uint32_t i = 0; i < t->column_count; i++) {
        json_t *c = json_object();
        stay_json_set_string(c, "name", t->columns[i].name);
        stay_json_set_string(c, "type", t->columns[i].type);
        stay_json_set_string(c, "charset", t->columns[i].charset);
        stay_json_set_int(c, "key", t->columns[i].key);
        stay_json_append(columns, c);
    }
    stay_json_set(obj, "columns", columns);
    return obj;
}

json_t *bundle_manifest_to_json(const struct bundle *b, const char *sha256)
{
    json_t *obj = json_object(), *transactions = json_array(), *tables = json_array();
    stay_json_set_int(obj, "version", BUNDLE_VERSION);
    stay_json_set_string(obj, "cluster", b->cluster);
    stay_json_set_string(obj, "node", b->node);
    stay_json_set_string(obj, "primary", b->primary);
    stay_json_set_int(obj, "epoch", (int64_t)b->epoch);
    stay_json_set_string(obj, "engine", flavor_text(b->flavor));
    stay_json_set_string(obj, "server_version", b->server_version);
    stay_json_set_int(obj, "taken_wall_us", b->taken_wall_us);
    set_gtids(obj, "extra", &b->extra);
    set_gtids(obj, "common", &b->common);
    stay_json_set_string(obj, "incomplete", b->incomplete);
    stay_json_set_bool(obj, "is_suffix", b->is_suffix);
    stay_json_set_int(obj, "events_length", (int64_t)b->events_length);
    stay_json_set_string(obj, "events_sha256", sha256);
    for (size_t i = 0; i < b->transaction_count; i++)
        stay_json_append(transactions, transaction_to_json(&b->transactions[i]));
    for (size_t i = 0; i < b->table_count; i++)
        stay_json_append(tables, table_to_json(&b->tables[i]));
    stay_json_set(obj, "transactions", transactions);
    stay_json_set(obj, "tables", tables);
    return obj;
}

/* NULL when the key is absent or null. */
static enum stay_rc get_text(const json_t *obj, const char *key, char **ret, struct stay_error *err)
{
    const char *text = NULL;
    enum stay_rc rc = stay_json_get_string_or(obj, key, NULL, &text, err);
    if (rc == STAY_OK && text != NULL)
        *ret = stay_strdup(text);
    return rc;
}

static enum stay_rc need_text(const json_t *obj, const char *key, char **ret,
                              struct stay_error *err)
{
    const char *text = NULL;
    enum stay_rc rc = stay_json_get_string(obj, key, &text, err);
    if (rc == STAY_OK)
        *ret = stay_strdup(text);
    return rc;
}

static enum stay_rc get_count(const json_t *obj, const char *key, uint64_t *ret,
                              struct stay_error *err)
{
    int64_t value = 0;
    enum stay_rc rc = stay_json_get_int_in(obj, key, 0, INT64_MAX, &value, err);
    if (rc == STAY_OK)
        *ret = (uint64_t)value;
    return rc;
}

static enum stay_rc get_gtids(const json_t *obj, const char *key, enum gtid_flavor flavor,
                              struct gtid_set *ret, struct stay_error *err)
{
    const char *text = NULL;
    enum stay_rc rc = stay_json_get_string(obj, key, &text, err);
    return rc == STAY_OK ? gtid_set_parse(flavor, text, ret, err) : rc;
}

/* One GTID: a set of one range, whose end it is. */
static enum stay_rc parse_gtid(enum gtid_flavor flavor, const char *text, struct gtid_range *ret,
                               struct stay_error *err)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set one = {0};
    enum stay_rc rc = gtid_set_parse(flavor, text, &one, err);
    if (rc == STAY_OK && one.n != 1)
        rc = stay_error(err, STAY_EINVALID, "'%.80s' is not one GTID", text);
    if (rc == STAY_OK) {
        *ret = one.v[0];
        ret->first = ret->last;
    }
    return rc;
}

static enum stay_rc transaction_from_json(const json_t *obj, enum gtid_flavor flavor,
                                          struct bundle_transaction *t, struct stay_error *err)
{
    struct {
        const char *key;
        uint64_t *at;
    } counts[] = {
        {"offset", &t->offset},     {"length", &t->length},   {"format_offset", &t->format_offset},
        {"inserted", &t->inserted}, {"updated", &t->updated}, {"deleted", &t->deleted}};
    enum stay_rc rc = need_text(obj, "gtid", &t->gtid, err);
    if (rc == STAY_OK)
        rc = parse_gtid(flavor, t->gtid, &t->range, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int(obj, "wall_us", &t->wall_us, err);
    for (size_t i = 0; rc == STAY_OK && i < STAY_COUNT(counts); i++)
        rc = get_count(obj, counts[i].key, counts[i].at, err);
    if (rc == STAY_OK)
        rc = need_text(obj, "tables", &t->tables, err);
    return rc == STAY_OK ? get_text(obj, "obstacle", &t->obstacle, err) : rc;
}

static enum stay_rc column_from_json(const json_t *obj, struct bundle_column *c,
                                     struct stay_error *err)
{
    uint64_t key = 0;
    enum stay_rc rc = need_text(obj, "name", &c->name, err);
    if (rc == STAY_OK)
        rc = need_text(obj, "type", &c->type, err);
    if (rc == STAY_OK)
        rc = get_text(obj, "charset", &c->charset, err);
    if (rc == STAY_OK)
        rc = get_count(obj, "key", &key, err);
    if (rc == STAY_OK) {
        c->key = (unsigned)key;
        c->is_unsigned = strstr(c->type, "unsigned") != NULL;
    }
    return rc;
}

static enum stay_rc table_from_json(const json_t *obj, struct bundle_table *t,
                                    struct stay_error *err)
{
    json_t *columns = NULL;
    enum stay_rc rc = need_text(obj, "schema", &t->schema, err);
    if (rc == STAY_OK)
        rc = need_text(obj, "name", &t->name, err);
    if (rc == STAY_OK)
        rc = get_text(obj, "engine", &t->engine, err);
    if (rc == STAY_OK)
        rc = get_text(obj, "cascades", &t->cascades, err);
    if (rc == STAY_OK)
        rc = stay_json_get_array(obj, "columns", &columns, err);
    if (rc != STAY_OK || json_array_size(columns) == 0)
        return rc;
    if (json_array_size(columns) > BINLOG_COLUMNS_MAX)
        return stay_error(err, STAY_ECORRUPT, "a table of %zu columns", json_array_size(columns));
    t->columns = stay_calloc(json_array_size(columns), sizeof *t->columns);
    t->column_count = (uint32_t)json_array_size(columns);
    for (uint32_t i = 0; rc == STAY_OK && i < t->column_count; i++)
        rc = column_from_json(json_array_get(columns, i), &t->columns[i], err);
    return rc;
}

static enum stay_rc lists_from_json(const json_t *json, struct bundle *b, struct stay_error *err)
{
    json_t *transactions = NULL, *tables = NULL;
    enum stay_rc rc = stay_json_get_array(json, "transactions", &transactions, err);
    if (rc == STAY_OK)
        rc = stay_json_get_array(json, "tables", &tables, err);
    if (rc != STAY_OK)
        return rc;
    size_t count = json_array_size(transactions);
    b->transactions = stay_calloc(count + 1, sizeof *b->transactions);
    b->transaction_count = count;
    for (size_t i = 0; rc == STAY_OK && i < count; i++)
        rc = transaction_from_json(json_array_get(transactions, i), b->flavor, &b->transactions[i],
                                   err);
    count = json_array_size(tables);
    b->tables = stay_calloc(count + 1, sizeof *b->tables);
    b->table_count = count;
    for (size_t i = 0; rc == STAY_OK && i < count; i++)
        rc = table_from_json(json_array_get(tables, i), &b->tables[i], err);
    return rc;
}

static enum stay_rc head_from_json(const json_t *json, struct bundle *b, struct stay_error *err)
{
    int64_t version = 0;
    const char *engine = NULL;
    enum stay_rc rc = stay_json_get_int(json, "version", &version, err);
    if (rc == STAY_OK && version != BUNDLE_VERSION)
        rc = stay_error(err, STAY_EINVALID, "a bundle of version %lld is not known",
                        (long long)version);
    if (rc == STAY_OK)
        rc = stay_json_get_string(json, "engine", &engine, err);
    if (rc == STAY_OK)
        b->flavor = strcmp(engine, "mysql") == 0 ? GTID_MYSQL : GTID_MARIADB;
    if (rc == STAY_OK)
        rc = need_text(json, "cluster", &b->cluster, err);
    if (rc == STAY_OK)
        rc = need_text(json, "node", &b->node, err);
    if (rc == STAY_OK)
        rc = need_text(json, "primary", &b->primary, err);
    if (rc == STAY_OK)
        rc = need_text(json, "server_version", &b->server_version, err);
    if (rc == STAY_OK)
        rc = get_count(json, "epoch", &b->epoch, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int(json, "taken_wall_us", &b->taken_wall_us, err);
    return rc;
}

enum stay_rc bundle_manifest_from_json(const json_t *json, struct bundle *b, char ret_sha256[65],
                                       uint64_t *ret_length, struct stay_error *err)
{
    enum stay_rc rc = head_from_json(json, b, err);
    if (rc == STAY_OK)
        rc = get_gtids(json, "extra", b->flavor, &b->extra, err);
    if (rc == STAY_OK)
        rc = get_gtids(json, "common", b->flavor, &b->common, err);
    if (rc == STAY_OK)
        rc = get_text(json, "incomplete", &b->incomplete, err);
    if (rc == STAY_OK)
        rc = stay_json_get_bool(json, "is_suffix", &b->is_suffix, err);
    if (rc == STAY_OK)
        rc = get_count(json, "events_length", ret_length, err);
    if (rc == STAY_OK)
        rc = stay_json_get_copy(json, "events_sha256", ret_sha256, 65, err);
    return rc == STAY_OK ? lists_from_json(json, b, err) : rc;
}
