/* Bundles on disk: found, read, checked, decided upon. */
#include "backup/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/bundle_manifest.h"
#include "base/io/file.h"
#include "base/io/real_clock.h"

#define DECISIONS_MAX (64U * 1024U * 1024U)

static void free_table(struct bundle_table *t)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        free(t->columns[i].name);
        free(t->columns[i].type);
        free(t->columns[i].charset);
    }
    free(t->columns);
    free(t->schema);
    free(t->name);
    free(t->engine);
    free(t->cascades);
}

void bundle_free(struct bundle *b)
{
    if (b == NULL)
        return;
    if (b->events != NULL)
        (void)munmap((void *)(uintptr_t)b->events, b->events_length);
    for (size_t i = 0; i < b->transaction_count; i++) {
        free(b->transactions[i].gtid);
        free(b->transactions[i].tables);
        free(b->transactions[i].obstacle);
    }
    for (size_t i = 0; i < b->table_count; i++)
        free_table(&b->tables[i]);
    free(b->transactions);
    free(b->tables);
    gtid_set_clear(&b->extra);
    gtid_set_clear(&b->common);
    char *texts[] = {b->path,    b->name,           b->cluster,   b->node,
                     b->primary, b->server_version, b->incomplete};
    for (size_t i = 0; i < STAY_COUNT(texts); i++)
        free(texts[i]);
    free(b);
}

