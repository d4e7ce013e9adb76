/* probes/mysql_facts.h - asks a server for one group of facts over a session.
 *
 * Layer: probes. Blocking, for lane threads. */
#ifndef PROBES_MYSQL_FACTS_H
#define PROBES_MYSQL_FACTS_H
#include "probes/mysql_query.h"
#include "probes/mysql_session.h"

/* Reads the answer to `query` (sent before) into *facts, which must be empty or of this server:
 * only `group` is valid afterwards. reach says how the attempt ended (layer QUERY). */
enum stay_rc mysql_facts_receive(struct mysql_session *s, enum engine engine,
                                 const struct mysql_query *query, enum fact_group group,
                                 int64_t deadline_mono_us, struct server_facts *facts,
                                 struct reach *reach, struct stay_error *err) STAY_MUST_USE;
/* Sends and receives. */
enum stay_rc mysql_facts_read(struct mysql_session *s, enum engine engine, enum fact_group group,
                              int64_t deadline_mono_us, struct server_facts *facts,
                              struct reach *reach, struct stay_error *err) STAY_MUST_USE;

#endif
