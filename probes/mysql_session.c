/* One connection through Connector/C: deadlines kept by a wait hook, failures classified. */
#include <mysql.h>
#include <errmsg.h>
#include <mysqld_error.h>

#include "probes/mysql_session.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io/real_clock.h"
#include "base/str.h"

struct mysql_session {
    MYSQL *mysql; /* NULL: closed */
    atomic_int layer;
    atomic_int fd_copy; /* duplicate of the socket; its number is kept until free, so that abort
                           from another thread never meets somebody else's descriptor */
    bool is_noted;      /* fd_copy is of the present connection */
    int64_t deadline_mono_us;
    int64_t used_mono_us;
    bool is_tls;
    int connect_errno;  /* why connect(2) failed, 0 if it did not */
    bool has_timed_out; /* the hook gave up: the present call failed by its deadline */
};

/* The hook gets no context, but it runs on the thread that makes the call. */
static _Thread_local struct mysql_session *calling;

struct mysql_session *mysql_session_new(void)
{
    struct mysql_session *s = stay_calloc(1, sizeof *s);
    atomic_store(&s->fd_copy, -1);
    return s;
}

void mysql_session_free(struct mysql_session *s)
{
    if (s == NULL)
        return;
    mysql_session_close(s);
    if (atomic_load(&s->fd_copy) >= 0)
        (void)close(atomic_load(&s->fd_copy));
    free(s);
}

static void note_socket(struct mysql_session *s, int fd)
{
    int copy = atomic_load(&s->fd_copy);
    if (s->is_noted)
        return;
    if (copy < 0)
        atomic_store(&s->fd_copy, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    else
        (void)dup3(fd, copy, O_CLOEXEC);
    s->is_noted = atomic_load(&s->fd_copy) >= 0;
}

static int wait_socket(my_socket fd, my_bool is_read, int timeout_ms)
{
    struct mysql_session *s = calling;
    if (s == NULL) { /* never: each call into the client sets it */
        errno = EINVAL;
        return 0;
    }
    note_socket(s, fd);
    if (is_read && atomic_load(&s->layer) == LAYER_CONNECT)
        atomic_store(&s->layer, LAYER_GREETING);
    struct pollfd p = {.fd = fd, .events = is_read ? POLLIN : POLLOUT};
    (void)timeout_ms;
    for (;;) {
        int64_t left_us = s->deadline_mono_us - real_clock_mono_us();
        if (left_us <= 0) {
            s->has_timed_out = true;
            errno = ETIMEDOUT;
            return 0;
        }
        int64_t left_ms = (left_us + 999) / 1000;
        int rc = poll(&p, 1, left_ms > 60000 ? 60000 : (int)left_ms);
        if (rc < 0 && errno != EINTR)
            return -1;
        if (rc > 0)
            break;
    }
    if (atomic_load(&s->layer) == LAYER_CONNECT && (p.revents & (POLLERR | POLLHUP)) != 0) {
        socklen_t length = sizeof s->connect_errno; /* the client's own text shows EINPROGRESS */
        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &s->connect_errno, &length);
        errno = s->connect_errno;
        return -1;
    }
    if (is_read && atomic_load(&s->layer) == LAYER_GREETING)
        atomic_store(&s->layer, s->is_tls ? LAYER_TLS : LAYER_LOGIN);
    return 1;
}

