/* Whom to ask next: what the operator named, what answered servers name, and, when that is used up,
 * ports guessed for replicas whose dump threads show an address alone. */
#include "controller/discover/crawl_private.h"

#include <strings.h>

void crawl_answer_clear(struct crawl_answer *answer)
{
    server_facts_clear(&answer->facts);
    *answer = (struct crawl_answer){0};
}

void crawl_init(struct crawl *c)
{
    *c = (struct crawl){0};
}

void crawl_clear(struct crawl *c)
{
    for (uint32_t i = 0; i < c->member_count; i++) {
        crawl_answer_clear(&c->members[i]->answer);
        free(c->members[i]);
    }
    crawl_init(c);
}

bool crawl_is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (strncmp(host, "127.", 4) == 0 && crawl_is_numeric(host));
}

bool crawl_is_numeric(const char *host)
{
    return host[strspn(host, "0123456789.")] == '\0' || strchr(host, ':') != NULL;
}

bool crawl_same_host(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0 || (crawl_is_loopback(a) && crawl_is_loopback(b));
}

/* What a server sent goes through the rules for addresses in configuration files. */
static bool is_askable(const char *host)
{
    struct names_address address = {.port = CRAWL_PORT}, back;
    char text[NAMES_ADDRESS_MAX];
    if (host[0] == '\0' || !stay_copy(address.host, sizeof address.host, host))
        return false;
    names_format_address(text, sizeof text, &address);
    return strlen(host) < sizeof((struct node_config *)0)->host &&
           names_parse_address(text, 0, &back, NULL) == STAY_OK;
}

/* A target through which the member answered. */
static const struct crawl_target *way_to(const struct crawl *c, uint32_t m)
{
    for (uint32_t i = 0; i < c->target_count; i++)
        if (c->targets[i].member == m)
            return &c->targets[i];
    return NULL;
}

bool crawl_host_of(const struct crawl *c, uint32_t by, const char *host, char *dst, size_t size)
{
    const struct crawl_target *way = way_to(c, by);
    const char *own = way == NULL ? host : way->address.host;
    if (!crawl_is_loopback(host))
        own = host;
    else if (strcasecmp(host, "localhost") != 0 && crawl_is_loopback(own))
        own = host; /* as it is written there, since we are on that host too */
    else if (crawl_is_loopback(own) && c->members[by]->answer.peer[0] != '\0')
        own = c->members[by]->answer.peer;
    return is_askable(own) && stay_copy(dst, size, own);
}

bool crawl_source_of(const struct crawl *c, uint32_t m, struct names_address *ret_address)
{
    const struct crawl_answer *a = &c->members[m]->answer;
    struct names_address address = {.port = (uint16_t)a->facts.source_port};
    if (!(a->groups & FACTS_STATUS) || a->facts.receiver == RECEIVER_NONE ||
        a->facts.source_port == 0 || a->facts.source_port > UINT16_MAX ||
        !crawl_host_of(c, m, a->facts.source_host, address.host, sizeof address.host))
        return false;
    *ret_address = address;
    return true;
}

uint32_t crawl_target_of(const struct crawl *c, const struct names_address *address)
{
    for (uint32_t i = 0; i < c->target_count; i++)
        if (names_address_equal(&c->targets[i].address, address))
            return i;
    return NO_NODE;
}

static bool add(struct crawl *c, const struct crawl_target *target)
{
    uint32_t known = crawl_target_of(c, &target->address);
    if (known != NO_NODE) {
        struct crawl_target *t = &c->targets[known];
        if (target->why > t->why) {
            t->why = target->why;
            t->by = target->by;
            t->server_id = target->server_id;
        }
        return true;
    }
    if (c->target_count == CRAWL_TARGETS_MAX) {
        c->is_cut = true;
        return false;
    }
    c->targets[c->target_count] = *target;
    c->targets[c->target_count++].member = NO_NODE;
    return true;
}

bool crawl_add(struct crawl *c, const struct names_address *address)
{
    struct crawl_target target = {.address = *address, .why = CRAWL_OPERATOR, .by = NO_NODE};
    return add(c, &target);
}

bool crawl_is_on(const struct crawl *c, uint32_t m, const char *host, bool or_peer)
{
    for (uint32_t i = 0; i < c->target_count; i++)
        if (c->targets[i].member == m && crawl_same_host(c->targets[i].address.host, host))
            return true;
    return or_peer && crawl_same_host(c->members[m]->answer.peer, host);
}

void crawl_count_peer(const struct crawl *c, uint32_t s, const char *host, bool or_peer,
                      uint32_t *ret_threads, uint32_t *ret_found)
{
    const struct server_facts *facts = &c->members[s]->answer.facts;
    char peer[NAMES_HOST_MAX + 1];
    *ret_threads = *ret_found = 0;
    for (uint32_t p = 0; p < facts->dump_peer_count; p++)
        *ret_threads += crawl_host_of(c, s, facts->dump_peers[p].host, peer, sizeof peer) &&
                        crawl_same_host(peer, host);
    for (uint32_t m = 0; m < c->member_count; m++)
        *ret_found += c->members[m]->source == s && crawl_is_on(c, m, host, or_peer);
}

static void spread_links(struct crawl *c)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t m = 0; m < c->member_count; m++) {
            struct crawl_member *one = c->members[m];
            struct crawl_member *other = one->source == NO_NODE ? one : c->members[one->source];
            if (one->is_linked != other->is_linked)
                one->is_linked = other->is_linked = moved = true;
        }
    }
}

