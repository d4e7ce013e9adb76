/* mainstay discover finds the same cluster from each of its servers; what it prints is taken by
 * config check, by a controller and by adopt; a server that is gone is named with the fix. Nothing
 * is written on any server.
 * ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/scenario.h"

static json_t *discover(struct lab *lab, const char *address, int *ret_code)
{
    json_t *answer = NULL;
    STAY_AUTO(stay_free_charp) char *password = stay_sprintf("%s/secrets/monitor", lab_dir(lab));
    STAY_AUTO(stay_free_charp) char *ca = stay_sprintf("%s/tls/ca.pem", lab_dir(lab));
    LAB_MUST(lab, lab_cli(lab, ret_code, &answer, "discover", address, "--name", "shop",
                          "--password-file", password, "--ca", ca, "--timeout", "2s", "--zone-of",
                          "10.*.{}.*=zone-{}", NULL));
    SCENARIO_CHECK(answer != NULL, "discover %s printed nothing: %s", address, lab_error(lab));
    return answer;
}

/* Without the first line, which names the address. */
static char *stanza_from(struct lab *lab, const char *node)
{
    int code = -1;
    STAY_AUTO(stay_json_drop) json_t *found = discover(lab, lab_address(lab, node), &code);
    const char *text = json_string_value(json_object_get(found, "stanza"));
    const char *missing = json_array_size(json_object_get(found, "missing")) > 0 ? "some" : "none";
    printf("from %s: exit %d, %zu servers, missing %s\n", node, code,
           json_array_size(json_object_get(found, "nodes")), missing);
    SCENARIO_CHECK(code == 0 && text != NULL && strchr(text, '\n') != NULL, "%s", lab_error(lab));
    return stay_strdup(strchr(text, '\n') + 1);
}

/* The lab's own controller group and what was found. */
static void write_config(struct lab *lab, const char *stanza)
{
    STAY_AUTO(stay_free_charp) char *lab_config = scenario_file(lab, "mainstay.conf");
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/mainstay.conf", lab_dir(lab));
    const char *end = strstr(lab_config, "clusters = ("),
               *clusters = strstr(stanza, "clusters = (");
    SCENARIO_CHECK(end != NULL && clusters != NULL, "no list of clusters in\n%s", stanza);
    FILE *out = fopen(path, "we");
    SCENARIO_CHECK(out != NULL, "%s", path);
    fprintf(out, "%.*s%s", (int)(end - lab_config), lab_config, clusters);
    SCENARIO_CHECK(fclose(out) == 0, "%s", path);
    int code = -1;
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "config", "check", path, NULL));
    SCENARIO_CHECK(code == 0, "config check exits %d: %s\n%s", code, lab_error(lab), stanza);
}

static void expect_missing(struct lab *lab, const char *from, const char *word)
{
    int code = -1;
    STAY_AUTO(stay_json_drop) json_t *found = discover(lab, lab_address(lab, from), &code);
    STAY_AUTO(stay_free_charp)
    char *missing = json_dumps(json_object_get(found, "missing"), JSON_ENCODE_ANY);
    printf("from %s: exit %d, missing %s\n", from, code, missing);
    SCENARIO_CHECK(code == 1 && strstr(missing, word) != NULL, "\"%s\" is not said", word);
}

int main(int argc, char **argv)
{
    static const char *const nodes[] = {"db1", "db2", "db4"};
    struct lab *lab =
        scenario_begin(argc, argv, (struct lab_options){.replicas = 2}, SCENARIO_NO_CONTROLLER);
    const char *gtid =
        scenario_pick(lab, "SELECT @@GLOBAL.gtid_binlog_pos", "SELECT @@GLOBAL.gtid_executed");
    STAY_AUTO(stay_free_charp) char *before = scenario_value(lab, "db1", gtid);
    STAY_AUTO(stay_free_charp) char *stanza = stanza_from(lab, nodes[0]);
    for (size_t i = 1; i < STAY_COUNT(nodes); i++) {
        STAY_AUTO(stay_free_charp) char *other = stanza_from(lab, nodes[i]);
        SCENARIO_CHECK(strcmp(other, stanza) == 0, "from %s it is\n%s\nnot\n%s", nodes[i], other,
                       stanza);
    }
    STAY_AUTO(stay_free_charp) char *after = scenario_value(lab, "db1", gtid);
    SCENARIO_CHECK(strcmp(before, after) == 0, "db1 went from %s to %s", before, after);
    write_config(lab, stanza);
    scenario_start_controller(lab, true);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    expect_missing(lab, "db2", "did not answer");
    scenario_pass("discover", "discover from each of three servers, and with one killed",
                  "one stanza from all, taken by config check and adopt; who is missing is named",
                  "S14");
}
