/* controller/decide/verdict_conformance.c - settings that spoil a promise (500s), each with the
 * value seen and the statement or file line that mends it. Names differ by engine and version:
 * MariaDB says master and slave, MySQL from 8.0.26 on source and replica (8.0 manual, "What Is
 * New"). */
#include "controller/decide/decide.h"
#include "controller/decide/verdict_private.h"
#include <stdarg.h>

/* ROW(id of the enum, rule id, name, why) */
#define CONFORMANCE_ROWS(X)                                                                        \
    X(SYNC_BINLOG, 501, "sync_binlog", "a power loss may take commits the log never kept")         \
    X(FLUSH_LOG, 502, "innodb_flush_log_at_trx_commit", "a power loss may take committed rows")    \
    X(RELAY_RECOVERY, 503, "relay_log_recovery",                                                   \
      "a restart throws received rows away before they are applied")                               \
    X(START_READ_ONLY, 504, "start-up read_only", "a restarted old primary would accept writes")   \
    X(START_SKIP, 505, "start-up skip replica start",                                              \
      "a frozen replica that restarts would acknowledge again by itself")                          \
    X(START_SOURCE, 506, "start-up semi-sync source role",                                         \
      "a restarted server would wait for, or count, ackers nobody gave it")                        \
    X(START_RECOVERY, 507, "start-up relay_log_recovery",                                          \
      "the next restart throws received rows away")                                                \
    X(START_ROLE, 508, "start-up init_rpl_role",                                                   \
      "without SLAVE a restart keeps commits that nobody acknowledged")                            \
    X(HEARTBEAT, 509, "replication heartbeat", "a silent primary is told from an idle one late")   \
    X(NET_TIMEOUT, 510, "replica net timeout", "a receiver notices a lost source late")            \
    X(KILL_TIMEOUT, 511, "semi-sync kill connection timeout",                                      \
      "stopping a receiver waits that long for a frozen primary")                                  \
    X(FORMAT, 512, "binlog_format", "statements may give other rows on a replica")                 \
    X(GTID, 513, "GTID mode", "what a server holds cannot be told from its position")              \
    X(LOG_UPDATES, 514, "log replica updates", "a promoted replica could not serve the others")    \
    X(LOG_BIN, 515, "binary log", "it cannot be promoted nor archived")                            \
    X(FILTERS, 516, "replication filter", "it lacks what the filter drops: never a candidate")     \
    X(EVENTS, 517, "events on a replica", "an event writes rows the primary never sees")           \
    X(GRANT, 518, "missing grant", "a plan would stop where the privilege is needed")              \
    X(OWN_ZONE, 519, "acker in the primary's own zone",                                            \
      "its acknowledgement is lost together with the primary's zone")                              \
    X(STRANGERS, 520, "unknown replica", "it may acknowledge and we could not ask it")             \
    X(WAIT_POINT, 521, "semi-sync wait point", "clients see commits nobody acknowledged")          \
    X(TIMEOUT, 522, "semi-sync timeout", "after it commits go on without acknowledgement")         \
    X(WAIT_COUNT, 523, "acknowledgements to wait for",                                             \
      "fewer servers hold a commit than promised")                                                 \
    X(VERSIONS, 524, "versions differ", "an older server cannot follow a newer one")               \
    X(HIDDEN, 525, "heartbeats hidden", "an idle primary cannot be told from a silent one")        \
    X(CLONED_ID, 526, "server_id twice", "replication drops what carries its own id")              \
    X(CLONED_UUID, 527, "server_uuid twice", "both servers' transactions carry one name")          \
    X(SOURCE_OFF, 528, "semi-sync source role off", "commits do not wait for any acknowledgement") \
    X(FEW_ACKERS, 529, "too few possible ackers", "no acknowledgement can come from another zone") \
    X(REPLICA_OFF, 530, "semi-sync replica role off", "it receives and does not acknowledge")      \
    X(PLUGIN, 531, "semi-sync plugin missing",                                                     \
      "without it no commit waits for an acknowledgement")                                         \
    X(BY_POSITION, 532, "not by GTID", "what it received cannot be told, nor what was lost")       \
    X(OPEN_REPLICA, 533, "replica not read-only", "clients may write rows the primary never sees") \
    X(HOST_NAMES, 534, "host names resolved",                                                      \
      "who replicates is known by the address its process list shows, not by a name")

