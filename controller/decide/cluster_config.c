/* The defaults of a cluster's configuration, and the words of its choices. */
#include "controller/decide/cluster_config.h"

void cluster_config_defaults(struct cluster_config *config)
{
    *config = (struct cluster_config){
        .engine = ENGINE_MARIADB,
        .mode = MODE_LOSSLESS,
        .acks = 1,
        .without_acker = WITHOUT_ACKER_DEGRADE,
        .loss_bytes_max = UINT64_C(160) * 1000 * 1000,
        .loss_time_max_us = 600 * STAY_SECOND,
        .recovery_time_max_us = 600 * STAY_SECOND,
        .failover = FAILOVER_AUTOMATIC,
        .accept = ACCEPT_LOSSLESS,
        .grace_us = 0,
        .cooldown_us = 3600 * STAY_SECOND,
        .probe_interval_us = 500 * STAY_MS,
        .suspicion_interval_us = 100 * STAY_MS,
        .layer_deadline_us = 1000 * STAY_MS,
        .refusal_gap_us = 150 * STAY_MS,
        .silence_us = 2000 * STAY_MS,
        .receiving_us = 1500 * STAY_MS,
        .acker_loss_us = 5 * STAY_SECOND,
        .acker_repairs_max = 6,
        .relieve_after_us = 30 * STAY_SECOND,
        .reseed_deadline_us = 6L * 3600 * STAY_SECOND,
    };
}

const char *promote_rule_text(enum promote_rule rule)
{
#define X(id, text) [PROMOTE_##id] = (text),
    static const char *const texts[] = {PROMOTE_RULES(X)};
#undef X
    return texts[rule];
}

const char *durability_mode_text(enum durability_mode mode)
{
#define X(id, text) [MODE_##id] = (text),
    static const char *const texts[] = {DURABILITY_MODES(X)};
#undef X
    return texts[mode];
}

bool cluster_in_hour(int64_t since_wall_us, int64_t now_wall_us)
{
    return since_wall_us != 0 && now_wall_us >= since_wall_us &&
           now_wall_us - since_wall_us < 3600 * STAY_SECOND;
}
