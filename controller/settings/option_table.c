/* Every option of mainstay.conf, once. Row order is reading order: a group's row stands before its
 * children. Columns: path, type, flags, where it is kept, default, range, help. */
#include "controller/settings/option.h"
#include "controller/settings/settings.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): member names cannot be in parentheses. */
#define AT(type, field)                                                                            \
    .offset = offsetof(struct type, field), .size = sizeof(((struct type *)0)->field)
#define LIST_OF(type, field, count, max)                                                           \
    .offset = offsetof(struct type, field), .size = sizeof(((struct type *)0)->field[0]),          \
    .count_offset = offsetof(struct type, count), .count_max = (max)
/* NOLINTEND(bugprone-macro-parentheses) */
#define ACCOUNT(name, id, needed, what)                                                            \
    {"clusters.accounts." name, OPTION_GROUP, .help = what},                                       \
        {"clusters.accounts." name ".user", OPTION_NAME, (needed),                                 \
         AT(settings_cluster, accounts[id].user), .help = "user name on the servers"},             \
    {                                                                                              \
        "clusters.accounts." name ".password", OPTION_SECRET, (needed),                            \
            AT(settings_cluster, accounts[id].password), .help = "its password, by reference"      \
    }

#define LATER   OPTION_LATER
#define NEEDED  OPTION_REQUIRED
#define RESTART OPTION_RESTART