enum conformance_row {
#define X(id, number, name, why) ROW_##id,
    CONFORMANCE_ROWS(X)
#undef X
        ROW_COUNT
};

static const struct verdict_row conformance_rules[] = {
#define X(id, number, name, why) {number, ACT_ALERT, name, why},
    CONFORMANCE_ROWS(X)
#undef X
};

const struct verdict_row *verdict_conformance_rules(size_t *ret_count)
{
    *ret_count = STAY_COUNT(conformance_rules);
    return conformance_rules;
}

/* Where rows go; past `max` they are only counted. */
struct rows {
    const struct cluster_view *view;
    struct conformance *v;
    size_t n, max;
    uint32_t node;
};

static struct conformance *add(struct rows *rows, enum conformance_row row)
{
    if (rows->n++ >= rows->max)
        return NULL;
    const struct verdict_row *r = &conformance_rules[row];
    struct conformance *c = &rows->v[rows->n - 1];
    *c = (struct conformance){
        .verdict = {r->id, SUBJECT_CONFORMANCE, rows->node, r->action, r->name, r->why}};
    return c;
}

static void write_text(char *dst, size_t size, const char *fmt, va_list args) STAY_PRINTF(3, 0);
static void write_text(char *dst, size_t size, const char *fmt, va_list args)
{
    (void)vsnprintf(dst, size, fmt, args); /* a detail cut short is still a detail */
}

/* detail and fix of the row added last; does nothing for a row that was only counted. */
static void detail(struct conformance *c, const char *fmt, ...) STAY_PRINTF(2, 3);
static void detail(struct conformance *c, const char *fmt, ...)
{
    if (c == NULL)
        return;
    va_list args;
    va_start(args, fmt);
    write_text(c->detail, sizeof c->detail, fmt, args);
    va_end(args);
}

static void fix(struct conformance *c, const char *fmt, ...) STAY_PRINTF(2, 3);
static void fix(struct conformance *c, const char *fmt, ...)
{
    if (c == NULL)
        return;
    va_list args;
    va_start(args, fmt);
    write_text(c->fix, sizeof c->fix, fmt, args);
    va_end(args);
}

static void line(struct conformance *c, const char *fmt, ...) STAY_PRINTF(2, 3);
static void line(struct conformance *c, const char *fmt, ...)
{
    if (c == NULL)
        return;
    va_list args;
    va_start(args, fmt);
    write_text(c->line, sizeof c->line, fmt, args);
    va_end(args);
}

/* MySQL 8.0.25 and older (a version not read counts as new). */
static bool has_old_names(const char *version)
{
    unsigned major = 0, minor = 0, patch = 0;
    if (sscanf(version, "%3u.%3u.%3u", &major, &minor, &patch) != 3)
        return false;
    return major < 8 || (major == 8 && minor == 0 && patch < 26);
}

static bool is_mysql(const struct rows *rows)
{
    return rows->view->config->engine == ENGINE_MYSQL;
}

/* The name of a variable as the node's server spells it. */
static const char *spelled(const struct rows *rows, const char *master_slave,
                           const char *source_replica)
{
    const char *version = rows->view->nodes[rows->node].facts.version;
    return is_mysql(rows) && !has_old_names(version) ? source_replica : master_slave;
}

static const char *set_keyword(const struct rows *rows)
{
    return is_mysql(rows) ? "SET PERSIST" : "SET GLOBAL";
}

static const char *on_off(enum tri value)
{
    return value == TRI_YES ? "ON" : value == TRI_NO ? "OFF" : "unknown";
}

static void want_number(struct rows *rows, enum conformance_row row, const char *name,
                        uint64_t seen, uint64_t want)
{
    struct conformance *c = add(rows, row);
    detail(c, "%s is %llu", name, (unsigned long long)seen);
    fix(c, "%s %s = %llu;", set_keyword(rows), name, (unsigned long long)want);
    line(c, "%s = %llu", name, (unsigned long long)want);
}

static void want_file_line(struct rows *rows, enum conformance_row row, const char *name,
                           const char *seen, const char *want)
{
    struct conformance *c = add(rows, row);
    detail(c, "%s is %s", name, seen);
    fix(c, "write the line below into its option file and restart it");
    line(c, "%s = %s", name, want);
}

