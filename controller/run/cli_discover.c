/* mainstay discover: asks a server and those it is linked to, and prints a configuration. It is the
 * one verb that talks to database servers itself; it changes nothing on them. */
#include <errno.h>
#include <limits.h>

#include "base/io/file.h"
#include "controller/discover/discover.h"
#include "controller/discover/stanza.h"
#include "controller/discover/zone_pattern.h"
#include "controller/run/cli.h"

#define TIMEOUT_DEFAULT_US (5 * STAY_SECOND)
#define TIMEOUT_MIN_US     (50 * STAY_MS)
#define TIMEOUT_MAX_US     (600 * STAY_SECOND)

struct job {
    struct cli *cli;
    struct discover_input run;
    struct stanza_input input;
    struct crawl crawl;
    char password_file[STANZA_TEXT_MAX];
};

static const char *arg_or(const struct cli *cli, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(cli->args, key));
    return text == NULL ? otherwise : text;
}

static int fail(struct job *job, int exit_code, const char *what, const char *fix)
{
    struct cli *cli = job->cli;
    fprintf(cli->err, "mainstay: %s%s%s\n", what, fix[0] == '\0' ? "" : "; ", fix);
    if (cli->json) {
        json_t *json = json_object();
        stay_json_set_int(json, "exit", exit_code);
        stay_json_set_string(json, "error", what);
        stay_json_set_string(json, "fix", fix);
        STAY_AUTO(stay_free_charp) char *line = stay_json_dump_compact(json);
        fprintf(cli->out, "%s\n", line);
        json_decref(json);
    }
    return exit_code;
}

static bool usage(struct job *job, const char *option, const char *why)
{
    cli_usage_error(job->cli, "%s: %s", option, why);
    return false;
}

static bool take_addresses(struct job *job)
{
    struct stay_error err = {0};
    struct names_address address;
    char list[1024], *rest = list;
    const char *also = arg_or(job->cli, "also", "");
    if (names_parse_address(job->input.address, CRAWL_PORT, &address, &err) != STAY_OK)
        return usage(job, "discover", err.text);
    (void)crawl_add(&job->crawl, &address);
    if (!stay_copy(list, sizeof list, also))
        return usage(job, "--also", "is too long");
    for (char *word; *also != '\0' && (word = strsep(&rest, ", ")) != NULL;) {
        if (*word == '\0')
            continue;
        if (names_parse_address(word, CRAWL_PORT, &address, &err) != STAY_OK)
            return usage(job, "--also", err.text);
        if (!crawl_add(&job->crawl, &address))
            return usage(job, "--also", "names too many servers");
    }
    for (uint32_t i = 0; i < job->crawl.target_count; i++)
        if (strlen(job->crawl.targets[i].address.host) >= sizeof(((struct node_config *)0)->host))
            return usage(job, job->crawl.targets[i].address.host,
                         "is too long for a configuration");
    return true;
}

/* A file as the configuration needs it: an absolute path, short enough. */
static bool take_file(struct job *job, const char *option, const char *key, const char *otherwise,
                      char *dst, size_t size)
{
    char path[PATH_MAX], why[200];
    const char *text = arg_or(job->cli, key, otherwise);
    dst[0] = '\0';
    if (text[0] == '\0')
        return true;
    if (realpath(text, path) == NULL) {
        (void)snprintf(why, sizeof why, "%.120s: %s", text, strerror(errno));
        return usage(job, option, why);
    }
    return stay_copy(dst, size, path) || usage(job, option, "the path is too long");
}

/* A password; false with a usage error of --password-file. */
static bool read_account(struct job *job, const char *user, const char *file,
                         struct mysql_account *ret_account)
{
    struct stay_error err = {0};
    STAY_AUTO(stay_free_charp) char *password = NULL;
    if (!stay_copy(ret_account->user, sizeof ret_account->user, user))
        return usage(job, "--user", "is too long");
    if (file_read_secret(file, &password, &err) != STAY_OK)
        return usage(job, "--password-file", err.text);
    bool fits = stay_copy(ret_account->password, sizeof ret_account->password, password);
    explicit_bzero(password, strlen(password));
    return fits || usage(job, "--password-file", "holds more than 255 characters");
}

