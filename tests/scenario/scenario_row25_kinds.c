/* Row 25: what a diverged server alone holds is of every kind: geometries (and on MySQL vectors)
 * are given to the primary as they are; a MyISAM table, whose rows no rollback takes back, and XA
 * are refused by name, tried or not, and nothing of them is there. ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static const char tables[] = "CREATE TABLE shop.geo (id INT PRIMARY KEY, g GEOMETRY, l LINESTRING);"
                             "CREATE TABLE shop.plain (id INT PRIMARY KEY, v INT);"
                             "CREATE TABLE shop.isam (id INT PRIMARY KEY, v INT) ENGINE=MyISAM;"
                             "INSERT INTO shop.geo VALUES (1, ST_GeomFromText('POINT(1 2)'), NULL),"
                             "(2, NULL, ST_GeomFromText('LINESTRING(0 0,1 1)'))";
static const char errant[] =
    "UPDATE shop.geo SET g = ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))') WHERE id = 1;"
    "INSERT INTO shop.geo VALUES (3, ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))'), NULL);"
    "DELETE FROM shop.geo WHERE id = 2; INSERT INTO shop.isam VALUES (1, 1);"
    "XA START 'x'; INSERT INTO shop.plain VALUES (1, 1); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x';"
    "INSERT INTO shop.plain VALUES (2, 2)";

/* By hand, on the replica db3, while the controller only looks. */
static void diverge(struct lab *lab, bool mysql)
{
    LAB_MUST(lab, lab_cli(lab, NULL, NULL, "pause", "shop", NULL));
    if (mysql)
        talk_do(lab, "db3", WORD_WRITABLE);
    LAB_MUST(lab, lab_sql(lab, "db3", errant, NULL));
    if (mysql)
        LAB_MUST(lab, lab_sql(lab, "db3",
                              "UPDATE shop.vec SET v = STRING_TO_VECTOR('[4,5,6]');"
                              "INSERT INTO shop.vec VALUES (2, STRING_TO_VECTOR('[7,8,9]'))",
                              NULL));
    if (mysql)
        talk_do(lab, "db3", WORD_READ_ONLY);
    LAB_MUST(lab, lab_cli(lab, NULL, NULL, "resume", "shop", NULL));
    LAB_MUST(lab, state_wait_node_rule(lab, "db3", 208, 40));
}

static void inject(struct lab *lab, const char *conf, const char *how, int injected)
{
    int code = -1;
    json_t *json = NULL;
    for (int64_t begun = lab_now_us(); code != 3 && talk_ms_since(begun) < 40000;
         scenario_write_on(300)) {
        json_decref(json);
        json = NULL;
        LAB_MUST(lab, lab_cli(lab, &code, &json, "errant", "inject", "shop", "db3", "--config",
                              conf, how, NULL));
    }
    STAY_AUTO(stay_free_charp) char *told = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    printf("%s: exit %d, %s\n", how, code, told == NULL ? "" : told);
    SCENARIO_CHECK(code == 3 && told != NULL, "not refused in part");
    SCENARIO_CHECK(strstr(told, "table shop.isam is MyISAM") != NULL, "MyISAM is not named");
    SCENARIO_CHECK(strstr(told, "a prepared XA transaction") != NULL, "XA is not named");
    SCENARIO_CHECK(json_integer_value(state_find(json, "injected")) == injected, "injected");
    STAY_AUTO(stay_free_charp)
    char *rows = scenario_value(lab, "db1",
                                "SELECT (SELECT COUNT(*) FROM shop.isam) + (SELECT COUNT(*) FROM "
                                "shop.plain WHERE id = 1)");
    SCENARIO_CHECK(strcmp(rows, "0") == 0, "%s rows of what was refused are there", rows);
    json_decref(json);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    STAY_AUTO(stay_free_charp) char *conf = stay_sprintf("%s/mainstay.conf", lab_dir(lab));
    LAB_MUST(lab, lab_sql(lab, "db1", tables, NULL));
    if (mysql)
        LAB_MUST(lab, lab_sql(lab, "db1",
                              "CREATE TABLE shop.vec (id INT PRIMARY KEY, v VECTOR(3));"
                              "INSERT INTO shop.vec VALUES (1, STRING_TO_VECTOR('[1,2,3]'))",
                              NULL));
    scenario_ready(lab, 40);
    diverge(lab, mysql);
    inject(lab, conf, "--dry-run", mysql ? 6 : 4);
    STAY_AUTO(stay_free_charp)
    char *ids = scenario_value(lab, "db1", "SELECT SUM(id) FROM shop.geo");
    SCENARIO_CHECK(strcmp(ids, "3") == 0, "the trial changed something");
    inject(lab, conf, "--yes", mysql ? 6 : 4);
    const char *sum = mysql ? "CHECKSUM TABLE shop.geo, shop.vec" : "CHECKSUM TABLE shop.geo";
    STAY_AUTO(stay_free_charp) char *sums = scenario_value(lab, "db3", sum);
    LAB_MUST(lab, lab_wait_sql(lab, "db1", sum, sums, 5));
    scenario_pass("25", "geometries, vectors, MyISAM and XA that only a diverged server holds",
                  "injected alike; MyISAM and XA refused by name, nothing of them there", "S1 S7");
}