static void check_log(struct rows *rows, const struct server_facts *facts)
{
    if (facts->sync_binlog != 1)
        want_number(rows, ROW_SYNC_BINLOG, "sync_binlog", facts->sync_binlog, 1);
    if (facts->flush_log != 1)
        want_number(rows, ROW_FLUSH_LOG, "innodb_flush_log_at_trx_commit", facts->flush_log, 1);
    if (facts->log_bin == TRI_NO)
        want_file_line(rows, ROW_LOG_BIN, "log_bin", "OFF", "binlog");
    if (facts->log_updates == TRI_NO)
        want_file_line(rows, ROW_LOG_UPDATES,
                       spelled(rows, "log_slave_updates", "log_replica_updates"), "OFF", "ON");
    if (facts->binlog_format[0] != '\0' && strcmp(facts->binlog_format, "ROW") != 0) {
        struct conformance *c = add(rows, ROW_FORMAT);
        detail(c, "binlog_format is %s", facts->binlog_format);
        fix(c, "%s binlog_format = 'ROW';", set_keyword(rows));
        line(c, "binlog_format = ROW");
    }
    if (facts->gtid_strict == TRI_NO && is_mysql(rows))
        want_file_line(rows, ROW_GTID, "gtid_mode", "OFF", "ON");
    else if (facts->gtid_strict == TRI_NO) {
        struct conformance *c = add(rows, ROW_GTID);
        detail(c, "gtid_strict_mode is OFF");
        fix(c, "SET GLOBAL gtid_strict_mode = ON;");
        line(c, "gtid_strict_mode = ON");
    }
}

static void check_receiver(struct rows *rows, const struct server_facts *facts)
{
    bool is_replica = facts->receiver != RECEIVER_NONE && facts->receiver != RECEIVER_UNKNOWN;
    if (facts->net_timeout_s > 4)
        want_number(rows, ROW_NET_TIMEOUT,
                    spelled(rows, "slave_net_timeout", "replica_net_timeout"), facts->net_timeout_s,
                    4);
    if (!is_mysql(rows) && facts->kill_conn_timeout_s > 1)
        want_number(rows, ROW_KILL_TIMEOUT, "rpl_semi_sync_slave_kill_conn_timeout",
                    facts->kill_conn_timeout_s, 1);
    if (facts->filters == TRI_YES) {
        struct conformance *c = add(rows, ROW_FILTERS);
        detail(c, "a replication filter is set");
        fix(c, "remove every replicate-* and binlog-do/ignore-db line and reseed the server");
    }
    if (!is_replica)
        return;
    bool hidden =
        is_mysql(rows) && facts->receiver == RECEIVER_RUNNING && facts->beats_shown == TRI_NO;
    if (!hidden && (facts->heartbeat_ms == 0 || facts->heartbeat_ms > 500)) {
        struct conformance *c = add(rows, ROW_HEARTBEAT);
        detail(c, "heartbeat period is %llu ms", (unsigned long long)facts->heartbeat_ms);
        fix(c, "mainstay adopt sets %s = 0.5 after the replica drained; do not CHANGE it by hand",
            spelled(rows, "MASTER_HEARTBEAT_PERIOD", "SOURCE_HEARTBEAT_PERIOD"));
    }
    if (facts->by_gtid == TRI_NO) {
        struct conformance *c = add(rows, ROW_BY_POSITION);
        detail(c, "it replicates by file and position");
        fix(c, "mainstay adopt sets %s after the replica drained; do not CHANGE it by hand",
            spelled(rows, "MASTER_USE_GTID = slave_pos", "SOURCE_AUTO_POSITION = 1"));
    }
    if (facts->events_on > 0) {
        struct conformance *c = add(rows, ROW_EVENTS);
        detail(c, "%llu events are enabled on a replica", (unsigned long long)facts->events_on);
        fix(c, "ALTER EVENT ... DISABLE ON %s, for each of information_schema.events",
            spelled(rows, "SLAVE", "REPLICA"));
    }
    if (hidden) {
        struct conformance *c = add(rows, ROW_HIDDEN);
        detail(c, "no heartbeat count is shown");
        fix(c, "write the line below into its option file and restart it");
        line(c, "performance_schema = ON");
    }
}

/* Last of the statements: MySQL installs no plugin while super_read_only is ON. */
static void check_open(struct rows *rows, const struct server_facts *facts)
{
    if (facts->receiver == RECEIVER_NONE || facts->receiver == RECEIVER_UNKNOWN ||
        facts->read_only != TRI_NO)
        return;
    struct conformance *c = add(rows, ROW_OPEN_REPLICA);
    detail(c, "read_only is OFF");
    fix(c, "SET GLOBAL %s = ON;", is_mysql(rows) ? "super_read_only" : "read_only");
}

