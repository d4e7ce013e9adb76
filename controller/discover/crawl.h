/* controller/discover/crawl.h - finds the servers of a cluster from one of them: whom to ask next,
 * which addresses are the same server, who belongs together, who is the primary.
 *
 * Pure (heap only): answers come in, addresses to ask go out. Layer: discover. Call order:
 * crawl_init, crawl_add.., then crawl_next and crawl_fold until nothing is left, crawl_settle,
 * crawl_clear.
 *
 * Who replicates from a server is told by its list of replicas (what each says of itself, maybe
 * nothing: report_host is empty by default) and by the peers of its dump threads (the address is
 * sure, the port is not). An address that another server named is asked; a port that nobody named
 * is guessed: what the list says, then the source's own, then 3306. An answer counts as a member
 * only when it is linked to the first server by replication: what happens to run on the same host
 * is not. Addresses meet in one member when the server behind them is the same process. */
#ifndef CONTROLLER_DISCOVER_CRAWL_H
#define CONTROLLER_DISCOVER_CRAWL_H
#include "base/names.h"
#include "controller/decide/cluster_config.h"

#define CRAWL_TARGETS_MAX 256 /* addresses asked in one crawl */
#define CRAWL_ROWS_MAX    64  /* replicas listed by one server */
#define CRAWL_PORT        3306

/* One row of SHOW REPLICAS, SHOW SLAVE HOSTS. */
struct crawl_row {
    uint64_t server_id;
    char host[NAMES_HOST_MAX + 1]; /* report_host: often empty, sometimes wrong */
    uint16_t port;                 /* report_port: its own port unless set; 0 unknown */
};

/* What one address answered. facts and the rest are valid when reach.outcome is OUT_OK. */
struct crawl_answer {
    struct reach reach;
    enum engine engine;
    unsigned groups;           /* of facts */
    struct server_facts facts; /* owns its sets */
    int64_t begun_wall_s;      /* when its process began, by our clock, */
    int64_t begun_within_s;    /* give or take this: how long it took to answer, and rounding */
    uint16_t port;             /* its own; behind a forwarded port another one */
    char peer[64];             /* numeric address that was connected to */
    char hostname[FACT_TEXT_MAX], datadir[FACT_TEXT_MAX];
    enum tri lists_replicas; /* NO: its list of replicas needs a privilege we lack */
    enum tri shows_threads;  /* NO: without PROCESS it hides its dump threads from us */
    uint32_t row_count;
    struct crawl_row rows[CRAWL_ROWS_MAX];
};

/* How an address became known; a later one is a better address of a server that has several. */
enum crawl_why {
    CRAWL_GUESS = 0, /* a port tried on a host that streams */
    CRAWL_REPORTED,  /* the replica says so of itself */
    CRAWL_SOURCE,    /* a replica's source */
    CRAWL_OPERATOR,  /* named on the command line */
    CRAWL_WHY_COUNT
};

struct crawl_target {
    struct names_address address;
    enum crawl_why why;
    uint32_t by;        /* member whose word this is, NO_NODE: the operator's */
    uint64_t server_id; /* REPORTED: of the replica; else 0 */
    bool is_asked, is_answered;
    struct reach reach; /* when answered */
    uint32_t member;    /* the server there, NO_NODE: none */
};

struct crawl_member {
    struct crawl_answer answer;
    struct names_address address; /* the best one: as the other servers see it */
    uint32_t source;              /* member it replicates from; NO_NODE: none, or not reached */
    bool has_source;              /* it has one, reached or not */
    bool is_linked;               /* by replication to a server the operator named */
};

/* Somebody who belongs to the cluster, or may, and could not be asked. */
struct crawl_missing {
    struct names_address address; /* port 0: not known */
    enum crawl_why why;           /* GUESS: only its dump thread is known */
    uint32_t by;                  /* member that told of it, NO_NODE: the operator */
    struct reach reach;
    char ports[48]; /* GUESS: ports where nothing of this cluster answered, "3306, 3307" */
};

enum crawl_primary {
    CRAWL_PRIMARY_NONE = 0,  /* no server was reached */
    CRAWL_PRIMARY_SURE,      /* the one that accepts writes and replicates from nobody */
    CRAWL_PRIMARY_FOLLOWS,   /* the only one that accepts writes, although it has a source */
    CRAWL_PRIMARY_READ_ONLY, /* replicates from nobody; nobody accepts writes */
    CRAWL_PRIMARY_OUTSIDE,   /* all replicate from servers that were not reached */
    CRAWL_PRIMARY_SEVERAL    /* more than one accepts writes, or leads: a human must say */
};

struct crawl {
    uint32_t target_count, member_count, missing_count, primary_count;
    struct crawl_target targets[CRAWL_TARGETS_MAX];
    struct crawl_member *members[NODES_MAX]; /* owned */
    struct crawl_missing missing[NODES_MAX];
    bool is_cut;     /* a bound was hit: there may be more servers */
    uint32_t asking; /* addresses handed out and not yet folded */
    /* After crawl_settle: linked members alone are left, the primary first, replicas behind their
     * source. */
    enum crawl_primary how;
    uint32_t primaries[NODES_MAX]; /* SEVERAL: which */
    bool is_settled;
};

void crawl_init(struct crawl *c);
void crawl_clear(struct crawl *c);
/* An address the operator named; the first one is where the crawl begins. False: too many. */
bool crawl_add(struct crawl *c, const struct names_address *address);
/* The next address to ask, by index, until false: then answers must come in first, or, with
 * c->asking == 0, the crawl is over. */
bool crawl_next(struct crawl *c, uint32_t *ret_target);
/* The answer of that address; facts are taken over (moved: *answer is emptied). */
void crawl_fold(struct crawl *c, uint32_t target, struct crawl_answer *answer);
/* Ends it: drops who does not belong, chooses addresses, finds the primary, sorts, lists who is
 * missing. Indexes of members are new afterwards. */
void crawl_settle(struct crawl *c);

/* True for 127.0.0.0/8, ::1 and localhost. */
bool crawl_is_loopback(const char *host);
/* No DNS name: an address in numbers. */
bool crawl_is_numeric(const char *host);

void crawl_answer_clear(struct crawl_answer *answer);

#endif
