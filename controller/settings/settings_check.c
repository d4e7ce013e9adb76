/* Rules over several options: duplicates, promises that cannot hold, accounts a mode needs. */
#include "controller/settings/settings_private.h"

struct check {
    struct settings_reader *reader;
    const struct settings_cluster *cluster;
    const config_setting_t *at; /* the cluster's group */
    char shown[32];             /* "clusters[0]" */
};

/* The line of an option below the cluster, or of the cluster when it is not written. */
static const config_setting_t *line_of(const struct check *c, const char *path)
{
    const config_setting_t *s = c->at;
    char part[64];
    for (const char *rest = path; s != NULL && *rest != '\0';) {
        size_t n = strcspn(rest, ".");
        snprintf(part, sizeof part, "%.*s", (int)n, rest);
        const config_setting_t *child =
            config_setting_is_group(s) ? config_setting_get_member(s, part) : NULL;
        if (child == NULL)
            return s;
        s = child;
        rest += n + (rest[n] == '.');
    }
    return s;
}

static const config_setting_t *line_of_node(const struct check *c, uint32_t node)
{
    const config_setting_t *nodes = config_setting_get_member(c->at, "nodes");
    return nodes == NULL ? c->at : config_setting_get_elem(nodes, node);
}

#define CHECK_ERROR(c, path, ...)                                                                  \
    do {                                                                                           \
        char shown_[SETTINGS_SHOWN_MAX];                                                           \
        snprintf(shown_, sizeof shown_, "%s.%s", (c)->shown, path);                                \
        settings_note_error((c)->reader, line_of(c, path), shown_, __VA_ARGS__);                   \
    } while (0)
#define CHECK_WARNING(c, path, ...)                                                                \
    do {                                                                                           \
        char shown_[SETTINGS_SHOWN_MAX];                                                           \
        snprintf(shown_, sizeof shown_, "%s.%s", (c)->shown, path);                                \
        settings_note_warning((c)->reader, line_of(c, path), shown_, __VA_ARGS__);                 \
    } while (0)

static bool same_address(const struct node_config *a, const struct node_config *b)
{
    return a->host[0] != '\0' && strcmp(a->host, b->host) == 0 && a->port == b->port;
}

static void check_nodes(const struct check *c)
{
    const struct cluster_config *config = &c->cluster->config;
    uint32_t promotable = 0;
    for (uint32_t i = 0; i < config->node_count; i++) {
        const struct node_config *node = &config->nodes[i];
        char shown[SETTINGS_SHOWN_MAX];
        snprintf(shown, sizeof shown, "%s.nodes[%u]", c->shown, i);
        promotable += node->promote != PROMOTE_NEVER;
        if (!names_is_number(node->host))
            settings_note_error(c->reader, line_of_node(c, i), shown,
                                "address \"%s\" is a name: write its IP address, for nobody "
                                "resolves names while a cluster fails over, and a primary tells "
                                "its replicas by number",
                                node->host);
        for (uint32_t j = 0; j < i; j++) {
            const struct node_config *other = &config->nodes[j];
            if (node->name[0] != '\0' && strcmp(node->name, other->name) == 0)
                settings_note_error(c->reader, line_of_node(c, i), shown,
                                    "name \"%s\" is already taken by node %u of this cluster",
                                    node->name, j);
            if (same_address(node, other))
                settings_note_error(c->reader, line_of_node(c, i), shown,
                                    "address %s:%u is already that of node \"%s\"", node->host,
                                    node->port, other->name);
        }
    }
    if (config->node_count > 0 && promotable == 0)
        CHECK_ERROR(c, "nodes", "every node says promote = \"never\": no server could be primary");
    else if (promotable == 1)
        CHECK_WARNING(c, "nodes", "only one node may be promoted: its death cannot be repaired");
}

