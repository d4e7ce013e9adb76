/* From a crawl to names, zones and findings, and all of it as text. */
#include "controller/discover/stanza_private.h"
#include "controller/discover/zone_pattern.h"

#include <ctype.h>

/* "DB1.example.com" as "db1"; false when that is no name. */
static bool short_name(const char *hostname, char *dst, size_t size)
{
    size_t n = strcspn(hostname, ".");
    if (n == 0 || n >= size)
        return false;
    for (size_t i = 0; i < n; i++)
        dst[i] = (char)tolower((unsigned char)hostname[i]);
    dst[n] = '\0';
    return names_is_id(dst);
}

/* Their own host names, when every one has a good one of its own; else db1, db2 in order. */
static void name_nodes(struct stanza *s)
{
    struct cluster_config *config = &s->config;
    bool is_good = true;
    for (uint32_t i = 0; i < config->node_count && is_good; i++) {
        const struct crawl_member *m = s->crawl->members[s->member[i]];
        is_good = short_name(m->answer.hostname, config->nodes[i].name, NAME_MAX_LEN) &&
                  strcmp(config->nodes[i].name, "localhost") != 0;
        for (uint32_t j = 0; j < i; j++)
            is_good &= strcmp(config->nodes[i].name, config->nodes[j].name) != 0;
    }
    for (uint32_t i = 0; i < config->node_count && !is_good; i++)
        (void)snprintf(config->nodes[i].name, NAME_MAX_LEN, "db%u", i + 1);
}

static enum stay_rc zone_nodes(struct stanza *s, struct stay_error *err)
{
    s->has_all_zones = true;
    for (uint32_t i = 0; i < s->config.node_count; i++) {
        struct node_config *node = &s->config.nodes[i];
        const struct crawl_member *m = s->crawl->members[s->member[i]];
        char address[NAMES_ADDRESS_MAX];
        const char *texts[] = {node->host, m->answer.hostname, address};
        names_format_address(address, sizeof address, &m->address);
        enum stay_rc rc = STAY_ENOTFOUND;
        if (s->input->zone_of != NULL)
            rc = zone_pattern_find(s->input->zone_of, texts, STAY_COUNT(texts), node->zone,
                                   sizeof node->zone, err);
        if (rc != STAY_OK && rc != STAY_ENOTFOUND)
            return rc;
        s->has_zone[i] = rc == STAY_OK;
        s->has_all_zones &= s->has_zone[i];
        if (rc != STAY_OK)
            (void)stay_copy(node->zone, sizeof node->zone, STANZA_ZONE);
    }
    return STAY_OK;
}

static void take_nodes(struct stanza *s)
{
    struct cluster_config *config = &s->config;
    cluster_config_defaults(config);
    (void)stay_copy(config->name, sizeof config->name, s->input->cluster);
    config->engine = s->crawl->members[0]->answer.engine;
    for (uint32_t m = 0; m < s->crawl->member_count; m++) {
        const struct crawl_member *member = s->crawl->members[m];
        s->node[m] = NO_NODE;
        if (member->answer.engine != config->engine)
            continue;
        struct node_config *node = &config->nodes[config->node_count];
        (void)stay_copy(node->host, sizeof node->host, member->address.host);
        node->port = member->address.port;
        s->node[m] = config->node_count;
        s->member[config->node_count++] = m;
    }
}

/* As the controller will judge it once it watches: the same facts through the same rules. Zones
 * that are not known yet count as different ones: what they spoil is found when they are. */
