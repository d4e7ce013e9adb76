/* backup/bundle.h - the transactions that a diverged server holds and the primary lacks, kept as
 * files before anything is done to that server.
 *
 * Layer: backup. Blocking. A bundle is a folder: `events` (a binary log: magic, format
 * descriptions and the transactions byte for byte, so the engines' own tools read it),
 * `manifest.json` (what they are, and the tables they speak of), `decisions.jsonl` (what became of
 * them; one line each). It exists when its folder has its name: written beside it as NAME.part,
 * synced, renamed; never changed but for decisions, which are only appended. */
#ifndef BACKUP_BUNDLE_H
#define BACKUP_BUNDLE_H
#include "backup/binlog_walk.h"
#include "base/json.h"

#define BUNDLE_VERSION      1
#define BUNDLE_NAME_MAX     100
#define BUNDLE_MANIFEST_MAX (512U * 1024U * 1024U)

struct bundle_transaction {
    char *gtid; /* "0-1-101", "uuid:17" */
    struct gtid_range range;
    int64_t wall_us;
    uint64_t offset, length; /* in `events`, from its GTID event to before the next */
    uint64_t format_offset;  /* of the format description in force */
    uint64_t inserted, updated, deleted;
    char *tables;   /* "shop.orders, shop.items" */
    char *obstacle; /* why it cannot be undone from its rows; NULL: it can */
};

struct bundle_column {
    char *name, *type; /* "int(10) unsigned" */
    char *charset;     /* NULL: not a text */
    bool is_unsigned;
    unsigned key; /* place in the primary key from 1; 0: not in it */
};

struct bundle_table {
    char *schema, *name;
    char *engine;          /* NULL: not known */
    char *cascades;        /* a foreign key that changes other rows unlogged, NULL: none */
    uint32_t column_count; /* 0: not known */
    struct bundle_column *columns;
};

struct bundle {
    char *path, *name;
    char *cluster, *node, *primary, *server_version;
    enum gtid_flavor flavor;
    uint64_t epoch;
    int64_t taken_wall_us;
    struct gtid_set extra;  /* what the server held beyond the primary */
    struct gtid_set common; /* what both held: the state a rewind goes back to */
    char *incomplete;       /* why it does not hold all of extra; NULL: it does */
    bool is_suffix;         /* nothing the primary holds was executed after the first of them */
    size_t transaction_count;
    struct bundle_transaction *transactions;
    size_t table_count;
    struct bundle_table *tables;
    const uint8_t *events; /* mapped */
    size_t events_length;
};

/* Reads the manifest and maps the events; checks the file's length and SHA-256. STAY_ECORRUPT,
 * STAY_ENOTFOUND. Release with bundle_free. */
enum stay_rc bundle_open(const char *path, struct bundle **ret_bundle,
                         struct stay_error *err) STAY_MUST_USE;
void bundle_free(struct bundle *bundle); /* takes NULL */
/* The table's description, NULL: none. */
const struct bundle_table *bundle_table_named(const struct bundle *bundle, const char *schema,
                                              const char *name);
/* Index of the transaction with this GTID text, transaction_count: none. */
size_t bundle_transaction_named(const struct bundle *bundle, const char *gtid);
/* The format description in force for a transaction. */
enum stay_rc bundle_format(const struct bundle *bundle, const struct bundle_transaction *t,
                           struct binlog_format *ret_format, struct stay_error *err) STAY_MUST_USE;
/* Walks one transaction. */
enum stay_rc bundle_walk(const struct bundle *bundle, const struct bundle_transaction *t,
                         struct binlog_walk *walk, struct stay_error *err) STAY_MUST_USE;
/* Why the bundle as a whole cannot be undone from its rows; NULL: it can. Static or borrowed. */
const char *bundle_obstacle(const struct bundle *bundle, char text[240]);

/* A name for the bundle of `node` with this extra set: the same set gives the same name; other
 * transactions under the same numbers get it with "-2" and so on. */
void bundle_name(const char *node, const struct gtid_set *extra, char ret_name[BUNDLE_NAME_MAX]);

/* Decisions: "injected" or "dropped". Appends one synced line. gtid "*": every transaction that
 * nothing was decided of before. */
enum stay_rc bundle_decide(const struct bundle *bundle, const char *gtid, const char *decision,
                           const char *as, const char *actor, const char *reason,
                           struct stay_error *err) STAY_MUST_USE;
/* What was decided last of this transaction: "injected", "dropped" or NULL; heap, caller frees. */
char *bundle_decision(const struct bundle *bundle, const char *gtid);
/* Every decision line, oldest first; new reference (an empty array when there is none). */
json_t *bundle_decisions(const struct bundle *bundle);

/* Removes a bundle, its decisions too: only a copy of one that is kept. */
void bundle_remove(const char *path);

/* Names of the bundles of a cluster's folder, oldest first; new reference. */
json_t *bundle_list(const char *cluster_dir);

#endif
