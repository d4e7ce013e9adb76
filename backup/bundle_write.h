/* backup/bundle_write.h - a bundle as it grows: events as they come, what they hold noted.
 *
 * Layer: backup, bundle_save.c only. Order: bundle_writer_begin, bundle_writer_event for each event
 * of the stream, bundle_writer_publish or bundle_writer_drop. */
#ifndef BACKUP_BUNDLE_WRITE_H
#define BACKUP_BUNDLE_WRITE_H
#include "backup/bundle.h"

struct bundle_writer;

/* bundle: head, extra and common are set by the caller; transactions and tables are filled here.
 * Borrowed until the end. `known`: transactions of this set are passed over. */
enum stay_rc bundle_writer_begin(const char *dir, struct bundle *bundle,
                                 const struct gtid_set *known, struct bundle_writer **ret_writer,
                                 struct stay_error *err) STAY_MUST_USE;
enum stay_rc bundle_writer_event(struct bundle_writer *w, const struct binlog_event *event,
                                 const struct binlog_format *format,
                                 struct stay_error *err) STAY_MUST_USE;
uint64_t bundle_writer_bytes(const struct bundle_writer *w);
/* Ends the last transaction: counts and obstacles are complete. */
void bundle_writer_end(struct bundle_writer *w);
/* Writes the manifest, syncs, gives the folder its name. Frees the writer. */
enum stay_rc bundle_writer_publish(struct bundle_writer *w, struct stay_error *err) STAY_MUST_USE;
void bundle_writer_drop(struct bundle_writer *w); /* removes what was begun; takes NULL */

#endif