/* Every call into the client runs between these two. */
static void begin_call(struct mysql_session *s, int64_t deadline_mono_us)
{
    calling = s;
    s->deadline_mono_us = deadline_mono_us;
    s->has_timed_out = false;
    s->connect_errno = 0;
    if (s->is_tls && s->is_noted) {
        int64_t left_us = deadline_mono_us - real_clock_mono_us();
        if (left_us < STAY_MS)
            left_us = STAY_MS;
        struct timeval limit = {.tv_sec = left_us / STAY_SECOND, .tv_usec = left_us % STAY_SECOND};
        (void)setsockopt(atomic_load(&s->fd_copy), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        (void)setsockopt(atomic_load(&s->fd_copy), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
}

static void end_call(void)
{
    calling = NULL;
}

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
    case 3032: /* MySQL: the server is in offline mode */
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

static int errno_in_text(const char *text)
{
    const char *open = strrchr(text, '(');
    return open == NULL ? 0 : (int)strtol(open + 1, NULL, 10);
}

static bool is_connection_error(unsigned native)
{
    return native >= CR_MIN_ERROR && native <= CR_MAX_ERROR;
}

/* The client's last error as a reach below `layer`. */
static void fill_reach(struct mysql_session *s, struct reach *reach)
{
    unsigned native = mysql_errno(s->mysql);
    const char *text = mysql_error(s->mysql);
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
    } else if (layer < LAYER_QUERY && !is_connection_error(native)) {
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
    unsigned long packet = MYSQL_SESSION_PACKET_MAX;
    my_bool enforce = 1;
    mysql_options(s->mysql, MYSQL_OPT_LOCAL_INFILE, &off);
    mysql_options(s->mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    mysql_options(s->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &long_s); /* the hook keeps deadlines */
    mysql_options(s->mysql, MYSQL_OPT_READ_TIMEOUT, &long_s);
    mysql_options(s->mysql, MYSQL_OPT_WRITE_TIMEOUT, &long_s);
    mysql_options(s->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(s->mysql, MARIADB_OPT_RESTRICTED_AUTH,
                  "mysql_native_password,caching_sha2_password,client_ed25519");
    mysql_optionsv(s->mysql, MARIADB_OPT_IO_WAIT, wait_socket);
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
    begin_call(s, deadline_mono_us);
    /* The client compares the certificate with the host it is given: then the name, not what it
     * resolved to. */
    const char *peer = has_name_to_verify(target) ? target->host : host;
    bool ok = mysql_real_connect(s->mysql, peer, account->user, account->password, NULL,
                                 target->port, NULL, CLIENT_MULTI_STATEMENTS) != NULL;
    end_call();
    if (ok && s->is_tls && mysql_get_ssl_cipher(s->mysql) == NULL)
        return refuse_plain(s, target, reach, err);
    if (ok) {
        note_socket(s, mysql_get_socket(s->mysql));
        atomic_store(&s->layer, LAYER_QUERY);
        begin_call(s, deadline_mono_us); /* again: now the descriptor for TLS limits is known */
        ok = mysql_real_query(s->mysql, settings_sql, sizeof settings_sql - 1) == 0;
        end_call();
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

void mysql_session_close(struct mysql_session *s)
{
    if (s->mysql != NULL) {
        begin_call(s, real_clock_mono_us() + 20 * STAY_MS); /* for the farewell packet */
        mysql_close(s->mysql);
        end_call();
    }
    s->mysql = NULL;
    if (s->is_noted) /* the copy would keep the connection open */
        (void)shutdown(atomic_load(&s->fd_copy), SHUT_RDWR);
    s->is_noted = false;
}

bool mysql_session_is_open(const struct mysql_session *s)
{
    return s->mysql != NULL;
}

bool mysql_session_is_idle_ok(const struct mysql_session *s)
{
    if (s->mysql == NULL)
        return false;
    struct pollfd p = {.fd = atomic_load(&s->fd_copy), .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

int64_t mysql_session_used_mono_us(const struct mysql_session *s)
{
    return s->used_mono_us;
}

unsigned long mysql_session_version(const struct mysql_session *s)
{
    return s->mysql == NULL ? 0 : mysql_get_server_version(s->mysql);
}

enum obs_layer mysql_session_layer(const struct mysql_session *s)
{
    return (enum obs_layer)atomic_load(&s->layer);
}

void mysql_session_abort(struct mysql_session *s)
{
    int fd = atomic_load(&s->fd_copy);
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR);
}

int mysql_session_poll_fd(const struct mysql_session *s)
{
    return s->is_noted ? fcntl(atomic_load(&s->fd_copy), F_DUPFD_CLOEXEC, 0) : -1;
}

/* The client's last error as a return code; a lost connection closes the session. */
static enum stay_rc fail(struct mysql_session *s, struct stay_error *err)
{
    unsigned native = mysql_errno(s->mysql);
    enum stay_rc rc = STAY_EFAILED;
    if (s->has_timed_out)
        rc = STAY_ETIMEDOUT;
    else if (is_connection_error(native) || native == ER_CONNECTION_KILLED ||
             native == ER_SERVER_SHUTDOWN || native == 0)
        rc = STAY_EUNKNOWN;
    else if (mysql_outcome(native, 0) == OUT_DENIED)
        rc = STAY_EDENIED;
    else if (mysql_outcome(native, 0) == OUT_TOO_MANY)
        rc = STAY_ELIMIT;
    (void)stay_error_native(err, rc, STAY_DOMAIN_MYSQL, (int)native, "(%u) %s", native,
                            s->has_timed_out ? "no answer in time" : mysql_error(s->mysql));
    if (rc == STAY_ETIMEDOUT || rc == STAY_EUNKNOWN)
        mysql_session_close(s);
    return rc;
}

static enum stay_rc not_open(struct stay_error *err)
{
    return stay_error(err, STAY_EUNREACHABLE, "not connected");
}

enum stay_rc mysql_session_send(struct mysql_session *s, const char *sql, int64_t deadline_mono_us,
                                struct stay_error *err)
{
    if (s->mysql == NULL)
        return not_open(err);
    begin_call(s, deadline_mono_us);
    int rc = mysql_send_query(s->mysql, sql, (unsigned long)strlen(sql));
    end_call();
    return rc == 0 ? STAY_OK : fail(s, err);
}

struct answer {
    mysql_row_fn fn;
    void *arg;
    unsigned results;
    uint64_t rows, bytes;
};

/* One result's rows; false when a bound was passed. */
static bool read_rows(MYSQL_RES *result, struct answer *a)
{
    const char *names[MYSQL_SESSION_COLUMNS_MAX];
    unsigned columns = mysql_num_fields(result);
    if (columns > MYSQL_SESSION_COLUMNS_MAX)
        return false;
    MYSQL_FIELD *fields = mysql_fetch_fields(result);
    for (unsigned i = 0; i < columns; i++)
        names[i] = fields[i].name;
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)) != NULL;) {
        unsigned long *lengths = mysql_fetch_lengths(result);
        for (unsigned i = 0; i < columns; i++)
            a->bytes += lengths == NULL ? 0 : lengths[i];
        if (++a->rows > MYSQL_SESSION_ROWS_MAX || a->bytes > MYSQL_SESSION_BYTES_MAX)
            return false;
        if (a->fn != NULL) {
            struct mysql_row r = {.result = a->results,
                                  .columns = columns,
                                  .names = names,
                                  .values = (const char *const *)row};
            a->fn(a->arg, &r);
        }
    }
    return true;
}

/* 0 whole answer read, 1 client error, 2 bound passed. */
static int read_answer(struct mysql_session *s, struct answer *a)
{
    int rc = mysql_read_query_result(s->mysql);
    while (rc == 0) {
        MYSQL_RES *result = mysql_use_result(s->mysql);
        if (result == NULL && mysql_field_count(s->mysql) != 0)
            return 1;
        if (result != NULL) {
            bool bounded = read_rows(result, a);
            bool failed = mysql_errno(s->mysql) != 0;
            if (!bounded)
                mysql_session_abort(s); /* so that freeing the result does not read on */
            mysql_free_result(result);
            if (!bounded || failed)
                return bounded ? 1 : 2;
        }
        a->results++;
        rc = mysql_next_result(s->mysql);
    }
    return rc > 0 ? 1 : 0;
}

enum stay_rc mysql_session_receive(struct mysql_session *s, int64_t deadline_mono_us,
                                   mysql_row_fn fn, void *arg, unsigned *ret_results,
                                   struct stay_error *err)
{
    if (s->mysql == NULL)
        return not_open(err);
    struct answer a = {.fn = fn, .arg = arg};
    begin_call(s, deadline_mono_us);
    int how = read_answer(s, &a);
    end_call();
    if (ret_results != NULL)
        *ret_results = a.results;
    if (how == 1)
        return fail(s, err);
    if (how == 2) {
        mysql_session_close(s);
        return stay_error(err, STAY_ECORRUPT, "answer passes %d rows, %u bytes or %d columns",
                          MYSQL_SESSION_ROWS_MAX, MYSQL_SESSION_BYTES_MAX,
                          MYSQL_SESSION_COLUMNS_MAX);
    }
    s->used_mono_us = real_clock_mono_us();
    return STAY_OK;
}

enum stay_rc mysql_session_run(struct mysql_session *s, const char *sql, int64_t deadline_mono_us,
                               mysql_row_fn fn, void *arg, struct stay_error *err)
{
    enum stay_rc rc = mysql_session_send(s, sql, deadline_mono_us, err);
    return rc != STAY_OK ? rc : mysql_session_receive(s, deadline_mono_us, fn, arg, NULL, err);
}

static void keep_first(void *arg, const struct mysql_row *row)
{
    char **text = arg;
    if (*text == NULL && row->columns > 0 && row->values[0] != NULL)
        *text = stay_strdup(row->values[0]);
}

enum stay_rc mysql_session_text(struct mysql_session *s, const char *sql, int64_t deadline_mono_us,
                                char **ret_text, struct stay_error *err)
{
    char *text = NULL;
    enum stay_rc rc = mysql_session_run(s, sql, deadline_mono_us, keep_first, &text, err);
    if (rc == STAY_OK)
        *ret_text = text;
    else
        free(text);
    return rc;
}

char *mysql_quote(const char *text)
{
    struct str out = {0};
    str_add_char(&out, '\'');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'' || *c == '\\')
            str_add_char(&out, '\\');
        str_add_char(&out, *c);
    }
    str_add_char(&out, '\'');
    return str_take(&out);
}
