/* controller/decide/decision_fields.c - every field of a decision's input, once: name, type,
 * place. */
#include "controller/decide/decision_private.h"

#define TEXT_ONLY(id, text)         text,
#define KIND_TEXT(id, text, traits) text,
static const char *const layer_texts[] = {OBS_LAYERS(TEXT_ONLY)};
static const char *const outcome_texts[] = {OBS_OUTCOMES(TEXT_ONLY)};
static const char *const receiver_texts[] = {RECEIVER_STATES(TEXT_ONLY)};
static const char *const engine_texts[] = {"none", "mariadb", "mysql", "mongodb"};
static const char *const tri_texts[] = {"unknown", "no", "yes"};
static const char *const promote_texts[] = {PROMOTE_RULES(TEXT_ONLY)};
static const char *const mode_texts[] = {DURABILITY_MODES(TEXT_ONLY)};
static const char *const without_texts[] = {"degrade", "block"};
static const char *const failover_texts[] = {"automatic", "confirm", "observe"};
static const char *const relieve_texts[] = {"alert", "switchover", "failover"};
static const char *const accept_texts[] = {"lossless", "bounded"};
static const char *const quarantine_texts[] = {QUARANTINE_REASONS(TEXT_ONLY)};
static const char *const kind_texts[] = {PLAN_KINDS(KIND_TEXT)};
static const char *const state_texts[] = {"idle",      "running", "undoing",
                                          "succeeded", "undone",  "asks"};

_Static_assert(sizeof(enum tri) == sizeof(int) && sizeof(enum obs_layer) == sizeof(int) &&
                   sizeof(enum receiver_state) == sizeof(int) &&
                   sizeof(enum plan_kind) == sizeof(int) && sizeof(enum plan_state) == sizeof(int),
               "a choice is read and written as int");

#define AT(owner, member) offsetof(struct owner, member)
#define CHOICE(owner, member, texts)                                                               \
    {                                                                                              \
#member, FIELD_CHOICE, AT(owner, member), 0, texts, STAY_COUNT(texts)                      \
    }
#define PLAIN(owner, member, type)                                                                 \
    {                                                                                              \
#member, FIELD_##type, AT(owner, member), 0, NULL, 0                                       \
    }
#define TEXT(owner, member)                                                                        \
    {                                                                                              \
#member, FIELD_TEXT, AT(owner, member), sizeof((struct owner *)0)->member, NULL, 0         \
    }

static const struct field config_fields[] = {
    TEXT(cluster_config, name),
    CHOICE(cluster_config, engine, engine_texts),
    CHOICE(cluster_config, mode, mode_texts),
    PLAIN(cluster_config, acks, U32),
    CHOICE(cluster_config, without_acker, without_texts),
    PLAIN(cluster_config, loss_bytes_max, U64),
    PLAIN(cluster_config, loss_time_max_us, DURATION),
    PLAIN(cluster_config, recovery_time_max_us, DURATION),
    CHOICE(cluster_config, failover, failover_texts),
    CHOICE(cluster_config, accept, accept_texts),
    PLAIN(cluster_config, grace_us, DURATION),
    PLAIN(cluster_config, cooldown_us, DURATION),
    PLAIN(cluster_config, probe_interval_us, DURATION),
    PLAIN(cluster_config, suspicion_interval_us, DURATION),
    PLAIN(cluster_config, layer_deadline_us, DURATION),
    PLAIN(cluster_config, refusal_gap_us, DURATION),
    PLAIN(cluster_config, silence_us, DURATION),
    PLAIN(cluster_config, receiving_us, DURATION),
    PLAIN(cluster_config, acker_loss_us, DURATION),
    PLAIN(cluster_config, acker_repairs_max, U32),
    CHOICE(cluster_config, relieve_stalled, relieve_texts),
    CHOICE(cluster_config, relieve_disk, relieve_texts),
    PLAIN(cluster_config, relieve_after_us, DURATION),
    TEXT(cluster_config, controller_zone),
    PLAIN(cluster_config, reseed_automatic, BOOL),
    PLAIN(cluster_config, reseed_by_command, BOOL),
    PLAIN(cluster_config, reseed_deadline_us, DURATION),
};

static const struct field node_config_fields[] = {
    TEXT(node_config, host),
    PLAIN(node_config, port, U16),
    TEXT(node_config, zone),
    CHOICE(node_config, promote, promote_texts),
};

