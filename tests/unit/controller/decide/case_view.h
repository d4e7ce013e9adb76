/* tests/unit/controller/decide/case_view.h - a cluster view out of a few lines of text, for golden
 * cases and executor tests.
 *
 *   engine mariadb     mode lossless (wanted)     acks 1     without_acker block     accept bounded
 *   node db1 zone a promote prefer
 *   record primary db1 mode lossless stands ackers db2,db3 epoch 7 quarantine db4
 *   fact db2 executed 0-1-100 received 0-1-100 source db1 lag 2 applier no uptime 50
 *        version 10.11.6
 *   silent db1 (no answer for a minute)     refused db1     unread db1 (never answered)
 *   evacuated ZONE
 *
 * Every node starts read-only, fresh, its applier running, replicating from the primary. */
#ifndef TESTS_CASE_VIEW_H
#define TESTS_CASE_VIEW_H
#include "controller/decide/evacuation.h"
#include "tests/unit/controller/decide/case_fact.h"

static void case_fresh(struct case_view *c, uint32_t node)
{
    struct node_view *n = &c->view.nodes[node];
    n->groups_known = FACTS_STATUS | FACTS_SLOW;
    n->facts_begun_mono_us = n->facts_mono_us = CASE_NOW - 100 * STAY_MS;
    n->slow_mono_us = n->answered_mono_us = n->query_ok_mono_us = n->facts_mono_us;
    n->advanced_mono_us = n->ss_progress_mono_us = n->facts_mono_us;
    n->facts.read_only = n->facts.super_read_only = TRI_YES;
    n->facts.uptime_s = 5000;
    n->facts.applier = TRI_YES;
    n->facts.receiver = RECEIVER_RUNNING;
    n->facts.ss_source_enabled = TRI_NO;
    n->facts.log_bin = n->facts.log_updates = TRI_YES;
    n->facts.filters = TRI_NO;
    n->facts.server_id = node + 1;
    n->facts.connections = 20;
    n->facts.max_connections = 151;
    n->facts.binlog_bytes = 5000 * 1000;
    n->facts.canary_wall_us = CASE_WALL - STAY_SECOND;
    (void)stay_copy(n->facts.version, sizeof n->facts.version, "10.11.6-MariaDB");
}

/* First words that need the nodes: the view is made here. */
static void case_record(struct case_view *c, char **words, int count)
{
    struct cluster_record record = {.version = 41, .epoch = 7, .adopted = true};
    cluster_init(&c->view, &c->config);
    c->view.store_ok = true;
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : "";
        if (strcmp(words[i], "primary") == 0)
            (void)stay_copy(record.primary, sizeof record.primary, value);
        else if (strcmp(words[i], "mode") == 0)
            record.mode = case_mode(value);
        else if (strcmp(words[i], "ackers") == 0)
            record.ackers = case_mask(c, value);
        else if (strcmp(words[i], "epoch") == 0)
            record.epoch = strtoull(value, NULL, 10);
        else if (strcmp(words[i], "quarantine") == 0)
            record.quarantine[case_node(c, value)] = QUARANTINE_DIVERGED;
        else if (strcmp(words[i], "reseeding") == 0)
            record.quarantine[case_node(c, value)] = QUARANTINE_RESEED;
        else if (strcmp(words[i], "set_aside") == 0)
            record.quarantine[case_node(c, value)] = QUARANTINE_OPERATOR;
        else if (strcmp(words[i], "twins") == 0)
            record.twins = case_mask(c, value);
        else if (strcmp(words[i], "stands") == 0)
            record.lossless_stands = true;
        else if (strcmp(words[i], "observed") == 0)
            record.adopted = false;
    }
    cluster_set_record(&c->view, &record);
    for (uint32_t node = 0; node < c->config.node_count; node++)
        case_fresh(c, node);
    if (c->view.primary == NO_NODE)
        return;
    for (uint32_t node = 0; node < c->config.node_count; node++) {
        struct server_facts *facts = &c->view.nodes[node].facts;
        (void)stay_copy(facts->source_host, sizeof facts->source_host,
                        c->config.nodes[c->view.primary].host);
        facts->source_port = 3306;
    }
    struct server_facts *primary = &c->view.nodes[c->view.primary].facts;
    primary->read_only = primary->super_read_only = TRI_NO;
    primary->receiver = RECEIVER_NONE;
    primary->source_host[0] = '\0';
    primary->ss_source_enabled = primary->ss_source_on = TRI_YES;
}

static void case_line(struct case_view *c, char *line)
{
    char *words[24];
    int count = 0;
    char whole[200];
    (void)stay_copy(whole, sizeof whole, line);
    for (char *word; count < 24 && (word = strsep(&line, " ")) != NULL;)
        if (*word != '\0')
            words[count++] = word;
    if (count == 0 || words[0][0] == '#')
        return;
    if (strcmp(words[0], "node") == 0)
        case_add_node(c, words, count);
    else if (strcmp(words[0], "record") == 0)
        case_record(c, words, count);
    else if (strcmp(words[0], "fact") == 0)
        case_fact(c, words, count);
    else if (strcmp(words[0], "silent") == 0) {
        struct node_view *n = &c->view.nodes[case_node(c, words[1])];
        n->query_ok_mono_us = n->answered_mono_us = CASE_NOW - 60 * STAY_SECOND;
        n->silent_since_mono_us = CASE_NOW - 59 * STAY_SECOND;
    } else if (strcmp(words[0], "refused") == 0) {
        struct node_view *n = &c->view.nodes[case_node(c, words[1])];
        n->refused_first_mono_us = CASE_NOW - 80 * STAY_MS;
        n->refused_last_mono_us = CASE_NOW;
    } else if (strcmp(words[0], "unread") == 0) {
        struct node_view *n = &c->view.nodes[case_node(c, words[1])];
        n->groups_known = 0;
        n->facts_begun_mono_us = n->facts_mono_us = n->query_ok_mono_us = STAY_NEVER;
    } else if (strcmp(words[0], "evacuated") == 0) {
        c->view.evacuated |= evacuation_nodes(&c->config, words[1]);
    } else if (strcmp(words[0], "plan") == 0 || strcmp(words[0], "run") == 0 ||
               strcmp(words[0], "candidate") == 0 || strcmp(words[0], "lose") == 0)
        (void)stay_copy(c->command, sizeof c->command, whole);
    else
        case_setting(c, words[0], count > 1 ? words[1] : "");
}

/* Takes all lines of `text` (changed). */
static void case_load(struct case_view *c, char *text)
{
    memset(c, 0, sizeof *c);
    cluster_config_defaults(&c->config);
    (void)stay_copy(c->config.name, sizeof c->config.name, "shop");
    c->config.engine = ENGINE_MARIADB;
    c->config.mode = MODE_LOSSLESS;
    c->config.acks = 1;
    for (char *line; (line = strsep(&text, "\n")) != NULL;)
        case_line(c, line);
}

/* As case_load, of a text that stays as it is. */
static inline void case_open(struct case_view *c, const char *text)
{
    STAY_AUTO(stay_free_charp) char *copy = stay_strdup(text);
    case_load(c, copy);
}

static void case_clear(struct case_view *c)
{
    cluster_clear(&c->view);
}

#endif
