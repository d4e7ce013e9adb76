/* mainstay-faultproxy: the fault proxy as a program (commands in fault_proxy.h). */
#include <signal.h>

#include "tests/lib/fault_proxy.h"

static bool split(char *text, const char **ret_host, unsigned *ret_port)
{
    char *colon = strrchr(text, ':');
    if (colon == NULL || sscanf(colon + 1, "%u", ret_port) != 1 || *ret_port > 65535)
        return false;
    *colon = '\0';
    *ret_host = text;
    return true;
}

int main(int argc, char **argv)
{
    struct fault_proxy_settings s = {0};
    bool ok = argc == 7;
    for (int i = 1; ok && i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--listen") == 0)
            ok = split(argv[i + 1], &s.listen_host, &s.listen_port);
        else if (strcmp(argv[i], "--target") == 0)
            ok = split(argv[i + 1], &s.target_host, &s.target_port);
        else if (strcmp(argv[i], "--control") == 0)
            s.control_path = argv[i + 1];
        else
            ok = false;
    }
    if (!ok || s.listen_host == NULL || s.target_host == NULL || s.control_path == NULL) {
        fprintf(stderr, "usage: mainstay-faultproxy --listen ADDR:PORT --target ADDR:PORT "
                        "--control SOCKET\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    char why[256];
    if (fault_proxy_run(&s, why, sizeof why))
        return 0;
    fprintf(stderr, "mainstay-faultproxy: %s\n", why);
    return 1;
}
