/* What a session's TLS costs: waits, system calls and memory. */
#include "probes/mysql_session_private.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

typedef unsigned char uchar; /* ma_tls.h expects it, ma_pvio.h asks for HAVE_TLS */
#define HAVE_TLS 1
#include <ma_pvio.h>

/* OpenSSL reads and writes the socket itself; after this long it comes to the hook instead, which
 * keeps the deadline. Most pieces of an answer follow each other sooner. */
#define TLS_PATIENCE_US (20 * STAY_MS)

/* An answer of five results comes in five TLS records. Left alone OpenSSL reads each in two calls
 * (measured: ten for one status answer), and each session keeps 33 KiB of buffers. The client's
 * headers give its TLS object. */
static void read_at_once(MYSQL *mysql)
{
    const char *library = NULL;
    if (mariadb_get_infov(NULL, MARIADB_TLS_LIBRARY, &library) != 0 || library == NULL ||
        strncmp(library, "OpenSSL", 7) != 0)
        return;
    SSL *tls = mysql->net.pvio->ctls->ssl;
    SSL_set_read_ahead(tls, 1);
    (void)SSL_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
}

void mysql_session_tune_tls(struct mysql_session *s)
{
    const struct timeval limit = {.tv_usec = TLS_PATIENCE_US};
    if (!s->is_tls || !s->is_noted)
        return;
    (void)setsockopt(atomic_load(&s->fd_copy), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(atomic_load(&s->fd_copy), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    read_at_once(s->mysql);
}
