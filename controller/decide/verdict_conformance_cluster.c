/* controller/decide/verdict_conformance_cluster.c - what spoils a promise between servers: an id
 * that two carry, a primary that does not wait for acknowledgements, who gives them, who is
 * unknown, and versions that do not fit. */
#include "controller/decide/decide.h"
#include "controller/decide/verdict_conformance_private.h"

/* One more than the highest in use. */
static uint64_t free_server_id(const struct cluster_view *view)
{
    uint64_t highest = 0;
    for (uint32_t i = 0; i < view->config->node_count; i++)
        highest =
            view->nodes[i].facts.server_id > highest ? view->nodes[i].facts.server_id : highest;
    return highest + 1;
}

void conformance_check_identity(struct conformance_rows *rows)
{
    const struct cluster_view *view = rows->view;
    const struct node_view *n = &view->nodes[rows->node];
    for (uint32_t i = rows->node + 1; i < view->config->node_count; i++) {
        const struct node_view *other = &view->nodes[i];
        const char *name = view->config->nodes[i].name;
        if ((n->groups_known & other->groups_known & FACTS_STATUS) && n->facts.server_id != 0 &&
            n->facts.server_id == other->facts.server_id) {
            struct conformance *c = conformance_add(rows, ROW_CLONED_ID);
            conformance_detail(c, "server_id is %llu, as on %s",
                               (unsigned long long)n->facts.server_id, name);
            conformance_fix(c, "on one of the two write the line below into its option file and "
                               "restart it");
            conformance_line(c, "server_id = %llu", (unsigned long long)free_server_id(rows->view));
        }
        if ((n->groups_known & other->groups_known & FACTS_SLOW) &&
            n->facts.server_uuid[0] != '\0' &&
            strcmp(n->facts.server_uuid, other->facts.server_uuid) == 0) {
            struct conformance *c = conformance_add(rows, ROW_CLONED_UUID);
            conformance_detail(c, "server_uuid is %.40s, as on %s", n->facts.server_uuid, name);
            conformance_fix(c,
                            "stop the copy, remove auto.cnf in its data directory, start it again");
        }
    }
}

/* The semi-sync source role of a primary recorded as lossless. */
static void check_source_role(struct conformance_rows *rows, const struct server_facts *facts)
{
    const struct cluster_config *config = rows->view->config;
    if (facts->ss_source_enabled != TRI_YES) {
        const char *name = conformance_spelled(rows, "rpl_semi_sync_master_enabled",
                                               "rpl_semi_sync_source_enabled");
        struct conformance *c = conformance_add(rows, ROW_SOURCE_OFF);
        conformance_detail(c, "%s is %s while lossless is recorded", name,
                           conformance_on_off(facts->ss_source_enabled));
        conformance_fix(c, "SET GLOBAL %s = ON; mainstay then passes its barrier again", name);
    }
    if (facts->ss_after_sync == TRI_NO) {
        struct conformance *c = conformance_add(rows, ROW_WAIT_POINT);
        const char *name = conformance_spelled(rows, "rpl_semi_sync_master_wait_point",
                                               "rpl_semi_sync_source_wait_point");
        conformance_detail(c, "%s is AFTER_COMMIT", name);
        conformance_fix(c, "SET GLOBAL %s = 'AFTER_SYNC';", name);
        conformance_live(c, name, "'AFTER_SYNC'");
    }
    if (facts->ss_wait_alone == TRI_NO) {
        struct conformance *c = conformance_add(rows, ROW_WAIT_ALONE);
        const char *name = conformance_spelled(rows, "rpl_semi_sync_master_wait_no_slave",
                                               "rpl_semi_sync_source_wait_no_replica");
        conformance_detail(c, "%s is OFF", name);
        conformance_fix(c, "SET GLOBAL %s = ON;", name);
        conformance_line(c, "%s = ON", name);
        conformance_live(c, name, "ON");
    }
    if (facts->ss_timeout_ms < DURABILITY_TIMEOUT_MS)
        conformance_want_number(rows, ROW_TIMEOUT,
                                conformance_spelled(rows, "rpl_semi_sync_master_timeout",
                                                    "rpl_semi_sync_source_timeout"),
                                facts->ss_timeout_ms, UINT64_C(4294967295));
    if (conformance_is_mysql(rows) && facts->ss_wait_count < config->acks)
        conformance_want_number(rows, ROW_WAIT_COUNT,
                                conformance_spelled(rows,
                                                    "rpl_semi_sync_master_wait_for_slave_count",
                                                    "rpl_semi_sync_source_wait_for_replica_count"),
                                facts->ss_wait_count, config->acks);
}

