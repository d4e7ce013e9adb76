/* NAME.part is filled, synced, then renamed: a bundle exists whole or not at all. */
#include "backup/bundle_write.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/bundle_manifest.h"
#include "base/io/file.h"

#define BUFFER 262144

struct bundle_writer {
    struct bundle *bundle;
    const struct gtid_set *known;
    char *path, *part;
    int fd;
    uint8_t *buffer;
    size_t filled;
    uint64_t written; /* with what is in the buffer */
    EVP_MD_CTX *sum;
    uint64_t format_offset;
    uint8_t *format_raw; /* last format description seen, not yet written: needed with a group */
    uint32_t format_length;
    bool is_format_due;
    bool takes; /* the present transaction is kept */
    struct binlog_walk walk;
    size_t room, table_room;
};

static enum stay_rc flush(struct bundle_writer *w, struct stay_error *err)
{
    enum stay_rc rc = file_check_room(w->fd, w->filled, w->part, err); /* the state file is there */
    if (rc != STAY_OK)
        return rc;
    for (size_t at = 0; at < w->filled;) {
        ssize_t n = write(w->fd, w->buffer + at, w->filled - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return stay_error_sys(err, errno, "write '%s/events'", w->part);
        at += (size_t)n;
    }
    w->filled = 0;
    return STAY_OK;
}

static enum stay_rc put(struct bundle_writer *w, const void *bytes, size_t length,
                        struct stay_error *err)
{
    const uint8_t *from = bytes;
    must(EVP_DigestUpdate(w->sum, bytes, length) == 1);
    w->written += length;
    while (length > 0) {
        size_t n = BUFFER - w->filled < length ? BUFFER - w->filled : length;
        memcpy(w->buffer + w->filled, from, n);
        w->filled += n;
        from += n;
        length -= n;
        if (w->filled == BUFFER) {
            enum stay_rc rc = flush(w, err);
            if (rc != STAY_OK)
                return rc;
        }
    }
    return STAY_OK;
}

static struct bundle_transaction *current(struct bundle_writer *w)
{
    return &w->bundle->transactions[w->bundle->transaction_count - 1];
}

static void name_table(struct bundle_writer *w, const struct binlog_table *table)
{
    struct bundle *b = w->bundle;
    struct bundle_transaction *t = current(w);
    STAY_AUTO(stay_free_charp) char *name = stay_sprintf("%s.%s", table->schema, table->name);
    STAY_AUTO(stay_free_charp) char *list = stay_sprintf(", %s,", t->tables);
    STAY_AUTO(stay_free_charp) char *word = stay_sprintf(", %s,", name);
    if (strstr(list, word) == NULL) {
        char *longer = stay_sprintf("%s%s%s", t->tables, t->tables[0] ? ", " : "", name);
        free(t->tables);
        t->tables = longer;
    }
    if (bundle_table_named(b, table->schema, table->name) != NULL)
        return;
    if (b->table_count == w->table_room) {
        w->table_room = w->table_room * 2 + 16;
        b->tables = stay_realloc(b->tables, w->table_room, sizeof *b->tables);
    }
    b->tables[b->table_count++] = (struct bundle_table){.schema = stay_strdup(table->schema),
                                                        .name = stay_strdup(table->name)};
}

static enum stay_rc on_rows(void *ctx, const struct binlog_table *table, struct binlog_rows *rows,
                            struct stay_error *err)
{
    struct bundle_writer *w = ctx;
    struct binlog_image before, after;
    uint64_t count = 0;
    bool more = true;
    enum stay_rc rc = STAY_OK;
    name_table(w, table);
    while (rc == STAY_OK && more) {
        rc = binlog_rows_next(rows, table, &more, &before, &after, err);
        count += rc == STAY_OK && more;
    }
    struct bundle_transaction *t = current(w);
    if (rows->kind == ROWS_WRITE)
        t->inserted += count;
    else if (rows->kind == ROWS_UPDATE)
        t->updated += count;
    else
        t->deleted += count;
    return rc;
}

static enum stay_rc on_obstacle(void *ctx, const char *what, struct stay_error *err)
{
    struct bundle_transaction *t = current(ctx);
    (void)err;
    if (t->obstacle == NULL)
        t->obstacle = stay_strdup(what);
    return STAY_OK;
}

enum stay_rc bundle_writer_begin(const char *dir, struct bundle *bundle,
                                 const struct gtid_set *known, struct bundle_writer **ret_writer,
                                 struct stay_error *err)
{
    struct bundle_writer *w = stay_calloc(1, sizeof *w);
    STAY_AUTO(stay_free_charp) char *events = NULL;
    w->bundle = bundle;
    w->known = known;
    w->path = stay_sprintf("%s/%s", dir, bundle->name);
    w->part = stay_sprintf("%s.part", w->path);
    events = stay_sprintf("%s/events", w->part);
    w->walk = (struct binlog_walk){.ctx = w, .on_rows = on_rows, .on_obstacle = on_obstacle};
    w->buffer = stay_malloc(BUFFER);
    w->sum = EVP_MD_CTX_new();
    must(w->sum != NULL && EVP_DigestInit_ex(w->sum, EVP_sha256(), NULL) == 1);
    w->fd = -1;
    enum stay_rc rc = file_mkdir_p(w->part, 0700, err);
    if (rc == STAY_OK) {
        w->fd = open(events, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (w->fd < 0)
            rc = stay_error_sys(err, errno, "make '%s'", events);
    }
    if (rc == STAY_OK)
        rc = put(w, BINLOG_MAGIC, 4, err);
    if (rc == STAY_OK)
        *ret_writer = w;
    else
        bundle_writer_drop(w);
    return rc;
}

static enum stay_rc put_format(struct bundle_writer *w, struct stay_error *err)
{
    if (!w->is_format_due)
        return STAY_OK;
    w->is_format_due = false;
    w->format_offset = w->written;
    return put(w, w->format_raw, w->format_length, err);
}

static char *gtid_text(const struct binlog_gtid *g)
{
    struct gtid_set one = {0};
    if (g->flavor == GTID_MARIADB) {
        const uint8_t *s = g->range.source;
        uint32_t domain = (uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 | (uint32_t)s[2] << 8 | s[3];
        uint32_t server = (uint32_t)s[4] << 24 | (uint32_t)s[5] << 16 | (uint32_t)s[6] << 8 | s[7];
        return stay_sprintf("%u-%u-%llu", domain, server, (unsigned long long)g->range.last);
    }
    gtid_set_add_range(&one, GTID_MYSQL, &g->range);
    char *text = gtid_set_format(&one);
    gtid_set_clear(&one);
    return text;
}

void bundle_writer_end(struct bundle_writer *w)
{
    if (w->takes)
        current(w)->length = w->written - current(w)->offset;
    w->takes = false;
}

static enum stay_rc begin_transaction(struct bundle_writer *w, const struct binlog_event *event,
                                      struct stay_error *err)
{
    struct binlog_gtid gtid;
    struct bundle *b = w->bundle;
    STAY_AUTO(gtid_set_drop) struct gtid_set one = {0};
    bundle_writer_end(w);
    enum stay_rc rc = binlog_gtid_parse(event, &gtid, err);
    if (rc != STAY_OK)
        return rc;
    gtid_set_add_range(&one, gtid.flavor, &gtid.range);
    if (gtid_set_contains(w->known, &one)) {
        if (b->transaction_count > 0)
            b->is_suffix = false;
        return STAY_OK;
    }
    rc = put_format(w, err);
    if (rc != STAY_OK)
        return rc;
    if (b->transaction_count == w->room) {
        w->room = w->room * 2 + 64;
        b->transactions = stay_realloc(b->transactions, w->room, sizeof *b->transactions);
    }
    b->transactions[b->transaction_count++] =
        (struct bundle_transaction){.gtid = gtid_text(&gtid),
                                    .range = gtid.range,
                                    .wall_us = gtid.commit_wall_us,
                                    .offset = w->written,
                                    .format_offset = w->format_offset,
                                    .tables = stay_strdup("")};
    w->takes = true;
    walk_begin(&w->walk);
    if (gtid.mariadb_flags & (BINLOG_GTID_XA_PREPARED | BINLOG_GTID_XA_COMPLETED))
        return on_obstacle(w, "a prepared XA transaction", err);
    return STAY_OK;
}

static bool is_of_the_file(const struct binlog_event *event)
{
    switch (event->type) {
    case BINLOG_ROTATE:
    case BINLOG_STOP:
    case BINLOG_FORMAT:
    case BINLOG_PREVIOUS_GTIDS:
    case BINLOG_GTID_LIST:
    case BINLOG_CHECKPOINT:
    case BINLOG_HEARTBEAT:
    case BINLOG_HEARTBEAT_2:
    case BINLOG_ENCRYPTION:
        return true;
    default: /* a byte of a log, not an enum */
        return (event->flags & BINLOG_FLAG_ARTIFICIAL) != 0;
    }
}

enum stay_rc bundle_writer_event(struct bundle_writer *w, const struct binlog_event *event,
                                 const struct binlog_format *format, struct stay_error *err)
{
    (void)format;
    if (event->type == BINLOG_FORMAT) {
        bool is_same = w->format_length == event->length &&
                       memcmp(w->format_raw, event->raw, event->length) == 0;
        if (!is_same) {
            free(w->format_raw);
            w->format_raw = stay_malloc(event->length);
            memcpy(w->format_raw, event->raw, event->length);
            w->format_length = event->length;
            w->is_format_due = true;
        }
    }
    if (is_of_the_file(event))
        return STAY_OK;
    enum stay_rc rc = STAY_OK;
    if (binlog_is_gtid(event))
        rc = begin_transaction(w, event, err);
    if (rc == STAY_OK && event->type == BINLOG_ANONYMOUS_GTID)
        rc = stay_error(err, STAY_EREFUSED, "the log holds transactions without a GTID");
    if (rc != STAY_OK || !w->takes)
        return rc;
    rc = put(w, event->raw, event->length, err);
    if (rc == STAY_OK)
        rc = walk_event(&w->walk, event, err);
    return rc;
}

uint64_t bundle_writer_bytes(const struct bundle_writer *w)
{
    return w->written;
}

static void free_writer(struct bundle_writer *w)
{
    walk_clear(&w->walk);
    fd_drop(&w->fd);
    EVP_MD_CTX_free(w->sum);
    free(w->buffer);
    free(w->format_raw);
    free(w->path);
    free(w->part);
    free(w);
}

void bundle_writer_drop(struct bundle_writer *w)
{
    if (w == NULL)
        return;
    static const char *const files[] = {"events", "manifest.json"};
    for (size_t i = 0; i < STAY_COUNT(files); i++) {
        STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/%s", w->part, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(w->part);
    free_writer(w);
}

static enum stay_rc sync_dir(const char *path, struct stay_error *err)
{
    STAY_AUTO(fd_drop) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return stay_error_sys(err, errno, "sync '%s'", path);
    return STAY_OK;
}

static enum stay_rc write_all(struct bundle_writer *w, struct stay_error *err)
{
    uint8_t sum[EVP_MAX_MD_SIZE];
    char hex[65];
    enum stay_rc rc = flush(w, err);
    if (rc != STAY_OK)
        return rc;
    if (fsync(w->fd) != 0)
        return stay_error_sys(err, errno, "sync '%s/events'", w->part);
    must(EVP_DigestFinal_ex(w->sum, sum, NULL) == 1);
    for (unsigned i = 0; i < 32; i++)
        (void)snprintf(hex + (size_t)2 * i, 3, "%02x", sum[i]);
    w->bundle->events_length = (size_t)w->written;
    STAY_AUTO(stay_json_drop) json_t *manifest = bundle_manifest_to_json(w->bundle, hex);
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_pretty(manifest);
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/manifest.json", w->part);
    return file_write_atomic(path, text, strlen(text), 0600, err);
}

enum stay_rc bundle_writer_publish(struct bundle_writer *w, struct stay_error *err)
{
    bundle_writer_end(w);
    enum stay_rc rc = write_all(w, err);
    if (rc == STAY_OK)
        rc = sync_dir(w->part, err);
    if (rc == STAY_OK && rename(w->part, w->path) != 0)
        rc = stay_error_sys(err, errno, "rename '%s'", w->part);
    if (rc != STAY_OK) {
        bundle_writer_drop(w);
        return rc;
    }
    char *slash = strrchr(w->part, '/');
    *slash = '\0';
    rc = sync_dir(w->part, err);
    free_writer(w);
    return rc;
}