#define REACH(member) AT(node_view, reach) + offsetof(struct reach, member)
static const struct field node_fields[] = {
    {"reach_layer", FIELD_CHOICE, REACH(layer), 0, layer_texts, STAY_COUNT(layer_texts)},
    {"reach_outcome", FIELD_CHOICE, REACH(outcome), 0, outcome_texts, STAY_COUNT(outcome_texts)},
    {"reach_native", FIELD_U32, REACH(native), 0, NULL, 0},
    {"reach_text", FIELD_TEXT, REACH(text), sizeof((struct reach *)0)->text, NULL, 0},
    PLAIN(node_view, groups_known, U32),
    PLAIN(node_view, facts_begun_mono_us, MONO),
    PLAIN(node_view, changed_mono_us, MONO),
    PLAIN(node_view, opened_mono_us, MONO),
    PLAIN(node_view, facts_mono_us, MONO),
    PLAIN(node_view, slow_mono_us, MONO),
    PLAIN(node_view, reach_mono_us, MONO),
    PLAIN(node_view, watched_mono_us, MONO),
    PLAIN(node_view, answered_mono_us, MONO),
    PLAIN(node_view, query_ok_mono_us, MONO),
    PLAIN(node_view, slow_since_mono_us, MONO),
    PLAIN(node_view, refused_first_mono_us, MONO),
    PLAIN(node_view, refused_last_mono_us, MONO),
    PLAIN(node_view, closed_mono_us, MONO),
    PLAIN(node_view, silent_since_mono_us, MONO),
    PLAIN(node_view, session_end_mono_us, MONO),
    PLAIN(node_view, canary_ok_mono_us, MONO),
    PLAIN(node_view, canary_fail_mono_us, MONO),
    PLAIN(node_view, canary_cut, BOOL),
    PLAIN(node_view, canary_moved_mono_us, MONO),
    PLAIN(node_view, advanced_mono_us, MONO),
    PLAIN(node_view, restarted_mono_us, MONO),
    PLAIN(node_view, caught_up_mono_us, MONO),
    PLAIN(node_view, birth_judged, BOOL),
    PLAIN(node_view, held_mono_us, MONO),
    PLAIN(node_view, receiver_off_mono_us, MONO),
    PLAIN(node_view, stood_mono_us, MONO),
    PLAIN(node_view, receiver_lost_mono_us, MONO),
    CHOICE(node_view, ran_acking, tri_texts),
    PLAIN(node_view, writable_mono_us, MONO),
    PLAIN(node_view, acker_seen_mono_us, MONO),
    PLAIN(node_view, ss_progress_mono_us, MONO),
    PLAIN(node_view, asked_again_mono_us, MONO),
    PLAIN(node_view, repair_failed_mono_us, MONO),
    CHOICE(node_view, errant, tri_texts),
    PLAIN(node_view, lost_answered, BOOL),
    PLAIN(node_view, holds_lost, BOOL),
    PLAIN(node_view, extra, GTID),
    PLAIN(node_view, extra_mono_us, MONO),
    PLAIN(node_view, idle_life, BOOL),
    PLAIN(node_view, alone_own, U64),
    PLAIN(node_view, alone_mono_us, MONO),
    PLAIN(node_view, by_hand, BOOL),
    PLAIN(node_view, skipped, BOOL),
    PLAIN(node_view, saved, U64),
    PLAIN(node_view, own_due_mono_us, MONO),
    PLAIN(node_view, quiet, GTID),
    PLAIN(node_view, quiet_mono_us, MONO),
    PLAIN(node_view, before, GTID),
    PLAIN(node_view, received_high, GTID),
};

#define FACT_TRI(name)  CHOICE(server_facts, name, tri_texts)
#define FACT_RECV(name) CHOICE(server_facts, name, receiver_texts)
#define FACT_U64(name)  PLAIN(server_facts, name, U64)
#define FACT_I64(name)  PLAIN(server_facts, name, I64)
#define FACT_GTID(name) PLAIN(server_facts, name, GTID)
#define FACT_TEXT(name) TEXT(server_facts, name)
static const struct field facts_fields[] = {
#define X(type, group, name, unit, what) FACT_##type(name),
    SERVER_FACTS(X)
#undef X
};

static const struct field record_fields[] = {
    PLAIN(cluster_record, version, U64),
    PLAIN(cluster_record, epoch, U64),
    PLAIN(cluster_record, adopted, BOOL),
    TEXT(cluster_record, primary),
    CHOICE(cluster_record, mode, mode_texts),
    PLAIN(cluster_record, lossless_stands, BOOL),
    PLAIN(cluster_record, lossless_since_wall_us, I64),
    PLAIN(cluster_record, ackers, MASK),
    PLAIN(cluster_record, restarted, MASK),
    PLAIN(cluster_record, primary_since_wall_us, I64),
    PLAIN(cluster_record, twins, MASK),
    PLAIN(cluster_record, switch_at_wall_us, I64),
    PLAIN(cluster_record, switch_missed_wall_us, I64),
    PLAIN(cluster_record, repairs_since_wall_us, I64),
    PLAIN(cluster_record, repairs, U64),
    PLAIN(cluster_record, relief_until_wall_us, I64),
    PLAIN(cluster_record, relief_tried, U64),
    TEXT(cluster_record, switch_to),
    TEXT(cluster_record, switch_by),
    PLAIN(cluster_record, evacuated_wall_us, I64),
    PLAIN(cluster_record, evacuation_cut, U32),
    PLAIN(cluster_record, evacuation_again_wall_us, I64),
    PLAIN(cluster_record, births_kept, BOOL),
    PLAIN(cluster_record, primary_id, U64),
    PLAIN(cluster_record, watch_uptime_base_s, U64),
    PLAIN(cluster_record, watch_no_tx, U64),
    PLAIN(cluster_record, watch_no_times, U64),
    PLAIN(cluster_record, paused, BOOL),
    PLAIN(cluster_record, maintenance_until_wall_us, I64),
    PLAIN(cluster_record, cooldown_until_wall_us, I64),
    TEXT(cluster_record, plan_id),
    TEXT(cluster_record, asks),
};