static const struct option table[] = {
    {"controller", OPTION_GROUP, .help = "this controller"},
    {"controller.name", OPTION_ID, RESTART, AT(settings, name), .otherwise = "ctl",
     .help = "name of this controller in logs, plans and pages"},
    {"controller.zone", OPTION_ID, NEEDED | RESTART, AT(settings, zone),
     .help = "zone this controller runs in; best one that holds no primary"},
    {"controller.state", OPTION_TEXT, RESTART, AT(settings, state),
     .otherwise = "sqlite:/var/lib/mainstay/state.db",
     .help =
         "where epochs, plans and intents are kept: sqlite:/PATH (etcd:URL,... is not built yet)"},
    {"controller.socket", OPTION_PATH, RESTART, AT(settings, socket),
     .otherwise = "/run/mainstay/mainstay.sock",
     .help = "unix socket for operators on this host; access by file permission"},
    {"controller.runbook", OPTION_PATH, 0, AT(settings, runbook),
     .otherwise = "/var/lib/mainstay/runbook.txt",
     .help = "file kept current with what to type by hand when the controller is down"},
    {"controller.recorder", OPTION_PATH, RESTART, AT(settings, recorder),
     .otherwise = "/var/lib/mainstay/recorder",
     .help = "folder in which the inputs of decisions are kept"},
    {"controller.log_level", OPTION_WORD, 0, AT(settings, log_level), .first_value = 1,
     .otherwise = "info", .range = "error|warning|notice|info|debug", .help = "how much is logged"},
    {"controller.failovers_per_hour", OPTION_NUMBER, 0, AT(settings, failovers_per_hour),
     .otherwise = "3", .range = "0..10000",
     .help = "automatic failovers in any hour over all clusters, then humans decide; 0: no limit"},
    {"controller.reseeds", OPTION_NUMBER, 0, AT(settings, reseeds_max), .otherwise = "2",
     .range = "1..256", .help = "servers reseeded at the same time over all clusters"},
    {"controller.blast_radius", OPTION_NUMBER, 0, AT(settings, blast_radius), .otherwise = "5",
     .range = "0..10000",
     .help =
         "clusters that fail over or want to in ten minutes; more wait for a human; 0: no limit"},
    {"controller.listen", OPTION_LIST, RESTART,
     LIST_OF(settings, listen, listen_count, SETTINGS_LISTENS_MAX),
     .help = "where HTTP is served: role endpoints, health, metrics"},
    {"controller.listen.address", OPTION_LOOPBACK, NEEDED | RESTART, AT(settings_listen, address),
     .help = "loopback address and port, such as 127.0.0.1:8420"},

    {"clusters", OPTION_LIST, NEEDED, .size = sizeof(struct settings_cluster),
     .offset = offsetof(struct settings, clusters),
     .count_offset = offsetof(struct settings, cluster_count), .count_max = SETTINGS_CLUSTERS_MAX,
     .help = "the database clusters to watch"},
    {"clusters.name", OPTION_ID, NEEDED, AT(settings_cluster, config.name),
     .help = "name of the cluster"},
    {"clusters.engine", OPTION_WORD, NEEDED, AT(settings_cluster, config.engine), .first_value = 1,
     .range = "mariadb|mysql|mongodb", .help = "what the servers run (mongodb is not built yet)"},
    {"clusters.nodes", OPTION_LIST, NEEDED,
     LIST_OF(settings_cluster, config.nodes, config.node_count, NODES_MAX),
     .help = "the servers of the cluster, the usual primary first"},
    {"clusters.nodes.name", OPTION_ID, NEEDED, AT(node_config, name), .help = "name of the server"},
    {"clusters.nodes.address", OPTION_SERVER, NEEDED, .offset = 0,
     .size = sizeof(struct node_config),
     .help = "IP address and port as the other servers reach it too; port 3306 unless given"},
    {"clusters.nodes.zone", OPTION_ID, NEEDED, AT(node_config, zone),
     .help = "zone it runs in; only servers in other zones count as ackers"},
    {"clusters.nodes.promote", OPTION_WORD, 0, AT(node_config, promote), .otherwise = "neutral",
     .range = "neutral|prefer|avoid|never",
     .help = "how willingly it becomes primary, among servers that hold the same data"},

    {"clusters.accounts", OPTION_GROUP,
     .help = "accounts on the servers (deploy/grants creates them)"},
    ACCOUNT("monitor", ACCOUNT_MONITOR, NEEDED, "reads state, changes nothing"),
    ACCOUNT("canary", ACCOUNT_CANARY, 0, "writes mainstay.heartbeat each second"),
    ACCOUNT("operate", ACCOUNT_OPERATE, 0, "changes roles"),
    ACCOUNT("replicate", ACCOUNT_REPLICATE, 0, "replicas connect with it"),
    ACCOUNT("backup", ACCOUNT_BACKUP, 0, "takes snapshots"),

    {"clusters.tls", OPTION_GROUP, .help = "TLS to the servers"},
    {"clusters.tls.ca", OPTION_FILE, 0, AT(settings_cluster, tls.ca),
     .help = "certificate authority that signed the servers' certificates"},
    {"clusters.tls.cert", OPTION_FILE, 0, AT(settings_cluster, tls.cert),
     .help = "our certificate, when the servers ask for one; needs key"},
    {"clusters.tls.key", OPTION_FILE, 0, AT(settings_cluster, tls.key), .help = "its private key"},
    {"clusters.tls.required", OPTION_BOOL, 0, AT(settings_cluster, tls.required),
     .otherwise = "false", .help = "refuse to talk to a server without TLS"},
    {"clusters.tls.verify_name", OPTION_BOOL, 0, AT(settings_cluster, tls.verify_name),
     .otherwise = "true",
     .help = "with ca: the certificate must name the node's address (subjectAltName)"},

    {"clusters.durability", OPTION_GROUP, .help = "what an acknowledged commit is worth"},
    {"clusters.durability.mode", OPTION_WORD, 0, AT(settings_cluster, config.mode),
     .first_value = 1, .otherwise = "lossless", .range = "unsafe|bounded|lossless",
     .help =
         "lossless: none is lost with any one zone; bounded: within objectives; unsafe: manual"},
    {"clusters.durability.acks", OPTION_NUMBER, 0, AT(settings_cluster, config.acks),
     .otherwise = "1", .range = "1..8",
     .help = "acknowledgements from other zones a commit waits for (MariaDB: 1)"},
    {"clusters.durability.without_acker", OPTION_WORD, 0,
     AT(settings_cluster, config.without_acker), .otherwise = "degrade", .range = "degrade|block",
     .help = "no acker left: degrade lets writes go on as bounded, block holds them"},

    {"clusters.objectives", OPTION_GROUP, .help = "how much may be lost, how long it may take"},
    {"clusters.objectives.loss_bytes", OPTION_SIZE, 0, AT(settings_cluster, config.loss_bytes_max),
     .otherwise = "160MB", .range = "0B..1TB",
     .help = "bounded: automatic promotion only if the loss is at most this"},
    {"clusters.objectives.loss_time", OPTION_DURATION, 0,
     AT(settings_cluster, config.loss_time_max_us), .otherwise = "10m", .range = "0s..7d",
     .help = "bounded: and not more than this much time"},
    {"clusters.objectives.recovery_time", OPTION_DURATION, 0,
     AT(settings_cluster, config.recovery_time_max_us), .otherwise = "10m", .range = "1s..7d",
     .help = "how long a recovery may take; a longer one that is rehearsed is rule 407"},

    {"clusters.failover", OPTION_GROUP, .help = "what mainstay may do alone"},
    {"clusters.failover.mode", OPTION_WORD, 0, AT(settings_cluster, config.failover),
     .otherwise = "automatic", .range = "automatic|confirm|observe",
     .help = "automatic: acts; confirm: a human starts the plan; observe: watches only"},
    {"clusters.failover.accept", OPTION_WORD, 0, AT(settings_cluster, config.accept),
     .range = "lossless|bounded",
     .help = "weakest certificate that may proceed alone; default: as durability.mode"},
    {"clusters.failover.grace", OPTION_DURATION, 0, AT(settings_cluster, config.grace_us),
     .otherwise = "0s", .range = "0s..10m",
     .help = "a dead primary gets this long to return before a failover begins"},
    {"clusters.failover.cooldown", OPTION_DURATION, 0, AT(settings_cluster, config.cooldown_us),
     .otherwise = "1h", .range = "0s..30d",
     .help = "after an automatic failover none follows for this long (mainstay release ends it)"},

    {"clusters.detection", OPTION_GROUP, .help = "how death is told from silence"},
    {"clusters.detection.interval", OPTION_DURATION, 0,
     AT(settings_cluster, config.probe_interval_us), .otherwise = "500ms", .range = "50ms..1m",
     .help = "every server is asked this often"},
    {"clusters.detection.suspicion", OPTION_DURATION, 0,
     AT(settings_cluster, config.suspicion_interval_us), .otherwise = "100ms", .range = "20ms..10s",
     .help = "and this often while a primary is under suspicion"},
    {"clusters.detection.deadline", OPTION_DURATION, 0,
     AT(settings_cluster, config.layer_deadline_us), .otherwise = "1s", .range = "50ms..1m",
     .help = "each layer of a probe (resolve, connect, tls, login, query) gets this long"},
    {"clusters.detection.refusal_gap", OPTION_DURATION, 0,
     AT(settings_cluster, config.refusal_gap_us), .otherwise = "150ms", .range = "0s..1m",
     .help = "dead: two refused connections at least this far apart"},
    {"clusters.detection.silence", OPTION_DURATION, 0, AT(settings_cluster, config.silence_us),
     .otherwise = "2s", .range = "200ms..10m",
     .help = "dead: no answer on any layer for this long"},
    {"clusters.detection.receiving", OPTION_DURATION, 0, AT(settings_cluster, config.receiving_us),
     .otherwise = "1.5s", .range = "200ms..10m",
     .help = "a replica whose receiver advanced within this still receives"},
    {"clusters.detection.acker_loss", OPTION_DURATION, 0,
     AT(settings_cluster, config.acker_loss_us), .otherwise = "5s", .range = "500ms..1h",
     .help = "no acker for this long: durability.without_acker applies"},

    {"clusters.routes", OPTION_LIST, 0,
     LIST_OF(settings_cluster, routes, route_count, SETTINGS_ROUTES_MAX),
     .help = "how clients reach the primary"},
    {"clusters.routes.type", OPTION_WORD, NEEDED, AT(settings_route, type), .range = "haproxy",
     .help = "what routes; the state of its servers is set, never their address"},
    {"clusters.routes.sockets", OPTION_SOCKETS, NEEDED,
     LIST_OF(settings_route, sockets, socket_count, SETTINGS_PROXIES_MAX),
     .help = "runtime API of every proxy: host:port or /path of a unix socket (level admin)"},
    {"clusters.routes.write", OPTION_NAME, NEEDED, AT(settings_route, write),
     .help = "backend of writers; its servers are named as the nodes"},
    {"clusters.routes.read", OPTION_NAME, 0, AT(settings_route, read),
     .help = "backend of readers"},
    {"clusters.routes.client", OPTION_ADDRESS, 0, AT(settings_route, client),
     .help = "where a client connects: a plan's last check commits one row through it"},
    {"clusters.routes.deadline", OPTION_DURATION, 0, AT(settings_route, deadline_us),
     .otherwise = "200ms", .range = "20ms..10s", .help = "per command and proxy, all in parallel"},
    {"clusters.routes.watch", OPTION_DURATION, 0, AT(settings_route, watch_us), .otherwise = "3s",
     .range = "500ms..10m",
     .help = "how often a proxy is compared with what it should say, and corrected"},

    {"clusters.hooks", OPTION_LIST, 0,
     LIST_OF(settings_cluster, hooks, hook_count, SETTINGS_HOOKS_MAX),
     .help = "programs of yours that a plan runs"},
    {"clusters.hooks.when", OPTION_WORD, NEEDED, AT(settings_hook, when),
     .range = "pre_failover|post_failover|pre_switchover|post_switchover",
     .help = "at which moment"},
    {"clusters.hooks.command", OPTION_ARGV, NEEDED,
     LIST_OF(settings_hook, argv, argc, SETTINGS_ARGV_MAX),
     .help =
         "program and arguments, no shell; JSON on standard input, MAINSTAY_* in the environment"},
    {"clusters.hooks.deadline", OPTION_DURATION, 0, AT(settings_hook, deadline_us),
     .otherwise = "5s", .range = "100ms..9s", .help = "then its process group is killed"},
    {"clusters.hooks.may_veto", OPTION_BOOL, 0, AT(settings_hook, may_veto), .otherwise = "false",
     .help = "pre_ only: a status other than 0 or a missed deadline stops the plan"},

    {"clusters.reseed", OPTION_GROUP,
     .help = "how a server that diverged, broke or lost its data gets another's"},
    {"clusters.reseed.automatic", OPTION_BOOL, 0, AT(settings_cluster, config.reseed_automatic),
     .otherwise = "false",
     .help = "begun without being asked for a server that cannot be attached otherwise"},
    {"clusters.reseed.command", OPTION_ARGV, 0,
     LIST_OF(settings_cluster, reseed.command_argv, reseed.command_argc, SETTINGS_RESEED_MAX),
     .help = "program that replaces a server's data (see mainstay-plans); MySQL needs none: CLONE"},
    {"clusters.reseed.start", OPTION_ARGV, 0,
     LIST_OF(settings_cluster, reseed.start_argv, reseed.start_argc, SETTINGS_ARGV_MAX),
     .help = "MySQL: program that starts a server which ended after CLONE, if nothing else does"},
    {"clusters.reseed.deadline", OPTION_DURATION, 0,
     AT(settings_cluster, config.reseed_deadline_us), .otherwise = "6h", .range = "1m..30d",
     .help = "how long one copy may take"},

    {"clusters.relieve", OPTION_GROUP,
     .help = "what may be done alone about a primary that answers and is sick"},
    {"clusters.relieve.acker_repairs", OPTION_NUMBER, 0,
     AT(settings_cluster, config.acker_repairs_max), .otherwise = "6", .range = "0..1000",
     .help = "123: so often in any hour an acker is made to acknowledge again; 0: never"},
    {"clusters.relieve.stalled", OPTION_WORD, 0, AT(settings_cluster, config.relieve_stalled),
     .otherwise = "alert", .range = "alert|switchover|failover",
     .help = "122: a switchover is tried once in a cooldown (10m at least); failover: that, if it "
             "fails"},
    {"clusters.relieve.stalled_after", OPTION_DURATION, 0,
     AT(settings_cluster, config.relieve_after_us), .otherwise = "30s", .range = "2s..1d",
     .help = "122: how long its writes fail or block before that"},
    {"clusters.relieve.disk", OPTION_WORD, 0, AT(settings_cluster, config.relieve_disk),
     .otherwise = "alert", .range = "alert|switchover",
     .help = "125: switchover goes to a server with room, once in a cooldown"},

    {"clusters.archive", OPTION_GROUP, LATER, .help = "the archive of every change"},
    {"clusters.archive.zone", OPTION_ID, LATER, .help = "zone it is written in"},
    {"clusters.archive.acknowledge", OPTION_BOOL, LATER, .help = "it counts as an acker"},
    {"clusters.archive.spool", OPTION_PATH, LATER, .help = "folder it is written to first"},
    {"clusters.archive.spool_limit", OPTION_SIZE, LATER, .range = "1MB..100TB",
     .help = "and how large that may grow"},
    {"clusters.backup", OPTION_GROUP, LATER, .help = "snapshots and how long they are kept"},
    {"clusters.backup.repository", OPTION_ID, LATER, .help = "one of repositories"},
    {"clusters.backup.snapshot", OPTION_TEXT, LATER, .help = "time of day, such as 02:30 UTC"},
    {"clusters.backup.window", OPTION_DURATION, LATER, .range = "1h..3650d",
     .help = "every moment of this long can be restored"},
    {"clusters.backup.class", OPTION_ID, LATER, .help = "retention class"},
    {"clusters.backup.drill", OPTION_TEXT, LATER, .help = "time of day of the restore drill"},
    {"clusters.tenants", OPTION_LIST, LATER, .count_max = 64, .help = "how tenants are told apart"},
    {"clusters.tenants.match", OPTION_TEXT, LATER | NEEDED,
     .help = "schema:REGEX or db:REGEX with a group named id"},
    {"clusters.replica_set", OPTION_NAME, LATER, .help = "MongoDB: name of the replica set"},

    {"repositories", OPTION_LIST, 0,
     LIST_OF(settings, repositories, repository_count, SETTINGS_REPOSITORIES_MAX),
     .help = "where backups are kept; `mainstay repository` takes their names"},
    {"repositories.name", OPTION_ID, NEEDED, AT(settings_repository, name),
     .help = "name of the repository"},
    {"repositories.zone", OPTION_ID, 0, AT(settings_repository, zone), .help = "zone it is in"},
    {"repositories.url", OPTION_TEXT, NEEDED, AT(settings_repository, url),
     .help = "file:///path (s3://bucket/prefix is not built yet)"},
    {"repositories.master_key", OPTION_SECRET, OPTION_BY_PATH, AT(settings_repository, master_key),
     .help = "file of the key that seals all others, mode 0600; the controller does not read it"},
    {"repositories.endpoint", OPTION_TEXT, LATER, .help = "s3: address of the service"},
    {"repositories.region", OPTION_TEXT, LATER, .help = "s3: region"},
    {"repositories.copy", OPTION_ID, LATER, .help = "a second repository that holds the same"},
    {"probes", OPTION_LIST, LATER, .count_max = 256,
     .help = "further components of the status page"},
    {"probes.name", OPTION_ID, LATER | NEEDED, .help = "name of the component"},
    {"probes.url", OPTION_TEXT, LATER | NEEDED, .help = "what is asked"},
    {"probes.interval", OPTION_DURATION, LATER, .otherwise = "5s", .range = "500ms..1h",
     .help = "how often"},
    {"alerts", OPTION_FREE, LATER, .help = "alert channels and policies"},
    {"status", OPTION_FREE, LATER, .help = "status page"},
    {"access", OPTION_FREE, LATER, .help = "users, roles, certificates"},
};

