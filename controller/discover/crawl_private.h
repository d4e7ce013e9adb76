/* controller/discover/crawl_private.h - what the files of a crawl share: hosts as one server means
 * them, and who is known under which address.
 *
 * crawl.c asks and folds, crawl_settle.c concludes. Pure. Layer: discover, crawl*.c only. */
#ifndef CONTROLLER_DISCOVER_CRAWL_PRIVATE_H
#define CONTROLLER_DISCOVER_CRAWL_PRIVATE_H
#include "controller/discover/crawl.h"

/* `host` as server `by` means it: its own host for a loopback address, else unchanged. False: no
 * host that could be asked. */
bool crawl_host_of(const struct crawl *c, uint32_t by, const char *host, char *dst, size_t size);
/* The address member m says it replicates from, as we would ask it. False: it has no source. */
bool crawl_source_of(const struct crawl *c, uint32_t m, struct names_address *ret_address);
/* An address of member m is on `host`: one that was asked or, when `or_peer`, the number it had. */
bool crawl_is_on(const struct crawl *c, uint32_t m, const char *host, bool or_peer);
/* Index of that address among the targets, NO_NODE: not among them. */
uint32_t crawl_target_of(const struct crawl *c, const struct names_address *address);
/* Dump threads of s from `host`, and the linked replicas of s found there. */
void crawl_count_peer(const struct crawl *c, uint32_t s, const char *host, bool or_peer,
                      uint32_t *ret_threads, uint32_t *ret_found);
/* Both say the same place: equal, or both loopback. */
bool crawl_same_host(const char *a, const char *b);
/* Sets source, has_source and is_linked of every member anew. */
void crawl_link(struct crawl *c);

#endif
