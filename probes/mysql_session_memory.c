/* What a session keeps between answers: a controller holds thousands. The client library gives each
 * a read-ahead buffer of 16 KiB and 8 KiB of names for the login, for life (measured: 24 of 34 KiB
 * a session). Without the buffer it reads the socket directly, in small pieces; so it is lent one
 * for each answer. Where the library itself gave it one, it is of the same heap. */
#include "probes/mysql_session_private.h"

typedef unsigned char uchar; /* ma_tls.h expects it, ma_pvio.h asks for HAVE_TLS */
#define HAVE_TLS 1
#include <ma_pvio.h>

static MARIADB_PVIO *socket_of(const struct mysql_session *s)
{
    return s->mysql == NULL ? NULL : s->mysql->net.pvio; /* NULL: it ended, with its buffer */
}

void mysql_session_lend_buffer(struct mysql_session *s)
{
    MARIADB_PVIO *pvio = socket_of(s);
    if (pvio == NULL || pvio->cache != NULL)
        return;
    pvio->cache = malloc(PVIO_READ_AHEAD_CACHE_SIZE); /* none: read in small pieces */
    pvio->cache_pos = pvio->cache;
    pvio->cache_size = 0;
}

void mysql_session_drop_buffer(struct mysql_session *s)
{
    MARIADB_PVIO *pvio = socket_of(s);
    if (pvio == NULL || pvio->cache == NULL || pvio->cache_pos < pvio->cache + pvio->cache_size)
        return;
    free(pvio->cache);
    pvio->cache = pvio->cache_pos = NULL;
    pvio->cache_size = 0;
}

void mysql_session_drop_login(struct mysql_session *s)
{
    mysql_options(s->mysql, MYSQL_OPT_CONNECT_ATTR_RESET, NULL);
    mysql_session_drop_buffer(s);
}
