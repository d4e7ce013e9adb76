/* Row 25: a rewind of 1,000 transactions that only one server holds is killed in the middle: its
 * job, the controller, both, at each of its steps and around each row of its plan. It is taken up
 * again or begun anew, and the server ends with every table as the primary's.
 * ENGINES: mariadb mysql */
#include <fnmatch.h>
#include <sys/stat.h>

#include "tests/lib/server_talk.h"

#define EXTRA 1000

/* By hand, on the replica db3; while clients write. */
static void diverge(struct lab *lab, int round)
{
    char sql[200];
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    LAB_MUST(lab, lab_cli(lab, NULL, NULL, "pause", "shop", NULL)); /* or it is closed at once */
    if (mysql)
        talk_do(lab, "db3", WORD_WRITABLE);
    for (int i = 1; i <= EXTRA; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO shop.ledger (client, seq) VALUES (%d, %d)",
                 7000 + round, i);
        for (int tries = 0; !lab_sql(lab, "db3", sql, NULL); tries++) /* the applier took its id */
            SCENARIO_CHECK(tries < 20, "%s", lab_error(lab));
    }
    if (mysql)
        talk_do(lab, "db3", WORD_READ_ONLY);
    LAB_MUST(lab, lab_cli(lab, NULL, NULL, "resume", "shop", NULL));
    LAB_MUST(lab, state_wait_node_rule(lab, "db3", 208, 40));
}

/* "job:undone:b": a file tells the job where to kill whom; else a crash point of the controller. */
static void arm(struct lab *lab, const char *dir, const char *point)
{
    char name[40], path[300];
    const char *colon = strrchr(point, ':');
    if (strncmp(point, "job:", 4) != 0) {
        LAB_MUST(lab, lab_stop_controller(lab));
        scenario_crash_at(point);
        LAB_MUST(lab, lab_start_controller(lab));
        scenario_crash_at(NULL);
        LAB_MUST(lab, state_wait_node_rule(lab, "db3", 208, 40));
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(colon - point - 4), point + 4);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    SCENARIO_CHECK(f != NULL && fputc(colon[1], f) != EOF && fclose(f) == 0, "%s", path);
}

/* Never following with rows that the primary lacks, or GTIDs without their rows. */
static void expect_whole(struct lab *lab, const char *point, int round)
{
    char sql[120];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM shop.ledger WHERE client = %d", 7000 + round);
    scenario_ready(lab, 60);
    STAY_AUTO(stay_free_charp) char *left = scenario_value(lab, "db3", sql);
    SCENARIO_CHECK(strcmp(left, "0") == 0, "%s: %s of them are still there", point, left);
    scenario_check(lab, "db1", 0);
    STAY_AUTO(stay_free_charp) char *sum = scenario_value(lab, "db1", "CHECKSUM TABLE shop.ledger");
    talk_come_up(lab, "db3", "db1", 120);
    LAB_MUST(lab, lab_wait_sql(lab, "db3", "CHECKSUM TABLE shop.ledger", sum, 20));
}

static void one_point(struct lab *lab, const char *dir, const char *point, int round)
{
    int code = -1, orders = 0;
    bool kills = strncmp(point, "job:", 4) != 0 || point[strlen(point) - 1] != 'j';
    /* slow: what db3 misses meanwhile it has to fetch in each round */
    LAB_MUST(lab, lab_load_start(lab, &(struct lab_load_options){.writers = 4, .rate = 100}));
    scenario_write_on(300);
    diverge(lab, round);
    arm(lab, dir, point);
    int before = state_count_plans(lab, "rewind");
    for (int64_t begun = lab_now_us(); code != 0 && talk_ms_since(begun) < 30000;
         scenario_write_on(200)) /* another plan may run */
        (void)lab_cli(lab, &code, NULL, "errant", "reset", "shop", "db3", "--yes", "--no-wait",
                      NULL);
    SCENARIO_CHECK(code == 0, "errant reset exits %d", code);
    bool died = kills && scenario_wait_crash(lab, false, 120);
    if (died)
        LAB_MUST(lab, lab_start_controller(lab));
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 90000; scenario_write_on(200)) {
        bool ended = state_wait_plans(lab, "rewind", before + 1 + orders, 60);
        STAY_AUTO(stay_free_charp) char *reason = state_quarantine(lab, "db3");
        if (ended && reason != NULL && reason[0] == '\0')
            break;
        if (ended && reason != NULL && strcmp(reason, "diverged") == 0 && ++orders <= 3)
            (void)lab_cli(lab, &code, NULL, "errant", "reset", "shop", "db3", "--yes", NULL);
    }
    scenario_story(lab, "rewind");
    expect_whole(lab, point, round);
    printf("%s: %s, %d further orders\n", point, died ? "the controller died there" : "not it",
           orders);
}

int main(int argc, char **argv)
{
    static const char *const points[] = {"job:committed:b",       "job:undoing:j",
                                         "job:reset:j",           "job:undone:c",
                                         "rewind:rewind:after",   "job:saved:b",
                                         "job:reset:b",           "job:set:c",
                                         "rewind:rewind:before",  "job:prepared:j",
                                         "job:checked:b",         "job:undoing:b",
                                         "rewind:intent:after",   "rewind:fence:after",
                                         "rewind:detach:before",  "rewind:detach:after",
                                         "rewind:compare:after",  "rewind:collect:after",
                                         "rewind:attach:before",  "rewind:attach:after",
                                         "rewind:catch-up:after", "rewind:record:after"};
    size_t count = scenario_is_long() ? STAY_COUNT(points) : 4;
    char done[80];
    setvbuf(stdout, NULL, _IOLBF, 0);
    scenario_crash_at(points[0]); /* skips at once where there are none */
    scenario_crash_at(NULL);
    struct lab *lab =
        scenario_begin(argc, argv, (struct lab_options){.acker = true}, SCENARIO_NO_CONTROLLER);
    STAY_AUTO(stay_free_charp) char *dir = stay_sprintf("%s/crash", lab_dir(lab));
    SCENARIO_CHECK(mkdir(dir, 0700) == 0 && setenv("MAINSTAY_ERRANT_CRASH_DIR", dir, 1) == 0, " ");
    scenario_start_controller(lab, true);
    const char *only = getenv("MAINSTAY_POINTS_ONLY"); /* of a run that was cut short */
    for (size_t i = 0; i < count; i++)
        if (only == NULL || fnmatch(only, points[i], 0) == 0)
            one_point(lab, dir, points[i], (int)i);
    snprintf(done, sizeof done, "%zu points: ended or begun anew, checksums equal", count);
    scenario_pass("25", "the controller and the job of a rewind are killed, 1,000 transactions",
                  done, "S1 S2 S7");
}
