/* Runs each stage once without a fault, and once for every point it leads to. A point must end,
 * once its fault is over, in the state of the uninterrupted run: the same primary, mode, roles and
 * servers set aside; or its plan was undone and all is as before it. No invariant may be violated
 * on the way, and no human waited for whom the uninterrupted run does not wait for. */
#include "tests/simulation/sim_crash.h"
#include "tests/simulation/sim_crash_end.h"

#define BEGINS_US (2 * STAY_SECOND)
#define HEAL_US   (24 * STAY_SECOND)
#define ENDS_US   (60 * STAY_SECOND) /* after heal */
#define FAULT_US  (4 * STAY_SECOND)  /* longer than the validity of any step but the slow ones */

enum point_fault { POINT_DIE = 0, POINT_FREEZE, POINT_STORE, POINT_TARGET, POINT_FAULTS };
static const char *const fault_names[] = {"die", "freeze", "store", "target"};
static const char *const side_names[] = {"before", "after"};

struct crash_point {
    enum plan_kind kind;
    uint32_t row, side;
    enum point_fault fault;
};

static struct {
    const struct crash_stage *stage;
    const struct crash_point *point; /* NULL: uninterrupted */
    bool hit;
    uint64_t reached[PLAN_KIND_COUNT][2]; /* rows begun, rows whose effect was done, of this life */
    struct final_state before;
    uint32_t late; /* of all lives: statements a frozen process would have sent too late */
} now;

void crash_fault(struct sim *s, enum sim_fault fault, uint32_t x, int64_t for_us)
{
    if (s->fault_n >= STAY_COUNT(s->fault))
        return;
    s->fault[s->fault_n] = (struct sim_fault_run){
        .fault = fault, .x = x, .begun = s->now, .until = s->now + for_us, .placed = true};
    sim_at(s, s->now, EV_FAULT, s->fault_n++, 0, 0, 0);
}

static uint32_t target_of(const struct plan_run *run, uint32_t node, const struct sim *s)
{
    uint32_t n = node < s->setup.servers               ? node
                 : run->params.node < s->setup.servers ? run->params.node
                 : run->candidate < s->setup.servers   ? run->candidate
                 : run->old_primary < s->setup.servers ? run->old_primary
                                                       : 0;
    return n;
}

static void strike(struct sim *s, const struct plan_run *run, enum step_class class, uint32_t node)
{
    now.hit = true;
    switch (now.point->fault) {
    case POINT_DIE:
        crash_fault(s, FAULT_CONTROLLER_KILL, 0, STAY_SECOND);
        break;
    case POINT_FREEZE:
        crash_fault(s, FAULT_CONTROLLER_FREEZE, 0, FAULT_US);
        break;
    case POINT_STORE:
        crash_fault(s, FAULT_STORE_DOWN, 0, FAULT_US);
        break;
    case POINT_TARGET:
        if (class == CLASS_ROUTE)
            for (uint32_t p = 0; p < SIM_PROXIES; p++)
                crash_fault(s, FAULT_PROXY_CUT, p, FAULT_US);
        else
            crash_fault(s, FAULT_CUT_CONTROLLER, target_of(run, node, s), FAULT_US);
        break;
    case POINT_FAULTS:
        break;
    }
}

static enum step_class class_of(enum plan_kind kind, uint32_t row)
{
    size_t count = 0;
    return step_kind_class(plan_rows(kind, &count)[row].step);
}

static void reach(struct sim *s, const struct plan_run *run, uint32_t row, uint32_t side,
                  uint32_t node)
{
    const struct crash_point *p = now.point;
    now.reached[run->kind][side] |= UINT64_C(1) << row;
    if (p != NULL && !now.hit && run->kind == p->kind && row == p->row && side == p->side)
        strike(s, run, class_of(run->kind, row), node);
}

static uint32_t first_of(uint32_t mask)
{
    return mask != 0 ? (uint32_t)__builtin_ctz(mask) : SIM_NONE;
}