static void judge(struct stanza *s)
{
    struct cluster_view *view = stay_calloc(1, sizeof *view);
    struct cluster_config *config = stay_calloc(1, sizeof *config);
    struct cluster_record record = {.version = 1, .mode = MODE_BOUNDED};
    *config = s->config;
    for (uint32_t i = 0; i < config->node_count && !s->has_all_zones; i++)
        (void)snprintf(config->nodes[i].zone, NAME_MAX_LEN, "zone-%u", i);
    cluster_init(view, config);
    if (s->crawl->primary_count == 1 && s->node[s->crawl->primaries[0]] != NO_NODE)
        (void)stay_copy(record.primary, sizeof record.primary,
                        config->nodes[s->node[s->crawl->primaries[0]]].name);
    cluster_set_record(view, &record);
    for (uint32_t i = 0; i < config->node_count; i++) {
        const struct crawl_answer *a = &s->crawl->members[s->member[i]]->answer;
        struct observation seen = {.kind = OBS_REACH,
                                   .node = i,
                                   .begun_mono_us = STAY_SECOND,
                                   .taken_mono_us = STAY_SECOND,
                                   .reach = a->reach,
                                   .groups = a->groups,
                                   .facts = &a->facts};
        cluster_observe(view, &seen);
    }
    s->findings = stay_calloc(STANZA_FINDINGS_MAX, sizeof *s->findings);
    s->finding_count =
        (uint32_t)verdict_conformance(view, STAY_SECOND, s->findings, STANZA_FINDINGS_MAX);
    if (s->finding_count > STANZA_FINDINGS_MAX)
        s->finding_count = STANZA_FINDINGS_MAX;
    cluster_clear(view);
    free(view);
    free(config);
}

enum stay_rc stanza_build(struct stanza *s, const struct stanza_input *input,
                          const struct crawl *crawl, struct stay_error *err)
{
    must(crawl->is_settled && crawl->member_count > 0);
    *s = (struct stanza){.input = input, .crawl = crawl};
    take_nodes(s);
    name_nodes(s);
    enum stay_rc rc = zone_nodes(s, err);
    if (rc == STAY_OK)
        judge(s);
    return rc;
}

void stanza_clear(struct stanza *s)
{
    free(s->findings);
    *s = (struct stanza){0};
}

/* A string of libconfig. */
static void quote(struct str *out, const char *text)
{
    str_add_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            str_add_char(out, '\\');
        if ((unsigned char)*text < ' ')
            str_addf(out, "\\x%02x", (unsigned char)*text);
        else
            str_add_char(out, *text);
    }
    str_add_char(out, '"');
}

static void write_head(const struct stanza *s, struct str *out)
{
    const struct crawl *c = s->crawl;
    struct stanza_text text;
    stanza_comment(out, 0, "mainstay.conf as `mainstay discover %.80s` found it: %u %s server%s.",
                   s->input->address, s->config.node_count, engine_text(s->config.engine),
                   s->config.node_count == 1 ? "" : "s");
    stanza_comment(out, 0,
                   "Nothing was changed on any server, and nothing will be before "
                   "`mainstay adopt %s`.",
                   s->config.name);
    stanza_primary(s, &text);
    stanza_comment(out, 0, "Primary: %s", text.what);
    if (text.fix[0] != '\0')
        stanza_comment(out, 0, "  FIX: %s", text.fix);
    for (uint32_t i = 0; i < c->missing_count; i++) {
        stanza_missing(s, i, &text);
        stanza_comment(out, 0, "NOT ASKED: %s", text.what);
        stanza_comment(out, 0, "  FIX: %s; then discover again", text.fix);
    }
    for (uint32_t m = 0; m < c->member_count; m++) {
        if (!stanza_blind(s, m, &text))
            continue;
        stanza_comment(out, 0, "NOT ASKED: %s", text.what);
        stanza_comment(out, 0, "  FIX: %s; then discover again", text.fix);
    }
    if (c->is_cut)
        stanza_comment(out, 0,
                       "NOT ALL: more than %d servers or %d addresses; the rest was not asked",
                       NODES_MAX, CRAWL_TARGETS_MAX);
    str_add(out, "\ncontroller = {\n  zone = \"" STANZA_ZONE "\";");
    str_add(out, "  # FILL IN: where this controller runs; best a zone without a primary\n};\n\n");
}

static bool is_primary(const struct stanza *s, uint32_t member)
{
    return s->crawl->primary_count == 1 && s->crawl->primaries[0] == member;
}

/* What replicas call their source must be the address written here: servers are matched by it. */
static void write_other_name(const struct stanza *s, uint32_t member, struct str *out)
{
    const struct crawl_member *m = s->crawl->members[member];
    const struct server_facts *facts = &m->answer.facts;
    char name[NAMES_ADDRESS_MAX];
    if (m->source == NO_NODE)
        return;
    const struct names_address *source = &s->crawl->members[m->source]->address;
    if (strcmp(facts->source_host, source->host) == 0 && facts->source_port == source->port)
        return;
    stanza_comment(out, 6,
                   "  FIX: it calls its source %.100s:%llu, which is %s here: until both are the "
                   "same, mainstay does not know them as one",
                   facts->source_host, (unsigned long long)facts->source_port,
                   stanza_name(s, m->source, name));
}

