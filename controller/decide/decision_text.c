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
    case FIELD_NODE:
        if (*(const uint32_t *)at < w->view->config->node_count)
            write_line(w, f->name, w->view->config->nodes[*(const uint32_t *)at].name);
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
        const void *at = (const char *)w->view->config + f->offset;
        if (f->type == FIELD_CHOICE && *(const int *)at == 0) /* its defaults are not zero */
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
    for (uint32_t p = 0; p < n->facts.dump_peer_count; p++)
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

static void write_run(struct writer *w, const struct plan_run *run)
{
    if (run == NULL)
        return;
    str_add(&w->s, "[run]\n");
    write_group(w, GROUP_RUN, run);
}

static void write_fleet(struct writer *w, const struct fleet *fleet)
{
    if (fleet == NULL)
        return;
    str_add(&w->s, "[fleet]\n");
    write_number(w, "failovers_last_hour", fleet->failovers_last_hour);
    write_number(w, "failovers_per_hour", fleet->failovers_per_hour);
    if (fleet->reseeds_full)
        write_number(w, "reseeds_full", 1);
    for (uint32_t i = 0; i < fleet->busy_zone_count; i++)
        str_addf(&w->s, "%s%s", i == 0 ? "busy_zones=" : ",", fleet->busy_zones[i]);
    if (fleet->busy_zone_count > 0)
        str_add_char(&w->s, '\n');
    write_number(w, "wanting", fleet->wanting);
    write_number(w, "blast_radius", fleet->blast_radius);
    write_number(w, "zone_down", fleet->zone_down);
    write_number(w, "zone_waits", fleet->zone_waits);
    if (fleet->evacuation_wall_us != 0)
        str_addf(&w->s, "evacuation=%lld\n", (long long)fleet->evacuation_wall_us);
}

static void write_about(struct writer *w, const struct verdict *v)
{
    static const char *const subjects[] = {"primary",    "replica",     "controller",
                                           "objectives", "conformance", "zone"};
    const struct cluster_config *config = w->view->config;
    _Static_assert(STAY_COUNT(subjects) == SUBJECT_COUNT, "a text for each subject");
    str_addf(&w->s, "verdict=%u %s\nabout=%s", v->rule_id, v->name, subjects[v->subject]);
    if (v->node < config->node_count)
        str_addf(&w->s, " %s", config->nodes[v->node].name);
    str_addf(&w->s, "\naction=%s\n", verdict_action_text(v->action));
}

static void write_want(struct writer *w, const struct decision *d)
{
    const struct cluster_config *config = w->view->config;
    str_addf(&w->s, "want=%s", plan_kind_text(d->want));
    if (d->want == PLAN_NONE) {
        str_add_char(&w->s, '\n');
        return;
    }
    if (d->params.node < config->node_count)
        str_addf(&w->s, " %s", config->nodes[d->params.node].name);
    str_addf(&w->s, "\nwant_rule=%u\n", d->params.rule_id);
    write_line(w, "want_reason", d->params.reason);
    write_line(w, "want_actor", d->params.actor);
    str_addf(&w->s, "want_automatic=%s\n", d->params.automatic ? "yes" : "no");
    write_mono(w, "want_detected", d->params.detected_mono_us);
}

/* What the record keeps by node. */
static void write_record_nodes(struct writer *w, const struct cluster_record *record)
{
    size_t count = 0;
    const char *const *reasons = decision_quarantine_texts(&count);
    for (uint32_t i = 0; i < w->view->config->node_count; i++) {
        const char *name = w->view->config->nodes[i].name;
        uint8_t reason = record->quarantine[i];
        if (reason > 0 && reason < count)
            str_addf(&w->s, "%s.quarantine=%s\n", name, reasons[reason]);
        if (record->written_known & (UINT32_C(1) << i))
            str_addf(&w->s, "%s.written=%llu\n", name, (unsigned long long)record->written[i]);
        if (record->born_known & (UINT32_C(1) << i))
            str_addf(&w->s, "%s.born=%lld\n", name, (long long)record->born_wall_s[i]);
    }
}