static void hex_of(const uint8_t *bytes, size_t length, char *ret)
{
    for (size_t i = 0; i < length; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

static void sha256_of(const uint8_t *bytes, size_t length, char ret_hex[65])
{
    uint8_t sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    must(EVP_Digest(bytes, length, sum, &n, EVP_sha256(), NULL) == 1 && n == 32);
    hex_of(sum, 32, ret_hex);
}

static enum stay_rc map_events(struct bundle *b, uint64_t length, const char *sha256,
                               struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/events", b->path);
    STAY_AUTO(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return stay_error_sys(err, errno, "open '%s'", path);
    if ((uint64_t)st.st_size != length || length < 4)
        return stay_error(err, STAY_ECORRUPT, "'%s' has %lld bytes, its manifest says %llu", path,
                          (long long)st.st_size, (unsigned long long)length);
    void *map = mmap(NULL, (size_t)length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return stay_error_sys(err, errno, "map '%s'", path);
    b->events = map;
    b->events_length = (size_t)length;
    char seen[65];
    sha256_of(b->events, b->events_length, seen);
    if (strcmp(seen, sha256) != 0 || memcmp(b->events, BINLOG_MAGIC, 4) != 0)
        return stay_error(err, STAY_ECORRUPT, "'%s' is not what its manifest says: SHA-256 %s",
                          path, seen);
    return STAY_OK;
}

static enum stay_rc check_spans(const struct bundle *b, struct stay_error *err)
{
    for (size_t i = 0; i < b->transaction_count; i++) {
        const struct bundle_transaction *t = &b->transactions[i];
        if (t->offset > b->events_length || t->length > b->events_length - t->offset ||
            t->format_offset >= b->events_length)
            return stay_error(err, STAY_ECORRUPT, "%s: %s lies outside its events", b->path,
                              t->gtid);
    }
    return STAY_OK;
}

enum stay_rc bundle_open(const char *path, struct bundle **ret_bundle, struct stay_error *err)
{
    struct bundle *b = stay_calloc(1, sizeof *b);
    STAY_AUTO(stay_free_charp) char *manifest = stay_sprintf("%s/manifest.json", path);
    STAY_AUTO(stay_free_charp) char *text = NULL;
    STAY_AUTO(stay_json_drop) json_t *json = NULL;
    char sha256[65] = "";
    uint64_t length = 0;
    size_t text_length = 0;
    const char *slash = strrchr(path, '/');
    b->path = stay_strdup(path);
    b->name = stay_strdup(slash == NULL ? path : slash + 1);
    enum stay_rc rc = file_read(manifest, BUNDLE_MANIFEST_MAX, &text, &text_length, err);
    if (rc == STAY_OK) {
        json_error_t e;
        json = json_loadb(text, text_length, JSON_REJECT_DUPLICATES, &e);
        if (!json_is_object(json))
            rc = stay_error(err, STAY_ECORRUPT, "line %d: %.200s", e.line, e.text);
    }
    if (rc == STAY_OK)
        rc = bundle_manifest_from_json(json, b, sha256, &length, err);
    if (rc == STAY_OK)
        rc = map_events(b, length, sha256, err);
    if (rc == STAY_OK)
        rc = check_spans(b, err);
    if (rc != STAY_OK) {
        bundle_free(b);
        return stay_error_prefix(err, rc, "%s", manifest);
    }
    *ret_bundle = b;
    return STAY_OK;
}

const struct bundle_table *bundle_table_named(const struct bundle *b, const char *schema,
                                              const char *name)
{
    for (size_t i = 0; i < b->table_count; i++)
        if (strcmp(b->tables[i].schema, schema) == 0 && strcmp(b->tables[i].name, name) == 0)
            return &b->tables[i];
    return NULL;
}

size_t bundle_transaction_named(const struct bundle *b, const char *gtid)
{
    size_t i = 0;
    while (i < b->transaction_count && strcmp(b->transactions[i].gtid, gtid) != 0)
        i++;
    return i;
}

enum stay_rc bundle_format(const struct bundle *b, const struct bundle_transaction *t,
                           struct binlog_format *ret_format, struct stay_error *err)
{
    struct binlog_event event;
    const struct binlog_format none = {0};
    enum stay_rc rc = binlog_event_parse(b->events + t->format_offset,
                                         b->events_length - t->format_offset, &none, &event, err);
    return rc == STAY_OK ? binlog_format_parse(&event, ret_format, err) : rc;
}

enum stay_rc bundle_walk(const struct bundle *b, const struct bundle_transaction *t,
                         struct binlog_walk *walk, struct stay_error *err)
{
    struct binlog_format format;
    enum stay_rc rc = bundle_format(b, t, &format, err);
    walk_begin(walk);
    if (rc == STAY_OK)
        rc = walk_bytes(walk, &format, b->events + t->offset, (size_t)t->length, err);
    return rc == STAY_OK ? rc : stay_error_prefix(err, rc, "%s", t->gtid);
}

/* "0-3-104", the first that changes this table. */
static const char *first_of_table(const struct bundle *b, const struct bundle_table *table)
{
    STAY_AUTO(stay_free_charp) char *word = stay_sprintf(", %s.%s,", table->schema, table->name);
    for (size_t i = 0; i < b->transaction_count; i++) {
        STAY_AUTO(stay_free_charp) char *list = stay_sprintf(", %s,", b->transactions[i].tables);
        if (strstr(list, word) != NULL)
            return b->transactions[i].gtid;
    }
    return "-";
}

const char *bundle_obstacle(const struct bundle *b, char text[240])
{
    if (b->incomplete != NULL)
        return b->incomplete;
    for (size_t i = 0; i < b->transaction_count; i++) {
        const struct bundle_transaction *t = &b->transactions[i];
        if (t->obstacle == NULL)
            continue;
        (void)snprintf(text, 240, "%.60s: %.160s", t->gtid, t->obstacle);
        return text;
    }
    for (size_t i = 0; i < b->table_count; i++) {
        const struct bundle_table *t = &b->tables[i];
        const char *engine = t->engine == NULL ? "" : t->engine;
        if (t->engine == NULL)
            (void)snprintf(text, 240,
                           "%.58s: table %.40s.%.64s is gone, or operate may not see it "
                           "(deploy/grants)",
                           first_of_table(b, t), t->schema, t->name);
        else if (strcasecmp(engine, "InnoDB") != 0)
            (void)snprintf(text, 240, "%.58s: table %.40s.%.64s: its engine is %.20s, not InnoDB",
                           first_of_table(b, t), t->schema, t->name, engine);
        else if (t->cascades != NULL)
            (void)snprintf(text, 240,
                           "%.58s: table %.40s.%.64s: foreign key %.30s changes rows unlogged",
                           first_of_table(b, t), t->schema, t->name, t->cascades);
        else
            continue;
        return text;
    }
    return NULL;
}

void bundle_name(const char *node, const struct gtid_set *extra, char ret_name[BUNDLE_NAME_MAX])
{
    (void)snprintf(ret_name, BUNDLE_NAME_MAX, "%.64s-%016llx", node,
                   (unsigned long long)gtid_set_digest(extra));
}

enum stay_rc bundle_decide(const struct bundle *b, const char *gtid, const char *decision,
                           const char *as, const char *actor, const char *reason,
                           struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/decisions.jsonl", b->path);
    STAY_AUTO(stay_json_drop) json_t *line = json_object();
    stay_json_set_string(line, "gtid", gtid);
    stay_json_set_string(line, "decision", decision);
    stay_json_set_string(line, "as", as);
    stay_json_set_string(line, "actor", actor);
    stay_json_set_string(line, "reason", reason);
    stay_json_set_int(line, "wall_us", real_clock_wall_us());
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(line);
    STAY_AUTO(stay_free_charp) char *whole = stay_sprintf("%s\n", text);
    STAY_AUTO(fd_drop) int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    size_t length = strlen(whole);
    if (fd < 0 || write(fd, whole, length) != (ssize_t)length || fdatasync(fd) != 0)
        return stay_error_sys(err, errno, "write '%s'", path);
    return STAY_OK;
}

json_t *bundle_decisions(const struct bundle *b)
{
    json_t *list = json_array();
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/decisions.jsonl", b->path);
    STAY_AUTO(stay_free_charp) char *text = NULL;
    struct stay_error err;
    if (file_read(path, DECISIONS_MAX, &text, NULL, &err) != STAY_OK)
        return list;
    for (char *line = text, *end; line != NULL && *line != '\0'; line = end) {
        json_t *value = NULL;
        end = strchr(line, '\n');
        size_t length = end == NULL ? strlen(line) : (size_t)(end - line);
        end = end == NULL ? NULL : end + 1;
        if (stay_json_parse(line, length, &value, &err) ==
            STAY_OK) /* a torn last line is no word */
            stay_json_append(list, value);
    }
    return list;
}

char *bundle_decision(const struct bundle *b, const char *gtid)
{
    STAY_AUTO(stay_json_drop) json_t *list = bundle_decisions(b);
    const char *rest = NULL;
    for (size_t i = json_array_size(list); i > 0; i--) {
        const json_t *line = json_array_get(list, i - 1);
        const char *of = json_string_value(json_object_get(line, "gtid"));
        const char *what = json_string_value(json_object_get(line, "decision"));
        if (of == NULL || what == NULL)
            continue;
        if (strcmp(of, gtid) == 0)
            return stay_strdup(what);
        if (strcmp(of, "*") == 0 && rest == NULL)
            rest = what;
    }
    return rest == NULL ? NULL : stay_strdup(rest);
}

void bundle_remove(const char *path)
{
    static const char *const files[] = {"manifest.json", "events", "decisions.jsonl"};
    for (size_t i = 0; i < STAY_COUNT(files); i++) {
        STAY_AUTO(stay_free_charp) char *file = stay_sprintf("%s/%s", path, files[i]);
        (void)unlink(file);
    }
    (void)rmdir(path);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

json_t *bundle_list(const char *cluster_dir)
{
    json_t *list = json_array();
    char *names[1000];
    size_t count = 0;
    DIR *dir = opendir(cluster_dir);
    for (struct dirent *e;
         dir != NULL && count < STAY_COUNT(names) && (e = readdir(dir)) != NULL;) {
        size_t n = strlen(e->d_name);
        bool is_part = n > 5 && strcmp(e->d_name + n - 5, ".part") == 0;
        if (e->d_name[0] != '.' && !is_part)
            names[count++] = stay_strdup(e->d_name);
    }
    if (dir != NULL)
        (void)closedir(dir);
    if (count > 0)
        qsort(names, count, sizeof names[0], by_name);
    for (size_t i = 0; i < count; i++) {
        stay_json_append(list, stay_json_string(names[i]));
        free(names[i]);
    }
    return list;
}
