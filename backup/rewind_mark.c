/* Two sets against two: before the reset the server holds all, after it no more than the common. */
#include <mysql.h>

#include "backup/rewind_mark.h"

#include "base/io/real_clock.h"

#define ASK_US (30 * STAY_SECOND)

static void keep_mark(void *arg, const struct mysql_row *row)
{
    struct rewind_mark *mark = arg;
    if (row->columns < 2 || row->values[0] == NULL || row->values[1] == NULL ||
        mark->bundle != NULL)
        return;
    mark->bundle = stay_strdup(row->values[0]);
    mark->common = stay_strdup(row->values[1]);
}

enum stay_rc rewind_mark_read(struct mysql_session *s, struct rewind_mark *ret_mark,
                              struct stay_error *err)
{
    static const char make[] =
        "CREATE TABLE IF NOT EXISTS mainstay.rewind (id TINYINT UNSIGNED NOT NULL PRIMARY KEY, "
        "bundle VARCHAR(255) NOT NULL, common LONGTEXT NOT NULL) ENGINE=InnoDB";
    *ret_mark = (struct rewind_mark){0};
    enum stay_rc rc = mysql_session_run(s, make, real_clock_mono_us() + ASK_US, NULL, NULL, err);
    if (rc == STAY_OK)
        rc = mysql_session_run(s, "SELECT bundle, common FROM mainstay.rewind",
                               real_clock_mono_us() + ASK_US, keep_mark, ret_mark, err);
    return rc;
}

void rewind_mark_clear(struct rewind_mark *mark)
{
    free(mark->bundle);
    free(mark->common);
    *mark = (struct rewind_mark){0};
}

enum rewind_stage rewind_mark_judge(const struct gtid_set *executed,
                                    const struct gtid_set *followed, const struct gtid_set *common,
                                    const struct gtid_set *extra)
{
    struct gtid_set whole = {0}, seen = {0}, without = {0};
    enum rewind_stage stage = REWIND_WRITTEN;
    gtid_set_copy(&whole, common);
    gtid_set_copy(&seen, executed);
    gtid_set_copy(&without, executed);
    gtid_set_union(&seen, followed);
    if (extra != NULL) {
        gtid_set_union(&whole, extra);
        gtid_set_subtract(&without, extra);
    }
    if ((extra != NULL && gtid_set_equal(executed, &whole)) || gtid_set_contains(common, &seen))
        stage = REWIND_UNDONE;
    else if (extra != NULL && gtid_set_contains(executed, common) &&
             gtid_set_equal(executed, &without))
        stage = REWIND_OVER;
    gtid_set_clear(&whole);
    gtid_set_clear(&seen);
    gtid_set_clear(&without);
    return stage;
}

/* MariaDB only; one GTID a domain. */
static enum stay_rc read_followed(struct mysql_session *s, enum engine engine,
                                  struct gtid_set *ret_set, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *text = NULL;
    if (engine != ENGINE_MARIADB)
        return STAY_OK;
    enum stay_rc rc = mysql_session_text(s, "SELECT @@global.gtid_slave_pos",
                                         real_clock_mono_us() + ASK_US, &text, err);
    return rc == STAY_OK ? gtid_set_parse(GTID_MARIADB, text == NULL ? "" : text, ret_set, err)
                         : rc;
}

enum stay_rc rewind_mark_stage(struct mysql_session *s, const struct bundle_save *spec,
                               const struct rewind_mark *mark, enum rewind_stage *ret_stage,
                               struct stay_error *err)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set executed = {0};
    STAY_AUTO(gtid_set_drop) struct gtid_set followed = {0};
    STAY_AUTO(gtid_set_drop) struct gtid_set common = {0};
    enum engine engine = spec->target.engine;
    struct bundle *b = NULL;
    struct stay_error ignored;
    *ret_stage = REWIND_FRESH;
    if (mark->bundle == NULL)
        return STAY_OK;
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/%s", spec->dir, mark->bundle);
    enum stay_rc rc = bundle_read_executed(s, engine, &executed, err);
    if (rc == STAY_OK)
        rc = read_followed(s, engine, &followed, err);
    if (rc == STAY_OK)
        rc = gtid_set_parse(engine == ENGINE_MARIADB ? GTID_MARIADB : GTID_MYSQL, mark->common,
                            &common, err);
    if (rc != STAY_OK)
        return rc;
    if (bundle_open(path, &b, &ignored) != STAY_OK)
        b = NULL; /* bundle_open frees what it could not read */
    *ret_stage = rewind_mark_judge(&executed, &followed, &common, b == NULL ? NULL : &b->extra);
    bundle_free(b);
    if (*ret_stage != REWIND_WRITTEN)
        return STAY_OK;
    return stay_error(err, STAY_EREFUSED,
                      "cannot be rewound, reseed it: a rewind (%.100s) put its rows back, and it "
                      "was written to before its GTIDs were",
                      mark->bundle);
}