static void write_decision(struct writer *w, const struct decision *d,
                           const struct plan_run *running)
{
    const struct cluster_config *config = w->view->config;
    str_add(&w->s, "[decision]\n");
    write_about(w, &d->verdict);
    for (uint32_t i = 0; i < config->node_count; i++) {
        if (i == w->view->primary)
            continue;
        struct verdict v = verdict_judge_replica(w->view, i, w->now_mono_us);
        str_addf(&w->s, "%s=%u %s\n", config->nodes[i].name, v.rule_id, v.name);
    }
    write_want(w, d);
    str_add(&w->s, "vetoes=");
    for (unsigned g = 0; g < GUARD_COUNT; g++) {
        if (d->vetoes & (UINT32_C(1) << g))
            str_addf(&w->s, "%s%s", (d->vetoes & ((UINT32_C(1) << g) - 1)) ? "," : "",
                     guard_name((enum guard_id)g));
    }
    str_addf(&w->s, "\nruns_gives_way=%s\nasks_human=%s\n",
             guard_preempts(d, running) ? "yes" : "no",
             decide_is_human_asked(w->view, running) ? "yes" : "no");
    write_line(w, "text", d->text);
    str_addf(&w->s, "suspicion=%s\nrecord_changed=%s\n", d->suspicion ? "yes" : "no",
             d->record_changed ? "yes" : "no");
    if (!d->record_changed)
        return;
    write_group(w, GROUP_RECORD, &d->record);
    write_record_nodes(w, &d->record);
}

/* What the next turn will be given: the view's memory. */
static void write_after(struct writer *w)
{
    str_add(&w->s, "[after]\n");
#define X(type, name) write_field(w, decision_field(GROUP_VIEW, #name), w->view);
    VIEW_MEMORY(X)
#undef X
    if (w->view->barrier_captured)
        write_set(w, "barrier", &w->view->barrier);
    for (uint32_t i = 0; i < w->view->config->node_count; i++) {
        str_addf(&w->s, "of=%s\n", w->view->config->nodes[i].name);
#define X(type, name) write_field(w, decision_field(GROUP_NODE, #name), &w->view->nodes[i]);
        NODE_MEMORY(X)
#undef X
    }
}

static void write_input(struct writer *w, const struct decision_turn *turn)
{
    str_addf(&w->s, "[now]\nmono=%lld\nwall=%lld\n", (long long)turn->now_mono_us,
             (long long)turn->now_wall_us);
    write_config(w);
    for (uint32_t i = 0; i < w->view->config->node_count; i++)
        write_node(w, i);
    str_add(&w->s, "[record]\n");
    write_group(w, GROUP_RECORD, &w->view->record);
    str_add(&w->s, "[view]\n");
    write_group(w, GROUP_VIEW, w->view);
    if (w->view->barrier_captured) /* else it is of an earlier barrier, and unread */
        write_set(w, "barrier", &w->view->barrier);
    write_run(w, turn->running);
    write_fleet(w, turn->fleet);
}

static void write_output(struct writer *w, const struct decision_turn *turn,
                         const struct decision *decision)
{
    write_primary_facts(w);
    write_decision(w, decision, turn->running);
    write_after(w);
}

static struct writer writer_of(const struct decision_turn *turn)
{
    struct writer w = {.view = turn->view, .now_mono_us = turn->now_mono_us};
    str_init(&w.s, DECISION_TEXT_MAX);
    return w;
}

char *decision_input_text(const struct decision_turn *turn)
{
    struct writer w = writer_of(turn);
    write_input(&w, turn);
    return str_take(&w.s);
}

char *decision_output_text(const struct decision_turn *turn, const struct decision *decision)
{
    struct writer w = writer_of(turn);
    write_output(&w, turn, decision);
    return str_take(&w.s);
}

char *decision_record_text(const struct decision_turn *turn, struct decision_memory *before,
                           const struct decision *decision)
{
    struct writer w = writer_of(turn);
    decision_memory_swap(before, turn->view);
    write_input(&w, turn);
    decision_memory_swap(before, turn->view);
    write_output(&w, turn, decision);
    return str_take(&w.s);
}
