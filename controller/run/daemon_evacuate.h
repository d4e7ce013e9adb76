/* controller/run/daemon_evacuate.h - zones that are being emptied (decide/evacuation.h): orders
 * kept in the store, and whose turn it is.
 *
 * Layer: run. Loop thread only. */
#ifndef CONTROLLER_RUN_DAEMON_EVACUATE_H
#define CONTROLLER_RUN_DAEMON_EVACUATE_H
#include "controller/run/daemon_private.h"

struct daemon_zones {
    struct evacuation orders[EVACUATIONS_MAX];
    size_t count;
    int64_t turns_mono_us; /* when turns were given last; STAY_NEVER: anew */
    bool is_saving;
};

/* Reads the orders; called before the records are read. */
void daemon_evacuate_load(struct daemon *d);
/* The order by which the cluster's primary is to leave its zone now; 0: none. */
int64_t daemon_evacuate_turn(struct daemon_cluster *asking);
/* Whose order it is, and why, into a plan that an evacuation started; else nothing. */
void daemon_evacuate_sign(const struct daemon *d, struct plan_params *params);
/* control.h's evacuations and evacuate. */
size_t daemon_evacuations(void *ctx, const struct evacuation **ret_orders);
void daemon_evacuate(void *ctx, const struct evacuation *order, bool is_end, control_done_fn done,
                     void *done_ctx);

#endif
