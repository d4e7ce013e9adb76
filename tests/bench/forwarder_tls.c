/* tests/bench/forwarder_tls.c - OpenSSL on one side, sequence numbers on the other. */
#include "tests/bench/forwarder_tls.h"

#include <errno.h>
#include <openssl/ssl.h>

enum {
    HEAD = 4,
    FLAGS_HIGH = HEAD + 1,  /* second byte of the capabilities */
    CLIENT_SSL_HIGH = 0x08, /* CLIENT_SSL is 0x0800 */
    LOGIN_SEQUENCE = 2,     /* of the reply after an SSLRequest */
};

struct server_tls {
    SSL_CTX *context;
};

struct client_tls {
    SSL *tls;
};

struct server_tls *server_tls_new(const char *certificate, const char *key, char *why, size_t size)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    must(context != NULL);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        SSL_CTX_free(context);
        (void)snprintf(why, size, "%s and %s are no certificate and its key", certificate, key);
        return NULL;
    }
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    struct server_tls *server = stay_calloc(1, sizeof *server);
    server->context = context;
    return server;
}

struct client_tls *client_tls_new(struct server_tls *server, int fd)
{
    struct client_tls *client = stay_calloc(1, sizeof *client);
    client->tls = SSL_new(server->context);
    must(client->tls != NULL && SSL_set_fd(client->tls, fd) == 1);
    SSL_set_accept_state(client->tls);
    return client;
}

void client_tls_free(struct client_tls *client)
{
    if (client == NULL)
        return;
    SSL_free(client->tls);
    free(client);
}

static ssize_t failed(struct client_tls *client, int rc)
{
    int reason = SSL_get_error(client->tls, rc);
    errno = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return reason == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

ssize_t client_tls_read(struct client_tls *client, char *buffer, size_t size)
{
    size_t have = 0;
    int rc = 1;
    while (have < size && rc > 0) {
        rc = SSL_read(client->tls, buffer + have, (int)(size - have));
        have += rc > 0 ? (size_t)rc : 0;
    }
    return have > 0 ? (ssize_t)have : failed(client, rc);
}

ssize_t client_tls_write(struct client_tls *client, const char *bytes, size_t length)
{
    int rc = SSL_write(client->tls, bytes, (int)length);
    return rc > 0 ? rc : failed(client, rc);
}

bool forwarder_wants_tls(const char *packet, size_t length)
{
    return length == FORWARDER_TLS_WISH && packet[3] == 1 &&
           (packet[FLAGS_HIGH] & CLIENT_SSL_HIGH) != 0;
}

void forwarder_unhide_login(unsigned char *packet, size_t length)
{
    if (packet[3] == LOGIN_SEQUENCE && length > FORWARDER_TLS_WISH)
        packet[FLAGS_HIGH] = (unsigned char)(packet[FLAGS_HIGH] & ~CLIENT_SSL_HIGH);
    packet[3]--;
}

void forwarder_hide_login(unsigned char *packets, size_t length)
{
    while (length >= HEAD) {
        size_t whole = HEAD + (packets[0] | (size_t)packets[1] << 8 | (size_t)packets[2] << 16);
        packets[3]++;
        if (whole >= length)
            return;
        packets += whole;
        length -= whole;
    }
}
