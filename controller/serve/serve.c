/* Opens the unix socket and the HTTP addresses, all or none. */
#include "controller/serve/serve.h"
#include "base/io/file.h"
#include "base/io/line_server.h"
#include "base/io/loop.h"
#include "controller/serve/http.h"
#include "controller/serve/verbs.h"
#include <errno.h>
#include <libgen.h>

struct serve {
    struct verbs verbs;
    struct line_server *line_server;
    struct http *http[SETTINGS_LISTENS_MAX];
    uint32_t http_count;
};

void serve_stop(struct serve *serve)
{
    if (serve == NULL)
        return;
    line_server_close(serve->line_server);
    for (uint32_t i = 0; i < serve->http_count; i++)
        http_close(serve->http[i]);
    free(serve);
}

/* /run is empty after a boot: outside systemd nobody else makes the socket's folder. */
static enum stay_rc make_socket_folder(const char *socket, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *copy = stay_strdup(socket);
    struct stay_error why;
    enum stay_rc rc = file_mkdir_p(dirname(copy), 0755, &why);
    return rc == STAY_OK ? rc : stay_error(err, rc, "controller.socket: %s", why.text);
}

static enum stay_rc open_socket(struct loop *loop, const struct line_server_options *options,
                                struct serve *serve, struct stay_error *err)
{
    struct stay_error why;
    enum stay_rc rc = line_server_open(loop, options, &serve->line_server, &why);
    if (rc == STAY_OK)
        return rc;
    return stay_error(err, rc, "controller.socket: %s%s", why.text,
                      why.native == EACCES ? "; choose a folder that the user mainstayd runs as "
                                             "may write"
                                           : "");
}

enum stay_rc serve_start(struct loop *loop, const struct settings *settings,
                         const struct control *control, struct serve **ret_serve,
                         struct stay_error *err)
{
    struct serve *serve = stay_calloc(1, sizeof *serve);
    serve->verbs = (struct verbs){.control = control, .settings = settings};
    struct line_server_options options = {.path = settings->socket,
                                          .on_request = verbs_on_request,
                                          .on_gone = verbs_on_gone,
                                          .user = &serve->verbs};
    enum stay_rc rc = make_socket_folder(settings->socket, err);
    if (rc == STAY_OK)
        rc = open_socket(loop, &options, serve, err);
    for (uint32_t i = 0; i < settings->listen_count && rc == STAY_OK; i++) {
        rc = http_open(loop, settings->listen[i].address, control, &serve->http[i], err);
        serve->http_count += rc == STAY_OK;
    }
    if (rc != STAY_OK) {
        serve_stop(serve);
        return rc;
    }
    *ret_serve = serve;
    return STAY_OK;
}

void serve_set_settings(struct serve *serve, const struct settings *settings)
{
    serve->verbs.settings = settings;
}
