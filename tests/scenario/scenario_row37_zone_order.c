/* Row 37 over three clusters of one controller, whose primaries stand in one zone: all its servers
 * die within a moment, the last of the configuration first. Rule 140 is told; two failovers never
 * run at once, the first of the configuration goes first and who waits names zone-limit or
 * zone-order. Then the other servers die, with controller.blast_radius at what has failed over
 * already: none goes by itself, blast-radius is named, a human's go. Nothing is lost.
 * ENGINES: mariadb */
#include "base/json.h"
#include "tests/lib/server_talk.h"

enum { CLUSTERS = 3 };

static struct lab *each[CLUSTERS];
/* In the configuration the other way round (scenario_take_in): sho3 first. */
static const char *const names[CLUSTERS] = {"shop", "sho2", "sho3"};

static void more_down(void)
{
    for (int i = 1; i < CLUSTERS; i++)
        if (each[i] != NULL)
            (void)lab_down(each[i]);
}

static int count_writable(const char *node)
{
    int count = 0;
    for (int i = 0; i < CLUSTERS; i++)
        count += strcmp(lab_writable(each[i]), node) == 0;
    return count;
}

/* When the cluster's newest failover began and ended, by the history; false: none ended. */
static bool times(int i, int64_t *ret_begun, int64_t *ret_ended)
{
    STAY_AUTO(stay_json_drop) json_t *answer = NULL;
    const json_t *plan;
    size_t index;
    LAB_MUST(each[0], lab_cli(each[0], NULL, &answer, "history", names[i], NULL));
    json_array_foreach(state_find(answer, "plans"), index, plan)
    {
        const char *kind = json_string_value(json_object_get(plan, "kind"));
        *ret_begun = json_integer_value(json_object_get(plan, "begun_wall_us"));
        *ret_ended = json_integer_value(json_object_get(plan, "ended_wall_us"));
        if (kind != NULL && strcmp(kind, "failover") == 0 && *ret_ended > 0)
            return true;
    }
    return false;
}

static void kill_all(const char *node)
{
    for (int i = 0; i < CLUSTERS; i++)
        talk_insert(each[i], node, 5);
    for (int i = 0; i < CLUSTERS; i++) /* the last of the configuration dies first */
        LAB_MUST(each[i], lab_kill(each[i], node));
}

static void expect_said(const char *verb, const char *word, int within_ms)
{
    STAY_AUTO(stay_free_charp) char *told = NULL;
    for (int64_t begun = lab_now_us(); told == NULL || strstr(told, word) == NULL;) {
        int code = -1;
        SCENARIO_CHECK(talk_ms_since(begun) < within_ms, "%s does not say %s: %s", verb, word,
                       told);
        free(told);
        told = scenario_say(each[0], &code, verb, NULL, NULL);
    }
    printf("%s says %s\n", verb, word);
}

/* One after the other, in the order of the configuration; who waits says for what. */
static void in_order(void)
{
    int64_t begun[CLUSTERS], ended[CLUSTERS];
    bool waited = false;
    for (int64_t since = lab_now_us(); count_writable("db2") < CLUSTERS;) {
        int code = -1;
        STAY_AUTO(stay_free_charp) char *told = scenario_say(each[0], &code, "status", NULL, NULL);
        waited |= strstr(told, "zone-limit") != NULL || strstr(told, "zone-order") != NULL;
        SCENARIO_CHECK(talk_ms_since(since) < 60000, "%d of 3 failed over", count_writable("db2"));
    }
    SCENARIO_CHECK(waited, "nobody was held by zone-limit or zone-order");
    for (int i = 0; i < CLUSTERS; i++)
        for (int64_t since = lab_now_us(); !times(i, &begun[i], &ended[i]);)
            SCENARIO_CHECK(talk_ms_since(since) < 20000, "%s: no failover ended", names[i]);
    for (int i = 0; i < CLUSTERS; i++)
        printf("%s: from %d ms to %d ms\n", names[i], (int)((begun[i] - begun[0]) / 1000),
               (int)((ended[i] - begun[0]) / 1000));
    for (int i = 1; i < CLUSTERS; i++)
        SCENARIO_CHECK(begun[i - 1] >= ended[i], "%s before %s had ended", names[i - 1], names[i]);
}

static void above_the_radius(void)
{
    int code = -1;
    for (int i = 0; i < CLUSTERS; i++) {
        LAB_MUST(each[i], lab_start(each[i], "db1", NULL));
        talk_come_up(each[i], "db1", "db2", 60);
    }
    LAB_MUST(each[0], lab_edit_config(each[0], "failovers_per_hour = 0",
                                      "failovers_per_hour = 0; blast_radius = 3"));
    LAB_MUST(each[0], lab_cli(each[0], &code, NULL, "reload", NULL));
    SCENARIO_CHECK(code == 0, "reload exits %d", code);
    scenario_write_on(10000);
    kill_all("db2");
    expect_said("status", "blast-radius", 20000);
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 6000; scenario_write_on(200))
        SCENARIO_CHECK(count_writable("db1") == 0, "%d failed over", count_writable("db1"));
    for (int i = 0; i < CLUSTERS; i++)
        LAB_MUST(each[0], lab_cli(each[0], NULL, NULL, "failover", names[i], "--yes", NULL));
    SCENARIO_CHECK(count_writable("db1") == CLUSTERS, "%d of 3", count_writable("db1"));
}

int main(int argc, char **argv)
{
    char name[40];
    each[0] = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    (void)atexit(more_down);
    for (int i = 1; i < CLUSTERS; i++) {
        (void)snprintf(name, sizeof name, "%s-%d", argv[4], i);
        each[i] = lab_new(&(struct lab_options){.name = stay_strdup(name)});
        LAB_MUST(each[i], lab_up(each[i]));
        scenario_take_in(each[0], each[i], names[i]);
    }
    scenario_start_controller(each[0], true);
    for (int i = 1; i < CLUSTERS; i++)
        LAB_MUST(each[0], lab_cli(each[0], NULL, NULL, "adopt", names[i], "--yes", NULL));
    scenario_write_on(10000); /* every promise stands, and was rehearsed */
    kill_all("db1");
    in_order();
    expect_said("problems", "zone down or isolated", 5000);
    above_the_radius();
    for (int i = 0; i < CLUSTERS; i++)
        SCENARIO_CHECK(talk_number(each[i], "db1", WORD_ROWS) == 10, "%s lost rows", names[i]);
    scenario_pass("37 order",
                  "the servers of three clusters in one zone killed, the last first; then the "
                  "others, above controller.blast_radius",
                  "140; one failover at a time, in the order of the configuration; above the "
                  "radius none but a human's",
                  "S14 L4 S2");
}