static void check_durability(const struct check *c)
{
    const struct cluster_config *config = &c->cluster->config;
    bool zones = false;
    for (uint32_t i = 1; i < config->node_count; i++)
        zones |= strcmp(config->nodes[i].zone, config->nodes[0].zone) != 0;
    if (config->engine == ENGINE_MARIADB && config->acks != 1)
        CHECK_ERROR(c, "durability.acks",
                    "MariaDB waits for one acknowledgement; write 1, found %u", config->acks);
    else if (config->mode == MODE_LOSSLESS && config->acks >= config->node_count &&
             config->node_count > 1)
        CHECK_ERROR(c, "durability.acks", "%u acknowledgements need %u replicas, there are %u",
                    config->acks, config->acks, config->node_count - 1);
    if (config->mode == MODE_LOSSLESS && !zones && config->node_count > 0)
        CHECK_WARNING(c, "durability.mode",
                      "lossless cannot stand: all nodes are in zone \"%s\", and only a server in "
                      "another zone counts as an acker",
                      config->nodes[0].zone);
    if (config->mode == MODE_LOSSLESS && config->accept == ACCEPT_BOUNDED)
        CHECK_WARNING(c, "failover.accept",
                      "\"bounded\" weakens lossless: a failover may lose acknowledged commits "
                      "within objectives");
    if (config->mode == MODE_LOSSLESS && config->without_acker == WITHOUT_ACKER_BLOCK &&
        config->node_count < 3)
        CHECK_WARNING(c, "durability.without_acker",
                      "\"block\" with %u nodes: writes stop whenever the one replica is down",
                      config->node_count);
}

static void check_accounts(const struct check *c)
{
    for (int i = 0; i < ACCOUNT_COUNT; i++) {
        const struct settings_account *account = &c->cluster->accounts[i];
        char path[40];
        snprintf(path, sizeof path, "accounts.%s",
                 settings_account_name((enum settings_account_id)i));
        bool needed = i == ACCOUNT_CANARY || i == ACCOUNT_OPERATE || i == ACCOUNT_REPLICATE;
        if (account->user[0] != '\0' && !account->password.is_set)
            CHECK_ERROR(c, path,
                        "has a user but no password; write password = { file = \"/PATH\"; }");
        else if (account->user[0] == '\0' && account->password.is_set)
            CHECK_ERROR(c, path, "has a password but no user");
        else if (needed && account->user[0] == '\0' &&
                 c->cluster->config.failover != FAILOVER_OBSERVE)
            CHECK_ERROR(c, path,
                        "is missing: acting needs it (deploy/grants creates it); without "
                        "it write failover.mode = \"observe\"");
    }
}

static void check_tls(const struct check *c)
{
    const struct settings_tls *tls = &c->cluster->tls;
    if (tls->required && tls->ca[0] == '\0')
        CHECK_ERROR(c, "tls.required", "needs tls.ca: without it nobody knows whom we talk to");
    if ((tls->cert[0] == '\0') != (tls->key[0] == '\0'))
        CHECK_ERROR(c, tls->cert[0] == '\0' ? "tls.key" : "tls.cert",
                    "cert and key belong together: write both or none");
}

static void check_detection(const struct check *c)
{
    const struct cluster_config *config = &c->cluster->config;
    if (config->suspicion_interval_us > config->probe_interval_us)
        CHECK_ERROR(c, "detection.suspicion",
                    "is longer than detection.interval: suspicion must ask more often, not less");
    if (config->silence_us < config->layer_deadline_us)
        CHECK_ERROR(c, "detection.silence",
                    "is shorter than detection.deadline: one slow answer would count as death");
}

static void check_hooks(const struct check *c)
{
    const config_setting_t *hooks = config_setting_get_member(c->at, "hooks");
    for (uint32_t i = 0; i < c->cluster->hook_count; i++) {
        const struct settings_hook *hook = &c->cluster->hooks[i];
        char shown[SETTINGS_SHOWN_MAX];
        snprintf(shown, sizeof shown, "%s.hooks[%u]", c->shown, i);
        if (hook->may_veto &&
            (hook->when == HOOK_POST_FAILOVER || hook->when == HOOK_POST_SWITCHOVER))
            settings_note_error(c->reader, config_setting_get_elem(hooks, i), shown,
                                "may_veto on a %s hook: what is done cannot be vetoed",
                                settings_hook_when_text((enum settings_hook_when)hook->when));
    }
}

static void check_against_others(const struct check *c, uint32_t index)
{
    const struct settings *settings = c->reader->settings;
    const struct cluster_config *config = &c->cluster->config;
    for (uint32_t o = 0; o < index; o++) {
        const struct cluster_config *other = &settings->clusters[o].config;
        if (config->name[0] != '\0' && strcmp(config->name, other->name) == 0)
            CHECK_ERROR(c, "name", "\"%s\" is already the name of cluster %u", config->name, o);
        for (uint32_t i = 0; i < config->node_count; i++)
            for (uint32_t j = 0; j < other->node_count; j++)
                if (same_address(&config->nodes[i], &other->nodes[j]))
                    CHECK_ERROR(c, "nodes",
                                "%s:%u is also in cluster \"%s\": a server belongs to one",
                                config->nodes[i].host, config->nodes[i].port, other->name);
    }
}

