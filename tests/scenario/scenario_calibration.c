/* The simulator's measured rows on real servers: every script of tests/simulation/calibration.c
 * runs here as it runs on the model (calibration_model.c), on three fresh servers, and must give
 * the same answers. A want may take time to come true on a real server; once true it must hold for
 * a second. A model's millisecond is ten here, and 300 ms at least: the model has no scheduler and
 * no fsync. MAINSTAY_CALIBRATION_ROW runs only the scripts whose row contains it.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_position.h"
#include "tests/lib/server_talk.h"
#include "tests/simulation/calibration.h"

enum {
    CLIENTS = 10,
    HOLD_MS = 1000,
    ANSWER_S = 5,
    CLIENT_ANSWER_S = 30, /* a MySQL shutdown waits for its sessions before it forces them */
    LEDGER_CLIENT = 960,
    OTHER_ERROR = 3 /* a client's answer no script wants */
};

struct twin {
    struct lab *lab;
    struct waiter *client[CLIENTS];
    char start[4][200];   /* further start-up values by server */
    long no_tx, no_times; /* of db1, before the script */
};

static const char *const nodes[] = {"?", "db1", "db2", "db3"};

static const char *const steps[] = {
#define X(id, what) #id,
    CALIBRATION_STEPS(X)
#undef X
};

/* Steps that are one statement; `on` when the argument is not 0. */
static const struct {
    enum calibration_step step;
    enum talk_word off, on;
} statements[] = {
    {CAL_STOP_APPLIER, WORD_STOP_APPLIER, WORD_STOP_APPLIER},
    {CAL_START_APPLIER, WORD_START_APPLIER, WORD_START_APPLIER},
    {CAL_STOP_RECEIVER, WORD_STOP_RECEIVER, WORD_STOP_RECEIVER},
    {CAL_START_RECEIVER, WORD_START_RECEIVER, WORD_START_RECEIVER},
    {CAL_STOP_BOTH, WORD_STOP_BOTH, WORD_STOP_BOTH},
    {CAL_START_BOTH, WORD_START_BOTH, WORD_START_BOTH},
    {CAL_CHANGE_HEARTBEAT, WORD_CHANGE_HEARTBEAT, WORD_CHANGE_HEARTBEAT},
    {CAL_SS_SOURCE, WORD_SOURCE_OFF, WORD_SOURCE_ON},
    {CAL_SS_REPLICA, WORD_REPLICA_OFF, WORD_REPLICA_ON},
};

/* Start-up values, taken at the server's next start (the last one counts). */
static const struct {
    enum calibration_step step;
    const char *mariadb, *mysql;
} options[] = {
    {CAL_SET_SKIP, "--skip-slave-start", "--skip-replica-start"},
    {CAL_SET_RECOVERY, "--relay-log-recovery", "--relay-log-recovery"},
    {CAL_SET_START_READ_ONLY, "--read-only", "--read-only"},
};

static void count_from_here(struct twin *t)
{
    t->no_tx = talk_number(t->lab, "db1", WORD_NO_TX);
    t->no_times = talk_number(t->lab, "db1", WORD_NO_TIMES);
}

static void write_row(struct twin *t, const char *node, uint32_t client)
{
    must(client < CLIENTS && t->client[client] == NULL);
    STAY_AUTO(stay_free_charp)
    char *insert = stay_sprintf("INSERT INTO shop.ledger (client, seq) VALUES (%u, 1)",
                                LEDGER_CLIENT + client);
    t->client[client] = waiter_start(t->lab, node, "app", insert);
    scenario_write_on(100); /* the next step comes after it has begun */
}

static bool kill_session(struct twin *t, const char *node, uint32_t client)
{
    STAY_AUTO(stay_free_charp)
    char *ask = stay_sprintf("SELECT id FROM information_schema.processlist WHERE user = 'app' AND "
                             "info LIKE '%%(%u, 1)'",
                             LEDGER_CLIENT + client);
    STAY_AUTO(stay_free_charp) char *id = NULL;
    if (!lab_sql(t->lab, node, ask, &id))
        return false;
    STAY_AUTO(stay_free_charp) char *kill_it = stay_sprintf("KILL %s", id);
    return lab_sql(t->lab, node, kill_it, NULL);
}

