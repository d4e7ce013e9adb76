/* controller/decide/rehearsal_private.h - the copy of a view in which something died, and its own
 * time. Pure. Layer: decide, rehearsal*.c only. */
#ifndef CONTROLLER_DECIDE_REHEARSAL_PRIVATE_H
#define CONTROLLER_DECIDE_REHEARSAL_PRIVATE_H
#include "controller/decide/rehearsal.h"

struct rehearsal_world {
    const struct cluster_view *real; /* as it is: what the survivors go on saying */
    const struct rehearsal_loss *loss;
    struct cluster_view view; /* the copy */
    int64_t death_us;
    int64_t now_us;
};

/* The moment of death: sessions of a killed process end. rehearsal_world_clear frees the copy. */
void rehearsal_world_init(struct rehearsal_world *world, const struct cluster_view *real,
                          const struct rehearsal_loss *loss, int64_t now_mono_us);
void rehearsal_world_clear(struct rehearsal_world *world);
/* Asks every server as of now_us, tells the view, and time goes on by `by_us`. */
void rehearsal_world_ask(struct rehearsal_world *world, int64_t by_us);

#endif
