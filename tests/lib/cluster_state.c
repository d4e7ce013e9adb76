/* tests/lib/cluster_state.c - reads the controller's own JSON answers; see the header. */
#include "tests/lib/cluster_state.h"

#include <time.h>

json_t *state_find(const json_t *json, const char *key)
{
    const char *name;
    json_t *value;
    size_t index;
    if (json_is_object(json)) {
        value = json_object_get(json, key);
        if (value != NULL)
            return value;
        json_object_foreach((json_t *)(uintptr_t)json, name, value)
        {
            json_t *found = state_find(value, key);
            if (found != NULL)
                return found;
        }
    }
    json_array_foreach(json, index, value)
    {
        json_t *found = state_find(value, key);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static void nap(void)
{
    struct timespec t = {.tv_nsec = 50 * 1000000};
    (void)nanosleep(&t, NULL);
}

json_t *state_cluster(struct lab *lab)
{
    json_t *answer = NULL;
    int code = -1;
    if (!lab_cli(lab, &code, &answer, "status", "shop", NULL) || code != 0) {
        json_decref(answer);
        return NULL;
    }
    json_t *cluster = json_array_get(state_find(answer, "clusters"), 0);
    json_incref(cluster);
    json_decref(answer);
    return cluster;
}

static char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL || *text == '\0' ? NULL : stay_strdup(text);
}

char *state_primary(struct lab *lab)
{
    json_t *cluster = state_cluster(lab);
    char *name = text_of(cluster, "primary");
    json_decref(cluster);
    return name;
}

static const char *what_is_missing(const json_t *cluster)
{
    if (cluster == NULL)
        return "the controller does not answer";
    if (json_integer_value(json_object_get(json_object_get(cluster, "verdict"), "rule")) != 100)
        return "the verdict is not healthy";
    const char *mode = json_string_value(state_find(cluster, "mode"));
    const char *wanted = json_string_value(state_find(cluster, "mode_wanted"));
    if (mode == NULL || wanted == NULL || strcmp(mode, wanted) != 0)
        return "the recorded mode is not the configured one";
    if (strcmp(mode, "lossless") == 0 && !json_is_true(state_find(cluster, "lossless_stands")))
        return "lossless does not stand";
    if (json_is_object(json_object_get(cluster, "plan")))
        return "a plan runs";
    size_t index;
    json_t *node;
    json_array_foreach(json_object_get(cluster, "nodes"), index, node)
    {
        const char *role = json_string_value(json_object_get(node, "role"));
        if (role == NULL || (strcmp(role, "primary") != 0 && strcmp(role, "replica") != 0))
            return "a node is neither primary nor replica";
        const char *receiver = json_string_value(state_find(node, "receiver"));
        if (strcmp(role, "replica") == 0 && (receiver == NULL || strcmp(receiver, "running") != 0))
            return "a replica does not receive";
    }
    return NULL;
}

bool state_is_ready(struct lab *lab, char *ret_why, size_t size)
{
    json_t *cluster = state_cluster(lab);
    const char *missing = what_is_missing(cluster);
    json_decref(cluster);
    if (ret_why != NULL)
        (void)stay_copy(ret_why, size, missing == NULL ? "" : missing);
    return missing == NULL;
}

bool state_wait_ready(struct lab *lab, int timeout_s, char *ret_why, size_t size)
{
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND;; nap()) {
        if (state_is_ready(lab, ret_why, size))
            return true;
        if (lab_now_us() > due)
            return false;
    }
}

bool state_wait_rule(struct lab *lab, int rule, int timeout_s)
{
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND; lab_now_us() < due; nap()) {
        json_t *cluster = state_cluster(lab);
        json_int_t seen =
            json_integer_value(json_object_get(json_object_get(cluster, "verdict"), "rule"));
        json_decref(cluster);
        if (seen == rule)
            return true;
    }
    return false;
}

json_t *state_node(struct lab *lab, const char *node)
{
    json_t *cluster = state_cluster(lab), *object, *found = NULL;
    size_t index;
    json_array_foreach(json_object_get(cluster, "nodes"), index, object)
    {
        const char *name = json_string_value(json_object_get(object, "name"));
        if (name != NULL && strcmp(name, node) == 0)
            found = json_incref(object);
    }
    json_decref(cluster);
    return found;
}

bool state_wait_node_rule(struct lab *lab, const char *node, int rule, int timeout_s)
{
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND; lab_now_us() < due; nap()) {
        json_t *object = state_node(lab, node);
        json_int_t seen =
            json_integer_value(json_object_get(json_object_get(object, "verdict"), "rule"));
        json_decref(object);
        if (seen == rule)
            return true;
    }
    return false;
}

char *state_quarantine(struct lab *lab, const char *node)
{
    json_t *object = state_node(lab, node);
    char *reason = text_of(object, "quarantine");
    json_decref(object);
    return reason != NULL ? reason : stay_strdup("");
}

char *state_wait_moved(struct lab *lab, const char *old, int timeout_s)
{
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND; lab_now_us() < due; nap()) {
        char *now = state_primary(lab), *text = NULL;
        bool moved = now != NULL && strcmp(now, old) != 0 &&
                     lab_sql(lab, now, "SELECT @@global.read_only", &text) &&
                     strcmp(text, "0") == 0;
        free(text);
        if (moved)
            return now;
        free(now);
    }
    return NULL;
}

json_t *state_explain(struct lab *lab, const char *id)
{
    json_t *answer = NULL;
    int code = -1;
    if (!lab_cli(lab, &code, &answer, "explain", id, NULL) || code != 0) {
        json_decref(answer);
        return NULL;
    }
    return answer;
}

char *state_last_plan(struct lab *lab, const char *kind)
{
    json_t *answer = NULL, *plan;
    int code = -1;
    size_t index;
    char *id = NULL;
    if (lab_cli(lab, &code, &answer, "history", "shop", NULL) && code == 0) {
        json_array_foreach(state_find(answer, "plans"), index, plan)
        { /* newest first */
            const char *text = json_string_value(json_object_get(plan, "kind"));
            if (id == NULL && text != NULL && strcmp(text, kind) == 0)
                id = text_of(plan, "id");
        }
    }
    json_decref(answer);
    return id;
}

/* How many plans of this kind the history holds; *ret_runs: the newest of them has not ended. */
static int count_plans(struct lab *lab, const char *kind, bool *ret_runs)
{
    json_t *answer = NULL, *plan;
    int code = -1, count = 0;
    size_t index;
    *ret_runs = false;
    if (lab_cli(lab, &code, &answer, "history", "shop", NULL) && code == 0) {
        json_array_foreach(state_find(answer, "plans"), index, plan)
        { /* newest first */
            const char *text = json_string_value(json_object_get(plan, "kind"));
            const char *state = json_string_value(json_object_get(plan, "state"));
            if (text == NULL || strcmp(text, kind) != 0)
                continue;
            if (count++ == 0)
                *ret_runs = state == NULL || strcmp(state, "running") == 0 ||
                            strcmp(state, "undoing") == 0 || strcmp(state, "idle") == 0;
        }
    }
    json_decref(answer);
    return count;
}

bool state_wait_plans(struct lab *lab, const char *kind, int count, int timeout_s)
{
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND; lab_now_us() < due; nap()) {
        bool runs = true;
        if (count_plans(lab, kind, &runs) >= count && !runs)
            return true;
    }
    return false;
}

int state_count_plans(struct lab *lab, const char *kind)
{
    bool runs = false;
    return count_plans(lab, kind, &runs);
}