const struct option *option_table(size_t *ret_count)
{
    *ret_count = STAY_COUNT(table);
    return table;
}

const struct option *option_find(const char *path)
{
    for (size_t i = 0; i < STAY_COUNT(table); i++)
        if (strcmp(table[i].path, path) == 0)
            return &table[i];
    return NULL;
}

bool option_is_child(const struct option *child, const char *parent)
{
    size_t n = strlen(parent);
    const char *rest = child->path;
    if (n > 0) {
        if (strncmp(rest, parent, n) != 0 || rest[n] != '.')
            return false;
        rest += n + 1;
    }
    return strchr(rest, '.') == NULL;
}

const char *option_leaf(const struct option *option)
{
    const char *dot = strrchr(option->path, '.');
    return dot == NULL ? option->path : dot + 1;
}

const char *option_type_text(enum option_type type)
{
    static const char *const text[OPTION_TYPE_COUNT] = {
        [OPTION_NONE] = "nothing",
        [OPTION_GROUP] = "group { ... }",
        [OPTION_LIST] = "list ( { ... } )",
        [OPTION_FREE] = "group { ... }",
        [OPTION_ID] = "name",
        [OPTION_NAME] = "name",
        [OPTION_TEXT] = "text",
        [OPTION_PATH] = "absolute path",
        [OPTION_FILE] = "file",
        [OPTION_ADDRESS] = "address",
        [OPTION_SERVER] = "address",
        [OPTION_LOOPBACK] = "loopback address",
        [OPTION_SOCKETS] = "list of sockets",
        [OPTION_ARGV] = "program and arguments",
        [OPTION_DURATION] = "duration",
        [OPTION_SIZE] = "size",
        [OPTION_NUMBER] = "whole number",
        [OPTION_BOOL] = "true or false",
        [OPTION_WORD] = "word",
        [OPTION_SECRET] = "secret",
    };
    return text[type];
}