void crawl_link(struct crawl *c)
{
    struct names_address source;
    for (uint32_t m = 0; m < c->member_count; m++) {
        struct crawl_member *member = c->members[m];
        uint32_t at = NO_NODE;
        member->has_source = crawl_source_of(c, m, &source);
        if (member->has_source)
            at = crawl_target_of(c, &source);
        member->source = at == NO_NODE ? NO_NODE : c->targets[at].member;
        if (member->source == m) /* an address that leads back to itself is no source */
            member->source = NO_NODE;
        member->is_linked = false;
    }
    for (uint32_t i = 0; i < c->target_count; i++)
        if (c->targets[i].why == CRAWL_OPERATOR && c->targets[i].member != NO_NODE)
            c->members[c->targets[i].member]->is_linked = true;
    spread_links(c);
}

static void add_rows(struct crawl *c, uint32_t m)
{
    const struct crawl_answer *a = &c->members[m]->answer;
    for (uint32_t i = 0; i < a->row_count; i++) {
        struct crawl_target target = {
            .why = CRAWL_REPORTED, .by = m, .server_id = a->rows[i].server_id};
        target.address.port = a->rows[i].port;
        if (target.address.port != 0 &&
            crawl_host_of(c, m, a->rows[i].host, target.address.host, sizeof target.address.host))
            (void)add(c, &target);
    }
}

/* Of a server that is not linked yet, only the source: that may link it. */
static void expand(struct crawl *c)
{
    crawl_link(c);
    for (uint32_t m = 0; m < c->member_count; m++) {
        struct crawl_target target = {.why = CRAWL_SOURCE, .by = m};
        if (crawl_source_of(c, m, &target.address))
            (void)add(c, &target);
        if (c->members[m]->is_linked)
            add_rows(c, m);
    }
    crawl_link(c); /* a source may have been an address that is known already */
}

static bool same_server(const struct crawl_answer *a, const struct crawl_answer *b)
{
    int64_t apart_s = a->begun_wall_s - b->begun_wall_s;
    int64_t within_s = a->begun_within_s + b->begun_within_s;
    return a->engine == b->engine && a->port == b->port &&
           a->facts.server_id == b->facts.server_id &&
           strcmp(a->facts.server_uuid, b->facts.server_uuid) == 0 &&
           strcmp(a->hostname, b->hostname) == 0 && strcmp(a->datadir, b->datadir) == 0 &&
           apart_s <= within_s && apart_s >= -within_s;
}

static uint32_t take_member(struct crawl *c, struct crawl_answer *answer)
{
    for (uint32_t m = 0; m < c->member_count; m++)
        if (same_server(&c->members[m]->answer, answer))
            return m;
    if (c->member_count == NODES_MAX) {
        c->is_cut = true;
        return NO_NODE;
    }
    struct crawl_member *member = stay_calloc(1, sizeof *member);
    member->answer = *answer;
    *answer = (struct crawl_answer){0};
    c->members[c->member_count] = member;
    return c->member_count++;
}

void crawl_fold(struct crawl *c, uint32_t target, struct crawl_answer *answer)
{
    struct crawl_target *t = &c->targets[target];
    must(target < c->target_count && t->is_asked && !t->is_answered && c->asking > 0);
    c->asking--;
    t->is_answered = true;
    t->reach = answer->reach;
    if (answer->reach.outcome == OUT_OK)
        t->member = take_member(c, answer);
    crawl_answer_clear(answer);
    expand(c);
}

/* Ports worth a guess for a replica of s on `host`, best first: the one not yet asked. */
static bool next_port(const struct crawl *c, uint32_t s, struct names_address *address)
{
    const struct crawl_answer *a = &c->members[s]->answer;
    const struct crawl_target *way = way_to(c, s);
    uint16_t ports[CRAWL_ROWS_MAX + NODES_MAX + 3];
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->row_count; i++) /* a wrong report_host may have a true port */
        ports[n++] = a->rows[i].port;
    for (uint32_t m = 0; m < c->member_count; m++)
        if (crawl_is_on(c, m, address->host, true))
            ports[n++] = c->members[m]->answer.port;
    ports[n++] = way == NULL ? 0 : way->address.port;
    ports[n++] = a->port;
    ports[n++] = CRAWL_PORT;
    for (uint32_t i = 0; i < n; i++) {
        address->port = ports[i];
        if (ports[i] != 0 && crawl_target_of(c, address) == NO_NODE)
            return true;
    }
    return false;
}

static bool guess(struct crawl *c)
{
    bool any = false;
    for (uint32_t s = 0; s < c->member_count; s++) {
        const struct server_facts *facts = &c->members[s]->answer.facts;
        for (uint32_t p = 0; p < facts->dump_peer_count && c->members[s]->is_linked; p++) {
            struct crawl_target target = {.why = CRAWL_GUESS, .by = s};
            char *host = target.address.host;
            uint32_t threads, found;
            if (!crawl_host_of(c, s, facts->dump_peers[p].host, host, sizeof target.address.host))
                continue;
            crawl_count_peer(c, s, host, false, &threads, &found);
            if (found < threads && next_port(c, s, &target.address))
                any |= add(c, &target);
        }
    }
    return any;
}

bool crawl_next(struct crawl *c, uint32_t *ret_target)
{
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < c->target_count; i++) {
            if (c->targets[i].is_asked)
                continue;
            c->targets[i].is_asked = true;
            c->asking++;
            *ret_target = i;
            return true;
        }
        if (c->asking > 0 || c->is_settled || !guess(c))
            return false;
    }
    return false;
}
