/* controller/act/step_mysql_own.c - a former primary and the transactions of its own that it lost.
 *
 * MariaDB restarted with init_rpl_role=SLAVE truncates its un-acknowledged tail; a replica may have
 * received that tail before the crash, was promoted and holds it. The returner must fetch it again,
 * but a replica skips events that carry its own server_id, silently: measured on 10.11.19, 14 rows
 * missing for good while both threads said Yes. It accepts them when gtid_strict_mode is on and the
 * semi-sync replica role was on when its receiver started (measured: rows equal). So the role goes
 * on first, and where it may not stay (the source's own zone) it goes off again after they are
 * executed. */
#include <mysql.h>

#include "controller/act/step_mysql_private.h"

#include "base/io/real_clock.h"
#include "probes/mysql_query.h"

#define GTID_GAP          UINT64_C(1000000)
#define GTID_GAPS         1000000 /* so many tenths of a second until a gap is as wide again */
#define NEEDS_A_PRIVILEGE 1227
#define NUMBERED_STATEMENT                                                                         \
    "CREATE DATABASE IF NOT EXISTS mainstay" /* changes nothing, is logged                         \
                                              */

static uint32_t server_of(const struct gtid_range *range)
{
    const uint8_t *b = range->source + 4; /* domain, server id: big endian (base/gtid.h) */
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

void step_own_missing(const struct step *s, struct gtid_set *ret_own)
{
    const struct server_facts *f = &s->result->facts;
    const struct gtid_set *want = s->in->effect.want;
    gtid_set_clear(ret_own);
    if (want == NULL || !step_is_mariadb(s))
        return;
    for (size_t i = 0; i < want->n; i++)
        if (server_of(&want->v[i]) == f->server_id)
            gtid_set_add_range(ret_own, GTID_MARIADB, &want->v[i]);
    if (gtid_set_contains(&f->executed, ret_own))
        gtid_set_clear(ret_own);
}

static uint64_t highest_seq_no(const struct gtid_set *set)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < set->n; i++)
        highest = set->v[i].last > highest ? set->v[i].last : highest;
    return highest;
}

/* Different for every server that is opened: the numbered statement may be lost with its tail like
 * those before it, and what was received of it stands at its number. The next opening begins from
 * the same place, later. */
static uint64_t gap_now(void)
{
    return GTID_GAP * (uint64_t)(1 + real_clock_wall_us() / (100 * STAY_MS) % GTID_GAPS);
}

/* The numbered statement goes without waiting for its end: with the source role on and no acker it
 * waits, but its number is in the log (measured on 10.11.19). */
static enum stay_rc send_numbered(struct step *s, struct mysql_session *numberer, uint64_t seq_no,
                                  struct stay_error *err)
{
    struct reach reach = {0};
    STAY_AUTO(stay_free_charp)
    char *sql = stay_sprintf("SET SESSION gtid_seq_no = %llu", (unsigned long long)seq_no);
    enum stay_rc rc =
        mysql_session_open(numberer, &s->in->target, &s->in->operate, s->due_mono_us, &reach, err);
    if (rc == STAY_OK && real_clock_mono_us() >= s->in->effect.valid_until_mono_us)
        rc = stay_error(err, STAY_ETIMEDOUT, "discarded: late");
    if (rc == STAY_OK)
        rc = mysql_session_run(numberer, sql, s->due_mono_us, NULL, NULL, err);
    return rc == STAY_OK ? mysql_session_send(numberer, NUMBERED_STATEMENT, s->due_mono_us, err)
                         : rc;
}

enum outcome step_renumber(struct step *s)
{
    if (!s->in->effect.renumber || !step_is_mariadb(s))
        return OUTCOME_DONE;
    enum outcome o = step_look(s);
    if (o != OUTCOME_DONE)
        return o;
    struct stay_error e = {0};
    uint64_t seq_no = highest_seq_no(&s->result->facts.executed) + gap_now();
    struct mysql_session *numberer = mysql_session_new();
    enum stay_rc rc = send_numbered(s, numberer, seq_no, &e);
    while (rc == STAY_OK && o == OUTCOME_DONE &&
           highest_seq_no(&s->result->facts.executed) < seq_no)
        o = step_wait(s, 2 * STAY_MS) ? step_look(s)
                                      : step_end(s, OUTCOME_NOT_DONE, "the GTID gap did not take");
    mysql_session_free(numberer);
    if (rc == STAY_OK)
        return o;
    if (e.native != NEEDS_A_PRIVILEGE)
        return step_end(s, OUTCOME_NOT_DONE, "GTID gap: %.200s", e.text);
    (void)stay_copy(s->result->text, sizeof s->result->text,
                    "without a GTID gap: BINLOG REPLAY is missing, see `mainstay check`");
    return OUTCOME_DONE;
}
