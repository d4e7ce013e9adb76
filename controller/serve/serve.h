/* controller/serve/serve.h - opens and closes everything others may ask of the controller: the unix
 * socket for operators and the loopback HTTP addresses.
 *
 * Layer: serve. Loop thread only. settings and control are borrowed until serve_stop; after a
 * reload call serve_set_settings. */
#ifndef CONTROLLER_SERVE_SERVE_H
#define CONTROLLER_SERVE_SERVE_H
#include "controller/settings/settings.h"
#include "controller/serve/control.h"

struct loop;
struct serve;

/* STAY_EBUSY: another controller listens on the socket or address; the text names it. */
enum stay_rc serve_start(struct loop *loop, const struct settings *settings,
                         const struct control *control, struct serve **ret_serve,
                         struct stay_error *err) STAY_MUST_USE;
/* Socket and addresses stay as they were opened (they need a restart). */
void serve_set_settings(struct serve *serve, const struct settings *settings);
/* Ends every connection; handles close in the loop's next turns. NULL is fine. */
void serve_stop(struct serve *serve);

#endif
