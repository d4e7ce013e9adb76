/* Which controller's files on this host a command means. */
#include "base/io/file.h"
#include "controller/run/cli.h"
#include "controller/settings/settings.h"

#define LAB_CONFIG "/var/tmp/mainstay-lab/lab/mainstay.conf"

const char *cli_config_path(const struct cli *cli)
{
    if (cli->config != NULL)
        return cli->config;
    bool is_installed = file_exists(SETTINGS_PATH_DEFAULT) || file_exists(CLI_SOCKET_DEFAULT);
    return !is_installed && cli->socket == NULL && file_exists(LAB_CONFIG) ? LAB_CONFIG
                                                                           : SETTINGS_PATH_DEFAULT;
}