void crash_point_row(struct sim *s, const struct plan_run *run, uint32_t row, uint32_t side)
{
    if (now.stage == NULL || s->healed)
        return;
    enum step_class class = class_of(run->kind, row);
    bool local = class == CLASS_PURE || class == CLASS_STORE;
    if (side == 0 && now.stage->on_row)
        now.stage->on_row(s, run, row);
    if (side == 0 || local) /* after an effect: when its server has done it */
        reach(s, run, row, side, class == CLASS_NODE ? first_of(run->rows[row].targets) : SIM_NONE);
}

void crash_point_effect(struct sim *s, const struct effect *effect)
{
    const struct plan_run *run =
        now.stage != NULL && controller_runs(s) ? executor_run(s->controller.exec) : NULL;
    if (run == NULL || s->healed || run->state != RUN_FORWARD || effect->epoch != run->epoch)
        return;
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    uint32_t last = SIM_NONE; /* concluded already, perhaps, by another's word */
    for (uint32_t row = 0; row < count; row++)
        if (rows[row].step == effect->step && run->rows[row].begun_mono_us != STAY_NEVER)
            last = row;
    if (last != SIM_NONE)
        reach(s, run, last, 1, effect->node);
}

void crash_point_late(void)
{
    now.late += now.hit && now.point->fault == POINT_FREEZE;
}

bool crash_point_event(struct sim *s, const struct sim_event *e)
{
    if (e->kind != EV_STAGE || now.stage == NULL)
        return e->kind == EV_STAGE;
    if (e->a == 0 && now.stage->begin)
        now.stage->begin(s);
    if (now.stage->tick && !s->healed)
        now.stage->tick(s, e->a);
    return true;
}

static void build(struct sim *s, const struct crash_stage *stage, enum engine engine)
{
    sim_reset(s, 4711);
    s->setup.adopt_first = stage->adopts;
    sim_build(s, engine, stage->layout);
    s->config.without_acker = WITHOUT_ACKER_DEGRADE;
    s->config.accept = ACCEPT_LOSSLESS;
    s->config.cooldown_us = 2 * STAY_SECOND;
    client_start(s);
    sim_at(s, s->now, EV_CONTROLLER_START, 0, 0, 0, 0);
    for (uint32_t i = 0; i < 20; i++)
        sim_at(s, s->now + BEGINS_US + i * STAY_SECOND, EV_STAGE, i, 0, 0, 0);
    sim_at(s, s->now + HEAL_US, EV_HEAL, 0, 0, 0, 0);
}

/* Lives the stage; with a wanted state until it is reached. True: reached, or none wanted. */
static bool live(struct sim *s, const struct crash_stage *stage, enum engine engine,
                 const struct crash_point *point, const struct final_state *want,
                 struct final_state *ret_state)
{
    now.stage = stage;
    now.point = point;
    now.hit = false;
    memset(now.reached, 0, sizeof now.reached);
    build(s, stage, engine);
    int64_t begun = s->now;
    sim_until(s, begun + BEGINS_US - STAY_MS);
    crash_describe(s, &now.before);
    sim_until(s, begun + HEAL_US);
    bool reached = false;
    for (int64_t at = STAY_SECOND; at <= ENDS_US && !reached && !s->stopped; at += STAY_SECOND) {
        sim_until(s, begun + HEAL_US + at);
        crash_describe(s, ret_state);
        reached = want != NULL && strcmp(want->text, ret_state->text) == 0;
    }
    now.stage = NULL;
    return (reached || want == NULL) && s->violation == INV_NONE;
}

struct tally {
    uint32_t points, same, undone, aside, failed, unreached;
};