static void write_node_comment(const struct stanza *s, uint32_t node, struct str *out)
{
    uint32_t member = s->member[node];
    const struct crawl_member *m = s->crawl->members[member];
    const struct server_facts *facts = &m->answer.facts;
    char source[NAMES_ADDRESS_MAX + 40] = "", name[NAMES_ADDRESS_MAX];
    if (m->source != NO_NODE)
        (void)snprintf(source, sizeof source, ", replica of %s", stanza_name(s, m->source, name));
    else if (m->has_source)
        (void)snprintf(source, sizeof source, ", replica of %.100s:%llu, which is not in this file",
                       facts->source_host, (unsigned long long)facts->source_port);
    stanza_comment(out, 6, "%s: %s%s%s; %.64s, host %.64s, server_id %llu",
                   s->config.nodes[node].name, is_primary(s, member) ? "the primary, " : "",
                   facts->read_only == TRI_NO ? "accepts writes" : "read-only", source,
                   facts->version, m->answer.hostname, (unsigned long long)facts->server_id);
    if (m->has_source && facts->receiver != RECEIVER_RUNNING)
        stanza_comment(out, 6, "  its receiver is %s%s%.128s", receiver_state_text(facts->receiver),
                       facts->receiver_error[0] == '\0' ? "" : ": ", facts->receiver_error);
    if (m->has_source && m->source != NO_NODE && s->crawl->primary_count == 1 &&
        !is_primary(s, m->source))
        stanza_comment(out, 6, "  its source is a replica itself");
    if (!names_is_number(s->config.nodes[node].host))
        stanza_comment(out, 6,
                       "  FIX: its address is a name: write its IP address, and make its "
                       "replicas follow that");
    write_other_name(s, member, out);
}

static void write_nodes(const struct stanza *s, struct str *out)
{
    str_add(out, "    nodes = (\n");
    for (uint32_t i = 0; i < s->config.node_count; i++) {
        const struct node_config *node = &s->config.nodes[i];
        struct names_address address = {.port = node->port};
        char text[NAMES_ADDRESS_MAX];
        (void)stay_copy(address.host, sizeof address.host, node->host);
        names_format_address(text, sizeof text, &address);
        write_node_comment(s, i, out);
        str_addf(out, "      { name = \"%s\"; address = \"%s\"; zone = \"%s\"; }%s%s\n", node->name,
                 text, node->zone, i + 1 < s->config.node_count ? "," : "",
                 s->has_zone[i] ? "" : "  # FILL IN its zone, or --zone-of GLOB=ZONE");
    }
    for (uint32_t m = 0; m < s->crawl->member_count; m++) {
        char name[NAMES_ADDRESS_MAX];
        if (s->node[m] == NO_NODE)
            stanza_comment(out, 6, "LEFT OUT: %s is %s; a cluster has one engine",
                           stanza_name(s, m, name),
                           engine_text(s->crawl->members[m]->answer.engine));
    }
    str_add(out, "    );\n");
}

static bool can_act(const struct stanza *s)
{
    for (int i = 0; i < STANZA_ACCOUNTS; i++)
        if (s->input->accounts[i].file[0] == '\0')
            return false;
    return true;
}

static void write_account(struct str *out, const char *lead, const char *name, const char *user,
                          const char *file)
{
    str_addf(out, "      %s%-9s = { user = ", lead, name);
    quote(out, user);
    str_add(out, "; password = { file = ");
    quote(out, file);
    str_add(out, "; }; };\n");
}

