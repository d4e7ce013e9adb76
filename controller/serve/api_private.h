/* controller/serve/api_private.h - what the api_*.c files share.
 *
 * Layer: serve, these files only. */
#ifndef CONTROLLER_SERVE_API_PRIVATE_H
#define CONTROLLER_SERVE_API_PRIVATE_H
#include "controller/serve/api.h"

/* true, false or null. */
void api_set_tri(json_t *obj, const char *key, enum tri value);
/* null when value equals unknown. */
void api_set_time(json_t *obj, const char *key, int64_t value, int64_t unknown);
const char *api_node_name(const struct cluster_config *config, uint32_t node); /* or NULL */
json_t *api_verdict_json(const struct verdict *v, const struct cluster_config *config);
/* The set that only this server holds and the primary never wrote; NULL if none; caller frees. */
char *api_extra(const struct control_cluster *c, uint32_t node);
/* False for the primary: the cluster's verdict speaks for it. */
bool api_node_verdict(const struct control_cluster *c, uint32_t node, struct verdict *ret);
/* Names of the nodes in a mask. */
json_t *api_node_names(const struct cluster_config *config, uint32_t mask);

/* api_outage.c: what a human needs after a total outage; null while the verdict asks nothing. */
json_t *api_outage(const struct control_cluster *c);

#endif
