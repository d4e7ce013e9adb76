/* controller/decide/decision_private.h - the fields of a decision's text, described once for
 * writing and reading.
 *
 * Pure. Layer: decide, decision_*.c only. */
#ifndef CONTROLLER_DECIDE_DECISION_PRIVATE_H
#define CONTROLLER_DECIDE_DECISION_PRIVATE_H
#include "controller/decide/decision.h"

enum field_type {
    FIELD_TEXT,
    FIELD_U16,
    FIELD_U32,
    FIELD_U64,
    FIELD_I64,
    FIELD_BOOL,
    FIELD_CHOICE,   /* an enum, by its texts */
    FIELD_MONO,     /* a monotonic time, written against now; default never */
    FIELD_DURATION, /* microseconds */
    FIELD_MASK,     /* node names, comma between */
    FIELD_NODE,     /* a node's index, by its name; default NO_NODE */
    FIELD_GTID,
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset, size; /* size: of FIELD_TEXT */
    const char *const *texts;
    size_t text_count;
};

enum field_group {
    GROUP_CONFIG,      /* struct cluster_config */
    GROUP_NODE_CONFIG, /* struct node_config */
    GROUP_NODE,        /* struct node_view */
    GROUP_FACTS,       /* struct server_facts, of SERVER_FACTS */
    GROUP_RECORD,      /* struct cluster_record */
    GROUP_VIEW,        /* struct cluster_view */
    GROUP_RUN,         /* struct plan_run: what decide() and the guards look at */
    GROUP_COUNT
};

/* Every field of a group that is written and read; static. */
const struct field *decision_fields(enum field_group group, size_t *ret_count);
const struct field *decision_field(enum field_group group, const char *name); /* or NULL */
/* Texts of quarantine reasons: the record keeps them by node, the text in the node's section. */
const char *const *decision_quarantine_texts(size_t *ret_count);

#endif
