/* probe-forwarder: the forwarder as a program, for bench-probes. */
#include "tests/bench/forwarder.h"

int main(int argc, char **argv)
{
    char why[256];
    if (argc != 5 && argc != 7) {
        fprintf(stderr,
                "usage: probe-forwarder PORT SOCKET-PATH-WITH-%%d SERVERS SHARE-MS [CERT KEY]\n");
        return 2;
    }
    struct forwarder_settings s = {.port = (unsigned)strtoul(argv[1], NULL, 10),
                                   .socket_path = argv[2],
                                   .servers = (int)strtol(argv[3], NULL, 10),
                                   .share_us = strtol(argv[4], NULL, 10) * STAY_MS,
                                   .certificate = argc == 7 ? argv[5] : NULL,
                                   .key = argc == 7 ? argv[6] : NULL};
    if (forwarder_run(&s, why, sizeof why))
        return 0;
    fprintf(stderr, "probe-forwarder: %s\n", why);
    return 1;
}