static void want_plugin(struct rows *rows, const char *role, enum tri super_read_only)
{
    bool closed = super_read_only == TRI_YES; /* then INSTALL PLUGIN is refused: error 1290 */
    struct conformance *c = add(rows, ROW_PLUGIN);
    detail(c, "plugin semisync_%s is not loaded", role);
    fix(c, "as root: %sINSTALL PLUGIN rpl_semi_sync_%s SONAME 'semisync_%s.so';%s",
        closed ? "SET GLOBAL super_read_only = OFF; " : "", role, role,
        closed ? " SET GLOBAL super_read_only = ON;" : "");
}

/* MariaDB has semi-sync built in; MySQL shows its variables only with the plugins. */
static void check_plugins(struct rows *rows, const struct server_facts *facts)
{
    if (!is_mysql(rows))
        return;
    if (facts->ss_source_enabled == TRI_UNKNOWN)
        want_plugin(rows, spelled(rows, "master", "source"), facts->super_read_only);
    if (facts->ss_replica_enabled == TRI_UNKNOWN)
        want_plugin(rows, spelled(rows, "slave", "replica"), facts->super_read_only);
}

static void check_lossless(struct rows *rows, const struct server_facts *facts)
{
    if (rows->view->nodes[rows->node].groups_known & FACTS_STATUS)
        check_plugins(rows, facts);
    if (facts->relay_log_recovery == TRI_YES)
        want_file_line(rows, ROW_RELAY_RECOVERY, "relay_log_recovery", "ON", "OFF");
}

/* Where the configuration names a host, the server may have to do so too. */
static void check_names(struct rows *rows, const struct server_facts *facts)
{
    const char *host = rows->view->config->nodes[rows->node].host;
    bool is_address = host[strspn(host, "0123456789.")] == '\0' || strchr(host, ':') != NULL;
    if (facts->skip_name_resolve == TRI_NO && is_address)
        want_file_line(rows, ROW_HOST_NAMES, "skip_name_resolve", "OFF", "ON");
}

static void check_start(struct rows *rows, const struct server_facts *facts, bool is_lossless)
{
    if (facts->start_read_only == TRI_NO)
        want_file_line(rows, ROW_START_READ_ONLY, is_mysql(rows) ? "super_read_only" : "read_only",
                       "OFF at start", "ON");
    if (facts->start_skip_replica == TRI_NO)
        want_file_line(rows, ROW_START_SKIP,
                       spelled(rows, "skip_slave_start", "skip_replica_start"), "OFF at start",
                       "ON");
    if (facts->start_ss_source == TRI_YES)
        want_file_line(
            rows, ROW_START_SOURCE,
            spelled(rows, "rpl_semi_sync_master_enabled", "rpl_semi_sync_source_enabled"),
            "ON at start", "OFF");
    if (is_lossless && facts->start_relay_log_recovery == TRI_YES)
        want_file_line(rows, ROW_START_RECOVERY, "relay_log_recovery", "ON at start", "OFF");
    if (is_lossless && !is_mysql(rows) && facts->start_role_replica == TRI_NO)
        want_file_line(rows, ROW_START_ROLE, "init_rpl_role", "MASTER at start", "SLAVE");
}

static void check_identity(struct rows *rows, const struct node_view *n)
{
    const struct cluster_view *view = rows->view;
    for (uint32_t i = rows->node + 1; i < view->config->node_count; i++) {
        const struct node_view *other = &view->nodes[i];
        const char *name = view->config->nodes[i].name;
        if ((n->groups_known & other->groups_known & FACTS_STATUS) && n->facts.server_id != 0 &&
            n->facts.server_id == other->facts.server_id) {
            struct conformance *c = add(rows, ROW_CLONED_ID);
            detail(c, "server_id is %llu, as on %s", (unsigned long long)n->facts.server_id, name);
            fix(c, "give one of them another server_id in its file and restart it");
        }
        if ((n->groups_known & other->groups_known & FACTS_SLOW) &&
            n->facts.server_uuid[0] != '\0' &&
            strcmp(n->facts.server_uuid, other->facts.server_uuid) == 0) {
            struct conformance *c = add(rows, ROW_CLONED_UUID);
            detail(c, "server_uuid is %.40s, as on %s", n->facts.server_uuid, name);
            fix(c, "stop the copy, remove auto.cnf in its data directory, start it again");
        }
    }
}