static void check_controller(struct settings_reader *r, const config_setting_t *root)
{
    struct settings *settings = r->settings;
    const config_setting_t *at = config_setting_get_member(root, "controller");
    static const char sqlite[] = "sqlite:";
    if (at != NULL && config_setting_is_group(at) && config_setting_get_member(at, "state") != NULL)
        at = config_setting_get_member(at, "state");
    if (strncmp(settings->state, "etcd:", 5) == 0)
        settings_note_error(r, at == NULL ? root : at, "controller.state",
                            "etcd is not built yet; write \"sqlite:/var/lib/mainstay/state.db\"");
    else if (strncmp(settings->state, sqlite, sizeof sqlite - 1) != 0 ||
             settings->state[sizeof sqlite - 1] != '/')
        settings_note_error(
            r, at == NULL ? root : at, "controller.state",
            "\"%.80s\" is not possible; write sqlite: and an absolute path, such as "
            "\"sqlite:/var/lib/mainstay/state.db\"",
            settings->state);
    else
        (void)stay_copy(settings->state_path, sizeof settings->state_path,
                        settings->state + sizeof sqlite - 1);
    if (strlen(settings->socket) > 107)
        settings_note_error(r, root, "controller.socket",
                            "is longer than 107 characters, the most a unix socket may have");
}

static void check_repositories(struct settings_reader *r, const config_setting_t *root)
{
    const struct settings *settings = r->settings;
    const config_setting_t *list = config_setting_get_member(root, "repositories");
    for (uint32_t i = 0; i < settings->repository_count; i++) {
        const struct settings_repository *repo = &settings->repositories[i];
        const config_setting_t *at = config_setting_get_elem(list, i);
        char shown[SETTINGS_SHOWN_MAX];
        snprintf(shown, sizeof shown, "repositories[%u]", i);
        if (strncmp(repo->url, "s3:", 3) == 0)
            settings_note_error(r, at, shown, "url \"%.80s\": a repository in S3 is not built yet",
                                repo->url);
        else if (repo->url[0] != '\0' && strncmp(repo->url, "file:///", 8) != 0)
            settings_note_error(r, at, shown, "url \"%.80s\": write file:///path", repo->url);
        for (uint32_t j = 0; j < i; j++) {
            const struct settings_repository *other = &settings->repositories[j];
            if (repo->name[0] != '\0' && strcmp(repo->name, other->name) == 0)
                settings_note_error(r, at, shown, "name \"%s\" is already taken by repository %u",
                                    repo->name, j);
            else if (repo->url[0] != '\0' && strcmp(repo->url, other->url) == 0)
                settings_note_error(r, at, shown, "url is already that of repository \"%s\"",
                                    other->name);
        }
    }
}

/* What has no constant default: accept follows the mode, and every cluster knows our zone. */
static void complete(struct settings *settings, struct settings_cluster *cluster,
                     const config_setting_t *at)
{
    const config_setting_t *failover = config_setting_get_member(at, "failover");
    bool written = failover != NULL && config_setting_is_group(failover) &&
                   config_setting_get_member(failover, "accept") != NULL;
    if (!written)
        cluster->config.accept =
            cluster->config.mode == MODE_BOUNDED ? ACCEPT_BOUNDED : ACCEPT_LOSSLESS;
    cluster->config.reseed_by_command = cluster->reseed.command_argc > 0;
    (void)stay_copy(cluster->config.controller_zone, sizeof cluster->config.controller_zone,
                    settings->zone);
}

void settings_check_all(struct settings_reader *reader, const config_setting_t *root)
{
    const config_setting_t *clusters = config_setting_get_member(root, "clusters");
    check_controller(reader, root);
    check_repositories(reader, root);
    for (uint32_t i = 0; i < reader->settings->cluster_count; i++) {
        struct settings_cluster *cluster = &reader->settings->clusters[i];
        struct check c = {
            .reader = reader, .cluster = cluster, .at = config_setting_get_elem(clusters, i)};
        if (!config_setting_is_group(c.at))
            continue;
        snprintf(c.shown, sizeof c.shown, "clusters[%u]", i);
        complete(reader->settings, cluster, c.at);
        if (cluster->config.engine == ENGINE_MONGODB) {
            CHECK_ERROR(&c, "engine", "\"mongodb\" is not built yet; mariadb and mysql are");
            continue;
        }
        check_nodes(&c);
        check_durability(&c);
        check_accounts(&c);
        check_tls(&c);
        check_detection(&c);
        check_hooks(&c);
        check_against_others(&c, i);
    }
}
