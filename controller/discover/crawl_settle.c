/* What a crawl found: who belongs, under which address, who is missing, who is the primary. */
#include "controller/discover/crawl_private.h"

#include <strings.h>

static bool is_replica_of(const struct crawl *c, uint32_t m, uint32_t s)
{
    return c->members[m]->is_linked && c->members[m]->source == s;
}

/* How well `address` serves as the address of member m in the configuration. Servers are matched by
 * it with what replicas call their source, and with what dump threads show (cluster_relations.c):
 * so first as the others see it now, then a number that is not this host. */
static uint32_t rank(const struct crawl *c, uint32_t m, const struct crawl_target *t)
{
    uint32_t points = t->why * 2;
    struct names_address source;
    char peer[NAMES_HOST_MAX + 1];
    for (uint32_t r = 0; r < c->member_count; r++)
        if (is_replica_of(c, r, m) && crawl_source_of(c, r, &source) &&
            names_address_equal(&source, &t->address))
            points += 1000;
    if (c->members[m]->source != NO_NODE) {
        uint32_t s = c->members[m]->source;
        const struct server_facts *facts = &c->members[s]->answer.facts;
        bool is_seen = false;
        for (uint32_t p = 0; p < facts->dump_peer_count; p++)
            is_seen |= crawl_host_of(c, s, facts->dump_peers[p].host, peer, sizeof peer) &&
                       strcasecmp(peer, t->address.host) == 0;
        points += is_seen ? 500 : 0;
    }
    if (crawl_is_numeric(t->address.host))
        points += 10;
    return points + (crawl_is_loopback(t->address.host) ? 0 : 100);
}

static void choose_addresses(struct crawl *c)
{
    uint32_t best[NODES_MAX] = {0};
    for (uint32_t i = 0; i < c->target_count; i++) {
        const struct crawl_target *t = &c->targets[i];
        if (t->member == NO_NODE)
            continue;
        uint32_t points = 1 + rank(c, t->member, t);
        if (points <= best[t->member])
            continue;
        best[t->member] = points;
        c->members[t->member]->address = t->address;
    }
}

static bool has_server_id(const struct crawl *c, uint64_t server_id)
{
    for (uint32_t m = 0; m < c->member_count; m++)
        if (c->members[m]->is_linked && c->members[m]->answer.facts.server_id == server_id)
            return true;
    return false;
}

static struct crawl_missing *add_missing(struct crawl *c)
{
    if (c->missing_count == NODES_MAX) {
        c->is_cut = true;
        return NULL;
    }
    return &c->missing[c->missing_count++];
}

/* Addresses somebody named and nobody answered. */
static void list_named(struct crawl *c)
{
    for (uint32_t i = 0; i < c->target_count; i++) {
        const struct crawl_target *t = &c->targets[i];
        bool is_told = t->by == NO_NODE || c->members[t->by]->is_linked;
        bool is_there = t->reach.outcome == OUT_OK || /* one too many is no one missing */
                        (t->why == CRAWL_REPORTED && has_server_id(c, t->server_id));
        if (t->why == CRAWL_GUESS || !is_told || is_there)
            continue;
        struct crawl_missing *missing = add_missing(c);
        if (missing != NULL)
            *missing = (struct crawl_missing){
                .address = t->address, .why = t->why, .by = t->by, .reach = t->reach};
    }
}

static bool lists(const struct crawl_answer *s, uint64_t server_id)
{
    bool found = false;
    for (uint32_t i = 0; i < s->row_count; i++)
        found |= s->rows[i].server_id == server_id;
    return found;
}

/* A server that was named and did not answer may be the one behind a dump thread from its host. */
static bool streams_from(const struct crawl *c, uint32_t s, const struct crawl_missing *missing)
{
    uint32_t threads, found;
    crawl_count_peer(c, s, missing->address.host, true, &threads, &found);
    return missing->by != s && threads > found;
}

/* Dump threads of s that no replica found or named accounts for. A thread outlives its replica
 * until the next event is sent; s goes on listing that replica too. */
static uint32_t unknown_threads(const struct crawl *c, uint32_t s)
{
    const struct crawl_answer *source = &c->members[s]->answer;
    uint32_t threads = source->facts.dump_peer_count, known = 0;
    for (uint32_t m = 0; m < c->member_count; m++) {
        const struct server_facts *facts = &c->members[m]->answer.facts;
        bool runs = is_replica_of(c, m, s) && facts->receiver == RECEIVER_RUNNING;
        known += c->members[m]->is_linked && (runs || lists(source, facts->server_id));
    }
    for (uint32_t i = 0; i < c->missing_count; i++)
        known += (c->missing[i].by == s && c->missing[i].why == CRAWL_REPORTED) ||
                 (c->missing[i].why != CRAWL_GUESS && streams_from(c, s, &c->missing[i]));
    return threads > known ? threads - known : 0;
}