static const struct field view_fields[] = {
    PLAIN(cluster_view, suspicion_since_mono_us, MONO),
    PLAIN(cluster_view, no_acker_since_mono_us, MONO),
    PLAIN(cluster_view, ackers_seen, MASK),
    PLAIN(cluster_view, repair_failed_mono_us, MONO),
    PLAIN(cluster_view, plan_ended_mono_us, MONO),
    PLAIN(cluster_view, hold_until_mono_us, MONO),
    PLAIN(cluster_view, wall_offset_us, I64),
    PLAIN(cluster_view, clock_jumped_mono_us, MONO),
    PLAIN(cluster_view, paused_all, BOOL),
    PLAIN(cluster_view, evacuated, MASK),
    PLAIN(cluster_view, store_ok, BOOL),
    PLAIN(cluster_view, isolated, BOOL),
    PLAIN(cluster_view, barrier_mono_us, MONO),
    PLAIN(cluster_view, barrier_captured, BOOL),
    PLAIN(cluster_view, barrier_ackers, MASK),
    PLAIN(cluster_view, barrier_leavers, MASK),
    PLAIN(cluster_view, barrier_no_tx, U64),
    PLAIN(cluster_view, barrier_no_times, U64),
    PLAIN(cluster_view, watch_own_base, U64),
    PLAIN(cluster_view, watch_yes_base, U64),
    PLAIN(cluster_view, watch_sessions, U64),
    PLAIN(cluster_view, watch_skips, BOOL),
    PLAIN(cluster_view, watch_seen_mono_us, MONO),
    PLAIN(cluster_view, watch_odd, U32),
    PLAIN(cluster_view, lossless_fell_mono_us, MONO),
    PLAIN(cluster_view, regiven_since_wall_us, I64),
    PLAIN(cluster_view, mutant, U32),
};

_Static_assert(STAY_COUNT(state_texts) == RUN_STATE_COUNT, "a text for each state");

static const struct field run_fields[] = {
    TEXT(plan_run, id),
    CHOICE(plan_run, kind, kind_texts),
    CHOICE(plan_run, state, state_texts),
    PLAIN(plan_run, row, U32),
    PLAIN(plan_run, past_no_return, BOOL),
    PLAIN(plan_run, stays, BOOL),
    PLAIN(plan_run, candidate, NODE),
    {"node", FIELD_NODE, AT(plan_run, params) + offsetof(struct plan_params, node), 0, NULL, 0},
    PLAIN(plan_run, attached, MASK),
    PLAIN(plan_run, moved, MASK),
    PLAIN(plan_run, replayed, MASK),
    PLAIN(plan_run, begun_mono_us, MONO),
    PLAIN(plan_run, ended_mono_us, MONO),
};

const struct field *decision_fields(enum field_group group, size_t *ret_count)
{
    static const struct {
        const struct field *fields;
        size_t count;
    } groups[GROUP_COUNT] = {
        [GROUP_CONFIG] = {config_fields, STAY_COUNT(config_fields)},
        [GROUP_NODE_CONFIG] = {node_config_fields, STAY_COUNT(node_config_fields)},
        [GROUP_NODE] = {node_fields, STAY_COUNT(node_fields)},
        [GROUP_FACTS] = {facts_fields, STAY_COUNT(facts_fields)},
        [GROUP_RECORD] = {record_fields, STAY_COUNT(record_fields)},
        [GROUP_VIEW] = {view_fields, STAY_COUNT(view_fields)},
        [GROUP_RUN] = {run_fields, STAY_COUNT(run_fields)},
    };
    *ret_count = groups[group].count;
    return groups[group].fields;
}

const struct field *decision_field(enum field_group group, const char *name)
{
    size_t count = 0;
    const struct field *fields = decision_fields(group, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

const char *const *decision_quarantine_texts(size_t *ret_count)
{
    *ret_count = STAY_COUNT(quarantine_texts);
    return quarantine_texts;
}
