/* Row 25: are a rejoined server's rows its primary's? `errant reset --verify` says so while clients
 * write; then rows are changed by hand behind replication's back, one each of the ways that can
 * happen, and each is found and named, and nothing else.
 * ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/server_talk.h"

#define WIDE 4500 /* rows: three slices */

/* Written on the primary: keys of several kinds, none, and a value that says nothing in six digits.
 */
static void make_tables(struct lab *lab)
{
    static const char *const sql[] = {
        "CREATE TABLE shop.pair (a VARCHAR(20) NOT NULL, b DECIMAL(9,2) NOT NULL, t TEXT, f FLOAT, "
        "PRIMARY KEY (a, b)) ENGINE=InnoDB",
        "CREATE TABLE shop.bare (x INT NULL, y VARBINARY(9)) ENGINE=InnoDB",
        "CREATE TABLE shop.wide (id INT PRIMARY KEY, at DATETIME(6), v BIGINT) ENGINE=InnoDB",
        "INSERT INTO shop.pair VALUES ('Ab', 1.50, NULL, 0.1), ('ab ', -2, 'x', 16777216), "
        "('\\'q', 0, REPEAT('y', 9000), NULL)",
        "INSERT INTO shop.bare VALUES (NULL, x'00ff'), (1, NULL), (1, NULL), (7, '')"};
    for (size_t i = 0; i < STAY_COUNT(sql); i++)
        LAB_MUST(lab, lab_sql(lab, "db1", sql[i], NULL));
    for (int i = 0; i < WIDE; i += 500) {
        STAY_AUTO(stay_free_charp)
        char *rows = stay_sprintf("INSERT INTO shop.wide WITH RECURSIVE n AS (SELECT %d AS i UNION "
                                  "ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i, "
                                  "'2026-01-02 03:04:05.6', i * i FROM n",
                                  i, i + 499);
        LAB_MUST(lab, lab_sql(lab, "db1", rows, NULL));
    }
}

/* What `mainstay verify` says; its exit code must be `wanted`. */
static json_t *verify(struct lab *lab, int wanted)
{
    int code = -1;
    json_t *data = NULL;
    LAB_MUST(lab, lab_cli(lab, &code, &data, "verify", "shop", "db3", NULL));
    STAY_AUTO(stay_free_charp) char *text = json_dumps(data, JSON_COMPACT);
    printf("verify exits %d: %s\n", code, text);
    SCENARIO_CHECK(code == wanted, "not %d", wanted);
    return data;
}

/* By root on db3, outside of the binary log. */
static void spoil(struct lab *lab, const char *statement)
{
    STAY_AUTO(stay_free_charp)
    char *sql = stay_sprintf("SET sql_log_bin = 0; %s", statement);
    LAB_MUST(lab, lab_cli(lab, NULL, NULL, "pause", "shop", NULL)); /* or it is closed at once */
    if (lab_engine_of(lab) == LAB_MYSQL)
        talk_do(lab, "db3", WORD_WRITABLE);
    LAB_MUST(lab, lab_sql(lab, "db3", sql, NULL));
    if (lab_engine_of(lab) == LAB_MYSQL)
        talk_do(lab, "db3", WORD_READ_ONLY);
    LAB_MUST(lab, lab_cli(lab, NULL, NULL, "resume", "shop", NULL));
}

static void expect(const json_t *data, const char *table, const char *slice)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(data, "list"), i, row)
    {
        const char *at = json_string_value(json_object_get(row, "slice"));
        if (strcmp(json_string_value(json_object_get(row, "table")), table) == 0 &&
            (slice == NULL || strstr(at, slice) != NULL))
            return;
    }
    scenario_fail("%s (%s) was not found", table, slice == NULL ? "any" : slice);
}

int main(int argc, char **argv)
{
    static const char *const spoils[] = {"UPDATE shop.wide SET v = v + 1 WHERE id = 2222",
                                         "DELETE FROM shop.wide WHERE id = 4499",
                                         "INSERT INTO shop.wide VALUES (-5, NULL, 0)",
                                         "UPDATE shop.pair SET f = 16777218 WHERE a = 'ab '",
                                         "UPDATE shop.bare SET x = 2 WHERE x = 1",
                                         "CREATE TABLE shop.more (i INT)"};
    int code = -1;
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    make_tables(lab);
    LAB_MUST(lab, lab_load_start(lab, &(struct lab_load_options){.writers = 4, .rate = 100}));
    scenario_write_on(500);
    spoil(lab, "SET sql_log_bin = 1; INSERT INTO shop.wide VALUES (9999, NULL, 1)");
    LAB_MUST(lab, state_wait_node_rule(lab, "db3", 208, 40));
    for (int64_t begun = lab_now_us(); code != 0 && talk_ms_since(begun) < 30000;
         scenario_write_on(500)) { /* another plan may run */
        STAY_AUTO(stay_json_drop) json_t *said = NULL;
        LAB_MUST(lab, lab_cli(lab, &code, &said, "errant", "reset", "shop", "db3", "--verify",
                              "--yes", NULL));
        STAY_AUTO(stay_free_charp)
        char *text = said == NULL ? NULL : json_dumps(said, JSON_COMPACT);
        printf("errant reset exits %d: %s\n", code, text == NULL ? "" : text);
    }
    SCENARIO_CHECK(code == 0, "errant reset --verify exits %d", code);
    json_decref(verify(lab, 0));
    for (size_t i = 0; i < STAY_COUNT(spoils); i++)
        spoil(lab, spoils[i]);
    STAY_AUTO(stay_json_drop) json_t *found = verify(lab, 1);
    expect(found, "shop.wide", " to ");
    expect(found, "shop.wide", "id above 4");
    expect(found, "shop.pair", NULL);
    expect(found, "shop.bare", "all of it");
    expect(found, "shop.more", NULL);
    json_int_t n = json_integer_value(json_object_get(found, "differences"));
    SCENARIO_CHECK(n == 6, "%lld differences", n);
    scenario_check(lab, "db1", 0);
    scenario_pass("25",
                  "a rewound server under load; then six rows and tables changed on it by hand",
                  "equal; then each difference named, nothing else", "S7 S9");
}