static bool run_point(struct sim *s, const struct crash_stage *stage, enum engine engine,
                      const struct crash_point *point, const struct final_state *want,
                      struct tally *tally)
{
    struct final_state state = {{0}};
    bool same = live(s, stage, engine, point, want, &state);
    bool undone = !same && crash_is_undone(s, point->kind, &now.before, &state);
    bool aside = !same && !undone && crash_is_otherwise(s, stage, want);
    tally->points++;
    tally->same += same && now.hit;
    tally->undone += undone && now.hit;
    tally->aside += aside && now.hit;
    if (now.hit && (same || undone || aside))
        return true;
    tally->failed++;
    printf("FAIL %s/%u/%s/%s/%s (%s): %s\n     wanted: %s\n     became: %s\n",
           plan_kind_text(point->kind), point->row, side_names[point->side],
           fault_names[point->fault], engine_text(engine), stage->name,
           !now.hit                   ? "not reached"
           : s->violation != INV_NONE ? s->violation_text
           : s->store.has_run         ? s->store.run->text
                                      : "another state",
           want->text, state.text);
    return false;
}

/* Rows that no life of this engine leads to, each with its reason; any other must be reached, and
 * one that is reached after all must not stand here. */
static const struct {
    const char *plan;
    enum engine engine;
    uint64_t rows;
    const char *why;
} open_rows[] = {
    {"switchover", ENGINE_MYSQL, 1 << 11, "the attach after the pause takes the role off"},
    {"reseed", ENGINE_MARIADB, UINT64_MAX,
     "by the operator's reseed.command, a process of its own: scenarios on real servers"},
    {"end stream", ENGINE_MYSQL, UINT64_MAX,
     "a source of MySQL ends the old stream itself when its replica comes back"},
};

const char *crash_open(enum plan_kind kind, enum engine engine, uint32_t row)
{
    for (size_t i = 0; i < STAY_COUNT(open_rows); i++)
        if (strcmp(open_rows[i].plan, plan_kind_text(kind)) == 0 &&
            open_rows[i].engine == engine && (open_rows[i].rows >> row & 1))
            return open_rows[i].why;
    return NULL;
}

static const enum engine engines[] = {ENGINE_MARIADB, ENGINE_MYSQL};
#define ENGINES STAY_COUNT(engines)

struct column {
    struct final_state want[64];
    uint64_t reached[64][2];
};

/* The first stage of this engine that reaches the row on that side; SIM_NONE: none does. */
static uint32_t stage_for(const struct column *c, enum engine engine, enum plan_kind kind,
                          uint32_t row, uint32_t side)
{
    size_t count = 0;
    const struct crash_stage *stages = crash_stages(&count);
    for (uint32_t i = 0; i < count; i++)
        if (stages[i].kind == kind &&
            (stages[i].engine == ENGINE_COUNT || stages[i].engine == engine) &&
            (c->reached[i][side] >> row & 1))
            return i;
    return SIM_NONE;
}

static void baselines(struct sim *s, enum engine engine, struct column *c)
{
    size_t count = 0;
    const struct crash_stage *stages = crash_stages(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (stages[i].engine != ENGINE_COUNT && stages[i].engine != engine)
            continue;
        if (!live(s, &stages[i], engine, NULL, NULL, &c->want[i]))
            printf("FAIL %s, uninterrupted (%s, %s): %s\n", plan_kind_text(stages[i].kind),
                   stages[i].name, engine_text(engine), s->violation_text);
        for (uint32_t side = 0; side < 2; side++)
            c->reached[i][side] = now.reached[stages[i].kind][side];
    }
}

/* No stage leads to it, or one does although it is listed as open. */
static void say_unreached(enum plan_kind kind, enum engine engine, uint32_t row, uint32_t side,
                          bool reached, struct tally *tally)
{
    const char *why = crash_open(kind, engine, row);
    if (reached && why == NULL)
        return;
    bool open = !reached && why != NULL;
    tally->unreached += open;
    tally->failed += !open;
    printf("%s %s row %u %s (%s): %s%s\n", open ? "OPEN" : "FAIL", plan_kind_text(kind), row,
           side_names[side], engine_text(engine),
           reached ? "reached, though listed as open" : "no stage leads to it: ",
           open ? why : "");
}

