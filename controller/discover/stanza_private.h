/* controller/discover/stanza_private.h - what the files of a stanza share.
 *
 * stanza.c builds and writes it, stanza_text.c has its sentences. Pure. Layer: discover,
 * stanza*.c only. */
#ifndef CONTROLLER_DISCOVER_STANZA_PRIVATE_H
#define CONTROLLER_DISCOVER_STANZA_PRIVATE_H
#include "base/str.h"
#include "controller/discover/stanza.h"

/* The name of a member ("db2"), or its address when it has none. dst: NAMES_ADDRESS_MAX. */
const char *stanza_name(const struct stanza *s, uint32_t member, char dst[NAMES_ADDRESS_MAX]);
/* One line "# ..." behind `indent` blanks, cleaned. */
void stanza_comment(struct str *out, unsigned indent, const char *fmt, ...) STAY_PRINTF(3, 4);

#endif