/* Password files of the other accounts, where somebody who has one keeps them all. */
static bool find_accounts(struct job *job)
{
    static const char *const names[STANZA_ACCOUNTS] = {"canary", "operate", "replicate"};
    const char *slash = strrchr(job->password_file, '/');
    for (int i = 0; i < STANZA_ACCOUNTS; i++) {
        struct stanza_account *a = &job->input.accounts[i];
        (void)snprintf(a->user, sizeof a->user, "mainstay_%s", names[i]);
        int n = snprintf(a->file, sizeof a->file, "%.*s/%s", (int)(slash - job->password_file),
                         job->password_file, names[i]);
        if (n < 0 || (size_t)n >= sizeof a->file || file_check_secret(a->file, NULL) != STAY_OK)
            a->file[0] = '\0';
    }
    const struct stanza_account *operate = &job->input.accounts[STANZA_OPERATE];
    const struct stanza_account *replicate = &job->input.accounts[STANZA_REPLICATE];
    return (operate->file[0] == '\0' ||
            read_account(job, operate->user, operate->file, &job->run.accounts.operate)) &&
           (replicate->file[0] == '\0' ||
            read_account(job, replicate->user, replicate->file, &job->run.accounts.replicate));
}

static bool take_accounts(struct job *job)
{
    job->input.user = arg_or(job->cli, "user", "mainstay_monitor");
    job->input.password_file = job->password_file;
    if (!names_is_schema(job->input.user))
        return usage(job, "--user", "is no name of an account");
    return take_file(job, "--password-file", "password_file", "/etc/mainstay/secrets/monitor",
                     job->password_file, sizeof job->password_file) &&
           read_account(job, job->input.user, job->password_file, &job->run.accounts.monitor) &&
           find_accounts(job);
}

static bool take_options(struct job *job)
{
    struct cli *cli = job->cli;
    struct mysql_target *target = &job->run.target;
    struct stay_error err = {0};
    job->input.address = arg_or(cli, "address", "");
    job->input.cluster = arg_or(cli, "name", "cluster1");
    job->input.zone_of = arg_or(cli, "zone_of", NULL);
    job->input.verify_name = target->verify_name = !cli->any_name;
    job->run.timeout_us = cli->timeout_us == 0 ? TIMEOUT_DEFAULT_US : cli->timeout_us;
    if (job->run.timeout_us < TIMEOUT_MIN_US || job->run.timeout_us > TIMEOUT_MAX_US)
        return usage(job, "--timeout", "write 50ms to 10m");
    if (names_check_id("--name", job->input.cluster, &err) != STAY_OK)
        return usage(job, "discover", err.text);
    if (job->input.zone_of != NULL && zone_pattern_check(job->input.zone_of, &err) != STAY_OK)
        return usage(job, "--zone-of", err.text);
    if (!take_file(job, "--ca", "ca", "", target->ca, sizeof target->ca) ||
        !take_file(job, "--cert", "cert", "", target->cert, sizeof target->cert) ||
        !take_file(job, "--key", "key", "", target->key, sizeof target->key))
        return false;
    if ((target->cert[0] == '\0') != (target->key[0] == '\0'))
        return usage(job, "--cert, --key", "belong together: write both or none");
    if (target->cert[0] != '\0' && target->ca[0] == '\0')
        return usage(job, "--cert", "needs --ca: without it nobody knows whom we talk to");
    target->tls_required = target->ca[0] != '\0';
    job->input.ca = target->ca;
    job->input.cert = target->cert;
    job->input.key = target->key;
    return take_addresses(job) && take_accounts(job);
}

static void set_text(json_t *obj, const struct stanza_text *text)
{
    stay_json_set_string(obj, "what", text->what);
    if (text->fix[0] != '\0')
        stay_json_set_string(obj, "fix", text->fix);
}

static json_t *nodes_json(const struct stanza *s)
{
    json_t *nodes = json_array();
    for (uint32_t i = 0; i < s->config.node_count; i++) {
        const struct crawl_member *m = s->crawl->members[s->member[i]];
        json_t *node = json_object();
        char address[NAMES_ADDRESS_MAX];
        names_format_address(address, sizeof address, &m->address);
        stay_json_set_string(node, "name", s->config.nodes[i].name);
        stay_json_set_string(node, "address", address);
        stay_json_set_string(node, "zone", s->has_zone[i] ? s->config.nodes[i].zone : NULL);
        stay_json_set_string(node, "version", m->answer.facts.version);
        stay_json_set_bool(node, "read_only", m->answer.facts.read_only == TRI_YES);
        stay_json_set_string(node, "source",
                             m->source == NO_NODE || s->node[m->source] == NO_NODE
                                 ? NULL
                                 : s->config.nodes[s->node[m->source]].name);
        stay_json_append(nodes, node);
    }
    return nodes;
}

static json_t *findings_json(const struct stanza *s)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < s->finding_count; i++) {
        const struct conformance *f = &s->findings[i];
        json_t *row = json_object();
        stay_json_set_int(row, "rule", f->verdict.rule_id);
        stay_json_set_string(
            row, "node",
            f->verdict.node < s->config.node_count ? s->config.nodes[f->verdict.node].name : NULL);
        stay_json_set_string(row, "detail", f->detail);
        stay_json_set_string(row, "fix", f->fix);
        stay_json_set_string(row, "line", f->line);
        stay_json_append(list, row);
    }
    return list;
}

