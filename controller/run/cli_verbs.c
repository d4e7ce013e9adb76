/* The verbs and options of the command, once: parsing, help and mainstay(1) read these tables. */
#include "controller/run/cli.h"

/* Columns: name, usage, options, flags, wire, local, print, preset, alias_of, help. Order: help's.
 */
static const struct cli_verb verbs[] = {
    {"status", "[CLUSTER]", NULL, 0, "status", NULL, cli_print_status, NULL, NULL,
     "roles, lag, promise and verdict of every server"},
    {"topology", "[CLUSTER]", NULL, 0, "topology", NULL, cli_print_topology, NULL, NULL,
     "who follows whom, and what each server holds"},
    {"problems", "[CLUSTER]", NULL, 0, "problems", NULL, cli_print_problems, NULL, NULL,
     "what is wrong now, worst first"},
    {"verdict", "CLUSTER", NULL, 0, "verdict", NULL, cli_print_verdict, NULL, NULL,
     "the verdict, its rule, the facts behind it"},
    {"watch", "[CLUSTER]", NULL, CLI_STREAMS, "watch", NULL, NULL, NULL, NULL,
     "status each second; in a pipe: plans step by step"},
    {"check", "[CLUSTER]", "fix dry-run yes", 0, "check", cli_check, cli_print_check, NULL, NULL,
     "settings that spoil a promise, each with its fix"},
    {"which-primary", "CLUSTER", NULL, 0, "which-primary", NULL, cli_print_which, NULL, NULL,
     "the address of the writable primary, for scripts"},
    {"plan", "CLUSTER failover|switchover|rejoin|reseed|adopt [NODE]", "to", 0, "plan", NULL,
     cli_print_plan, NULL, NULL, "what such a plan would do now; nothing is started"},
    {"what-if", "CLUSTER", "lose", 0, "what-if", NULL, cli_print_what_if, NULL, NULL,
     "what would happen if a server or a zone died now"},
    {"switchover", "CLUSTER", "to at reason", CLI_CHANGES | CLI_ASKS | CLI_PLANS, "switchover",
     NULL, cli_print_outcome, NULL, NULL, "move the primary in good order; nothing is lost"},
    {"failover", "CLUSTER", "to accept-loss reason", CLI_CHANGES | CLI_ASKS | CLI_PLANS, "failover",
     NULL, cli_print_outcome, NULL, NULL, "replace a primary that is lost"},
    {"evacuate", "zone:ZONE", "end yes dry-run at-once reason no-wait timeout", 0, "evacuate",
     cli_evacuate, NULL, NULL, NULL, "empty a zone: its primaries move, one by one"},
    {"recover", "CLUSTER", "to accept-loss reason", CLI_CHANGES | CLI_ASKS | CLI_PLANS, "recover",
     NULL, cli_print_outcome, NULL, NULL, "start a cluster again after all of it was down"},
    {"rejoin", "CLUSTER NODE", "reseeded reason verify", CLI_CHANGES | CLI_PLANS, "rejoin",
     cli_verify, cli_print_outcome, NULL, NULL, "attach a server that came back, if it may be"},
    {"reseed", "CLUSTER NODE", "from drop reason verify",
     CLI_CHANGES | CLI_ASKS | CLI_NAMES | CLI_PLANS, "reseed", cli_verify, cli_print_outcome, NULL,
     NULL, "replace a server's data by another's, then attach it"},
    {"verify", "CLUSTER NODE", "timeout", CLI_WAITS, "verify", NULL, cli_print_verified, NULL, NULL,
     "are a replica's rows its primary's? compared live"},
    {"fence", "CLUSTER NODE", "reason", CLI_CHANGES | CLI_ASKS | CLI_PLANS, "fence", NULL,
     cli_print_outcome, NULL, NULL, "end a server's writes: clients cut, read-only"},
    {"errant list", "[CLUSTER]", NULL, 0, NULL, cli_errant_list, NULL, NULL, NULL,
     "transactions only a diverged server held, kept"},
    {"errant show", "CLUSTER NODE|BUNDLE", "only max", 0, NULL, cli_errant_show, NULL, NULL, NULL,
     "the rows of such transactions, before and after"},
    {"errant inject", "CLUSTER NODE|BUNDLE", "only reason timeout",
     CLI_CHANGES | CLI_ASKS | CLI_WAITS, "errant-inject", cli_errant_inject, cli_print_injected,
     NULL, NULL, "give them to the primary as new transactions"},
    {"errant reset", "CLUSTER NODE", "reason verify", CLI_CHANGES | CLI_ASKS | CLI_PLANS,
     "errant-reset", cli_errant_reset, cli_print_outcome, NULL, NULL,
     "keep them, undo them on their server, attach it"},
    {"unfence", "CLUSTER NODE", "reason", CLI_CHANGES | CLI_PLANS, "unfence", NULL,
     cli_print_outcome, NULL, NULL, "undo fence"},
    {"adopt", "CLUSTER", "take-over reason", CLI_CHANGES | CLI_ASKS | CLI_PLANS, "adopt", NULL,
     cli_print_outcome, NULL, NULL, "begin to manage a cluster that was only observed"},
    {"abort", "CLUSTER", NULL, CLI_CHANGES | CLI_ASKS, "abort", NULL, cli_print_switch, NULL, NULL,
     "undo the running plan, while it still can be"},
    {"pause", "[CLUSTER]", "reason", CLI_CHANGES, "pause", NULL, cli_print_switch, NULL, NULL,
     "kill switch: act on nothing until resume"},
    {"resume", "[CLUSTER]", "reason", CLI_CHANGES, "resume", NULL, cli_print_switch, NULL, NULL,
     "end a pause"},
    {"maintenance", "start|end CLUSTER", "for reason", CLI_CHANGES, "maintenance", NULL,
     cli_print_switch, NULL, NULL, "watch but do not act, for a while (1h unless --for)"},
    {"release", "CLUSTER", "reason", CLI_CHANGES, "release", NULL, cli_print_switch, NULL, NULL,
     "end a cooldown, or answer a plan that asks"},
    {"history", "[CLUSTER]", "max", 0, "history", NULL, cli_print_history, NULL, NULL,
     "plans that were run, newest first"},
    {"explain", "ID|CLUSTER@TIME", "recording", 0, "explain", cli_explain, cli_print_explain, NULL,
     NULL, "one plan (or last), or what stood decided then"},
    {"replay", "[FILE]", NULL, 0, NULL, cli_replay, NULL, NULL, NULL,
     "judge recorded decisions again: is it the same now?"},
    {"discover", "ADDRESS", "user password-file ca cert key any-name also name zone-of timeout", 0,
     NULL, cli_discover, NULL, NULL, NULL, "a cluster found from one server, as a configuration"},
    {"repository init", "REPOSITORY", "master-key-file new-key zone", 0, NULL, cli_repository_init,
     NULL, NULL, NULL, "make a repository of backups in an empty folder"},
    {"repository check", "REPOSITORY", "master-key-file quick", 0, NULL, cli_repository_check, NULL,
     NULL, NULL, "is everything there, whole and readable? reads only"},
    {"repository list", "REPOSITORY", "cluster", 0, NULL, cli_repository_list, NULL, NULL, NULL,
     "log and snapshots of each cluster, by its objects"},
    {"repository copy", "REPOSITORY TARGET", NULL, 0, NULL, cli_repository_copy, NULL, NULL, NULL,
     "bring a second repository up to date, elsewhere"},
    {"repository keys", "list|rotate|shred REPOSITORY",
     "master-key-file new-master cluster tenant yes", 0, NULL, cli_repository_keys, NULL, NULL,
     NULL, "its keys: list, renew, destroy a tenant's"},
    {"config check", "[FILE]", NULL, 0, NULL, cli_config_check, NULL, NULL, NULL,
     "check a configuration file; nothing is applied"},
    {"config show", "", "defaults", 0, NULL, cli_config_show, NULL, NULL, NULL,
     "the file in force, or with --defaults every option"},
    {"reload", "", NULL, CLI_CHANGES, "reload", NULL, cli_print_reload, NULL, NULL,
     "make the controller read its configuration again"},
    {"lab", "...", NULL, CLI_REST, NULL, cli_lab, NULL, NULL, NULL,
     "a sandbox of real servers; `mainstay lab help`"},
    {"version", "", NULL, 0, NULL, cli_version, NULL, NULL, NULL, "print the version"},
    {"help", "[VERB]", NULL, 0, NULL, cli_help, NULL, NULL, NULL,
     "this list, or one verb's options"},

    {"graceful-master-takeover", "CLUSTER", "to reason", CLI_CHANGES | CLI_ASKS | CLI_PLANS,
     "switchover", NULL, cli_print_outcome, NULL, "switchover", "as switchover"},
    {"disable-global-recoveries", "", "reason", CLI_CHANGES, "pause", NULL, cli_print_switch, NULL,
     "pause", "as pause of everything"},
    {"enable-global-recoveries", "", "reason", CLI_CHANGES, "resume", NULL, cli_print_switch, NULL,
     "resume", "as resume of everything"},
    {"begin-downtime", "CLUSTER", "for reason", CLI_CHANGES, "maintenance", NULL, cli_print_switch,
     "action=start", "maintenance start", "as maintenance start"},
    {"end-downtime", "CLUSTER", "reason", CLI_CHANGES, "maintenance", NULL, cli_print_switch,
     "action=end", "maintenance end", "as maintenance end"},
    {"ack-cluster-recoveries", "CLUSTER", "reason", CLI_CHANGES, "release", NULL, cli_print_switch,
     NULL, "release", "as release"},
};

