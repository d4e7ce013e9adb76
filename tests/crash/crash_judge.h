/* tests/crash/crash_judge.h - how a run of the crash-point matrix ended, and that it ended well.
 *
 * Layer: tests. Not pure; blocking. What must hold and does not ends the program. */
#ifndef TESTS_CRASH_CRASH_JUDGE_H
#define TESTS_CRASH_CRASH_JUDGE_H
#include <jansson.h>

#include "tests/crash/crash_matrix.h"

struct crash_end {
    char how;       /* of the first plan of the stage's kind: S, U, A; '?' none ran */
    char what[400]; /* every plan and its state, for people */
    uint64_t rows;  /* that plans of the stage's kind began */
};

/* The text under `key`, "" when there is none; borrowed. */
const char *crash_word(const json_t *object, const char *key);
json_int_t crash_epoch(struct lab *lab);
/* Until the cluster is well: one server writable, the recorded one; nothing acknowledged lost; all
 * copies equal; no failover where every server lived. `epoch`: before the stage was led. */
void crash_judge(struct crash_run *run, const struct crash_stage *stage, json_int_t epoch,
                 struct crash_end *ret_end);

#endif