static void check_node(struct rows *rows)
{
    const struct node_view *n = &rows->view->nodes[rows->node];
    bool is_lossless = rows->view->config->mode == MODE_LOSSLESS;
    /* What was asked for before our own last effect shows a receiver that is no more. */
    if ((n->groups_known & FACTS_SLOW) && n->slow_mono_us >= n->changed_mono_us) {
        check_log(rows, &n->facts);
        check_receiver(rows, &n->facts);
        if (is_lossless)
            check_lossless(rows, &n->facts);
        check_open(rows, &n->facts);
        check_names(rows, &n->facts);
    }
    if (n->groups_known & FACTS_SLOW) {
        if (n->facts.missing_grant[0] != '\0') {
            struct conformance *c = add(rows, ROW_GRANT);
            const char *grant = strstr(n->facts.missing_grant, "GRANT ");
            detail(c, "%.150s", n->facts.missing_grant);
            if (grant != NULL)
                fix(c, "on the primary, as root: %s;%s", grant,
                    strstr(n->facts.missing_grant, " lacks: ") != NULL ? ""
                    : is_mysql(rows) ? " the rest as in deploy/grants/mysql.sql"
                                     : " the rest as in deploy/grants/mariadb.sql");
            else if (strstr(n->facts.missing_grant, MISSING_ROLE) != NULL)
                fix(c, "on the primary, as root: the statements of deploy/grants/mysql.sql about "
                       "mainstay_ready");
            else
                fix(c, "make the account as deploy/grants/%s.sql does, or mend its password file",
                    is_mysql(rows) ? "mysql" : "mariadb");
        }
    }
    if (n->groups_known & FACTS_START)
        check_start(rows, &n->facts, is_lossless);
    check_identity(rows, n);
}

const char *const *verdict_conformance_blind(const struct cluster_config *config, size_t *ret_count)
{
    static const char *const mariadb[] = {"skip_slave_start = ON", "init_rpl_role = SLAVE"};
    bool is_blind = config->engine == ENGINE_MARIADB && config->mode == MODE_LOSSLESS;
    *ret_count = is_blind ? STAY_COUNT(mariadb) : 0;
    return is_blind ? mariadb : NULL;
}

size_t verdict_conformance_node(const struct cluster_view *view, uint32_t node,
                                struct conformance *ret_rows, size_t max)
{
    struct rows rows = {.view = view, .v = ret_rows, .max = max, .node = node};
    check_node(&rows);
    return rows.n;
}

/* The semi-sync source role of a primary recorded as lossless. */
static void check_source_role(struct rows *rows, const struct server_facts *facts)
{
    const struct cluster_config *config = rows->view->config;
    if (facts->ss_source_enabled != TRI_YES) {
        const char *name =
            spelled(rows, "rpl_semi_sync_master_enabled", "rpl_semi_sync_source_enabled");
        struct conformance *c = add(rows, ROW_SOURCE_OFF);
        detail(c, "%s is %s while lossless is recorded", name, on_off(facts->ss_source_enabled));
        fix(c, "SET GLOBAL %s = ON; mainstay then passes its barrier again", name);
    }
    if (facts->ss_after_sync == TRI_NO) {
        struct conformance *c = add(rows, ROW_WAIT_POINT);
        const char *name =
            spelled(rows, "rpl_semi_sync_master_wait_point", "rpl_semi_sync_source_wait_point");
        detail(c, "%s is AFTER_COMMIT", name);
        fix(c, "SET GLOBAL %s = 'AFTER_SYNC'", name);
    }
    if (facts->ss_timeout_ms < DURABILITY_TIMEOUT_MS)
        want_number(rows, ROW_TIMEOUT,
                    spelled(rows, "rpl_semi_sync_master_timeout", "rpl_semi_sync_source_timeout"),
                    facts->ss_timeout_ms, UINT64_C(4294967295));
    if (is_mysql(rows) && facts->ss_wait_count < config->acks)
        want_number(rows, ROW_WAIT_COUNT,
                    spelled(rows, "rpl_semi_sync_master_wait_for_slave_count",
                            "rpl_semi_sync_source_wait_for_replica_count"),
                    facts->ss_wait_count, config->acks);
}

