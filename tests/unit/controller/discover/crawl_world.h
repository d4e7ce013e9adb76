/* Servers made up for a crawl: who follows whom, what each shows, and who answers where. */
#ifndef TESTS_UNIT_CONTROLLER_DISCOVER_CRAWL_WORLD_H
#define TESTS_UNIT_CONTROLLER_DISCOVER_CRAWL_WORLD_H
#include "controller/discover/crawl.h"

#define FAKES_MAX 40

struct fake {
    const char *host; /* numeric, as its peers see it; it answers there and under `name` */
    const char *name; /* or NULL */
    uint16_t port;
    uint32_t id;
    const char *source_host; /* as it says; NULL: none */
    uint16_t source_port;
    bool is_open;   /* accepts writes */
    bool is_hidden; /* does not list its replicas */
    const char *report_host;
    enum obs_outcome fails;       /* OUT_NONE: it answers */
    enum receiver_state receiver; /* of a replica; UNKNOWN: RUNNING */
    enum engine engine;           /* NONE: MariaDB */
};

struct world {
    struct fake fakes[FAKES_MAX];
    uint32_t count;
    uint32_t asked;             /* addresses asked in the last crawl */
    char peers[4][64];          /* programs that stream from fakes[0] */
    bool loopback_as_localhost; /* dump threads from 127.0.0.1 are shown so */
};

static inline bool world_is_at(const struct fake *f, const struct names_address *address)
{
    return f->port == address->port && (strcmp(f->host, address->host) == 0 ||
                                        (f->name != NULL && strcmp(f->name, address->host) == 0));
}

/* f replicates from s, by the address it says. */
static inline bool world_follows(const struct fake *f, const struct fake *s)
{
    struct names_address source = {.port = f->source_port};
    if (f->source_host == NULL)
        return false;
    (void)stay_copy(source.host, sizeof source.host, f->source_host);
    return world_is_at(s, &source) &&
           (f->receiver == RECEIVER_UNKNOWN || f->receiver == RECEIVER_RUNNING);
}

static inline void world_add_peer(struct crawl_answer *a, const struct world *w, const char *host)
{
    bool is_local = w->loopback_as_localhost && strncmp(host, "127.", 4) == 0;
    (void)stay_copy(a->facts.dump_peers[a->facts.dump_peer_count++].host, 64,
                    is_local ? "localhost" : host);
}

static inline void world_answer(const struct world *w, uint32_t fake, struct crawl_answer *a)
{
    const struct fake *f = &w->fakes[fake];
    *a = (struct crawl_answer){.reach = {LAYER_QUERY, OUT_OK, 0, ""},
                               .engine = f->engine == ENGINE_NONE ? ENGINE_MARIADB : f->engine,
                               .groups = FACTS_STATUS,
                               .begun_wall_s = 1000,
                               .begun_within_s = 2,
                               .port = f->port,
                               .lists_replicas = f->is_hidden ? TRI_NO : TRI_YES,
                               .shows_threads = TRI_YES};
    (void)stay_copy(a->peer, sizeof a->peer, f->host);
    (void)snprintf(a->datadir, sizeof a->datadir, "/data/%u", fake);
    (void)stay_copy(a->hostname, sizeof a->hostname, "vm");
    a->facts.server_id = f->id;
    a->facts.read_only = f->is_open ? TRI_NO : TRI_YES;
    a->facts.receiver = RECEIVER_NONE;
    if (f->source_host != NULL) {
        a->facts.receiver = f->receiver == RECEIVER_UNKNOWN ? RECEIVER_RUNNING : f->receiver;
        (void)stay_copy(a->facts.source_host, FACT_TEXT_MAX, f->source_host);
        a->facts.source_port = f->source_port;
    }
    for (uint32_t i = 0; i < w->count; i++) {
        if (!world_follows(&w->fakes[i], f))
            continue;
        world_add_peer(a, w, w->fakes[i].host);
        if (f->is_hidden)
            continue;
        struct crawl_row *row = &a->rows[a->row_count++];
        *row = (struct crawl_row){.server_id = w->fakes[i].id, .port = w->fakes[i].port};
        if (w->fakes[i].report_host != NULL)
            (void)stay_copy(row->host, sizeof row->host, w->fakes[i].report_host);
    }
    for (size_t i = 0; i < STAY_COUNT(w->peers) && fake == 0; i++)
        if (w->peers[i][0] != '\0')
            world_add_peer(a, w, w->peers[i]);
}

static inline void world_ask(const struct world *w, const struct names_address *address,
                             struct crawl_answer *ret_answer)
{
    *ret_answer = (struct crawl_answer){.reach = {LAYER_CONNECT, OUT_REFUSED, 0, ""}};
    for (uint32_t i = 0; i < w->count; i++) {
        if (!world_is_at(&w->fakes[i], address))
            continue;
        if (w->fakes[i].fails == OUT_NONE)
            world_answer(w, i, ret_answer);
        else
            ret_answer->reach =
                (struct reach){w->fakes[i].fails == OUT_DENIED ? LAYER_LOGIN : LAYER_CONNECT,
                               w->fakes[i].fails, w->fakes[i].fails == OUT_DENIED ? 1045 : 0, ""};
        return;
    }
}

/* A whole crawl from one address, answers arriving last first. c is to be cleared. */
static inline void world_crawl(struct world *w, const char *from, const char *also, struct crawl *c)
{
    struct names_address address;
    uint32_t waiting[CRAWL_TARGETS_MAX], count = 0;
    crawl_init(c);
    must(names_parse_address(from, CRAWL_PORT, &address, NULL) == STAY_OK &&
         crawl_add(c, &address));
    if (also != NULL)
        must(names_parse_address(also, 0, &address, NULL) == STAY_OK && crawl_add(c, &address));
    for (w->asked = 0;;) {
        for (uint32_t target; crawl_next(c, &target);)
            waiting[count++] = target;
        if (count == 0)
            break;
        struct crawl_answer answer;
        world_ask(w, &c->targets[waiting[--count]].address, &answer);
        crawl_fold(c, waiting[count], &answer);
        w->asked++;
    }
    crawl_settle(c);
}

#endif
