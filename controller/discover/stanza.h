/* controller/discover/stanza.h - a settled crawl as a configuration file: servers named and
 * ordered, zones derived or left to fill in, and as comments what nobody could be asked about and
 * what `mainstay check` will name.
 *
 * Pure (heap only). Layer: discover. Call order: stanza_build, then the others. Whatever servers
 * sent stands in comments or behind a rule for names; control characters are shown as '?', so a
 * server cannot write configuration. */
#ifndef CONTROLLER_DISCOVER_STANZA_H
#define CONTROLLER_DISCOVER_STANZA_H
#include "controller/decide/verdict.h"
#include "controller/discover/crawl.h"

#define STANZA_TEXT_MAX     256
#define STANZA_ZONE         "fill-in" /* where no zone is known */
#define STANZA_FINDINGS_MAX 512

/* Accounts beside the one the crawl used; file empty: no password file was found for it. */
enum stanza_account_id { STANZA_CANARY = 0, STANZA_OPERATE, STANZA_REPLICATE, STANZA_ACCOUNTS };
struct stanza_account {
    char user[81];
    char file[STANZA_TEXT_MAX];
};

struct stanza_input {
    const char *cluster; /* its name */
    const char *address; /* as the operator wrote it */
    const char *zone_of; /* a checked zone pattern, or NULL */
    const char *user, *password_file;
    const char *ca, *cert, *key; /* "" for none */
    bool verify_name;
    struct stanza_account accounts[STANZA_ACCOUNTS];
};

struct stanza {
    const struct stanza_input *input; /* borrowed */
    const struct crawl *crawl;        /* borrowed, settled, with at least one member */
    struct cluster_config config;     /* the servers as they are written */
    uint32_t member[NODES_MAX];       /* of the crawl, by node */
    uint32_t node[NODES_MAX];         /* by member; NO_NODE: of the other engine */
    bool has_zone[NODES_MAX];         /* by node */
    bool has_all_zones;
    uint32_t finding_count;
    struct conformance *findings; /* owned */
};

/* False with the pattern's error in *err when a zone cannot be made. */
enum stay_rc stanza_build(struct stanza *s, const struct stanza_input *input,
                          const struct crawl *crawl, struct stay_error *err) STAY_MUST_USE;
void stanza_clear(struct stanza *s);
/* A whole configuration file, heap text, caller frees. */
char *stanza_format(const struct stanza *s) STAY_MUST_USE;

/* Text of a moment: what is so, and what mends it. */
struct stanza_text {
    char what[700], fix[500];
};
/* Someone who could not be asked. */
void stanza_missing(const struct stanza *s, uint32_t missing, struct stanza_text *ret_text);
/* Whether member m may have replicas that nobody could see; false: no. */
bool stanza_blind(const struct stanza *s, uint32_t member, struct stanza_text *ret_text);
/* Every server was asked, none may be hidden, and one primary is named. */
bool stanza_is_whole(const struct stanza *s);
/* An attempt that failed, as `what` mends it; also without a stanza (a first server that does not
 * answer). engine may be ENGINE_NONE. */
void stanza_reach_fix(const struct stanza_input *input, enum engine engine,
                      const struct reach *reach, char *ret_fix, size_t size);
/* Which server is the primary and why, or what a human must settle. */
void stanza_primary(const struct stanza *s, struct stanza_text *ret_text);
/* Replaces what is not printable ASCII by '?'. */
void stanza_clean(char *text);

#endif