static void write_accounts(const struct stanza *s, struct str *out)
{
    static const char *const names[STANZA_ACCOUNTS] = {"canary", "operate", "replicate"};
    str_add(out, "    accounts = {\n");
    write_account(out, "", "monitor", s->input->user, s->input->password_file);
    for (int i = 0; i < STANZA_ACCOUNTS; i++) {
        const struct stanza_account *a = &s->input->accounts[i];
        if (a->file[0] != '\0')
            write_account(out, "", names[i], a->user, a->file);
        else
            str_addf(out,
                     "      # FILL IN: %s = { user = \"mainstay_%s\"; password = { file = \"...\"; "
                     "}; };\n",
                     names[i], names[i]);
    }
    str_add(out, "    };\n");
    if (s->input->ca[0] == '\0')
        return;
    str_add(out, "    tls = { ca = ");
    quote(out, s->input->ca);
    if (s->input->cert[0] != '\0') {
        str_add(out, "; cert = ");
        quote(out, s->input->cert);
        str_add(out, "; key = ");
        quote(out, s->input->key);
    }
    str_addf(out, "; required = true;%s };\n",
             s->input->verify_name ? "" : " verify_name = false;");
}

static const char *on_off(enum tri value)
{
    return value == TRI_YES ? "ON" : "OFF";
}

static void write_semi_sync(const struct stanza *s, struct str *out)
{
    stanza_comment(out, 4, "Semi-sync as it is now (adopt sets the roles and the timeout):");
    for (uint32_t i = 0; i < s->config.node_count; i++) {
        const struct server_facts *f = &s->crawl->members[s->member[i]]->answer.facts;
        char source[120] = "plugin not loaded", replica[60] = "plugin not loaded";
        if (f->ss_source_enabled != TRI_UNKNOWN)
            (void)snprintf(source, sizeof source, "%s (%s, timeout %llu ms, %llu connected)",
                           on_off(f->ss_source_enabled),
                           f->ss_after_sync == TRI_NO ? "AFTER_COMMIT" : "AFTER_SYNC",
                           (unsigned long long)f->ss_timeout_ms, (unsigned long long)f->ss_clients);
        if (f->ss_replica_enabled != TRI_UNKNOWN)
            (void)snprintf(replica, sizeof replica, "%s (%s)", on_off(f->ss_replica_enabled),
                           f->ss_replica_on == TRI_YES ? "acknowledges" : "does not acknowledge");
        stanza_comment(out, 4, "  %s: source role: %s; replica role: %s", s->config.nodes[i].name,
                       source, replica);
    }
}

static void write_findings(const struct stanza *s, struct str *out)
{
    size_t blind_count;
    const char *const *blind = verdict_conformance_blind(&s->config, &blind_count);
    write_semi_sync(s, out);
    if (s->finding_count == 0 && blind_count == 0)
        return;
    stanza_comment(out, 4,
                   "`mainstay check` will name, roles once it is adopted (mainstay-verdicts(7)):");
    for (uint32_t i = 0; i < s->finding_count; i++) {
        const struct conformance *f = &s->findings[i];
        const char *name = f->verdict.node < s->config.node_count
                               ? s->config.nodes[f->verdict.node].name
                               : "the cluster";
        stanza_comment(out, 4, "  %s, %u %s: %s", name, f->verdict.rule_id, f->verdict.name,
                       f->detail);
        stanza_comment(out, 4, "    FIX: %s%s%s", f->fix,
                       f->line[0] == '\0' ? "" : "  file: ", f->line);
    }
    for (size_t i = 0; i < blind_count; i++)
        stanza_comment(out, 4, "  every server's option file, which no query shows: %s", blind[i]);
    if (!s->has_all_zones)
        stanza_comment(out, 4, "  and what zones spoil (519, 529), once they are filled in");
}

char *stanza_format(const struct stanza *s)
{
    struct str out = {0};
    write_head(s, &out);
    str_addf(&out, "clusters = (\n  { name = \"%s\";\n    engine = \"%s\";\n", s->config.name,
             engine_text(s->config.engine));
    write_nodes(s, &out);
    write_accounts(s, &out);
    str_add(&out, "    durability = { mode = \"lossless\"; acks = 1; without_acker = \"degrade\"; "
                  "};\n");
    if (can_act(s))
        str_add(&out, "    failover = { mode = \"automatic\"; accept = \"lossless\"; };\n");
    else
        str_add(&out, "    failover = { mode = \"observe\"; };  # until the accounts above are "
                      "filled in; then \"automatic\"\n");
    write_findings(s, &out);
    str_add(&out, "  }\n);\n");
    must(!out.is_cut);
    return str_take(&out);
}
