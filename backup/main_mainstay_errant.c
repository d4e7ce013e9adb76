/* The job process of errant transactions: one JSON object on standard input says what is to be done
 * on which server, JSON lines on standard output tell how far it is, the last one how it ended.
 *
 *   echo '{"verb":"save", ...}' | mainstay-errant
 * verb: "save" (reads only), "rewind", "inject" (bundle, only, actor, reason, trial), "verify"
 * (primary_host, primary_port: reads both); dir, cluster, node, primary, epoch, known (GTID set of
 * the primary); engine, host, port, ca, cert, key, tls_required, verify_name; operate and replicate
 * (user, password). Exit 0 done, 1 not done, 2 not understood, 5 unknown. */
#include "backup/compare.h"
#include "backup/inject.h"
#include "backup/rewind.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#define INPUT_MAX (16U * 1024U * 1024U)
#define LIST_MAX  2000 /* transactions, or what differs, told one by one */

struct job {
    char verb[16];
    char dir[4096], cluster[128], node[128], primary[128];
    struct gtid_set known;
    struct bundle_save spec;
};

static void tell(const json_t *line)
{
    STAY_AUTO(stay_free_charp) char *out = stay_json_dump_compact(line);
    (void)printf("%s\n", out);
    (void)fflush(stdout);
}

/* As effects_work.h wants it. */
static void on_progress(void *arg, const struct bundle_progress *p)
{
    STAY_AUTO(stay_json_drop) json_t *line = json_object();
    STAY_AUTO(stay_free_charp) char *text = NULL;
    (void)arg;
    if (p->total > 0)
        text = stay_sprintf("%llu of %llu transactions", (unsigned long long)p->done,
                            (unsigned long long)p->total);
    else if (p->done > 0)
        text = stay_sprintf("%llu transactions", (unsigned long long)p->done);
    stay_json_set_string(line, "phase", p->phase);
    if (p->bytes > 0)
        stay_json_set_int(line, "bytes", (int64_t)p->bytes);
    if (text != NULL)
        stay_json_set_string(line, "text", text);
    tell(line);
}

static char *read_input(size_t *ret_length)
{
    char *text = stay_malloc(INPUT_MAX + 1);
    size_t length = 0;
    for (ssize_t n = 1; n > 0 && length<INPUT_MAX; length += n> 0 ? (size_t)n : 0)
        n = read(STDIN_FILENO, text + length, INPUT_MAX - length);
    *ret_length = length;
    return text;
}

static enum stay_rc read_account(const json_t *obj, const char *key, struct mysql_account *ret,
                                 struct stay_error *err)
{
    json_t *account = NULL;
    enum stay_rc rc = stay_json_get_object(obj, key, &account, err);
    if (rc == STAY_OK)
        rc = stay_json_get_copy(account, "user", ret->user, sizeof ret->user, err);
    if (rc == STAY_OK)
        rc = stay_json_get_copy(account, "password", ret->password, sizeof ret->password, err);
    return rc;
}

