/* What an error of a MariaDB or MySQL server, or of its client library, says about the server. */
#include <mysql.h>
#include <errmsg.h>
#include <mysqld_error.h>

#include "probes/mysql_outcome.h"

#include <errno.h>

enum obs_outcome mysql_outcome(unsigned native, int os_errno)
{
    switch (native) {
    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
        return OUT_TOO_MANY;
    case ER_ACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
    case ER_HOST_NOT_PRIVILEGED:
    case ER_HOST_IS_BLOCKED:
    case 1275: /* old authentication protocol */
    case 1862:
    case 1820: /* password expired */
    case 4151:
    case 3118: /* account locked: MariaDB, MySQL */
    case MYSQL_OFFLINE_MODE:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_AUTH_PLUGIN_ERR:
        return OUT_DENIED;
    case ER_OPTION_PREVENTS_STATEMENT: /* read only */
        return OUT_READ_ONLY;
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
        return os_errno == ECONNREFUSED                      ? OUT_REFUSED
               : os_errno == ECONNRESET || os_errno == EPIPE ? OUT_RESET
                                                             : OUT_TIMEOUT;
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
        return os_errno == ETIMEDOUT || os_errno == EAGAIN ? OUT_TIMEOUT : OUT_RESET;
    case ER_SERVER_SHUTDOWN:
    case ER_CONNECTION_KILLED:
    case ER_NORMAL_SHUTDOWN:
        return OUT_RESET;
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_QUERY_INTERRUPTED:
    case 1969:
    case 3024: /* statement time limit: MariaDB, MySQL */
        return OUT_TIMEOUT;
    }
    return OUT_BAD_REPLY;
}

bool mysql_is_connection_error(unsigned native)
{
    return native >= CR_MIN_ERROR && native <= CR_MAX_ERROR;
}