/* Behind a waiter it fails (1205), which the script sees by IS_READ_ONLY. */
static bool set_read_only(struct twin *t, const char *node)
{
    STAY_AUTO(stay_free_charp)
    char *set = stay_sprintf("SET lock_wait_timeout = 2; %s", talk_word(t->lab, WORD_READ_ONLY));
    return lab_sql(t->lab, node, set, NULL) || strstr(lab_error(t->lab), "(1205)") != NULL;
}

static bool start_server(struct twin *t, uint32_t server)
{
    bool ok = lab_start(t->lab, nodes[server], t->start[server]);
    if (ok && server == 1)
        count_from_here(t);
    return ok;
}

static void add_option(struct twin *t, uint32_t server, const char *option)
{
    size_t used = strlen(t->start[server]);
    must(snprintf(t->start[server] + used, sizeof t->start[0] - used, "%s ", option) <
         (int)(sizeof t->start[0] - used));
}

/* A step that is a statement or a start-up value by the tables above. */
static bool act_by_table(struct twin *t, const struct calibration_line *l)
{
    for (size_t i = 0; i < STAY_COUNT(statements); i++)
        if (statements[i].step == l->step)
            return lab_sql(t->lab, nodes[l->server],
                           talk_word(t->lab, l->arg != 0 ? statements[i].on : statements[i].off),
                           NULL);
    for (size_t i = 0; i < STAY_COUNT(options); i++)
        if (options[i].step == l->step) {
            const char *name = scenario_pick(t->lab, options[i].mariadb, options[i].mysql);
            STAY_AUTO(stay_free_charp) char *option = stay_sprintf("%s=%u", name, l->arg);
            add_option(t, l->server, option);
            return true;
        }
    scenario_fail("the twin knows no step '%s'", steps[l->step]);
}

/* False: the server refused; lab_error says why. */
static bool act(struct twin *t, const struct calibration_line *l)
{
    const char *node = nodes[l->server];
    switch ((int)l->step) {
    case CAL_WRITE:
        write_row(t, node, l->arg);
        return true;
    case CAL_WAIT_MS:
        scenario_write_on(l->arg < 30 ? 300 : (int)l->arg * 10);
        return true;
    case CAL_KILL9:
        return lab_kill(t->lab, node);
    case CAL_SIGTERM:
        return lab_terminate(t->lab, node);
    case CAL_START:
        return start_server(t, l->server);
    case CAL_SET_ROLE_REPLICA:
        add_option(t, l->server, l->arg != 0 ? "--init-rpl-role=SLAVE" : "--init-rpl-role=MASTER");
        return true;
    case CAL_KILL_SESSION:
        return kill_session(t, node, l->arg);
    case CAL_READ_ONLY:
        return set_read_only(t, node);
    default:
        return act_by_table(t, l);
    }
}

static uint32_t client_state(struct waiter *client)
{
    unsigned code = 0;
    if (client == NULL || !waiter_has_answer(client, 0, &code))
        return 0;
    if (code == 0)
        return 1;
    return code == 2013 || code == 2006 || code == 1927 || code == 1053 ? 2 : OTHER_ERROR;
}

static bool value_is(struct twin *t, const char *node, const char *statement, const char *text)
{
    STAY_AUTO(stay_free_charp) char *value = scenario_value(t->lab, node, statement);
    return strcmp(value, text) == 0;
}

/* False: no answer just now. */
static bool look(struct twin *t, const struct calibration_line *l, uint32_t *ret)
{
    const char *node = nodes[l->server];
    switch ((int)l->step) {
    case CAL_CLIENT_IS:
        *ret = client_state(t->client[l->arg]);
        break;
    case CAL_UNAPPLIED_ARE:
        return position_unapplied(t->lab, node, ret);
    case CAL_ROWS_ARE:
        *ret = (uint32_t)talk_number(t->lab, node, WORD_ROWS);
        break;
    case CAL_ACKERS_ARE:
        *ret = (uint32_t)talk_number(t->lab, node, WORD_CLIENTS);
        break;
    case CAL_WAITERS_ARE:
        *ret = (uint32_t)talk_number(t->lab, node, WORD_WAITERS);
        break;
    case CAL_CLAIMS_MORE:
        *ret = position_claims_more(t->lab, node);
        break;
    case CAL_IS_READ_ONLY:
        *ret = value_is(
            t, node,
            scenario_pick(t->lab, "SELECT @@global.read_only", "SELECT @@global.super_read_only"),
            "1");
        break;
    case CAL_NO_TX_IS:
        *ret = (uint32_t)(talk_number(t->lab, node, WORD_NO_TX) - t->no_tx);
        break;
    case CAL_NO_TIMES_IS:
        *ret = (uint32_t)(talk_number(t->lab, node, WORD_NO_TIMES) - t->no_times);
        break;
    case CAL_SS_STATUS_IS:
        *ret = value_is(t, node, talk_word(t->lab, WORD_SOURCE_STATUS), "ON");
        break;
    default:
        scenario_fail("the twin knows no answer '%s'", steps[l->step]);
    }
    return true;
}

