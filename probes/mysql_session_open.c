/* Connecting and logging in: how far it got, and whether the certificate is the server's own. */
#include "probes/mysql_session_private.h"

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <netdb.h>

#include "base/io/real_clock.h"
#include "probes/mysql_outcome.h"

static int errno_in_text(const char *text)
{
    const char *open = strrchr(text, '(');
    return open == NULL ? 0 : (int)strtol(open + 1, NULL, 10);
}

#define BEFORE_TLS "Received error packet before completion of TLS handshake"

/* The client vouches for no error that comes before TLS does, and makes it one of its own: a server
 * that is full, or that blocks our host, would seem silent. What it was, from the client's text;
 * else an answer nobody can read. Other errors stay as they are. */
static unsigned unwrap(unsigned native, const char **text)
{
    char *rest = NULL;
    const char *number = strstr(*text, ": ");
    if (strncmp(*text, BEFORE_TLS, sizeof BEFORE_TLS - 1) != 0)
        return native;
    unsigned long inner = number == NULL ? 0 : strtoul(number + 2, &rest, 10);
    if (inner == 0 || inner >= CR_MIN_ERROR || strncmp(rest, " - ", 3) != 0)
        return ER_UNKNOWN_ERROR;
    *text = rest + 3;
    return (unsigned)inner;
}

/* The client's last error as a reach below `layer`. */
static void fill_reach(struct mysql_session *s, struct reach *reach)
{
    const char *text = mysql_error(s->mysql);
    unsigned native = unwrap(mysql_errno(s->mysql), &text);
    enum obs_layer layer = (enum obs_layer)atomic_load(&s->layer);
    int os_errno = s->has_timed_out        ? ETIMEDOUT
                   : s->connect_errno != 0 ? s->connect_errno
                                           : errno_in_text(text);
    if (os_errno == 0 && native == CR_SERVER_LOST)
        os_errno = ECONNRESET;
    reach->outcome = s->has_timed_out ? OUT_TIMEOUT : mysql_outcome(native, os_errno);
    if (native == CR_SSL_CONNECTION_ERROR) {
        layer = LAYER_TLS;
        if (!s->has_timed_out)
            reach->outcome = OUT_BAD_REPLY;
    } else if (native == ER_CON_COUNT_ERROR || native == ER_HOST_NOT_PRIVILEGED ||
               native == ER_HOST_IS_BLOCKED) {
        layer = LAYER_GREETING; /* the server says so instead of its greeting */
    } else if (layer < LAYER_QUERY && !mysql_is_connection_error(native)) {
        layer = LAYER_LOGIN;
    }
    reach->layer = layer;
    reach->native = (int)native;
    (void)snprintf(
        reach->text, sizeof reach->text, "%.110s%s",
        s->connect_errno != 0 ? strerror(s->connect_errno) : text,
        native == CR_SSL_CONNECTION_ERROR && !s->has_timed_out ? " (tls.ca, tls.verify_name)" : "");
}

static enum stay_rc resolve(const struct mysql_target *target, char *ret_host, size_t size,
                            struct reach *reach, struct stay_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    if (strchr(target->host, ':') != NULL ||
        strspn(target->host, "0123456789.") == strlen(target->host)) {
        (void)stay_copy(ret_host, size, target->host);
        return STAY_OK;
    }
    int rc = getaddrinfo(target->host, NULL, &hints, &found);
    if (rc == 0)
        rc = getnameinfo(found->ai_addr, found->ai_addrlen, ret_host, (socklen_t)size, NULL, 0,
                         NI_NUMERICHOST);
    if (found != NULL)
        freeaddrinfo(found);
    if (rc == 0)
        return STAY_OK;
    *reach = (struct reach){.layer = LAYER_RESOLVE,
                            .outcome = rc == EAI_AGAIN ? OUT_TIMEOUT : OUT_BAD_REPLY,
                            .native = rc};
    (void)stay_copy(reach->text, sizeof reach->text, gai_strerror(rc));
    return stay_error(err, STAY_EUNREACHABLE, "resolve '%s': %s", target->host, gai_strerror(rc));
}

/* Without an authority there is nothing that would vouch for a name. */
static bool has_name_to_verify(const struct mysql_target *target)
{
    return target->verify_name && target->ca[0] != '\0';
}