static enum stay_rc read_target(const json_t *obj, struct mysql_target *t, struct stay_error *err)
{
    const char *engine = NULL;
    int64_t port = 0;
    enum stay_rc rc = stay_json_get_string(obj, "engine", &engine, err);
    if (rc == STAY_OK)
        t->engine = strcmp(engine, "mysql") == 0 ? ENGINE_MYSQL : ENGINE_MARIADB;
    if (rc == STAY_OK)
        rc = stay_json_get_copy(obj, "host", t->host, sizeof t->host, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int_in(obj, "port", 1, 65535, &port, err);
    t->port = (uint16_t)port;
    static const char *const keys[] = {"ca", "cert", "key"};
    char *const texts[] = {t->ca, t->cert, t->key};
    for (size_t i = 0; rc == STAY_OK && i < STAY_COUNT(keys); i++)
        if (json_object_get(obj, keys[i]) != NULL)
            rc = stay_json_get_copy(obj, keys[i], texts[i], sizeof t->ca, err);
    if (rc == STAY_OK)
        rc = stay_json_get_bool_or(obj, "tls_required", false, &t->tls_required, err);
    if (rc == STAY_OK)
        rc = stay_json_get_bool_or(obj, "verify_name", false, &t->verify_name, err);
    return rc;
}

static enum stay_rc read_job(const json_t *obj, struct job *job, struct stay_error *err)
{
    const struct {
        const char *key;
        char *at;
        size_t size;
    } texts[] = {{"verb", job->verb, sizeof job->verb},
                 {"dir", job->dir, sizeof job->dir},
                 {"cluster", job->cluster, sizeof job->cluster},
                 {"node", job->node, sizeof job->node},
                 {"primary", job->primary, sizeof job->primary}};
    int64_t epoch = 0;
    const char *known = NULL;
    enum stay_rc rc = STAY_OK;
    for (size_t i = 0; rc == STAY_OK && i < STAY_COUNT(texts); i++)
        rc = stay_json_get_copy(obj, texts[i].key, texts[i].at, texts[i].size, err);
    if (rc == STAY_OK)
        rc = read_target(obj, &job->spec.target, err);
    if (rc == STAY_OK)
        rc = read_account(obj, "operate", &job->spec.operate, err);
    if (rc == STAY_OK)
        rc = read_account(obj, "replicate", &job->spec.replicate, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int_in(obj, "epoch", 0, INT64_MAX, &epoch, err);
    if (rc == STAY_OK)
        rc = stay_json_get_string(obj, "known", &known, err);
    if (rc == STAY_OK)
        rc = gtid_set_parse(job->spec.target.engine == ENGINE_MYSQL ? GTID_MYSQL : GTID_MARIADB,
                            known, &job->known, err);
    job->spec.dir = job->dir;
    job->spec.cluster = job->cluster;
    job->spec.node = job->node;
    job->spec.primary = job->primary;
    job->spec.epoch = (uint64_t)epoch;
    job->spec.known = &job->known;
    job->spec.progress = on_progress;
    return rc;
}

/* The first LIST_MAX of them, for people. */
static void on_settled(void *arg, const struct bundle_transaction *t, const char *result,
                       const char *why)
{
    json_t *list = arg, *row = json_object();
    if (json_array_size(list) == LIST_MAX) {
        json_decref(row);
        return;
    }
    stay_json_set_string(row, "gtid", t->gtid);
    stay_json_set_int(row, "wall_us", t->wall_us);
    stay_json_set_string(row, "tables", t->tables);
    stay_json_set_int(row, "inserted", (int64_t)t->inserted);
    stay_json_set_int(row, "updated", (int64_t)t->updated);
    stay_json_set_int(row, "deleted", (int64_t)t->deleted);
    stay_json_set_string(row, "result", result);
    stay_json_set_string(row, "why", why[0] == '\0' ? NULL : why);
    stay_json_append(list, row);
}

/* dir and bundle name the folder; `known` is not read. word: what became of each; a conflict
 * is no failure of the job. */
static enum stay_rc inject(const json_t *json, const struct job *job, json_t *word, char **ret_text,
                           struct stay_error *err)
{
    struct bundle *b = NULL;
    struct inject_outcome out = {0};
    const char *name = json_string_value(json_object_get(json, "bundle"));
    const char *actor = json_string_value(json_object_get(json, "actor"));
    STAY_AUTO(stay_free_charp)
    char *path = stay_sprintf("%s/%s", job->dir, name == NULL ? "" : name);
    enum stay_rc rc = bundle_open(path, &b, err);
    if (rc != STAY_OK)
        return rc;
    json_t *list = json_array();
    stay_json_set(word, "list", list);
    struct inject what = {.bundle = b,
                          .only = json_string_value(json_object_get(json, "only")),
                          .actor = actor == NULL ? "" : actor,
                          .reason = json_string_value(json_object_get(json, "reason")),
                          .target = job->spec.target,
                          .operate = job->spec.operate,
                          .told = on_settled,
                          .told_arg = list,
                          .is_trial = json_is_true(json_object_get(json, "trial"))};
    rc = inject_bundle(&what, &out, err);
    if (rc == STAY_OK) {
        STAY_AUTO(stay_free_charp)
        char *text = stay_sprintf(
            "%llu %s, %llu in conflict, %llu injected before%s%s", (unsigned long long)out.injected,
            what.is_trial ? "would be injected" : "injected", (unsigned long long)out.refused,
            (unsigned long long)out.passed_over, out.text[0] ? "; " : "", out.text);
        *ret_text = stay_strdup(text);
        stay_json_set_int(word, "injected", (int64_t)out.injected);
        stay_json_set_int(word, "refused", (int64_t)out.refused);
        stay_json_set_int(word, "before", (int64_t)out.passed_over);
    }
    bundle_free(b);
    return rc;
}

static void on_compared(void *arg, const char *table, const char *slice, enum compare_result result,
                        const char *why)
{
    json_t *list = arg;
    if (json_array_size(list) == LIST_MAX)
        return;
    json_t *row = json_object();
    stay_json_set_string(row, "table", table);
    stay_json_set_string(row, "slice", slice);
    stay_json_set_string(row, "result", result == COMPARE_DIFFERS ? "differs" : "not known");
    stay_json_set_string(row, "why", why);
    stay_json_append(list, row);
}

/* word: how much was compared, and what is not the same; neither is a failure of the job. */
static enum stay_rc verify(const json_t *json, const struct job *job, json_t *word, char **ret_text,
                           struct stay_error *err)
{
    struct compare_outcome out = {0};
    int64_t port = 0;
    struct compare what = {.source_name = job->primary,
                           .replica_name = job->node,
                           .source = job->spec.target,
                           .replica = job->spec.target,
                           .operate = job->spec.operate,
                           .told = on_compared};
    enum stay_rc rc =
        stay_json_get_copy(json, "primary_host", what.source.host, sizeof what.source.host, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int_in(json, "primary_port", 1, 65535, &port, err);
    if (rc != STAY_OK)
        return rc;
    what.source.port = (uint16_t)port;
    what.told_arg = json_array();
    stay_json_set(word, "list", what.told_arg);
    rc = compare_servers(&what, &out, err);
    if (rc != STAY_OK)
        return rc;
    stay_json_set_int(word, "tables", (int64_t)out.tables);
    stay_json_set_int(word, "rows", (int64_t)out.rows);
    stay_json_set_int(word, "differences", (int64_t)out.differences);
    stay_json_set_int(word, "unknown", (int64_t)out.unknown);
    *ret_text = stay_sprintf("%llu rows of %llu tables are equal, %llu differences, %llu not told",
                             (unsigned long long)out.rows, (unsigned long long)out.tables,
                             (unsigned long long)out.differences, (unsigned long long)out.unknown);
    return rc;
}

/* word: what else it says, or NULL; borrowed. */
static int end(enum stay_rc rc, json_t *word, const char *text)
{
    bool lost = rc == STAY_EUNKNOWN || rc == STAY_ETIMEDOUT;
    STAY_AUTO(stay_json_drop) json_t *line = word == NULL ? json_object() : json_incref(word);
    stay_json_set_string(line, "outcome", rc == STAY_OK ? "done" : lost ? "unknown" : "not done");
    stay_json_set_string(line, "text", text);
    tell(line);
    if (rc != STAY_OK)
        (void)fprintf(stderr, "%s\n", text);
    return rc == STAY_OK ? 0 : lost ? 5 : 1;
}

/* Nobody hears a job whose controller is gone, and nobody ends it at its deadline. What it
 * inherited of the controller's connections would look alive. */
static void belong_to_parent(void)
{
    pid_t parent = getppid();
    (void)close_range(3, ~0U, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(EXIT_FAILURE);
}

int main(void)
{
    belong_to_parent();
    struct job *job = stay_calloc(1, sizeof *job);
    struct stay_error err = {0};
    size_t length = 0;
    STAY_AUTO(stay_free_charp) char *input = read_input(&length);
    STAY_AUTO(stay_json_drop) json_t *json = NULL;
    STAY_AUTO(stay_json_drop) json_t *word = json_object();
    STAY_AUTO(stay_free_charp) char *text = NULL;
    enum stay_rc rc = stay_json_parse(input, length, &json, &err);
    explicit_bzero(input, length);
    if (rc == STAY_OK)
        rc = read_job(json, job, &err);
    int code = 2;
    if (rc != STAY_OK) {
        (void)end(rc, NULL, err.text);
    } else {
        rc = stay_error(&err, STAY_EINVALID, "no verb '%s'", job->verb);
        if (strcmp(job->verb, "save") == 0)
            rc = bundle_save(&job->spec, &text, &err);
        else if (strcmp(job->verb, "rewind") == 0)
            rc = rewind_server(&job->spec, &text, &err);
        else if (strcmp(job->verb, "inject") == 0)
            rc = inject(json, job, word, &text, &err);
        else if (strcmp(job->verb, "verify") == 0)
            rc = verify(json, job, word, &text, &err);
        code = end(rc, word, rc == STAY_OK ? text : err.text);
    }
    gtid_set_clear(&job->known);
    explicit_bzero(job, sizeof *job);
    free(job);
    return code;
}
