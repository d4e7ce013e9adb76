/* probes/mysql_session.h - one connection to a MariaDB or MySQL server through Connector/C:
 * blocking calls with deadlines below a second, and a failure told as layer and outcome.
 *
 * Layer: probes. For lane threads; the loop may call mysql_session_send when
 * mysql_session_sends_at_once says so. One thread at a time uses a session, and only
 * mysql_session_layer, mysql_session_abort and mysql_session_poll_fd may be called beside it.
 *
 * The client's own timeouts are whole seconds. All its waits go through one hook of ours
 * (MARIADB_OPT_IO_WAIT), which keeps the deadline; a TLS session waits inside OpenSSL first, but
 * the socket's own limit sends it to the hook after 20 ms. The loop may end any call with
 * mysql_session_abort. LOCAL INFILE is off, clear-text passwords are refused, answers are bounded.
 */
#ifndef PROBES_MYSQL_SESSION_H
#define PROBES_MYSQL_SESSION_H
#include "probes/observation.h"

#define MYSQL_SESSION_ROWS_MAX    20000                /* of one answer */
#define MYSQL_SESSION_BYTES_MAX   (8U * 1024U * 1024U) /* of one answer's values */
#define MYSQL_SESSION_PACKET_MAX  (4U * 1024U * 1024U)
#define MYSQL_SESSION_COLUMNS_MAX 128

struct mysql_account {
    char user[81];
    char password[256];
};

/* Where and how; copied by who needs it longer. */
struct mysql_target {
    enum engine engine;
    char host[256]; /* numeric address or DNS name */
    uint16_t port;
    char ca[256]; /* empty: the server's certificate is not checked */
    char cert[256], key[256];
    bool tls_required;
    bool verify_name; /* with ca: the certificate must be for `host` */
};

struct mysql_session;

struct mysql_session *mysql_session_new(void) STAY_MUST_USE; /* closed */
void mysql_session_free(struct mysql_session *s);            /* closes first; takes NULL */

/* Connects and makes the session's settings (autocommit, time zone, lock_wait_timeout 1). On
 * failure the session is closed and may be opened again. reach (not NULL) says how far it got. */
enum stay_rc mysql_session_open(struct mysql_session *s, const struct mysql_target *target,
                                const struct mysql_account *account, int64_t deadline_mono_us,
                                struct reach *reach, struct stay_error *err) STAY_MUST_USE;
void mysql_session_close(struct mysql_session *s);
bool mysql_session_is_open(const struct mysql_session *s);
/* True while nothing unread or ended is seen on an idle session's socket. */
bool mysql_session_is_idle_ok(const struct mysql_session *s);
/* Idle sessions: true when the peer's TCP has all we ever sent, so that the socket's whole buffer
 * is free and a statement of a few kB is sent without waiting. */
bool mysql_session_sends_at_once(const struct mysql_session *s);
int64_t mysql_session_used_mono_us(const struct mysql_session *s);  /* last successful call */
unsigned long mysql_session_version(const struct mysql_session *s); /* 101119, 80045; 0: closed */

/* Any thread: the layer an open in progress has reached. */
enum obs_layer mysql_session_layer(const struct mysql_session *s);
/* Any thread: ends the connection under a call that blocks; the call then fails. As with
 * mysql_session_close, what did not reach the peer's machine by then is not sent again. */
void mysql_session_abort(struct mysql_session *s);
/* A duplicate of the socket, to be watched; it stays the session's and is closed with it. -1: none.
 */
int mysql_session_poll_fd(const struct mysql_session *s);

/* One row of result number `result` (0, 1.. in a multi-statement). Values may be NULL; they are
 * terminated. Borrowed for the call. */
struct mysql_row {
    unsigned result;
    unsigned columns;
    const char *const *names;
    const char *const *values;
};
typedef void (*mysql_row_fn)(void *arg, const struct mysql_row *row);

/* Sends without waiting for the answer. */
enum stay_rc mysql_session_send(struct mysql_session *s, const char *sql, int64_t deadline_mono_us,
                                struct stay_error *err) STAY_MUST_USE;
/* Reads the whole answer to mysql_session_send. An error of the server leaves the session usable
 * and gives STAY_EFAILED, STAY_EDENIED or STAY_ELIMIT with err->native; STAY_ETIMEDOUT and
 * STAY_EUNKNOWN (connection lost) close it: what was sent may or may not have happened.
 * STAY_ECORRUPT: a bound was passed, closed too. *ret_results (may be NULL): results read whole
 * before the end. */
enum stay_rc mysql_session_receive(struct mysql_session *s, int64_t deadline_mono_us,
                                   mysql_row_fn fn, void *arg, unsigned *ret_results,
                                   struct stay_error *err) STAY_MUST_USE;
/* Both. */
enum stay_rc mysql_session_run(struct mysql_session *s, const char *sql, int64_t deadline_mono_us,
                               mysql_row_fn fn, void *arg, struct stay_error *err) STAY_MUST_USE;
/* The first column of the first row as heap text (caller frees), NULL for NULL or no row. */
enum stay_rc mysql_session_text(struct mysql_session *s, const char *sql, int64_t deadline_mono_us,
                                char **ret_text, struct stay_error *err) STAY_MUST_USE;

/* Largest packet, either way, of connections opened after this; MYSQL_SESSION_PACKET_MAX unless
 * told. */
void mysql_session_set_packet_max(struct mysql_session *s, unsigned long bytes);
/* Asks for the binary log from `position` of `file` to its present end, all files after it
 * included; then only mysql_session_packet and close may be called. As a client that is no replica
 * (server id 0): it acknowledges nothing and ends nobody's stream. */
enum stay_rc mysql_session_dump(struct mysql_session *s, const char *file, uint32_t position,
                                int64_t deadline_mono_us, struct stay_error *err) STAY_MUST_USE;
/* The next event as the server sent it, borrowed until the next call. STAY_ENOTFOUND: the log ended
 * here; the session is closed, as after every other failure. */
enum stay_rc mysql_session_packet(struct mysql_session *s, int64_t deadline_mono_us,
                                  const uint8_t **ret_event, size_t *ret_length,
                                  struct stay_error *err) STAY_MUST_USE;

/* SQL string literal with quotes, escaped for NO_BACKSLASH_ESCAPES off; heap, caller frees. */
char *mysql_quote(const char *text) STAY_MUST_USE;

#endif
