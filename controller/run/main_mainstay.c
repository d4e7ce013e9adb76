/* The operator's command: see controller/run/cli.h. */
#include "controller/run/cli.h"
#include <signal.h>

int main(int argc, char **argv)
{
    /* A pager that was left: end quietly. */
    signal(SIGPIPE, SIG_DFL);
    return cli_main(argc, argv, stdout, stderr);
}
