/* What each of our accounts needs (deploy/grants says the same as SQL), against SHOW GRANTS. */
#include "probes/read_mysql.h"

#include <ctype.h>
#include <strings.h>

enum scope { SCOPE_GLOBAL, SCOPE_SCHEMA, SCOPE_HEARTBEAT, SCOPE_PERFORMANCE };

/* What an account cannot do without it, where it can do all else: the text in between. */
#define ALWAYS NULL

struct need {
    enum engine engine; /* ENGINE_NONE: both */
    enum mysql_account_kind kind;
    enum scope scope; /* the widest place it may be granted for less is not looked at */
    const char *privilege;
    const char *only_for; /* ALWAYS, MISSING_RANK, MISSING_ERRANT; in this order per account */
};

static const struct need needs[] = {
    {ENGINE_NONE, ACCOUNT_OF_MONITOR, SCOPE_GLOBAL, "PROCESS", ALWAYS},
    {ENGINE_MARIADB, ACCOUNT_OF_MONITOR, SCOPE_GLOBAL, "SLAVE MONITOR", ALWAYS},
    {ENGINE_MARIADB, ACCOUNT_OF_MONITOR, SCOPE_GLOBAL, "BINLOG MONITOR", ALWAYS},
    {ENGINE_MYSQL, ACCOUNT_OF_MONITOR, SCOPE_GLOBAL, "REPLICATION CLIENT", ALWAYS},
    {ENGINE_NONE, ACCOUNT_OF_MONITOR, SCOPE_SCHEMA, "SELECT", ALWAYS},
    {ENGINE_MYSQL, ACCOUNT_OF_MONITOR, SCOPE_PERFORMANCE, "SELECT", ALWAYS},
    {ENGINE_NONE, ACCOUNT_OF_CANARY, SCOPE_HEARTBEAT, "SELECT", ALWAYS},
    {ENGINE_NONE, ACCOUNT_OF_CANARY, SCOPE_HEARTBEAT, "INSERT", ALWAYS},
    {ENGINE_NONE, ACCOUNT_OF_CANARY, SCOPE_HEARTBEAT, "UPDATE", ALWAYS},
    {ENGINE_NONE, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "PROCESS", ALWAYS},
    {ENGINE_NONE, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "RELOAD", ALWAYS},
    {ENGINE_MARIADB, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "REPLICATION SLAVE ADMIN", ALWAYS},
    {ENGINE_MARIADB, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "REPLICATION MASTER ADMIN", ALWAYS},
    {ENGINE_MARIADB, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "BINLOG ADMIN", ALWAYS},
    {ENGINE_MARIADB, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "BINLOG REPLAY", ALWAYS},
    {ENGINE_MARIADB, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "READ_ONLY ADMIN", ALWAYS},
    {ENGINE_MARIADB, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "CONNECTION ADMIN", ALWAYS},
    {ENGINE_MARIADB, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "SLAVE MONITOR", ALWAYS},
    {ENGINE_MARIADB, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "BINLOG MONITOR", ALWAYS},
    {ENGINE_MYSQL, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "REPLICATION CLIENT", ALWAYS},
    {ENGINE_MYSQL, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "REPLICATION_SLAVE_ADMIN", ALWAYS},
    {ENGINE_MYSQL, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "SYSTEM_VARIABLES_ADMIN", ALWAYS},
    {ENGINE_MYSQL, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "CONNECTION_ADMIN", ALWAYS},
    {ENGINE_NONE, ACCOUNT_OF_OPERATE, SCOPE_SCHEMA, "SELECT", ALWAYS},
    {ENGINE_NONE, ACCOUNT_OF_OPERATE, SCOPE_SCHEMA, "CREATE", ALWAYS},
    {ENGINE_MYSQL, ACCOUNT_OF_OPERATE, SCOPE_PERFORMANCE, "SELECT", ALWAYS},
    {ENGINE_MYSQL, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "SYSTEM_USER", MISSING_RANK},
    {ENGINE_MYSQL, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "BINLOG_ADMIN", MISSING_ERRANT},
    {ENGINE_NONE, ACCOUNT_OF_OPERATE, SCOPE_SCHEMA, "INSERT", MISSING_ERRANT},
    {ENGINE_NONE, ACCOUNT_OF_OPERATE, SCOPE_SCHEMA, "DROP", MISSING_ERRANT},
    {ENGINE_NONE, ACCOUNT_OF_OPERATE, SCOPE_GLOBAL, "SELECT", MISSING_ERRANT},
    {ENGINE_NONE, ACCOUNT_OF_REPLICATE, SCOPE_GLOBAL, "REPLICATION SLAVE", ALWAYS},
};

static const char *const scope_texts[] = {"*.*", "mainstay.*", "mainstay.heartbeat",
                                          "performance_schema.*"};

static bool covers(enum scope granted, enum scope need)
{
    return granted == SCOPE_GLOBAL || granted == need ||
           (granted == SCOPE_SCHEMA && need == SCOPE_HEARTBEAT);
}

void mysql_grants_add(struct mysql_grants *g, const char *line)
{
    if (g->count < GRANT_LINES_MAX && line != NULL)
        g->lines[g->count++] = stay_strdup(line);
}

