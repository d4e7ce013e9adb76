/* probes/observation.c - texts of the observation's enums; clearing and merging of server facts by
 * group, so that a blank never overwrites what was learned before. */
#include "probes/observation.h"

#define CLEAR_TRI(name)
#define CLEAR_U64(name)
#define CLEAR_I64(name)
#define CLEAR_RECV(name)
#define CLEAR_TEXT(name)
#define CLEAR_GTID(name) gtid_set_clear(&facts->name);

void server_facts_clear(struct server_facts *facts)
{
#define X(type, group, name, unit, what) CLEAR_##type(name)
    SERVER_FACTS(X)
#undef X
    *facts = (struct server_facts){0};
}

#define MERGE_TRI(name) dst->name = src->name
#define MERGE_U64(name) dst->name = src->name
#define MERGE_I64(name) dst->name = src->name
#define MERGE_RECV(name) dst->name = src->name
#define MERGE_TEXT(name) memcpy(dst->name, src->name, sizeof dst->name)
#define MERGE_GTID(name) gtid_set_copy(&dst->name, &src->name)

/* The group is a constant in each expanded line, so that each `if` compares it once. */
#define X(type, group, name, unit, what)                                                           \
    if (wanted == FACTS_##group)                                                                   \
        MERGE_##type(name);

static void merge_group(struct server_facts *dst, const struct server_facts *src,
                        enum fact_group wanted)
{
    SERVER_FACTS(X)
}
#undef X

void server_facts_merge(struct server_facts *dst, const struct server_facts *src, unsigned groups)
{
    if (dst == src)
        return;
    if (groups & FACTS_STATUS) {
        merge_group(dst, src, FACTS_STATUS);
        dst->dump_peer_count =
            src->dump_peer_count < DUMP_PEERS_MAX ? src->dump_peer_count : DUMP_PEERS_MAX;
        memcpy(dst->dump_peers, src->dump_peers,
               dst->dump_peer_count * sizeof dst->dump_peers[0]);
    }
    if (groups & FACTS_SLOW)
        merge_group(dst, src, FACTS_SLOW);
    if (groups & FACTS_START)
        merge_group(dst, src, FACTS_START);
    if (groups & FACTS_HOST)
        merge_group(dst, src, FACTS_HOST);
}

#define X(id, text) text,
static const char *const layer_texts[] = {OBS_LAYERS(X)};
static const char *const outcome_texts[] = {OBS_OUTCOMES(X)};
static const char *const receiver_texts[] = {RECEIVER_STATES(X)};
#undef X
static const char *const engine_texts[] = {"none", "mariadb", "mysql", "mongodb"};

static const char *text_of(const char *const *texts, size_t count, unsigned value)
{
    return value < count ? texts[value] : "?";
}

const char *obs_layer_text(enum obs_layer layer)
{
    return text_of(layer_texts, STAY_COUNT(layer_texts), (unsigned)layer);
}

const char *obs_outcome_text(enum obs_outcome outcome)
{
    return text_of(outcome_texts, STAY_COUNT(outcome_texts), (unsigned)outcome);
}

const char *receiver_state_text(enum receiver_state state)
{
    return text_of(receiver_texts, STAY_COUNT(receiver_texts), (unsigned)state);
}

const char *engine_text(enum engine engine)
{
    return text_of(engine_texts, STAY_COUNT(engine_texts), (unsigned)engine);
}