static void print_json(struct cli *cli, const struct stanza *s, const char *stanza, bool is_whole)
{
    json_t *json = json_object(), *missing = json_array(), *primary = json_object();
    struct stanza_text text;
    const struct crawl *c = s->crawl;
    for (uint32_t i = 0; i < c->missing_count; i++) {
        json_t *row = json_object();
        stanza_missing(s, i, &text);
        set_text(row, &text);
        stay_json_append(missing, row);
    }
    for (uint32_t m = 0; m < c->member_count; m++) {
        if (!stanza_blind(s, m, &text))
            continue;
        json_t *row = json_object();
        set_text(row, &text);
        stay_json_append(missing, row);
    }
    stanza_primary(s, &text);
    set_text(primary, &text);
    bool is_one = c->primary_count == 1 && s->node[c->primaries[0]] != NO_NODE;
    stay_json_set_string(primary, "node",
                         is_one ? s->config.nodes[s->node[c->primaries[0]]].name : NULL);
    stay_json_set_bool(json, "complete", is_whole);
    stay_json_set_string(json, "engine", engine_text(s->config.engine));
    stay_json_set(json, "primary", primary);
    stay_json_set(json, "nodes", nodes_json(s));
    stay_json_set(json, "missing", missing);
    stay_json_set(json, "findings", findings_json(s));
    stay_json_set_string(json, "stanza", stanza);
    STAY_AUTO(stay_free_charp) char *out = stay_json_dump_pretty(json);
    fprintf(cli->out, "%s\n", out);
    json_decref(json);
}

/* What a reader of the stanza alone might miss goes to standard error as well. */
static int print(struct job *job, const struct stanza *s)
{
    struct cli *cli = job->cli;
    const struct crawl *c = s->crawl;
    struct stanza_text text;
    bool is_whole = stanza_is_whole(s);
    STAY_AUTO(stay_free_charp) char *stanza = stanza_format(s);
    if (cli->json)
        print_json(cli, s, stanza, is_whole);
    else
        fputs(stanza, cli->out);
    for (uint32_t i = 0; i < c->missing_count; i++) {
        stanza_missing(s, i, &text);
        fprintf(cli->err, "mainstay: not asked: %s; %s\n", text.what, text.fix);
    }
    for (uint32_t m = 0; m < c->member_count; m++)
        if (stanza_blind(s, m, &text))
            fprintf(cli->err, "mainstay: not asked: %s; %s\n", text.what, text.fix);
    if (c->is_cut)
        fprintf(cli->err, "mainstay: there are more than %d servers; the rest was not asked\n",
                NODES_MAX);
    stanza_primary(s, &text);
    if (text.fix[0] != '\0')
        fprintf(cli->err, "mainstay: primary: %s; %s\n", text.what, text.fix);
    return is_whole ? CLI_DONE : CLI_FAILED;
}

static int no_server(struct job *job)
{
    const struct crawl_target *t = &job->crawl.targets[0];
    char address[NAMES_ADDRESS_MAX], what[500], fix[400];
    names_format_address(address, sizeof address, &t->address);
    (void)snprintf(what, sizeof what, "%.100s: %s %s%s%.160s", address,
                   obs_layer_text(t->reach.layer), obs_outcome_text(t->reach.outcome),
                   t->reach.text[0] == '\0' ? "" : ": ", t->reach.text);
    stanza_reach_fix(&job->input, ENGINE_NONE, &t->reach, fix, sizeof fix);
    stanza_clean(what);
    return fail(job, CLI_FAILED, what, fix);
}

static int discover(struct job *job)
{
    struct stay_error err = {0};
    struct stanza stanza;
    if (discover_run(&job->crawl, &job->run, &err) != STAY_OK)
        return fail(job, CLI_FAILED, err.text, "");
    if (job->crawl.member_count == 0)
        return no_server(job);
    int exit_code;
    if (stanza_build(&stanza, &job->input, &job->crawl, &err) == STAY_OK)
        exit_code = print(job, &stanza);
    else
        exit_code = fail(job, CLI_USAGE, err.text, "mend --zone-of");
    stanza_clear(&stanza);
    return exit_code;
}

int cli_discover(struct cli *cli)
{
    struct job *job = stay_calloc(1, sizeof *job);
    job->cli = cli;
    crawl_init(&job->crawl);
    int exit_code = take_options(job) ? discover(job) : CLI_USAGE;
    crawl_clear(&job->crawl);
    explicit_bzero(&job->run.accounts, sizeof job->run.accounts);
    free(job);
    return exit_code;
}
