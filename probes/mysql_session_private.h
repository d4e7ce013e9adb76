/* probes/mysql_session_private.h - what the files of a session share: its state, and the two calls
 * between which the client library may be used.
 *
 * mysql_session.c keeps connection and deadlines, mysql_session_open.c logs in, mysql_session_ask.c
 * sends statements and reads answers, mysql_session_memory.c keeps it small between them. Layer:
 * probes, these files only. */
#ifndef PROBES_MYSQL_SESSION_PRIVATE_H
#define PROBES_MYSQL_SESSION_PRIVATE_H
#include <mysql.h>

#include <stdatomic.h>

#include "probes/mysql_session.h"

struct mysql_session {
    MYSQL *mysql; /* NULL: closed */
    atomic_int layer;
    atomic_int fd_copy; /* duplicate of the socket; its number is kept until free, so that abort
                           from another thread never meets somebody else's descriptor */
    bool is_noted;      /* fd_copy is of the present connection */
    int64_t deadline_mono_us;
    int64_t used_mono_us;
    bool is_tls;
    int connect_errno;        /* why connect(2) failed, 0 if it did not */
    unsigned long packet_max; /* 0: the usual one */
    bool has_timed_out;       /* the hook gave up: the present call failed by its deadline */
};

/* Every call into the client runs between these two: they name the session and its deadline to the
 * wait hook. */
void mysql_session_begin(struct mysql_session *s, int64_t deadline_mono_us);
void mysql_session_end(void);
/* Makes every wait of s->mysql keep the deadline. Before connecting. */
void mysql_session_hook(struct mysql_session *s);
/* Keeps a duplicate of the connection's socket for aborts and limits; again is harmless. */
void mysql_session_note_socket(struct mysql_session *s, int fd);
/* What a session holds only while it reads an answer. Lend: before reading; drop: once the answer
 * was read (what is not read yet stays). Closed: nothing. */
void mysql_session_lend_buffer(struct mysql_session *s);
void mysql_session_drop_buffer(struct mysql_session *s);
/* Once logged in: gives up what only the login needed. */
void mysql_session_drop_login(struct mysql_session *s);
/* Once connected: limits how long OpenSSL waits in the socket before it comes to the hook, has it
 * read all that is there at once, and keep no buffers between answers. */
void mysql_session_tune_tls(struct mysql_session *s);

#endif
