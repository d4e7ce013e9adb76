/* A chain of servers to crawl, and what was found of it as one line. */
#ifndef TESTS_UNIT_CONTROLLER_DISCOVER_CRAWL_CHAIN_H
#define TESTS_UNIT_CONTROLLER_DISCOVER_CRAWL_CHAIN_H
#include "base/base.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/unit/controller/discover/crawl_world.h"

/* Three servers in a chain with a side branch, hosts of their own. */
static const struct world chain = {
    .fakes = {{.host = "10.0.0.1", .port = 3306, .id = 1, .is_open = true},
              {.host = "10.0.0.2",
               .port = 3306,
               .id = 2,
               .source_host = "10.0.0.1",
               .source_port = 3306},
              {.host = "10.0.0.3",
               .port = 3306,
               .id = 3,
               .source_host = "10.0.0.2",
               .source_port = 3306},
              {.host = "10.0.0.4",
               .port = 3306,
               .id = 4,
               .source_host = "10.0.0.1",
               .source_port = 3306}},
    .count = 4,
};

/* "1* 2<1 3<2" : server ids in order, `*` the primary, `<N` the source, `?` primaries in doubt. */
static inline void expect(const struct crawl *c, const char *wanted)
{
    char text[400] = "";
    size_t used = 0;
    for (uint32_t m = 0; m < c->member_count; m++) {
        const struct crawl_member *member = c->members[m];
        bool is_primary = false;
        for (uint32_t i = 0; i < c->primary_count; i++)
            is_primary |= c->primaries[i] == m;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%u%s", m > 0 ? " " : "",
                                 (unsigned)member->answer.facts.server_id,
                                 !is_primary             ? ""
                                 : c->primary_count == 1 ? "*"
                                                         : "?");
        if (member->source != NO_NODE)
            used += (size_t)snprintf(text + used, sizeof text - used, "<%u",
                                     (unsigned)c->members[member->source]->answer.facts.server_id);
    }
    assert_string_equal(text, wanted);
}

#endif
