/* tests/unit/controller/decide/case_config.h - the configured half of a case view: its settings and
 * node lines, and the words other lines share. See case_view.h. */
#ifndef TESTS_CASE_CONFIG_H
#define TESTS_CASE_CONFIG_H
#include "controller/decide/cluster.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define CASE_NOW  (1000 * STAY_SECOND)
#define CASE_WALL (INT64_C(1700000000) * STAY_SECOND)

struct case_view {
    struct cluster_config config;
    struct cluster_view view;
    char command[200]; /* the last line that is none of the above */
};

static uint32_t case_node(const struct case_view *c, const char *name)
{
    uint32_t node = name == NULL ? NO_NODE : cluster_node_by_name(&c->config, name);
    if (node == NO_NODE)
        fail_msg("case: no node %s", name == NULL ? "(none)" : name);
    return node;
}

static uint32_t case_mask(const struct case_view *c, const char *list)
{
    char text[200];
    uint32_t mask = 0;
    char *rest = text;
    (void)stay_copy(text, sizeof text, list);
    for (char *name; (name = strsep(&rest, ",")) != NULL;)
        if (strcmp(name, "-") != 0)
            mask |= UINT32_C(1) << case_node(c, name);
    return mask;
}

static void case_gtids(const struct case_view *c, const char *text, struct gtid_set *set)
{
    enum gtid_flavor flavor = c->config.engine == ENGINE_MYSQL ? GTID_MYSQL : GTID_MARIADB;
    struct stay_error err = {0};
    if (gtid_set_parse(flavor, strcmp(text, "-") == 0 ? "" : text, set, &err) != STAY_OK)
        fail_msg("case: %s: %s", text, err.text);
}

static void case_add_node(struct case_view *c, char **words, int count)
{
    uint32_t node = c->config.node_count++;
    struct node_config *n = &c->config.nodes[node];
    (void)stay_copy(n->name, sizeof n->name, words[1]);
    (void)snprintf(n->host, sizeof n->host, "10.0.0.%u", node + 1);
    n->port = 3306;
    for (int i = 2; i + 1 < count; i += 2) {
        if (strcmp(words[i], "zone") == 0)
            (void)stay_copy(n->zone, sizeof n->zone, words[i + 1]);
        else if (strcmp(words[i], "promote") == 0)
            n->promote = strcmp(words[i + 1], "prefer") == 0  ? PROMOTE_PREFER
                         : strcmp(words[i + 1], "avoid") == 0 ? PROMOTE_AVOID
                         : strcmp(words[i + 1], "never") == 0 ? PROMOTE_NEVER
                                                              : PROMOTE_NEUTRAL;
    }
}

static enum durability_mode case_mode(const char *text)
{
    return strcmp(text, "lossless") == 0  ? MODE_LOSSLESS
           : strcmp(text, "bounded") == 0 ? MODE_BOUNDED
                                          : MODE_UNSAFE;
}

static void case_setting(struct case_view *c, const char *key, const char *value)
{
    if (strcmp(key, "engine") == 0)
        c->config.engine = strcmp(value, "mysql") == 0 ? ENGINE_MYSQL : ENGINE_MARIADB;
    else if (strcmp(key, "mode") == 0)
        c->config.mode = case_mode(value);
    else if (strcmp(key, "acks") == 0)
        c->config.acks = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(key, "without_acker") == 0)
        c->config.without_acker =
            strcmp(value, "block") == 0 ? WITHOUT_ACKER_BLOCK : WITHOUT_ACKER_DEGRADE;
    else if (strcmp(key, "accept") == 0)
        c->config.accept = strcmp(value, "bounded") == 0 ? ACCEPT_BOUNDED : ACCEPT_LOSSLESS;
    else if (strcmp(key, "controller_zone") == 0)
        (void)stay_copy(c->config.controller_zone, sizeof c->config.controller_zone, value);
    else if (strcmp(key, "failover") == 0)
        c->config.failover = strcmp(value, "confirm") == 0 ? FAILOVER_CONFIRM : FAILOVER_OBSERVE;
    else
        fail_msg("case: unknown line %s", key);
}

#endif
