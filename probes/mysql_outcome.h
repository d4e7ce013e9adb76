/* probes/mysql_outcome.h - what a native error number means for an observation.
 *
 * Layer: probes. Pure. Numbers: MariaDB 10.11 and MySQL 8/9 error references; those the client's
 * headers do not name stand with their meaning. */
#ifndef PROBES_MYSQL_OUTCOME_H
#define PROBES_MYSQL_OUTCOME_H
#include "probes/observation.h"

#define MYSQL_OFFLINE_MODE 3032 /* MySQL: only administrators may log in now */

/* os_errno tells connection errors apart (refused, reset, silent); 0: not known. Numbers nobody
 * has a meaning for give OUT_BAD_REPLY. */
enum obs_outcome mysql_outcome(unsigned native, int os_errno);
/* The client's own errors (2000 to 2999): the connection failed, the server said nothing. */
bool mysql_is_connection_error(unsigned native);

#endif