void mysql_grants_clear(struct mysql_grants *g)
{
    for (unsigned i = 0; i < g->count; i++)
        free(g->lines[i]);
    g->count = 0;
}

/* "... ON `mainstay`.`heartbeat` TO ..." as the narrowest scope it covers, or -1. */
static int scope_of(const char *on)
{
    char plain[96];
    size_t n = 0;
    for (on += 4; *on != '\0' && *on != ' ' && n + 1 < sizeof plain; on++)
        if (*on != '`' && *on != '"' && *on != '\\')
            plain[n++] = *on;
    plain[n] = '\0';
    for (int i = 0; i < (int)STAY_COUNT(scope_texts); i++)
        if (strcasecmp(plain, scope_texts[i]) == 0)
            return i;
    return -1;
}

/* Is `privilege` one of the comma-separated words between "GRANT " and `end`? MariaDB shows
 * MONITOR and ADMIN privileges under either of two names. */
static bool lists(const char *line, const char *end, const char *privilege)
{
    size_t length = strlen(privilege);
    for (const char *p = line + 6; p < end;) {
        while (p < end && (*p == ' ' || *p == ','))
            p++;
        const char *stop = p;
        while (stop < end && *stop != ',')
            stop++;
        if ((size_t)(stop - p) == length && strncasecmp(p, privilege, length) == 0)
            return true;
        p = stop;
    }
    return false;
}

static bool grants(const char *line, const struct need *need)
{
    static const char *const same[][2] = {{"SLAVE MONITOR", "REPLICA MONITOR"},
                                          {"REPLICATION SLAVE ADMIN", "REPLICATION REPLICA ADMIN"},
                                          {"BINLOG MONITOR", "REPLICATION CLIENT"},
                                          {"READ_ONLY ADMIN", "READ ONLY ADMIN"},
                                          {"REPLICATION SLAVE", "REPLICATION REPLICA"}};
    const char *on = strstr(line, " ON ");
    if (strncasecmp(line, "GRANT ", 6) != 0 || on == NULL)
        return false;
    int scope = scope_of(on);
    if (scope < 0 || !covers((enum scope)scope, need->scope))
        return false;
    if (lists(line, on, "ALL PRIVILEGES") || lists(line, on, need->privilege))
        return true;
    for (size_t i = 0; i < STAY_COUNT(same); i++)
        for (int side = 0; side < 2; side++)
            if (strcmp(need->privilege, same[i][side]) == 0 && lists(line, on, same[i][1 - side]))
                return true;
    return false;
}

/* The account as the server writes it in " TO `user`@`host`", in quotes a person types; the plain
 * user when no line says. */
static void account_of(const struct mysql_grants *g, const char *user, char *ret_text, size_t size)
{
    const char *to = g->count == 0 ? NULL : strstr(g->lines[0], " TO ");
    size_t n = to == NULL ? 0 : strcspn(to + 4, " ");
    (void)snprintf(ret_text, size, "%.40s", user);
    if (n == 0 || n >= size || memchr(to + 4, '@', n) == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        ret_text[i] = to[4 + i] == '`' ? '\'' : to[4 + i];
    ret_text[n] = '\0';
}

static bool is_granted(const struct mysql_grants *g, const struct need *need)
{
    for (unsigned l = 0; l < g->count; l++)
        if (grants(g->lines[l], need))
            return true;
    return false;
}

/* Without one, an account statement that waits for an acknowledgement stops every session of ours
 * (see deploy/grants/mysql.sql). */
static bool lacks_role(const struct mysql_grants *g, enum engine engine,
                       enum mysql_account_kind kind)
{
    return engine == ENGINE_MYSQL && g->no_role &&
           (kind == ACCOUNT_OF_MONITOR || kind == ACCOUNT_OF_OPERATE);
}

bool mysql_grants_check(const struct mysql_grants *g, enum engine engine,
                        enum mysql_account_kind kind, const char *user, char *ret_text, size_t size)
{
    const struct need *first = NULL;
    unsigned lacks = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < STAY_COUNT(needs); i++) {
        const struct need *need = &needs[i];
        if (need->kind != kind || (need->engine != ENGINE_NONE && need->engine != engine) ||
            is_granted(g, need))
            continue;
        if (first == NULL)
            first = need;
        lacks++;
    }
    bool roleless = lacks_role(g, engine, kind);
    if (first != NULL && !(first->only_for != ALWAYS && roleless)) {
        char account[64], number[24] = "";
        account_of(g, user, account, sizeof account);
        if (lacks > 1)
            (void)snprintf(number, sizeof number, " %u, first", lacks);
        (void)snprintf(ret_text, size, "%.40s lacks%s%s: GRANT %s ON %s TO %s", user, number,
                       first->only_for == ALWAYS ? "" : first->only_for, first->privilege,
                       scope_texts[first->scope], account);
    } else if (roleless) {
        (void)snprintf(ret_text, size, "%.40s " MISSING_ROLE, user);
    }
    return ret_text[0] == '\0';
}

bool mysql_grants_is_optional(const char *missing)
{
    return strstr(missing, MISSING_ERRANT) != NULL || strstr(missing, MISSING_RANK) != NULL;
}
