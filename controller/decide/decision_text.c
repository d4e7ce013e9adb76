/* controller/decide/decision_text.c - writes a decision's input and output as one text block:
 * what the recorder keeps and the replayer and the golden cases read. Fields at their default
 * are left out. */
#include "base/str.h"
#include "controller/decide/decision_private.h"

struct writer {
    struct str s;
    const struct cluster_view *view;
    int64_t now_mono_us;
};

static void write_mono(struct writer *w, const char *name, int64_t at)
{
    if (at == STAY_NEVER)
        return;
    int64_t behind = w->now_mono_us - at;
    str_addf(&w->s, "%s=now%c%lldus\n", name, behind < 0 ? '+' : '-',
             (long long)(behind < 0 ? -behind : behind));
}

static void write_mask(struct writer *w, const char *name, uint32_t mask)
{
    if (mask == 0)
        return;
    str_addf(&w->s, "%s=", name);
    bool is_first = true;
    for (uint32_t i = 0; i < w->view->config->node_count; i++) {
        if (!(mask & (UINT32_C(1) << i)))
            continue;
        str_addf(&w->s, "%s%s", is_first ? "" : ",", w->view->config->nodes[i].name);
        is_first = false;
    }
    str_add_char(&w->s, '\n');
}

/* A server's text may hold line ends: they would end the field. */
static void write_line(struct writer *w, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    str_addf(&w->s, "%s=", name);
    for (const char *c = value; *c != '\0'; c++)
        str_add_char(&w->s, (unsigned char)*c < ' ' ? ' ' : *c);
    str_add_char(&w->s, '\n');
}

static void write_number(struct writer *w, const char *name, uint64_t value)
{
    if (value != 0)
        str_addf(&w->s, "%s=%llu\n", name, (unsigned long long)value);
}

static void write_set(struct writer *w, const char *name, const struct gtid_set *set)
{
    if (gtid_set_is_empty(set))
        return;
    char *text = gtid_set_format(set);
    write_line(w, name, text);
    free(text);
}

static void write_field(struct writer *w, const struct field *f, const void *owner)
{
    const void *at = (const char *)owner + f->offset;
    switch (f->type) {
    case FIELD_TEXT:
        write_line(w, f->name, at);
        break;
    case FIELD_U16:
        write_number(w, f->name, *(const uint16_t *)at);
        break;
    case FIELD_U32:
        write_number(w, f->name, *(const uint32_t *)at);
        break;
    case FIELD_U64:
        write_number(w, f->name, *(const uint64_t *)at);
        break;
    case FIELD_I64:
        if (*(const int64_t *)at != 0)
            str_addf(&w->s, "%s=%lld\n", f->name, (long long)*(const int64_t *)at);
        break;
    case FIELD_BOOL: /* written always: one default is true */
        str_addf(&w->s, "%s=%s\n", f->name, *(const bool *)at ? "yes" : "no");
        break;
    case FIELD_CHOICE: {
        int value = *(const int *)at;
        if (value > 0 && (size_t)value < f->text_count)
            str_addf(&w->s, "%s=%s\n", f->name, f->texts[value]);
        break;
    }
    case FIELD_MONO:
        write_mono(w, f->name, *(const int64_t *)at);
        break;
    case FIELD_DURATION:
        str_addf(&w->s, "%s=%lldus\n", f->name, (long long)*(const int64_t *)at);
        break;
    case FIELD_MASK:
        write_mask(w, f->name, *(const uint32_t *)at);
        break;
    case FIELD_GTID:
        write_set(w, f->name, at);
        break;
    }
}

static void write_group(struct writer *w, enum field_group group, const void *owner)
{
    size_t count = 0;
    const struct field *fields = decision_fields(group, &count);
    for (size_t i = 0; i < count; i++)
        write_field(w, &fields[i], owner);
}

static void write_config(struct writer *w)
{
    size_t count = 0;
    const struct field *fields = decision_fields(GROUP_CONFIG, &count);
    str_add(&w->s, "[config]\n");
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &fields[i];
        int value = *(const int *)(const void *)((const char *)w->view->config + f->offset);
        if (f->type == FIELD_CHOICE && value == 0) /* defaults of a configuration are not zero */
            str_addf(&w->s, "%s=%s\n", f->name, f->texts[0]);
        else
            write_field(w, f, w->view->config);
    }
}

