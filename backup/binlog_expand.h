/* backup/binlog_expand.h - compressed events as what they stand for: MySQL's TRANSACTION_PAYLOAD
 * (zstd) as the events inside it, MariaDB's compressed queries and rows (zlib) as plain ones.
 *
 * Pure (heap only). Layer: backup. What the bytes claim is never believed: output grows as it is
 * produced, up to a maximum. */
#ifndef BACKUP_BINLOG_EXPAND_H
#define BACKUP_BINLOG_EXPAND_H
#include "backup/binlog_event.h"

#define BINLOG_EXPANDED_MAX (UINT64_C(1) << 32) /* of one transaction, bytes */

/* Bytes of a PAYLOAD event's inner events, one after the other, each with its header and no
 * checksum; heap, the caller frees. STAY_ELIMIT: more than `max` bytes. */
enum stay_rc binlog_payload_expand(const struct binlog_event *event, uint64_t max,
                                   uint8_t **ret_bytes, size_t *ret_length,
                                   struct stay_error *err) STAY_MUST_USE;
/* A MariaDB compressed event (165 to 171) as the plain one: *ret_bytes is header and body without a
 * checksum, the caller frees. */
enum stay_rc binlog_event_expand(const struct binlog_event *event, uint64_t max,
                                 uint8_t **ret_bytes, size_t *ret_length,
                                 struct stay_error *err) STAY_MUST_USE;
bool binlog_is_compressed(uint8_t type); /* 165 to 171 */

#endif
