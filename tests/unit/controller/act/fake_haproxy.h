/* A HAProxy runtime API in this process: enough of it for routes, with ways to be deaf, slow or
 * old. */
#ifndef TESTS_FAKE_HAPROXY_H
#define TESTS_FAKE_HAPROXY_H
#include <setjmp.h>
#include <stdarg.h>
#include "base/base.h"
#include "base/io/loop.h"
#include "base/str.h"
#include <cmocka.h>

#define FAKE_SERVERS 8

struct fake_server {
    char backend[32], name[32];
    bool maint;
    unsigned kills;
};

struct fake_haproxy {
    uv_tcp_t tcp;
    struct loop *loop;
    char address[32];
    struct fake_server servers[FAKE_SERVERS];
    unsigned server_count, commands, connections;
    bool is_deaf;   /* reads, never answers */
    bool is_frozen; /* answers, changes nothing */
};

struct fake_peer {
    uv_tcp_t tcp;
    uv_write_t write;
    struct fake_haproxy *proxy;
    struct str in, out;
    char chunk[4096];
};

static void fake_peer_closed(uv_handle_t *handle)
{
    struct fake_peer *p = handle->data;
    str_clear(&p->in);
    str_clear(&p->out);
    free(p);
}

static void fake_peer_written(uv_write_t *write, int status)
{
    struct fake_peer *p = write->data;
    (void)status;
    uv_close((uv_handle_t *)&p->tcp, fake_peer_closed);
}

static struct fake_server *fake_server_of(struct fake_haproxy *h, const char *path)
{
    char name[80];
    for (unsigned i = 0; i < h->server_count; i++) {
        snprintf(name, sizeof name, "%s/%s", h->servers[i].backend, h->servers[i].name);
        if (strcmp(name, path) == 0)
            return &h->servers[i];
    }
    return NULL;
}

static void fake_show(struct fake_haproxy *h, struct str *out, const char *backend)
{
    bool found = false;
    for (unsigned i = 0; i < h->server_count; i++)
        found |= strcmp(h->servers[i].backend, backend) == 0;
    if (!found) {
        str_add(out, "Can't find backend.\n\n");
        return;
    }
    str_add(out, "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state\n");
    for (unsigned i = 0; i < h->server_count; i++)
        if (strcmp(h->servers[i].backend, backend) == 0)
            str_addf(out, "2 %s %u %s 10.0.0.%u %d %d 1 1 0\n", backend, i + 1, h->servers[i].name,
                     i + 1, h->servers[i].maint ? 0 : 2, h->servers[i].maint ? 5 : 4);
    str_add(out, "\n");
}

static void fake_command(struct fake_haproxy *h, struct str *out, const char *command)
{
    char path[80], word[80];
    h->commands++;
    if (sscanf(command, "set server %79s state %79s", path, word) == 2) {
        struct fake_server *s = fake_server_of(h, path);
        str_add(out, s == NULL ? "No such server.\n\n" : "\n");
        if (s != NULL && !h->is_frozen)
            s->maint = strcmp(word, "maint") == 0;
    } else if (sscanf(command, "shutdown sessions server %79s", path) == 1) {
        struct fake_server *s = fake_server_of(h, path);
        str_add(out, s == NULL ? "No such server.\n\n" : "\n");
        if (s != NULL)
            s->kills++;
    } else if (sscanf(command, "show servers state %79s", word) == 1) {
        fake_show(h, out, word);
    } else {
        str_add(out, "Unknown command.\n\n");
    }
}

static void fake_peer_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct fake_peer *p = handle->data;
    (void)wanted;
    *buf = uv_buf_init(p->chunk, sizeof p->chunk);
}

static void fake_peer_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct fake_peer *p = stream->data;
    if (n > 0)
        str_add_bytes(&p->in, buf->base, (size_t)n);
    bool whole = strchr(str_text(&p->in), '\n') != NULL;
    if (n < 0) {
        uv_close((uv_handle_t *)&p->tcp, fake_peer_closed);
    } else if (whole && !p->proxy->is_deaf) {
        STAY_AUTO(stay_free_charp) char *line = str_take(&p->in);
        line[strcspn(line, "\n")] = '\0';
        for (char *rest = line, *one; (one = strsep(&rest, ";")) != NULL;)
            fake_command(p->proxy, &p->out, one);
        uv_read_stop(stream);
        uv_buf_t out = uv_buf_init(p->out.text, (unsigned)p->out.length);
        p->write.data = p;
        uv_write(&p->write, stream, &out, 1, fake_peer_written);
    }
}

static void fake_connected(uv_stream_t *stream, int status)
{
    struct fake_haproxy *h = stream->data;
    struct fake_peer *p = stay_calloc(1, sizeof *p);
    (void)status;
    h->connections++;
    p->proxy = h;
    uv_tcp_init(&h->loop->uv, &p->tcp);
    p->tcp.data = p;
    assert_int_equal(uv_accept(stream, (uv_stream_t *)&p->tcp), 0);
    uv_read_start((uv_stream_t *)&p->tcp, fake_peer_room, fake_peer_read);
}

static void fake_haproxy_open(struct fake_haproxy *h, struct loop *loop)
{
    static const char *const backends[] = {"shop_rw", "shop_ro"};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = sizeof at;
    memset(h, 0, sizeof *h);
    h->loop = loop;
    for (unsigned i = 0; i < 4; i++) {
        struct fake_server *s = &h->servers[h->server_count++];
        (void)stay_copy(s->backend, sizeof s->backend, backends[i / 2]);
        snprintf(s->name, sizeof s->name, "db%u", i % 2 + 1);
        s->maint = i != 0 && i != 3; /* db1 writes, db2 reads */
    }
    uv_tcp_init(&loop->uv, &h->tcp);
    h->tcp.data = h;
    assert_int_equal(uv_tcp_bind(&h->tcp, (struct sockaddr *)&at, 0), 0);
    assert_int_equal(uv_tcp_getsockname(&h->tcp, (struct sockaddr *)&at, &size), 0);
    snprintf(h->address, sizeof h->address, "127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(uv_listen((uv_stream_t *)&h->tcp, 16, fake_connected), 0);
}

static void fake_haproxy_close(struct fake_haproxy *h)
{
    uv_close((uv_handle_t *)&h->tcp, NULL);
}

/* "db1" of the backend's open servers, "-" for none. */
static const char *fake_open_servers(const struct fake_haproxy *h, const char *backend)
{
    static char text[80];
    text[0] = '\0';
    for (unsigned i = 0; i < h->server_count; i++)
        if (strcmp(h->servers[i].backend, backend) == 0 && !h->servers[i].maint)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
                     text[0] == '\0' ? "" : ",", h->servers[i].name);
    return text[0] == '\0' ? "-" : text;
}

#endif