static void note_ports(const struct crawl *c, struct crawl_missing *missing)
{
    size_t used = 0;
    for (uint32_t i = 0; i < c->target_count; i++) {
        const struct crawl_target *t = &c->targets[i];
        bool is_foreign = t->member == NO_NODE || !c->members[t->member]->is_linked;
        if (!is_foreign || !crawl_same_host(t->address.host, missing->address.host))
            continue;
        if (t->reach.layer >= missing->reach.layer) /* the one that got farthest tells most */
            missing->reach = t->reach;
        if (used < sizeof missing->ports - 8)
            used += (size_t)snprintf(missing->ports + used, sizeof missing->ports - used, "%s%u",
                                     used > 0 ? ", " : "", t->address.port);
    }
}

/* Hosts that stream from s, where no replica of it was found. */
static void list_streaming(struct crawl *c, uint32_t s)
{
    const struct server_facts *facts = &c->members[s]->answer.facts;
    uint32_t unknown = unknown_threads(c, s);
    for (uint32_t p = 0; p < facts->dump_peer_count && unknown > 0; p++) {
        struct crawl_missing missing = {.why = CRAWL_GUESS, .by = s};
        char *host = missing.address.host;
        uint32_t threads, found;
        bool is_listed = false;
        if (!crawl_host_of(c, s, facts->dump_peers[p].host, host, sizeof missing.address.host))
            (void)stay_copy(host, sizeof missing.address.host, facts->dump_peers[p].host);
        crawl_count_peer(c, s, host, true, &threads, &found);
        for (uint32_t i = 0; i < c->missing_count; i++)
            is_listed |= c->missing[i].by == s && c->missing[i].why == CRAWL_GUESS &&
                         crawl_same_host(c->missing[i].address.host, host);
        if (threads <= found || is_listed)
            continue;
        note_ports(c, &missing);
        struct crawl_missing *at = add_missing(c);
        if (at != NULL)
            *at = missing;
        unknown--;
    }
}

static int compare_addresses(const struct names_address *a, const struct names_address *b)
{
    int by_host = strcasecmp(a->host, b->host);
    return by_host != 0 ? by_host : a->port < b->port ? -1 : a->port > b->port;
}

static uint32_t replicas_of(const struct crawl *c, uint32_t s)
{
    uint32_t n = 0;
    for (uint32_t m = 0; m < c->member_count; m++)
        n += is_replica_of(c, m, s);
    return n;
}

/* Members first by what makes a primary, the most followed among equals, then by address. */
static bool leads(const struct crawl *c, uint32_t a, uint32_t b)
{
    const struct crawl_member *x = c->members[a], *y = c->members[b];
    bool x_open = x->answer.facts.read_only == TRI_NO, y_open = y->answer.facts.read_only == TRI_NO;
    uint32_t x_replicas = replicas_of(c, a), y_replicas = replicas_of(c, b);
    if (x->is_linked != y->is_linked)
        return x->is_linked;
    if ((x_open && !x->has_source) != (y_open && !y->has_source))
        return x_open && !x->has_source;
    if (x_open != y_open)
        return x_open;
    if (x->has_source != y->has_source)
        return !x->has_source;
    if (x_replicas != y_replicas)
        return x_replicas > y_replicas;
    return compare_addresses(&x->address, &y->address) < 0;
}

