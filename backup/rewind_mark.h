/* backup/rewind_mark.h - what a rewind leaves on its server between its two halves: table
 * mainstay.rewind, never logged, written by the very transaction that puts the rows back. It says
 * which GTIDs the server must forget before it may follow anybody; the attach step refuses a server
 * that bears it.
 *
 * Layer: backup. rewind_mark_judge is pure, the others block. */
#ifndef BACKUP_REWIND_MARK_H
#define BACKUP_REWIND_MARK_H
#include "backup/bundle_save.h"

struct rewind_mark {
    char *bundle; /* its name; NULL: there is no mark */
    char *common; /* GTID set the server goes back to */
};

enum rewind_stage {
    REWIND_FRESH = 0, /* no mark: nothing was put back */
    REWIND_UNDONE,    /* the rows are back, the GTIDs are, or may not be */
    REWIND_OVER,      /* it ended, and the server followed on: the mark was left behind */
    REWIND_WRITTEN    /* the server was written to since: its set tells nothing */
};

/* Makes the table where it is missing. Release with rewind_mark_clear. */
enum stay_rc rewind_mark_read(struct mysql_session *s, struct rewind_mark *ret_mark,
                              struct stay_error *err) STAY_MUST_USE;
void rewind_mark_clear(struct rewind_mark *mark);
/* executed: what its binary log says it holds; followed: what it took from a source (MariaDB's
 * gtid_slave_pos, empty on MySQL); extra: of the bundle, NULL where that is gone. */
enum rewind_stage rewind_mark_judge(const struct gtid_set *executed,
                                    const struct gtid_set *followed, const struct gtid_set *common,
                                    const struct gtid_set *extra);
/* The same of a server, with the bundle in spec->dir. STAY_EREFUSED: REWIND_WRITTEN, in words. */
enum stay_rc rewind_mark_stage(struct mysql_session *s, const struct bundle_save *spec,
                               const struct rewind_mark *mark, enum rewind_stage *ret_stage,
                               struct stay_error *err) STAY_MUST_USE;

#endif
