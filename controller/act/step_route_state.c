/* HAProxy's runtime language: commands for a wanted state, and reading the state back.
 * Source: HAProxy 2.6 management guide, "show servers state": srv_admin_state is a mask; 0x01
 * forced maintenance, 0x02 inherited, 0x20 no address, 0x40 no host name; 0x04 (disabled in the
 * configuration) stays after `set server state ready` and closes nothing. */
#include "base/str.h"
#include "controller/act/step_route.h"

#define ADMIN_MAINTENANCE 0x63u
#define ADMIN_DRAIN       0x18u
#define FIELD_BACKEND     1
#define FIELD_SERVER      3
#define FIELD_ADMIN       6
#define FIELD_MAX         80

static bool is_in(uint32_t mask, uint32_t node)
{
    return (mask >> node & 1) != 0;
}

void route_commands(struct str *out, const struct cluster_config *config, const char *backend,
                    uint32_t ready, bool kill)
{
    for (uint32_t i = 0; i < config->node_count; i++)
        if (!is_in(ready, i))
            str_addf(out, "set server %s/%s state maint;", backend, config->nodes[i].name);
    for (uint32_t i = 0; i < config->node_count && kill; i++)
        if (!is_in(ready, i))
            str_addf(out, "shutdown sessions server %s/%s;", backend, config->nodes[i].name);
    for (uint32_t i = 0; i < config->node_count; i++)
        if (is_in(ready, i))
            str_addf(out, "set server %s/%s state ready;", backend, config->nodes[i].name);
    str_addf(out, "show servers state %s", backend);
}

/* Field `index` of a line of blank-separated fields. False: the line is shorter, or it too long. */
static bool field_of(const char *line, size_t length, int index, char dst[FIELD_MAX])
{
    const char *at = line, *end = line + length;
    for (int i = 0; at < end; i++) {
        size_t n = 0;
        while (at + n < end && at[n] != ' ')
            n++;
        if (i == index) {
            if (n == 0 || n >= FIELD_MAX)
                return false;
            memcpy(dst, at, n);
            dst[n] = '\0';
            return true;
        }
        at += n;
        while (at < end && *at == ' ')
            at++;
    }
    return false;
}

bool route_read_state(const char *answer, const struct cluster_config *config, const char *backend,
                      uint32_t *ret_ready, uint32_t *ret_known)
{
    uint32_t ready = 0, known = 0;
    bool found = false;
    for (const char *line = answer; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        char name[FIELD_MAX], server[FIELD_MAX], admin[FIELD_MAX];
        if (line[0] != '#' && field_of(line, n, FIELD_BACKEND, name) &&
            strcmp(name, backend) == 0 && field_of(line, n, FIELD_SERVER, server) &&
            field_of(line, n, FIELD_ADMIN, admin)) {
            uint32_t node = cluster_node_by_name(config, server);
            unsigned long mask = strtoul(admin, NULL, 10);
            found = true;
            if (node != NO_NODE) {
                known |= UINT32_C(1) << node;
                if ((mask & (ADMIN_MAINTENANCE | ADMIN_DRAIN)) == 0)
                    ready |= UINT32_C(1) << node;
            }
        }
        line += n;
        line += *line == '\n';
    }
    if (!found)
        return false;
    *ret_ready = ready;
    *ret_known = known;
    return true;
}
