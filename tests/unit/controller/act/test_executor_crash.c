/* tests/unit/controller/act/test_executor_crash.c - the crash matrix: the process dies before and
 * after every save and every effect of a plan; another takes it up; the end equals an uninterrupted
 * run, or (switchover before its point of no return) everything is as it was. */
#include "tests/unit/controller/act/exec_world.h"

#define PAIR                                                                                       \
    "node db1 zone a\nnode db2 zone b\nrecord primary db1 mode lossless stands ackers db2\n"       \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-90 received 0-1-100\n"

struct matrix {
    const char *name, *text;
    enum plan_kind kind;
    uint32_t node;
    void (*check)(struct world *w, const char *where);
};

#define expect(cond)                                                                               \
    do {                                                                                           \
        if (!(cond))                                                                               \
            fail_msg("%s: %s\n%s", where, #cond, str_text(&w->log));                               \
    } while (0)

static void check_failed_over(struct world *w, const char *where)
{
    expect(strcmp(w->stored.primary, "db2") == 0);
    expect(w->route == 1);
    expect(w->servers[1].writable && w->servers[1].source == NO_NODE);
    expect(w->servers[1].ss_source);
    expect(w->servers[2].source == 1 && w->servers[2].receiver_on && w->servers[2].ss_replica);
    expect(w->servers[3].source == 1 && w->servers[3].receiver_on);
    expect(w->stored.mode == MODE_LOSSLESS);
    expect(w->stored.epoch == 8);
    expect(w->two_writable == 0);
}

static void check_pair_failed_over(struct world *w, const char *where)
{
    expect(strcmp(w->stored.primary, "db2") == 0 && w->route == 1);
    expect(w->servers[1].writable && w->servers[1].source == NO_NODE);
    expect(!w->servers[1].ss_source && w->stored.mode == MODE_BOUNDED);
    expect(w->two_writable == 0);
}

static void check_switched(struct world *w, const char *where)
{
    bool swapped = strcmp(w->stored.primary, "db2") == 0;
    uint32_t primary = swapped ? 1 : 0;
    expect(swapped || strcmp(w->stored.primary, "db1") == 0);
    expect(w->route == primary);
    expect(w->two_writable == 0);
    expect(w->servers[primary].writable && w->servers[primary].source == NO_NODE);
    expect(w->servers[primary].ss_source);
    for (uint32_t node = 0; node < 4; node++)
        if (node != primary)
            expect(w->servers[node].source == primary && w->servers[node].receiver_on &&
                   !w->servers[node].writable);
    expect(w->servers[2].ss_replica && w->servers[1 - primary].ss_replica);
    expect(w->stored.mode == MODE_LOSSLESS);
}

static void check_degraded(struct world *w, const char *where)
{
    expect(w->stored.mode == MODE_BOUNDED && !w->servers[0].ss_source);
    expect(w->servers[0].writable);
}

static void check_restored(struct world *w, const char *where)
{
    expect(w->stored.mode == MODE_LOSSLESS && w->servers[0].ss_source);
    expect(w->servers[1].ss_replica && w->stored.ackers == 2);
}

static void check_rejoined(struct world *w, const char *where)
{
    expect(w->servers[1].source == 0 && w->servers[1].receiver_on);
    expect(w->stored.quarantine[1] == QUARANTINE_NONE);
}

static void check_repointed(struct world *w, const char *where)
{
    expect(w->servers[2].source == 0 && w->servers[2].receiver_on);
}

static void check_quarantined(struct world *w, const char *where)
{
    expect(w->stored.quarantine[1] == QUARANTINE_DIVERGED);
    expect(!w->servers[1].ss_replica && w->servers[1].receiver_on);
}

static void check_applies(struct world *w, const char *where)
{
    expect(!w->servers[1].applier_stuck && w->servers[1].receiver_on);
}

static void check_acknowledges(struct world *w, const char *where)
{
    expect(w->servers[1].ss_replica && w->servers[1].receiver_on);
    expect(w->stored.ackers & 2);
}

static void check_stream_ended(struct world *w, const char *where)
{
    expect(strcmp(w->stored.primary, "db1") == 0 && w->servers[0].writable);
    expect(w->servers[1].receiver_on);
}

static void check_conform(struct world *w, const char *where)
{
    expect(w->servers[1].receiver_on && !w->servers[1].writable);
}

static void check_reseeded(struct world *w, const char *where)
{
    expect(w->servers[2].copy_epoch == w->stored.epoch && w->servers[2].copied_from == 3);
    expect(w->servers[2].source == 0 && w->servers[2].receiver_on);
    expect(gtid_set_contains(&w->servers[0].executed, &w->servers[2].executed));
    expect(w->stored.quarantine[2] == QUARANTINE_NONE && w->stored.ackers == 6);
}

static void check_adopted(struct world *w, const char *where)
{
    expect(w->stored.adopted && strcmp(w->stored.primary, "db1") == 0);
    expect(w->stored.mode == MODE_LOSSLESS && w->servers[0].ss_source);
}

/* Before its point of no return it is undone, and a human asks again. */
static void check_recovered(struct world *w, const char *where)
{
    expect(strcmp(w->stored.primary, "db1") == 0 && w->stored.mode == MODE_LOSSLESS);
    expect(w->stored.plan_id[0] == '\0' && w->two_writable == 0);
    if (!w->servers[0].writable) {
        expect(!w->servers[1].writable && w->route != 1);
        return;
    }
    expect(w->servers[0].writable && w->servers[0].ss_source);
    expect(!w->servers[1].writable && w->servers[1].source == 0 && w->servers[1].receiver_on);
}

static const char outage_text[] =
    "node db1 zone a\nnode db2 zone b\nnode db3 zone c promote never\n"
    "record primary db1 mode lossless stands ackers db2,db3\n"
    "fact db1 executed 0-1-100 read_only yes source - durable yes role_replica no\n"
    "fact db2 executed 0-1-90 received 0-1-99 source db1 receiver stopped read_only yes\n"
    "fact db3 executed 0-1-100 source db1 receiver stopped read_only yes\n";
static const char failover_text[] =
    "node db1 zone a\nnode db2 zone b\nnode db3 zone c promote never\n"
    "node db4 zone a\n"
    "record primary db1 mode lossless stands ackers db2,db3\n"
    "fact db1 executed 0-1-100\n"
    "fact db2 executed 0-1-90 received 0-1-99\n"
    "fact db3 executed 0-1-95 received 0-1-100\n"
    "fact db4 executed 0-1-98 received 0-1-98\nrefused db1\n";
static const char switch_text[] =
    "node db1 zone a\nnode db2 zone b\nnode db3 zone c promote never\n"
    "node db4 zone a\n"
    "record primary db1 mode lossless stands ackers db2,db3\n"
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-99\n"
    "fact db3 executed 0-1-100\nfact db4 executed 0-1-98\n";
static const char bounded_pair[] = "node db1 zone a\nnode db2 zone b\n"
                                   "record primary db1 mode bounded\n"
                                   "fact db1 executed 0-1-100\nfact db2 executed 0-1-100\n";

static const struct matrix matrices[] = {
    {"failover", failover_text, PLAN_FAILOVER, NO_NODE, check_failed_over},
    {"failover of a pair", PAIR "refused db1\n", PLAN_FAILOVER, NO_NODE, check_pair_failed_over},
    {"switchover", switch_text, PLAN_SWITCHOVER, NO_NODE, check_switched},
    {"recover", outage_text, PLAN_RECOVER, NO_NODE, check_recovered},
    {"mode degrade", PAIR, PLAN_MODE_DEGRADE, NO_NODE, check_degraded},
    {"mode restore", bounded_pair, PLAN_MODE_RESTORE, NO_NODE, check_restored},
    {"rejoin",
     "node db1 zone a\nnode db2 zone b\n"
     "record primary db1 mode bounded quarantine db2\n"
     "fact db1 executed 0-1-100\nfact db2 executed 0-1-90 source -\n",
     PLAN_REJOIN, 1, check_rejoined},
    {"repoint",
     "node db1 zone a\nnode db2 zone b\nnode db3 zone b\nrecord primary db1 mode bounded\n"
     "fact db1 executed 0-1-100\nfact db2 executed 0-1-100\n"
     "fact db3 executed 0-1-90 received 0-1-95 source db2\n",
     PLAN_REPOINT, 2, check_repointed},
    {"quarantine",
     "node db1 zone a\nnode db2 zone b\nnode db3 zone c\n"
     "record primary db1 mode lossless stands ackers db2,db3\nfact db1 executed 0-1-100\n"
     "fact db2 executed 0-1-100,0-2-1\nfact db3 executed 0-1-100\n"
     "fact db2 acks yes\nfact db3 acks yes\n",
     PLAN_QUARANTINE, 1, check_quarantined},
    {"reseed",
     "node db1 zone a\nnode db2 zone b\nnode db3 zone c\nnode db4 zone a\n"
     "record primary db1 mode lossless stands ackers db2,db3\nfact db1 executed 0-1-100\n"
     "fact db2 executed 0-1-100\nfact db3 executed 0-1-90\nfact db4 executed 0-1-100\n"
     "fact db2 acks yes\nfact db3 acks yes\n",
     PLAN_RESEED, 2, check_reseeded},
    {"start applier", PAIR, PLAN_START_APPLIER, 1, check_applies},
    {"repair acker", PAIR, PLAN_REPAIR_ACKER, 1, check_acknowledges},
    {"conform", PAIR, PLAN_CONFORM, 1, check_conform},
    {"end stream", PAIR, PLAN_END_STREAM, 1, check_stream_ended},
    {"adopt",
     "node db1 zone a\nnode db2 zone b\nrecord mode bounded\nfact db1 executed 0-1-9 read_only no "
     "source -\nfact db2 executed 0-1-9 source db1\n",
     PLAN_ADOPT, NO_NODE, check_adopted},
};

static void open_and_start(struct world *w, const struct matrix *m)
{
    struct stay_error err = {0};
    world_open(w, m->text);
    if (world_plan(w, m->kind, m->node, &err) != STAY_OK)
        fail_msg("%s: %s", m->name, err.text);
}

static uint32_t count_calls(const struct matrix *m)
{
    struct world w;
    open_and_start(&w, m);
    world_run(&w);
    if (executor_run(w.x)->state != RUN_SUCCEEDED)
        fail_msg("%s: %s\n%s", m->name, executor_run(w.x)->text, str_text(&w.log));
    m->check(&w, m->name);
    uint32_t calls = w.calls;
    world_close(&w);
    return calls;
}

/* Dies at call `at` (and, if again != 0, the second process at its call `again`). */
static void die_and_resume(const struct matrix *m, uint32_t at, bool after, uint32_t again)
{
    struct world w;
    char where[120];
    (void)snprintf(where, sizeof where, "%s, dies %s call %u, again at %u", m->name,
                   after ? "after" : "before", at, again);
    open_and_start(&w, m);
    w.die_at = at;
    w.die_after = after;
    world_run(&w);
    if (!w.is_dead)
        fail_msg("%s: lives", where);
    for (int lives = 0; world_resume(&w) && lives < 4; lives++) {
        w.die_at = lives == 0 && again != 0 ? w.calls + again : 0;
        world_run(&w);
        if (!w.is_dead)
            break;
    }
    if (w.stored.epoch > 7 || m->kind == PLAN_NONE) /* the intent was stored */
        m->check(&w, where);
    if (w.stored.plan_id[0] != '\0')
        fail_msg("%s: the plan still runs", where);
    world_close(&w);
}

static void any_crash_ends_like_no_crash(void **state)
{
    (void)state;
    uint32_t runs = 0;
    for (size_t i = 0; i < STAY_COUNT(matrices); i++) {
        uint32_t calls = count_calls(&matrices[i]);
        for (uint32_t at = 1; at <= calls; at++)
            for (int after = 0; after <= 1; after++, runs++)
                die_and_resume(&matrices[i], at, after, 0);
    }
    print_message("%u crashes\n", runs);
}

static void any_second_crash_ends_like_no_crash(void **state)
{
    (void)state;
    uint32_t runs = 0;
    for (size_t i = 0; i < 3; i++) {
        uint32_t calls = count_calls(&matrices[i]);
        for (uint32_t at = 1; at <= calls; at++)
            for (uint32_t again = 1; again <= 12; again++, runs++)
                die_and_resume(&matrices[i], at, again % 2 == 0, again);
    }
    print_message("%u double crashes\n", runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_crash_ends_like_no_crash),
        cmocka_unit_test(any_second_crash_ends_like_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
