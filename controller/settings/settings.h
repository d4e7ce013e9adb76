/* controller/settings/settings.h - the configuration file as checked values: what an operator
 * may write, with every default filled in and every secret read.
 *
 * Layer: settings (links decide; reads files through base/io/file.h). Passed on as
 * `const struct settings *` and replaced whole on reload; never changed in place. The grammar is
 * one table (option.h) that also prints the defaults and mainstay.conf(5). */
#ifndef CONTROLLER_SETTINGS_SETTINGS_H
#define CONTROLLER_SETTINGS_SETTINGS_H
#include "base/names.h"
#include "controller/decide/cluster.h"

#define SETTINGS_PATH_DEFAULT     "/etc/mainstay/mainstay.conf"
#define SETTINGS_FILE_MAX         (1024u * 1024)
#define SETTINGS_TEXT_MAX         256 /* longest path, password or URL, terminator included */
#define SETTINGS_CLUSTERS_MAX     4096
#define SETTINGS_LISTENS_MAX      4
#define SETTINGS_ROUTES_MAX       4
#define SETTINGS_PROXIES_MAX      16
#define SETTINGS_HOOKS_MAX        16
#define SETTINGS_ARGV_MAX         16
#define SETTINGS_RESEED_MAX       32 /* arguments of reseed.command */
#define SETTINGS_NOTES_MAX        50
#define SETTINGS_REPOSITORIES_MAX 16

/* A secret that was read from its file or systemd credential; text is zeroed when freed. */
struct settings_secret {
    bool is_set;
    char path[SETTINGS_TEXT_MAX]; /* where it came from */
    char text[SETTINGS_TEXT_MAX]; /* empty with SETTINGS_WITHOUT_SECRETS */
};

struct settings_account {
    char user[NAMES_SCHEMA_MAX + 1]; /* empty: this account is not configured */
    struct settings_secret password;
};

/* ACCOUNT_X(id, name, what it is for); rights of each: deploy/grants. */
#define SETTINGS_ACCOUNTS(X)                                                                       \
    X(MONITOR, monitor, "reads state, changes nothing")                                            \
    X(CANARY, canary, "writes mainstay.heartbeat each second")                                     \
    X(OPERATE, operate, "changes roles")                                                           \
    X(REPLICATE, replicate, "replicas connect with it")                                            \
    X(BACKUP, backup, "snapshots")
enum settings_account_id {
#define X(id, name, what) ACCOUNT_##id,
    SETTINGS_ACCOUNTS(X)
#undef X
        ACCOUNT_COUNT
};

struct settings_tls {
    char ca[SETTINGS_TEXT_MAX];   /* empty: the server's certificate is not checked */
    char cert[SETTINGS_TEXT_MAX]; /* ours, with key; both or none */
    char key[SETTINGS_TEXT_MAX];
    bool required;    /* connections without TLS are refused by us */
    bool verify_name; /* the certificate must be for the server's address */
};

/* One set of HAProxy processes that carry the same backends. A socket is "host:port" or "/path". */
struct settings_route {
    int type; /* 0: haproxy */
    uint32_t socket_count;
    char sockets[SETTINGS_PROXIES_MAX][SETTINGS_TEXT_MAX];
    char write[NAMES_SCHEMA_MAX + 1]; /* backend names */
    char read[NAMES_SCHEMA_MAX + 1];  /* empty: none */
    char client[NAMES_ADDRESS_MAX];   /* where a client connects: canary through the route */
    int64_t deadline_us;              /* per command and proxy */
    int64_t watch_us;                 /* how often a proxy's state is compared with our intent */
};

enum settings_hook_when {
    HOOK_PRE_FAILOVER = 0,
    HOOK_POST_FAILOVER,
    HOOK_PRE_SWITCHOVER,
    HOOK_POST_SWITCHOVER,
    HOOK_WHEN_COUNT
};

struct settings_hook {
    int when; /* enum settings_hook_when */
    uint32_t argc;
    char argv[SETTINGS_ARGV_MAX][SETTINGS_TEXT_MAX];
    int64_t deadline_us;
    bool may_veto; /* pre_ only: a status other than 0, or no end in time, stops the plan */
};

