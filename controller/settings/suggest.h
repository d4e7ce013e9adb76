/* controller/settings/suggest.h - "did you mean": the nearest of some known words.
 *
 * Pure. Layer: settings. */
#ifndef CONTROLLER_SETTINGS_SUGGEST_H
#define CONTROLLER_SETTINGS_SUGGEST_H
#include "base/base.h"

struct suggest {
    const char *word; /* what was typed; borrowed */
    const char *best; /* NULL while nothing is near; borrowed */
    size_t distance;
};

/* Nothing is near yet. */
void suggest_init(struct suggest *s, const char *word);
/* Call with every known word; s->best is then the nearest one within a third of its length. */
void suggest_offer(struct suggest *s, const char *known);

#endif