/* Who could be the primary, best kind first; `order` has members as `leads` sorts them. */
static void find_primary(struct crawl *c, const uint32_t *order, uint32_t linked)
{
    uint32_t open[NODES_MAX], tops[NODES_MAX], open_count = 0, top_count = 0;
    for (uint32_t i = 0; i < linked; i++) {
        const struct crawl_member *m = c->members[order[i]];
        if (m->answer.facts.read_only == TRI_NO)
            open[open_count++] = order[i];
        if (!m->has_source)
            tops[top_count++] = order[i];
    }
    bool is_top = open_count > 0 && !c->members[open[0]]->has_source;
    bool leads_alone = is_top && (open_count == 1 || c->members[open[1]]->has_source);
    const uint32_t *from = open_count > 0 ? open : tops;
    c->primary_count = 1;
    if (linked == 0)
        c->how = CRAWL_PRIMARY_NONE;
    else if (leads_alone)
        c->how = CRAWL_PRIMARY_SURE; /* replicas left open are findings of their own */
    else if (open_count == 1)
        c->how = CRAWL_PRIMARY_FOLLOWS;
    else if (open_count == 0 && top_count == 1)
        c->how = CRAWL_PRIMARY_READ_ONLY;
    else if (open_count == 0 && top_count == 0)
        c->how = CRAWL_PRIMARY_OUTSIDE;
    else
        c->how = CRAWL_PRIMARY_SEVERAL;
    if (c->how == CRAWL_PRIMARY_NONE || c->how == CRAWL_PRIMARY_OUTSIDE)
        c->primary_count = 0;
    else if (c->how == CRAWL_PRIMARY_SEVERAL)
        c->primary_count = open_count > 0 ? open_count : top_count;
    for (uint32_t i = 0; i < c->primary_count; i++)
        c->primaries[i] = from[i];
}

/* The first by address of the replicas of s that have no place yet; NO_NODE: none is left. */
static uint32_t next_replica(const struct crawl *c, uint32_t s, const bool *is_placed)
{
    uint32_t next = NO_NODE;
    for (uint32_t m = 0; m < c->member_count; m++) {
        if (is_placed[m] || !is_replica_of(c, m, s))
            continue;
        if (next == NO_NODE ||
            compare_addresses(&c->members[m]->address, &c->members[next]->address) < 0)
            next = m;
    }
    return next;
}

/* Behind each server its replicas, breadth first; those of a ring or of an absent source come
 * last. */
static void sort_members(const struct crawl *c, uint32_t *order, uint32_t linked)
{
    uint32_t sorted[NODES_MAX] = {0}, n = 0;
    bool is_placed[NODES_MAX] = {false};
    for (uint32_t at = 0; at < linked; at++) {
        if (at == n) { /* nothing more hangs on those before */
            uint32_t first = 0;
            while (is_placed[order[first]])
                first++;
            is_placed[order[first]] = true;
            sorted[n++] = order[first];
        }
        for (uint32_t m; (m = next_replica(c, sorted[at], is_placed)) != NO_NODE;) {
            is_placed[m] = true;
            sorted[n++] = m;
        }
    }
    for (uint32_t i = 0; i < linked; i++)
        order[i] = sorted[i];
}

/* Members in `order`, the rest dropped; every index follows. */
static void renumber(struct crawl *c, const uint32_t *order, uint32_t linked)
{
    struct crawl_member *kept[NODES_MAX];
    uint32_t to[NODES_MAX];
    for (uint32_t m = 0; m < c->member_count; m++)
        to[m] = NO_NODE;
    for (uint32_t i = 0; i < linked; i++) {
        to[order[i]] = i;
        kept[i] = c->members[order[i]];
    }
    for (uint32_t m = 0; m < c->member_count; m++) {
        if (to[m] != NO_NODE)
            continue;
        crawl_answer_clear(&c->members[m]->answer);
        free(c->members[m]);
    }
    for (uint32_t i = 0; i < linked; i++) {
        c->members[i] = kept[i];
        if (kept[i]->source != NO_NODE)
            kept[i]->source = to[kept[i]->source];
    }
    for (uint32_t i = 0; i < c->target_count; i++) {
        struct crawl_target *t = &c->targets[i];
        t->member = t->member == NO_NODE ? NO_NODE : to[t->member];
        t->by = t->by == NO_NODE ? NO_NODE : to[t->by];
    }
    for (uint32_t i = 0; i < c->missing_count; i++)
        if (c->missing[i].by != NO_NODE)
            c->missing[i].by = to[c->missing[i].by];
    for (uint32_t i = 0; i < c->primary_count; i++)
        c->primaries[i] = to[c->primaries[i]];
    c->member_count = linked;
}

void crawl_settle(struct crawl *c)
{
    uint32_t order[NODES_MAX], linked = 0;
    crawl_link(c);
    choose_addresses(c);
    list_named(c);
    for (uint32_t m = 0; m < c->member_count; m++) {
        if (c->members[m]->is_linked && !c->is_cut) /* else the one that streams was one too many */
            list_streaming(c, m);
        uint32_t at = m; /* insertion sort */
        for (; at > 0 && leads(c, m, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = m;
        linked += c->members[m]->is_linked;
    }
    find_primary(c, order, linked);
    sort_members(c, order, linked);
    renumber(c, order, linked);
    c->is_settled = true;
}