/* How a server gets another's data (mainstay reseed). */
struct settings_reseed {
    uint32_t command_argc; /* 0: none; MySQL then by CLONE */
    char command_argv[SETTINGS_RESEED_MAX][SETTINGS_TEXT_MAX];
    uint32_t start_argc; /* 0: something else starts a server that ended */
    char start_argv[SETTINGS_ARGV_MAX][SETTINGS_TEXT_MAX];
};

struct settings_cluster {
    struct cluster_config config; /* controller_zone is filled in */
    struct settings_account accounts[ACCOUNT_COUNT];
    struct settings_tls tls;
    uint32_t route_count;
    struct settings_route routes[SETTINGS_ROUTES_MAX];
    uint32_t hook_count;
    struct settings_hook hooks[SETTINGS_HOOKS_MAX];
    struct settings_reseed reseed;
};

struct settings {
    char path[SETTINGS_TEXT_MAX]; /* the file read */
    char name[NAME_MAX_LEN];      /* of this controller; default: "ctl" */
    char zone[NAME_MAX_LEN];
    char state[SETTINGS_TEXT_MAX];      /* "sqlite:/path" as written */
    char state_path[SETTINGS_TEXT_MAX]; /* the path in it */
    char socket[SETTINGS_TEXT_MAX];     /* operators' unix socket */
    char runbook[SETTINGS_TEXT_MAX];    /* file the daemon keeps for the day it is down */
    char recorder[SETTINGS_TEXT_MAX];   /* folder of recorded decisions */
    int log_level;                      /* enum log_level */
    uint32_t failovers_per_hour;        /* automatic ones over all clusters; 0: no limit */
    uint32_t reseeds_max;               /* at the same time over all clusters */
    uint32_t blast_radius;              /* clusters in ten minutes; 0: no limit */
    uint32_t listen_count;
    struct settings_listen {
        char address[NAMES_ADDRESS_MAX]; /* loopback host:port */
    } listen[SETTINGS_LISTENS_MAX];
    uint32_t repository_count;
    struct settings_repository {
        char name[NAME_MAX_LEN];
        char zone[NAME_MAX_LEN]; /* empty: not said */
        char url[SETTINGS_TEXT_MAX];
        struct settings_secret master_key; /* its path alone */
    } repositories[SETTINGS_REPOSITORIES_MAX];
    uint32_t cluster_count;
    struct settings_cluster *clusters; /* owned */
};

enum settings_flags {
    SETTINGS_WITHOUT_SECRETS = 1, /* secret and other named files are neither checked nor read */
    SETTINGS_WITHOUT_INCLUDE = 2, /* @include is refused (fuzzing) */
};

/* What was found, option by option: "FILE:LINE: clusters[0].name: ...". Errors and warnings. */
struct settings_notes {
    uint32_t error_count, warning_count; /* may exceed the lines kept */
    uint32_t line_count;
    struct settings_note {
        bool is_error;
        char text[512];
    } lines[SETTINGS_NOTES_MAX];
};

/* Reads and checks a whole file. Any error: STAY_EINVALID (STAY_ENOTFOUND: no such file), *err has
 * the first one, notes (may be NULL) all of them, *ret_settings stays as it was. The caller owns
 * *ret_settings. Blocks on small local files. */
enum stay_rc settings_load(const char *path, unsigned flags, struct settings **ret_settings,
                           struct settings_notes *notes, struct stay_error *err) STAY_MUST_USE;
/* As settings_load from text; `name` stands for the file's name in errors. */
enum stay_rc settings_parse(const char *text, const char *name, unsigned flags,
                            struct settings **ret_settings, struct settings_notes *notes,
                            struct stay_error *err) STAY_MUST_USE;
void settings_free(struct settings *settings);  /* zeroes secrets; takes NULL */
void settings_drop(struct settings **settings); /* for STAY_AUTO */

const struct settings_cluster *settings_cluster_named(const struct settings *settings,
                                                      const char *name); /* or NULL */
const struct settings_repository *settings_repository_named(const struct settings *settings,
                                                            const char *name); /* or NULL */

/* A reload from `before` to `after` would need a restart: true, and `ret_what` lists the options.
 */
bool settings_needs_restart(const struct settings *before, const struct settings *after,
                            char *ret_what, size_t size);

/* Every option with its default as a configuration file (heap text, caller frees). */
char *settings_format_defaults(void) STAY_MUST_USE;

/* "monitor" ...; static. */
const char *settings_account_name(enum settings_account_id id);
const char *settings_hook_when_text(enum settings_hook_when when); /* "pre_failover" ... */

#endif
