/* tests/unit/base/test_machine.c - declared machines: only declared moves, unsound declarations
 * found; and the seeded generator that tests and simulator share. */
#include "base/machine.h"
#include "base/random.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { IDLE, ASKING, ENDED };

static const struct machine_state states[] = {
    [IDLE] = {"idle", MACHINE_TO(ASKING), false},
    [ASKING] = {"asking", MACHINE_TO(IDLE) | MACHINE_TO(ENDED), false},
    [ENDED] = {"ended", 0, true},
};
static const struct machine_kind kind = {"probe", states, STAY_COUNT(states)};

static unsigned moved_from;

static void on_move(const struct machine *m, unsigned from, void *user)
{
    moved_from = from;
    assert_ptr_equal(user, m);
}

static void declared_moves_are_made(void **state)
{
    struct machine m;
    (void)state;
    machine_init(&m, &kind, IDLE);
    m.on_move = on_move;
    m.user = &m;
    assert_string_equal(machine_state_name(&m), "idle");
    assert_true(machine_may_move(&m, ASKING));
    assert_false(machine_may_move(&m, ENDED));
    assert_false(machine_may_move(&m, 3));
    machine_move(&m, ASKING);
    assert_false(machine_is_done(&m));
    machine_move(&m, ENDED);
    assert_int_equal(moved_from, ASKING);
    assert_true(machine_is_done(&m));
    assert_int_equal(m.moves, 2);
    machine_init(&m, &kind, IDLE);
    m.moves = UINT32_MAX; /* saturates */
    machine_move(&m, ASKING);
    assert_int_equal(m.moves, UINT32_MAX);
}

static void make_undeclared_move(void)
{
    struct machine m;
    machine_init(&m, &kind, IDLE);
    machine_move(&m, ENDED);
}

static void move_to_no_state(void)
{
    struct machine m;
    machine_init(&m, &kind, IDLE);
    machine_move(&m, 40);
}

static void begin_nowhere(void)
{
    struct machine m;
    machine_init(&m, &kind, 3);
}

static void begin_with_too_many_states(void)
{
    struct machine m;
    const struct machine_kind huge = {"huge", states, MACHINE_STATES_MAX + 1};
    machine_init(&m, &huge, 0);
}

static void draw_below_nothing(void)
{
    struct random r;
    random_init(&r, 1);
    (void)random_below(&r, 0);
}

static void draw_between_crossed_ends(void)
{
    struct random r;
    random_init(&r, 1);
    (void)random_between(&r, 2, 1);
}

static void undeclared_use_aborts(void **state)
{
    static void (*const cases[])(void) = {make_undeclared_move, move_to_no_state,
                                          begin_nowhere,        begin_with_too_many_states,
                                          draw_below_nothing,   draw_between_crossed_ends};
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
            const struct rlimit none = {0, 0};
            (void)setrlimit(RLIMIT_CORE, &none);
            if (freopen("/dev/null", "w", stderr) != NULL)
                cases[i]();
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

static void unsound_declarations_are_found(void **state)
{
    static const struct machine_state no_way_out[] = {{"a", MACHINE_TO(1), false}, {"b", 0, false}};
    static const struct machine_state out_of_end[] = {{"a", MACHINE_TO(1), false},
                                                      {"b", MACHINE_TO(0), true}};
    static const struct machine_state unreachable[] = {
        {"a", MACHINE_TO(1), false}, {"b", 0, true}, {"c", MACHINE_TO(1), false}};
    static const struct machine_state no_such[] = {{"a", MACHINE_TO(5), false}};
    static const struct machine_kind bad[] = {
        {"1", no_way_out, 2}, {"2", out_of_end, 2}, {"3", unreachable, 3}, {"4", no_such, 1}};
    static const char *const names[] = {"b", "b", "c", "a"};
    static struct machine_state full[MACHINE_STATES_MAX];
    const struct machine_kind large = {"64", full, MACHINE_STATES_MAX};
    const char *why = NULL;
    (void)state;
    assert_true(machine_kind_is_sound(&kind, IDLE, &why));
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        assert_false(machine_kind_is_sound(&bad[i], 0, &why));
        assert_string_equal(why, names[i]);
    }
    for (unsigned i = 0; i < MACHINE_STATES_MAX; i++) {
        bool is_last = i == MACHINE_STATES_MAX - 1;
        full[i] = (struct machine_state){"s", is_last ? 0 : MACHINE_TO(i + 1), is_last};
    }
    assert_true(machine_kind_is_sound(&large, 0, &why));
}

/* First outputs of xoshiro256** from the state 1, 2, 3, 4: the generator itself, by its definition.
 */
static void generator_follows_its_definition(void **state)
{
    struct random r = {.state = {1, 2, 3, 4}};
    static const uint64_t want[] = {11520, 0, 1509978240, 1215971899390074240};
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(want); i++)
        assert_int_equal(random_u64(&r), want[i]);
    random_init(&r, 0); /* splitmix64 of seed 0 begins so */
    assert_true(r.state[0] == UINT64_C(0xe220a8397b1dcdaf));
}

static void draws_stay_in_range_and_reach_both_ends(void **state)
{
    struct random r;
    unsigned seen[7] = {0}, hits = 0;
    (void)state;
    random_init(&r, 9);
    for (int i = 0; i < 7000; i++)
        seen[random_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 800, 1200);
    bool low = false, high = false;
    for (int i = 0; i < 200; i++) {
        int64_t v = random_between(&r, -2, 2);
        assert_true(v >= -2 && v <= 2);
        low |= v == -2;
        high |= v == 2;
    }
    assert_true(low && high);
    (void)random_between(&r, INT64_MIN, INT64_MAX);
    (void)random_below(&r, UINT64_MAX / 2 + 2); /* rejects about half */
    assert_int_equal(random_between(&r, 5, 5), 5);
    for (int i = 0; i < 10000; i++)
        hits += random_chance(&r, 250000);
    assert_in_range(hits, 2300, 2700);
    assert_false(random_chance(&r, 0));
    assert_true(random_chance(&r, 1000000));
    for (int i = 0; i < 50; i++)
        assert_true(random_below(&r, UINT64_MAX / 2 + 2) < UINT64_MAX / 2 + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declared_moves_are_made),
        cmocka_unit_test(undeclared_use_aborts),
        cmocka_unit_test(unsound_declarations_are_found),
        cmocka_unit_test(generator_follows_its_definition),
        cmocka_unit_test(draws_stay_in_range_and_reach_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