static void set_options(struct mysql_session *s, const struct mysql_target *target)
{
    unsigned off = 0, long_s = 86400;
    unsigned long packet = s->packet_max == 0 ? MYSQL_SESSION_PACKET_MAX : s->packet_max;
    my_bool enforce = 1;
    mysql_options(s->mysql, MYSQL_OPT_LOCAL_INFILE, &off);
    mysql_options(s->mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    mysql_options(s->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &long_s); /* the hook keeps deadlines */
    mysql_options(s->mysql, MYSQL_OPT_READ_TIMEOUT, &long_s);
    mysql_options(s->mysql, MYSQL_OPT_WRITE_TIMEOUT, &long_s);
    mysql_options(s->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(s->mysql, MARIADB_OPT_RESTRICTED_AUTH,
                  "mysql_native_password,caching_sha2_password,client_ed25519");
    mysql_session_hook(s);
    s->is_tls = target->tls_required || target->ca[0] != '\0';
    if (target->ca[0] != '\0')
        mysql_options(s->mysql, MYSQL_OPT_SSL_CA, target->ca);
    if (target->cert[0] != '\0') {
        mysql_options(s->mysql, MYSQL_OPT_SSL_CERT, target->cert);
        mysql_options(s->mysql, MYSQL_OPT_SSL_KEY, target->key);
    }
    unsigned protocol = MYSQL_PROTOCOL_TCP; /* "localhost" would mean a socket, whatever the port */
    mysql_options(s->mysql, MYSQL_OPT_PROTOCOL, &protocol);
    my_bool verify = has_name_to_verify(target);
    mysql_options(s->mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (s->is_tls)
        mysql_options(s->mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
}

/* The client goes on in clear text when the server has no TLS, whatever it was told. */
static enum stay_rc refuse_plain(struct mysql_session *s, const struct mysql_target *target,
                                 struct reach *reach, struct stay_error *err)
{
    *reach = (struct reach){.layer = LAYER_TLS, .outcome = OUT_DENIED};
    (void)stay_copy(reach->text, sizeof reach->text, "the server offers no TLS; tls is configured");
    mysql_session_close(s);
    return stay_error(err, STAY_EDENIED, "%s:%u: %s", target->host, target->port, reach->text);
}

static const char settings_sql[] =
    "SET SESSION autocommit=1, time_zone='+00:00', lock_wait_timeout=1, wait_timeout=3600, "
    "sql_mode='STRICT_TRANS_TABLES', innodb_lock_wait_timeout=1";

enum stay_rc mysql_session_open(struct mysql_session *s, const struct mysql_target *target,
                                const struct mysql_account *account, int64_t deadline_mono_us,
                                struct reach *reach, struct stay_error *err)
{
    char host[256];
    mysql_session_close(s);
    atomic_store(&s->layer, LAYER_RESOLVE);
    enum stay_rc rc = resolve(target, host, sizeof host, reach, err);
    if (rc != STAY_OK)
        return rc;
    s->mysql = mysql_init(NULL);
    must(s->mysql != NULL);
    set_options(s, target);
    atomic_store(&s->layer, LAYER_CONNECT);
    mysql_session_begin(s, deadline_mono_us);
    /* The client compares the certificate with the host it is given: then the name, not what it
     * resolved to. */
    const char *peer = has_name_to_verify(target) ? target->host : host;
    bool ok = mysql_real_connect(s->mysql, peer, account->user, account->password, NULL,
                                 target->port, NULL, CLIENT_MULTI_STATEMENTS) != NULL;
    mysql_session_end();
    if (ok && s->is_tls && mysql_get_ssl_cipher(s->mysql) == NULL)
        return refuse_plain(s, target, reach, err);
    if (ok) {
        mysql_session_note_socket(s, mysql_get_socket(s->mysql));
        atomic_store(&s->layer, LAYER_QUERY);
        mysql_session_tune_tls(s);
        mysql_session_begin(s, deadline_mono_us);
        ok = mysql_real_query(s->mysql, settings_sql, sizeof settings_sql - 1) == 0;
        mysql_session_end();
        mysql_session_drop_login(s);
    }
    if (!ok) {
        fill_reach(s, reach);
        rc = stay_error_native(err,
                               reach->outcome == OUT_DENIED    ? STAY_EDENIED
                               : reach->outcome == OUT_TIMEOUT ? STAY_ETIMEDOUT
                                                               : STAY_EUNREACHABLE,
                               STAY_DOMAIN_MYSQL, reach->native, "%s:%u: %s %s: (%d) %s",
                               target->host, target->port, obs_layer_text(reach->layer),
                               obs_outcome_text(reach->outcome), reach->native, reach->text);
        mysql_session_close(s);
        return rc;
    }
    s->used_mono_us = real_clock_mono_us();
    *reach = (struct reach){.layer = LAYER_QUERY, .outcome = OUT_OK};
    return STAY_OK;
}