/* Who may acknowledge: none from the primary's own zone, nobody unknown, and at least k. */
static void check_ackers(struct conformance_rows *rows)
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
            struct conformance *c = conformance_add(rows, ROW_OWN_ZONE);
            conformance_detail(c, "it acknowledges the primary's commits from zone %s",
                               view->config->nodes[i].zone);
            conformance_fix(
                c, "SET GLOBAL %s = OFF, then stop and start its receiver: only that ends it",
                conformance_spelled(rows, enabled_old, enabled_new));
        }
        if (i != primary && !is_own_zone && facts->receiver == RECEIVER_RUNNING &&
            facts->ss_replica_on == TRI_NO && cluster_source_of(view, i) == primary) {
            struct conformance *c = conformance_add(rows, ROW_REPLICA_OFF);
            conformance_detail(c, "%s is %s, its status is OFF",
                               conformance_spelled(rows, enabled_old, enabled_new),
                               conformance_on_off(facts->ss_replica_enabled));
            conformance_fix(c,
                            "SET GLOBAL %s = ON, then restart its receiver while its applier runs",
                            conformance_spelled(rows, enabled_old, enabled_new));
        }
    }
    rows->node = primary;
    if (outside < view->config->acks) {
        struct conformance *c = conformance_add(rows, ROW_FEW_ACKERS);
        conformance_detail(c, "%u servers stand outside the primary's zone, %u must acknowledge",
                           outside, view->config->acks);
        conformance_fix(c, "add a replica in another zone, or set durability.mode = \"bounded\"");
    }
}

static void check_strangers(struct conformance_rows *rows)
{
    const char *stranger = cluster_stranger(rows->view);
    if (stranger == NULL)
        return;
    struct conformance *c = conformance_add(rows, ROW_STRANGERS);
    conformance_detail(c, "a binlog dump thread from %.60s belongs to no server of the inventory",
                       stranger);
    conformance_fix(
        c, "add that server to the configuration, under this address, or stop it; let only our "
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

static void check_versions(struct conformance_rows *rows)
{
    const struct cluster_view *view = rows->view;
    const char *mine = view->nodes[rows->node].facts.version;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        const char *other = view->nodes[i].facts.version;
        if (mine[0] == '\0' || other[0] == '\0' || same_series(mine, other))
            continue;
        struct conformance *c = conformance_add(rows, ROW_VERSIONS);
        if (c != NULL)
            c->verdict.node = i;
        conformance_detail(c, "version %.40s, the primary runs %.40s", other, mine);
        conformance_fix(c, "bring the servers to one series; replicas first, the primary last");
    }
}

/* Of the primary: accounts are replicated. "user@host (SUPER, BINLOG ADMIN) and 2 more" */
static void check_passes(struct conformance_rows *rows, const char *who)
{
    const char *open = strstr(who, " ("), *close = strchr(who, ')'), *at = strrchr(who, '@');
    struct conformance *c = conformance_add(rows, ROW_PASSES_READ_ONLY);
    conformance_detail(c, "%.120s", who);
    if (open == NULL || close == NULL || at == NULL || close < open || open < at)
        conformance_fix(c, "as root: SELECT * FROM mainstay.privileged; REVOKE what it shows");
    else
        conformance_fix(c,
                        "as root: REVOKE %.*s ON *.* FROM '%.*s'@'%.*s'; so for each of SELECT * "
                        "FROM mainstay.privileged",
                        (int)(close - open - 2), open + 2, (int)(at - who), who,
                        (int)(open - at - 1), at + 1);
}

static void check_may_replicate(struct conformance_rows *rows, const char *who)
{
    const char *at = strchr(who, '@');
    size_t length = strcspn(who, " ");
    struct conformance *c = conformance_add(rows, ROW_MAY_REPLICATE);
    conformance_detail(c, "%.100s may replicate", who);
    if (at == NULL || (size_t)(at - who) > length)
        conformance_fix(c, "as root: SELECT * FROM mainstay.privileged; REVOKE what it shows");
    else
        conformance_fix(c,
                        "as root: REVOKE REPLICATION SLAVE ON *.* FROM '%.*s'@'%.*s'; so for each "
                        "of SELECT * FROM mainstay.privileged",
                        (int)(at - who), who, (int)(who + length - at - 1), at + 1);
}

static void check_powers(struct conformance_rows *rows, const struct server_facts *facts)
{
    if (facts->passes_read_only[0] != '\0')
        check_passes(rows, facts->passes_read_only);
    if (facts->may_replicate[0] != '\0')
        check_may_replicate(rows, facts->may_replicate);
}

void conformance_check_primary(struct conformance_rows *rows)
{
    check_powers(rows, &rows->view->nodes[rows->node].facts);
    const struct cluster_view *view = rows->view;
    if (view->record.mode == MODE_LOSSLESS)
        check_source_role(rows, &view->nodes[rows->node].facts);
    if (view->config->mode == MODE_LOSSLESS)
        check_ackers(rows);
    check_strangers(rows);
    check_versions(rows);
}