/* General ones first; those with no row in a verb's `options` belong to flags or to all verbs. */
static const struct cli_option options[] = {
    {"json", NULL, NULL, "print JSON; progress of a plan goes to standard error"},
    {"socket", "PATH", NULL, "the controller's unix socket; default: as configured"},
    {"controller", "URL", NULL, "unix:PATH, as --socket (https is not built yet)"},
    {"config", "FILE", NULL, "default /etc/mainstay/mainstay.conf"},
    {"no-color", NULL, NULL, "no colour, as NO_COLOR in the environment"},
    {"help", NULL, NULL, "help for the verb"},
    {"version", NULL, NULL, "print the version"},
    {"dry-run", NULL, NULL, "show what would be done, change nothing"},
    {"yes", NULL, NULL, "do not ask"},
    {"wait", NULL, NULL, "wait for the end of the plan (the default)"},
    {"no-wait", NULL, NULL, "return once the plan has begun"},
    {"timeout", "TIME", NULL,
     "wait at most this long (10m); the plan goes on, exit 5; discover: for each server (5s)"},
    {"to", "NODE", "to", "the new primary; default: the best candidate"},
    {"at", "WHEN", "at",
     "not now: 02:30, 2026-11-23T02:30 (UTC) or +90m; kept by the controller; `never` cancels"},
    {"lose", "WHAT", "lose", "node:NAME or zone:NAME; default: the primary, then each zone"},
    {"accept-loss", "REASON", "accept_loss",
     "go on although acknowledged commits may be lost; kept with your name"},
    {"take-over", "REASON", "take_over",
     "adopt although another controller writes mainstay.heartbeat; kept with your name"},
    {"reseeded", "REASON", "reseeded",
     "attach a server that wrote alone: it was built anew since; kept with your name"},
    {"from", "NODE", "from", "whose data it gets; default: a server in nobody's way"},
    {"drop", "REASON", "drop",
     "transactions that only this server holds may be lost; kept with your name"},
    {"reason", "TEXT", "reason", "kept in the history"},
    {"end", NULL, NULL, "the zone is in use again; nothing moves back by itself"},
    {"at-once", "N", "at_once", "so many clusters are moved at the same time, at most 4 (1)"},
    {"only", "GTID", "only", "this transaction alone"},
    {"verify", NULL, NULL, "then compare its rows with the primary's, as verb `verify`"},
    {"for", "TIME", "for_us", "how long, such as 30m or 2h"},
    {"recording", "PATH", "file", "the recorder's file or folder; default: as configured"},
    {"max", "N", "max", "at most this many lines (20)"},
    {"user", "NAME", "user", "account that asks the servers (mainstay_monitor)"},
    {"password-file", "FILE", "password_file",
     "its password, mode 0600 (/etc/mainstay/secrets/monitor); canary, operate and replicate "
     "beside it are taken in"},
    {"ca", "FILE", "ca", "TLS: certificate authority of the servers; asks with TLS only"},
    {"cert", "FILE", "cert", "TLS: our certificate, when servers ask for one; with --key"},
    {"key", "FILE", "key", "TLS: its private key"},
    {"any-name", NULL, NULL, "TLS: the certificate need not name the address (verify_name)"},
    {"also", "ADDRESS,..", "also",
     "further servers to ask: a replica whose port no server tells, one that is detached"},
    {"name", "CLUSTER", "name", "name of the cluster in the stanza (cluster1)"},
    {"zone-of", "GLOB=ZONE,..", "zone_of",
     "zones from addresses, host names, ports: 10.1.*=eu-1a,10.2.*=eu-1b or *.{}.example.com={}"},
    {"master-key-file", "FILE", "master_key_file",
     "file of the repository's master key, mode 0600"},
    {"new-master", "FILE", "new_master",
     "keys rotate: seal every key with this master key from now on; data is not rewritten"},
    {"new-key", NULL, NULL, "make the file of the master key as well; it must not exist"},
    {"zone", "ZONE", "zone", "zone the repository is in"},
    {"quick", NULL, NULL, "names, sizes, keys and documents only; rows and log are not read"},
    {"cluster", "CLUSTER", "cluster", "whose key"},
    {"tenant", "TENANT", "tenant", "the key of this tenant of --cluster"},
    {"fix", NULL, NULL, "have the controller set what is safe while the servers run; asks first"},
    {"defaults", NULL, NULL, "every option with its default"},
};

const struct cli_verb *cli_verbs(size_t *ret_count)
{
    *ret_count = STAY_COUNT(verbs);
    return verbs;
}

const struct cli_option *cli_options(size_t *ret_count)
{
    *ret_count = STAY_COUNT(options);
    return options;
}

const struct cli_verb *cli_verb_named(const char *name)
{
    for (size_t i = 0; i < STAY_COUNT(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; at != NULL && *at != '\0'; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (length == n && strncmp(at, word, n) == 0)
            return true;
        at += length;
    }
    return false;
}

bool cli_option_is_general(const struct cli_option *option)
{
    return has_word("json socket controller config no-color help version", option->name);
}

bool cli_verb_takes(const struct cli_verb *verb, const struct cli_option *option)
{
    if (cli_option_is_general(option) || has_word(verb->options, option->name))
        return true;
    if (strcmp(option->name, "dry-run") == 0)
        return (verb->flags & CLI_CHANGES) != 0;
    if (strcmp(option->name, "yes") == 0) /* harmless where nothing is asked */
        return (verb->flags & CLI_CHANGES) != 0;
    if (has_word("wait no-wait timeout", option->name))
        return (verb->flags & CLI_PLANS) != 0;
    return false;
}
