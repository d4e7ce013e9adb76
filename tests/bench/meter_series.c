/* tests/bench/meter_series.c - durations counted in buckets: what the meter remembers must not grow
 * with what it measures. */
#include "tests/bench/probe_meter.h"

enum { BUCKET_US = 100 };

void meter_series_add(struct meter_series *series, int64_t us)
{
    int64_t bucket = us < 0 ? 0 : us / BUCKET_US;
    series->buckets[bucket < METER_BUCKETS ? bucket : METER_BUCKETS - 1]++;
    series->count++;
    if (us > series->max_us)
        series->max_us = us;
}

void meter_series_clear(struct meter_series *series)
{
    memset(series, 0, sizeof *series);
}

/* The upper edge of the bucket in which the share falls, never above the maximum. */
static double share_ms(const struct meter_series *series, double share)
{
    uint64_t rank = (uint64_t)((double)series->count * share), seen = 0;
    int64_t us = series->max_us;
    for (int64_t i = 0; i < METER_BUCKETS; i++) {
        seen += series->buckets[i];
        if (seen > rank) {
            us = (i + 1) * BUCKET_US;
            break;
        }
    }
    return (double)(us < series->max_us ? us : series->max_us) / 1e3;
}

static json_t *tenth(double value)
{
    return json_real((double)(int64_t)(value * 10 + 0.5) / 10);
}

json_t *meter_series_json(const struct meter_series *series)
{
    if (series->count == 0)
        return json_null();
    return json_pack("{s:o,s:o,s:o}", "p50", tenth(share_ms(series, 0.5)), "p99",
                     tenth(share_ms(series, 0.99)), "max", tenth((double)series->max_us / 1e3));
}