/* It comes true within its time and then holds; *ret_is is the last answer. */
static bool answers_as_wanted(struct twin *t, const struct calibration_line *l, uint32_t *ret_is)
{
    bool of_client = l->step == CAL_CLIENT_IS;
    int64_t due = lab_now_us() + (of_client ? CLIENT_ANSWER_S : ANSWER_S) * STAY_SECOND;
    *ret_is = UINT32_MAX;
    while (!look(t, l, ret_is) || *ret_is != l->want) {
        if (lab_now_us() > due || (of_client && *ret_is != 0))
            return false;
        scenario_write_on(50);
    }
    if (of_client && l->want != 0)
        return true; /* an answer is final */
    scenario_write_on(HOLD_MS);
    return look(t, l, ret_is) && *ret_is == l->want;
}

static const char *why_not_here(const struct calibration_script *script)
{
    const char *only = getenv("MAINSTAY_CALIBRATION_ROW");
    if (only != NULL && strstr(script->row, only) == NULL)
        return "not asked for";
    for (const struct calibration_line *l = script->lines; l->step != CAL_END; l++) {
        if (script->engine == ENGINE_MYSQL && l->step == CAL_SET_ROLE_REPLICA)
            return "MySQL has no init_rpl_role";
        if (script->engine == ENGINE_MYSQL && l->step == CAL_SET_START_READ_ONLY)
            return "the lab's MySQL persists super_read_only, which wins over a start-up value";
    }
    return NULL;
}

static bool run_script(struct lab *lab, const struct calibration_script *script)
{
    struct twin t = {.lab = lab};
    bool ok = true;
    count_from_here(&t);
    for (const struct calibration_line *l = script->lines; ok && l->step != CAL_END; l++) {
        int line = (int)(l - script->lines) + 1;
        const char *step = steps[l->step];
        uint32_t is = 0;
        if (l->step < CAL_CLIENT_IS && !act(&t, l)) {
            printf("DIFFERS %s: line %d, %s on %s: refused: %s\n", script->row, line, step,
                   nodes[l->server], lab_error(lab));
            ok = false;
        } else if (l->step >= CAL_CLIENT_IS && !answers_as_wanted(&t, l, &is)) {
            printf("DIFFERS %s: line %d, %s on %s: model %u, server %u\n", script->row, line, step,
                   nodes[l->server], l->want, is);
            ok = false;
        }
    }
    for (size_t i = 0; i < CLIENTS; i++)
        if (t.client[i] != NULL)
            waiter_end(t.client[i]);
    if (ok)
        printf("ok %s\n", script->row);
    fflush(stdout);
    return ok;
}

int main(int argc, char **argv)
{
    struct lab *lab =
        scenario_begin(argc, argv, (struct lab_options){.acker = true}, SCENARIO_NO_CONTROLLER);
    enum engine engine = lab_engine_of(lab) == LAB_MYSQL ? ENGINE_MYSQL : ENGINE_MARIADB;
    size_t count = 0;
    int equal = 0, differ = 0, skipped = 0;
    const struct calibration_script *scripts = calibration_scripts(&count);
    for (size_t i = 0; i < count; i++) {
        if (scripts[i].engine != engine)
            continue;
        const char *why = why_not_here(&scripts[i]);
        if (why != NULL) {
            printf("skipped %s: %s\n", scripts[i].row, why);
            skipped++;
            continue;
        }
        if (equal + differ > 0)
            LAB_MUST(lab, lab_up(lab)); /* fresh servers in the place of the old ones */
        if (run_script(lab, &scripts[i]))
            equal++;
        else
            differ++;
    }
    if (differ > 0 || equal == 0)
        scenario_fail("%d scripts give the model's answers, %d differ, %d skipped", equal, differ,
                      skipped);
    STAY_AUTO(stay_free_charp)
    char *happened =
        stay_sprintf("%d scripts give the model's answers, %d skipped", equal, skipped);
    scenario_pass("calibration", "every measured script, on fresh servers", happened, "the model");
}
