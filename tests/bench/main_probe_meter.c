/* probe-meter: the measured process of bench-probes as a program. The password comes by the
 * environment: an argument would be seen by others. */
#include <malloc.h>

#include "tests/bench/probe_meter.h"

int main(int argc, char **argv)
{
    char why[256];
    const char *password = getenv("PROBE_METER_PASSWORD");
    if (argc != 5) {
        fprintf(stderr, "usage: probe-meter TARGETS PER-CLUSTER INTERVAL-MS CA-FILE|-\n");
        return 2;
    }
    (void)mallopt(M_ARENA_MAX, 2); /* as mainstayd does */
    struct meter_settings s = {.targets = argv[1],
                               .per_cluster = (unsigned)strtoul(argv[2], NULL, 10),
                               .model = {.engine = ENGINE_MARIADB,
                                         .monitor = {.user = "mainstay_monitor"},
                                         .suspicion_interval_us = 100 * STAY_MS,
                                         .deadline_us = STAY_SECOND,
                                         .slow_interval_us = 10 * STAY_SECOND}};
    if (s.per_cluster < 1 || s.per_cluster > PROBE_NODES_MAX)
        return 2;
    s.model.interval_us = strtol(argv[3], NULL, 10) * STAY_MS;
    (void)stay_copy(s.model.monitor.password, sizeof s.model.monitor.password,
                    password == NULL ? "" : password);
    if (strcmp(argv[4], "-") != 0) {
        s.model.tls_required = true;
        (void)stay_copy(s.model.ca, sizeof s.model.ca, argv[4]);
    }
    if (probe_meter_run(&s, why, sizeof why))
        return 0;
    fprintf(stderr, "probe-meter: %s\n", why);
    return 1;
}
