/* controller/decide/verdict_conformance.c - settings that spoil a promise (500s): the table, how a
 * row is written, and which are asked for. Each has the value seen and the statement or file line
 * that mends it. */
#include "controller/decide/verdict_conformance_private.h"
#include <stdarg.h>

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

struct conformance *conformance_add(struct conformance_rows *rows, enum conformance_row row)
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

void conformance_detail(struct conformance *c, const char *fmt, ...)
{
    if (c == NULL)
        return;
    va_list args;
    va_start(args, fmt);
    write_text(c->detail, sizeof c->detail, fmt, args);
    va_end(args);
}

void conformance_fix(struct conformance *c, const char *fmt, ...)
{
    if (c == NULL)
        return;
    va_list args;
    va_start(args, fmt);
    write_text(c->fix, sizeof c->fix, fmt, args);
    va_end(args);
}

void conformance_line(struct conformance *c, const char *fmt, ...)
{
    if (c == NULL)
        return;
    va_list args;
    va_start(args, fmt);
    write_text(c->line, sizeof c->line, fmt, args);
    va_end(args);
}

void conformance_live(struct conformance *c, const char *variable, const char *fmt, ...)
{
    if (c == NULL)
        return;
    va_list args;
    va_start(args, fmt);
    write_text(c->value, sizeof c->value, fmt, args);
    va_end(args);
    (void)stay_copy(c->variable, sizeof c->variable, variable);
}

/* MySQL 8.0.25 and older (a version not read counts as new). */
static bool has_old_names(const char *version)
{
    unsigned major = 0, minor = 0, patch = 0;
    if (sscanf(version, "%3u.%3u.%3u", &major, &minor, &patch) != 3)
        return false;
    return major < 8 || (major == 8 && minor == 0 && patch < 26);
}

bool conformance_is_mysql(const struct conformance_rows *rows)
{
    return rows->view->config->engine == ENGINE_MYSQL;
}

/* The name of a variable as the node's server spells it. */
const char *conformance_spelled(const struct conformance_rows *rows, const char *master_slave,
                                const char *source_replica)
{
    const char *version = rows->view->nodes[rows->node].facts.version;
    return conformance_is_mysql(rows) && !has_old_names(version) ? source_replica : master_slave;
}

const char *conformance_set_keyword(const struct conformance_rows *rows)
{
    return conformance_is_mysql(rows) ? "SET PERSIST" : "SET GLOBAL";
}

const char *conformance_on_off(enum tri value)
{
    return value == TRI_YES ? "ON" : value == TRI_NO ? "OFF" : "unknown";
}

void conformance_want_number(struct conformance_rows *rows, enum conformance_row row,
                             const char *name, uint64_t seen, uint64_t want)
{
    struct conformance *c = conformance_add(rows, row);
    bool by_root = row == ROW_FLUSH_LOG && !conformance_is_mysql(rows); /* it asks for SUPER */
    conformance_detail(c, "%s is %llu", name, (unsigned long long)seen);
    conformance_fix(c, "%s%s %s = %llu;", by_root ? "as root: " : "", conformance_set_keyword(rows),
                    name, (unsigned long long)want);
    conformance_line(c, "%s = %llu", name, (unsigned long long)want);
    if (!by_root)
        conformance_live(c, name, "%llu", (unsigned long long)want);
}

void conformance_want_word(struct conformance_rows *rows, enum conformance_row row,
                           const char *name, const char *seen, const char *want)
{
    struct conformance *c = conformance_add(rows, row);
    conformance_detail(c, "%s is %.40s", name, seen);
    conformance_fix(c, "%s %s = '%s';", conformance_set_keyword(rows), name, want);
    conformance_line(c, "%s = %s", name, want);
    conformance_live(c, name, "'%s'", want);
}

void conformance_want_file_line(struct conformance_rows *rows, enum conformance_row row,
                                const char *name, const char *seen, const char *want)
{
    struct conformance *c = conformance_add(rows, row);
    conformance_detail(c, "%s is %s", name, seen);
    conformance_fix(c, "write the line below into its option file and restart it");
    conformance_line(c, "%s = %s", name, want);
}

const char *const *verdict_conformance_blind(const struct cluster_config *config, size_t *ret_count)
{
    static const char *const mariadb[] = {"skip_slave_start = ON", "init_rpl_role = SLAVE"};
    bool is_blind = config->engine == ENGINE_MARIADB && config->mode == MODE_LOSSLESS;
    *ret_count = is_blind ? STAY_COUNT(mariadb) : 0;
    return is_blind ? mariadb : NULL;
}

static void check_node(struct conformance_rows *rows)
{
    conformance_check_server(rows);
    conformance_check_identity(rows);
}

size_t verdict_conformance_node(const struct cluster_view *view, uint32_t node,
                                struct conformance *ret_rows, size_t max)
{
    struct conformance_rows rows = {.view = view, .v = ret_rows, .max = max, .node = node};
    check_node(&rows);
    return rows.n;
}

/* Waiting for acknowledgements that nobody is there to give. */
static bool would_block(const struct cluster_view *view, const struct conformance *row)
{
    uint16_t id = row->verdict.rule_id;
    bool waits = id == conformance_rules[ROW_TIMEOUT].id ||
                 id == conformance_rules[ROW_WAIT_COUNT].id ||
                 id == conformance_rules[ROW_WAIT_ALONE].id;
    return waits && view->nodes[row->verdict.node].facts.ss_clients < view->config->acks;
}

/* What the primary needs of the others comes last. */
static void check_primary(struct conformance_rows *rows)
{
    const struct cluster_view *view = rows->view;
    rows->node = view->primary;
    if (view->primary != NO_NODE && (view->nodes[view->primary].groups_known & FACTS_STATUS))
        conformance_check_primary(rows);
    for (size_t i = 0; i < rows->n && i < rows->max; i++)
        if (would_block(view, &rows->v[i]))
            rows->v[i].variable[0] = '\0';
}

size_t verdict_conformance(const struct cluster_view *view, int64_t now_mono_us,
                           struct conformance *ret_rows, size_t max)
{
    (void)now_mono_us; /* settings hold until they are read anew */
    struct conformance_rows rows = {.view = view, .v = ret_rows, .max = max};
    for (rows.node = 0; rows.node < view->config->node_count; rows.node++)
        check_node(&rows);
    check_primary(&rows);
    return rows.n;
}

size_t verdict_conformance_live(const struct cluster_view *view, uint32_t node, char *dst,
                                size_t size)
{
    enum { ROWS_MAX = 64 + 6 * NODES_MAX }; /* of one server, and of each pair it is in */
    struct conformance *v = stay_calloc(ROWS_MAX, sizeof *v);
    struct conformance_rows rows = {.view = view, .v = v, .max = ROWS_MAX, .node = node};
    size_t count = 0, used = 0;
    check_node(&rows);
    check_primary(&rows);
    must(rows.n <= ROWS_MAX);
    dst[0] = '\0';
    for (size_t i = 0; i < rows.n; i++) {
        char one[80];
        if (v[i].verdict.node != node || v[i].variable[0] == '\0')
            continue;
        int length =
            snprintf(one, sizeof one, "%s%s = %s", used > 0 ? "; " : "", v[i].variable, v[i].value);
        if (used + (size_t)length >= size)
            break;
        memcpy(dst + used, one, (size_t)length + 1);
        used += (size_t)length;
        count++;
    }
    free(v);
    return count;
}