static void write_node(struct writer *w, uint32_t node)
{
    const struct node_view *n = &w->view->nodes[node];
    size_t count = 0;
    const char *const *reasons = decision_quarantine_texts(&count);
    uint8_t reason = w->view->record.quarantine[node];
    str_addf(&w->s, "[node %s]\n", w->view->config->nodes[node].name);
    write_group(w, GROUP_NODE_CONFIG, &w->view->config->nodes[node]);
    if (reason > 0 && reason < count)
        str_addf(&w->s, "quarantine=%s\n", reasons[reason]);
    if (w->view->record.written_known & (UINT32_C(1) << node))
        str_addf(&w->s, "written=%llu\n", (unsigned long long)w->view->record.written[node]);
    if (w->view->record.born_known & (UINT32_C(1) << node))
        str_addf(&w->s, "born=%lld\n", (long long)w->view->record.born_wall_s[node]);
    write_group(w, GROUP_NODE, n);
    write_group(w, GROUP_FACTS, &n->facts);
    if (n->facts.dump_peer_count == 0)
        return;
    str_add(&w->s, "dump_peers=");
    for (uint32_t p = 0; p < n->facts.dump_peer_count && p < DUMP_PEERS_MAX; p++)
        str_addf(&w->s, "%s%s", p > 0 ? "," : "", n->facts.dump_peers[p].host);
    str_add_char(&w->s, '\n');
}

static void write_primary_facts(struct writer *w)
{
    static const char *const texts[] = {"unknown", "no", "yes"};
    struct primary_facts facts;
    verdict_primary_facts(w->view, w->now_mono_us, &facts);
    str_add(&w->s, "[facts]\n");
#define X(name, what) str_addf(&w->s, #name "=%s\n", texts[facts.name]);
    PRIMARY_FACTS(X)
#undef X
}

static void write_decision(struct writer *w, const struct decision *d)
{
    const struct cluster_config *config = w->view->config;
    str_addf(&w->s, "[decision]\nverdict=%u %s\naction=%s\n", d->verdict.rule_id, d->verdict.name,
             verdict_action_text(d->verdict.action));
    for (uint32_t i = 0; i < config->node_count; i++) {
        if (i == w->view->primary)
            continue;
        struct verdict v = verdict_judge_replica(w->view, i, w->now_mono_us);
        str_addf(&w->s, "%s=%u %s\n", config->nodes[i].name, v.rule_id, v.name);
    }
    str_addf(&w->s, "want=%s", plan_kind_text(d->want));
    if (d->want != PLAN_NONE && d->params.node < config->node_count)
        str_addf(&w->s, " %s", config->nodes[d->params.node].name);
    str_add(&w->s, "\nvetoes=");
    for (unsigned g = 0; g < GUARD_COUNT; g++) {
        if (d->vetoes & (UINT32_C(1) << g))
            str_addf(&w->s, "%s%s", (d->vetoes & ((UINT32_C(1) << g) - 1)) ? "," : "",
                     guard_name((enum guard_id)g));
    }
    str_addf(&w->s, "\nsuspicion=%s\nrecord_changed=%s\n", d->suspicion ? "yes" : "no",
             d->record_changed ? "yes" : "no");
    if (d->record_changed)
        write_group(w, GROUP_RECORD, &d->record);
}

char *decision_record_text(const struct cluster_view *view, const struct decision *decision,
                           int64_t now_mono_us, int64_t now_wall_us)
{
    struct writer w = {.view = view, .now_mono_us = now_mono_us};
    str_init(&w.s, DECISION_TEXT_MAX);
    str_addf(&w.s, "[now]\nmono=%lld\nwall=%lld\n", (long long)now_mono_us,
             (long long)now_wall_us);
    write_config(&w);
    for (uint32_t i = 0; i < view->config->node_count; i++)
        write_node(&w, i);
    str_add(&w.s, "[record]\n");
    write_group(&w, GROUP_RECORD, &view->record);
    str_add(&w.s, "[view]\n");
    write_group(&w, GROUP_VIEW, view);
    if (decision != NULL) {
        write_primary_facts(&w);
        write_decision(&w, decision);
    }
    return str_take(&w.s);
}