/* Who may acknowledge: none from the primary's own zone, nobody unknown, and at least k. */
static void check_ackers(struct rows *rows)
{
    const struct cluster_view *view = rows->view;
    const char *enabled_old = "rpl_semi_sync_slave_enabled";
    const char *enabled_new = "rpl_semi_sync_replica_enabled";
    uint32_t primary = rows->node, outside = 0;
    uint32_t possible = cluster_ackers_possible(view);
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        const struct server_facts *facts = &view->nodes[i].facts;
        bool is_own_zone = cluster_same_zone(view->config, i, primary);
        rows->node = i;
        outside += i != primary && !is_own_zone;
        if (i != primary && is_own_zone && (possible & (UINT32_C(1) << i)) &&
            facts->ss_replica_on == TRI_YES) {
            struct conformance *c = add(rows, ROW_OWN_ZONE);
            detail(c, "it acknowledges the primary's commits from zone %s",
                   view->config->nodes[i].zone);
            fix(c, "SET GLOBAL %s = OFF, then stop and start its receiver: only that ends it",
                spelled(rows, enabled_old, enabled_new));
        }
        if (i != primary && !is_own_zone && facts->receiver == RECEIVER_RUNNING &&
            facts->ss_replica_on == TRI_NO && cluster_source_of(view, i) == primary) {
            struct conformance *c = add(rows, ROW_REPLICA_OFF);
            detail(c, "%s is %s, its status is OFF", spelled(rows, enabled_old, enabled_new),
                   on_off(facts->ss_replica_enabled));
            fix(c, "SET GLOBAL %s = ON, then restart its receiver while its applier runs",
                spelled(rows, enabled_old, enabled_new));
        }
    }
    rows->node = primary;
    if (outside < view->config->acks) {
        struct conformance *c = add(rows, ROW_FEW_ACKERS);
        detail(c, "%u servers stand outside the primary's zone, %u must acknowledge", outside,
               view->config->acks);
        fix(c, "add a replica in another zone, or set durability.mode = \"bounded\"");
    }
}

static void check_strangers(struct rows *rows)
{
    const char *stranger = cluster_stranger(rows->view);
    if (stranger == NULL)
        return;
    struct conformance *c = add(rows, ROW_STRANGERS);
    detail(c, "a binlog dump thread from %.60s belongs to no server of the inventory", stranger);
    fix(c, "add that server to the configuration, under this address, or stop it; let only our "
           "account hold REPLICATION SLAVE");
}

/* "10.11.6-MariaDB" and "10.11.9": the first two numbers must agree. */
static bool same_series(const char *a, const char *b)
{
    unsigned major_a = 0, minor_a = 0, major_b = 0, minor_b = 0;
    return sscanf(a, "%4u.%4u", &major_a, &minor_a) == 2 &&
           sscanf(b, "%4u.%4u", &major_b, &minor_b) == 2 && major_a == major_b &&
           minor_a == minor_b;
}

static void check_versions(struct rows *rows)
{
    const struct cluster_view *view = rows->view;
    const char *mine = view->nodes[rows->node].facts.version;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        const char *other = view->nodes[i].facts.version;
        if (mine[0] == '\0' || other[0] == '\0' || same_series(mine, other))
            continue;
        struct conformance *c = add(rows, ROW_VERSIONS);
        if (c != NULL)
            c->verdict.node = i;
        detail(c, "version %.40s, the primary runs %.40s", other, mine);
        fix(c, "bring the servers to one series; replicas first, the primary last");
    }
}

size_t verdict_conformance(const struct cluster_view *view, int64_t now_mono_us,
                           struct conformance *ret_rows, size_t max)
{
    (void)now_mono_us; /* settings hold until they are read anew */
    struct rows rows = {.view = view, .v = ret_rows, .max = max};
    for (rows.node = 0; rows.node < view->config->node_count; rows.node++)
        check_node(&rows);
    rows.node = view->primary;
    if (view->primary == NO_NODE || !(view->nodes[view->primary].groups_known & FACTS_STATUS))
        return rows.n;
    if (view->record.mode == MODE_LOSSLESS)
        check_source_role(&rows, &view->nodes[view->primary].facts);
    if (view->config->mode == MODE_LOSSLESS)
        check_ackers(&rows);
    check_strangers(&rows);
    check_versions(&rows);
    return rows.n;
}
