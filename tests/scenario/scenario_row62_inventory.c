/* Row 62: an invalid, an empty and a partial inventory are reloaded. Each is refused with its
 * reason, the old configuration stays and still fails over; a lost acker withdraws the promise.
 * ENGINES: mariadb */
#include "base/json.h"
#include "tests/lib/scenario.h"

static size_t nodes_watched(struct lab *lab)
{
    STAY_AUTO(stay_json_drop) json_t *cluster = state_cluster(lab);
    return json_array_size(json_object_get(cluster, "nodes"));
}

static void put(struct lab *lab, const char *text)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/mainstay.conf", lab_dir(lab));
    FILE *out = fopen(path, "we");
    SCENARIO_CHECK(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0, "%s", path);
}

static void refuse(struct lab *lab, const char *what, const char *text)
{
    STAY_AUTO(stay_free_charp) char *before = scenario_file(lab, "mainstay.conf");
    int code = -1;
    put(lab, text);
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "reload", NULL, NULL);
    printf("%s: exit %d, %s %s\n", what, code, told, lab_error(lab));
    put(lab, before);
    SCENARIO_CHECK(code != 0, "%s was taken", what);
    SCENARIO_CHECK(nodes_watched(lab) == 2, "%s: %zu servers watched", what, nodes_watched(lab));
}

/* A server less is a change an operator may mean: taken, but its acknowledgements count no more. */
static void lose_acker(struct lab *lab, const char *text, const char *good)
{
    int code = -1;
    bool stands = true;
    put(lab, text);
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "reload", NULL, NULL);
    for (int64_t due = lab_now_us() + 10 * STAY_SECOND; stands && lab_now_us() < due;) {
        STAY_AUTO(stay_json_drop) json_t *cluster = state_cluster(lab);
        stands = json_is_true(json_object_get(cluster, "lossless_stands"));
    }
    printf("the acker is missing: exit %d; lossless %s\n", code, stands ? "stands" : "withdrawn");
    SCENARIO_CHECK(code != 0 || !stands, "a server nobody asks still counts as acker");
    put(lab, good);
    free(scenario_say(lab, &code, "reload", NULL, NULL));
    SCENARIO_CHECK(code == 0, "the good file is refused: %s", lab_error(lab));
    scenario_ready(lab, 40);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    STAY_AUTO(stay_free_charp) char *good = scenario_file(lab, "mainstay.conf");
    STAY_AUTO(stay_free_charp) char *half = stay_strdup(good), *none = stay_strdup(good);
    STAY_AUTO(stay_free_charp) char *unit = stay_strdup(good);
    half[strlen(half) / 2] = '\0';
    refuse(lab, "half a file", half);
    refuse(lab, "an empty file", "");
    char *at = strstr(none, "clusters");
    snprintf(at, strlen(at) + 1, "clusters = ();\n");
    refuse(lab, "no cluster", none);
    at = strstr(unit, "cooldown = \"0s\"");
    memcpy(at, "cooldown = \"0x\"", strlen("cooldown = \"0s\""));
    refuse(lab, "a wrong unit", unit);
    STAY_AUTO(stay_free_charp) char *alone = stay_strdup(good);
    char *second = strstr(alone, ",\n              { name = \"db2\"");
    char *end = second == NULL ? NULL : strstr(second, " );");
    SCENARIO_CHECK(end != NULL, "the lab writes its nodes otherwise now");
    memmove(second, end, strlen(end) + 1);
    lose_acker(lab, alone, good);
    scenario_load(lab);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 30);
    scenario_write_on(300);
    scenario_check(lab, now, 50);
    scenario_pass("62", "reload of half a file, an empty one, no cluster, a wrong unit, no replica",
                  "refused, or the promise withdrawn; the old configuration still fails over",
                  "S14");
}