static void run_row(struct sim *s, struct column *columns, enum plan_kind kind, uint32_t row,
                    struct tally *tally)
{
    size_t count = 0;
    const struct crash_stage *stages = crash_stages(&count);
    for (uint32_t side = 0; side < 2; side++)
        for (unsigned e = 0; e < ENGINES; e++) {
            uint32_t i = stage_for(&columns[e], engines[e], kind, row, side);
            for (unsigned f = 0; f < POINT_FAULTS && i != SIM_NONE; f++) {
                struct crash_point p = {kind, row, side, (enum point_fault)f};
                (void)run_point(s, &stages[i], engines[e], &p, &columns[e].want[i], tally);
            }
            say_unreached(kind, engines[e], row, side, i != SIM_NONE, tally);
        }
}

static int run_only(struct sim *s, struct column *columns, const char *only)
{
    char plan[32] = "", side[16] = "", fault[16] = "", engine[16] = "";
    unsigned row = 0;
    if (sscanf(only, "%31[^/]/%u/%15[^/]/%15[^/]/%15s", plan, &row, side, fault, engine) != 5)
        return 2;
    size_t count = 0;
    const struct crash_stage *stages = crash_stages(&count);
    unsigned e = strcmp(engine, engine_text(engines[0])) == 0 ? 0 : 1;
    for (int kind = PLAN_NONE + 1; kind < PLAN_KIND_COUNT; kind++)
        for (unsigned f = 0; f < POINT_FAULTS; f++) {
            struct crash_point p = {(enum plan_kind)kind, row, strcmp(side, "after") == 0,
                                    (enum point_fault)f};
            uint32_t i = stage_for(&columns[e], engines[e], p.kind, row, p.side);
            if (strcmp(plan, plan_kind_text(p.kind)) != 0 || strcmp(fault, fault_names[f]) != 0 ||
                i == SIM_NONE)
                continue;
            struct tally tally = {0};
            s->trace = true;
            return run_point(s, &stages[i], engines[e], &p, &columns[e].want[i], &tally) ? 0 : 1;
        }
    printf("no such point\n");
    return 2;
}

int crash_matrix(const char *only, unsigned mutant)
{
    static struct sim_stats stats;
    static struct column columns[ENGINES];
    struct sim *s = sim_new(&stats);
    struct tally all = {0};
    s->mutant = mutant;
    uint32_t failed = 0;
    for (unsigned e = 0; e < ENGINES; e++)
        baselines(s, engines[e], &columns[e]);
    if (only != NULL)
        return run_only(s, columns, only);
    printf("%-16s %5s %7s %10s %7s %10s %7s %5s\n", "plan", "rows", "points", "as without",
           "undone", "otherwise", "failed", "open");
    for (int kind = PLAN_NONE + 1; kind < PLAN_KIND_COUNT; kind++) {
        struct tally tally = {0};
        size_t count = 0;
        (void)plan_rows((enum plan_kind)kind, &count);
        for (uint32_t row = 0; row < count; row++)
            run_row(s, columns, (enum plan_kind)kind, row, &tally);
        printf("%-16s %5zu %7u %10u %7u %10u %7u %5u\n", plan_kind_text((enum plan_kind)kind),
               count, tally.points, tally.same, tally.undone, tally.aside, tally.failed,
               tally.unreached);
        failed += tally.failed;
        all.points += tally.points;
        all.same += tally.same;
        all.undone += tally.undone;
        all.aside += tally.aside;
    }
    printf("crash points: %u (rows x before, after x die, freeze, cut store, cut target x engines)"
           ", "
           "%u as without, %u undone, %u rightly otherwise, %u failed\n"
           "%u statements that a frozen controller would have sent too late were not sent\n",
           all.points, all.same, all.undone, all.aside, failed, now.late);
    sim_free(s);
    return failed != 0 || now.late == 0;
}
