/* mainstay-verdicts(7) and mainstay-plans(7) from the rule and plan tables. */
#include "base/units.h"
#include "controller/decide/decide.h"
#include "controller/run/man.h"

struct visit {
    struct str *out;
    int subject; /* of the section that is open; -1: none */
    enum plan_kind kind;
};

static const char *subject_text(enum verdict_subject subject)
{
    switch (subject) {
    case SUBJECT_PRIMARY:
        return "Primary";
    case SUBJECT_REPLICA:
        return "Replica";
    case SUBJECT_CONTROLLER:
        return "Controller";
    case SUBJECT_OBJECTIVES:
        return "Objectives";
    case SUBJECT_CONFORMANCE:
        return "Conformance";
    case SUBJECT_ZONE:
        return "Zones";
    case SUBJECT_COUNT:
        break;
    }
    return "Other";
}

static void add_rule(void *ctx, uint16_t id, enum verdict_subject subject, const char *name,
                     const char *why, enum verdict_action action)
{
    struct visit *v = ctx;
    if (v->subject != (int)subject) {
        if (v->subject >= 0)
            str_add(v->out, ".El\n");
        str_addf(v->out, ".Ss %s\n.Bl -tag -width Ds\n", subject_text(subject));
        v->subject = (int)subject;
    }
    str_addf(v->out, ".It Sy %u %s\n", id, name);
    man_text(v->out, why);
    str_addf(v->out, ".br\nAction: %s.\n", verdict_action_text(action));
}

void man_verdicts(struct str *out)
{
    struct visit v = {.out = out, .subject = -1};
    str_add(
        out,
        ".Sh DESCRIPTION\nA verdict is a row of a table: in each table the order of rows decides,\n"
        "the first match wins, and the last row is\n.Dq uncertain: look, do not act .\n"
        "Ids are names: they are never used again and are no order.\n"
        "150 is a guard over all.\n"
        ".Ql mainstay verdict Ar CLUSTER\nshows the facts a verdict was made from.\n"
        ".Sh RULES\n");
    verdict_visit(add_rule, &v);
    if (v.subject >= 0)
        str_add(out, ".El\n");
    str_add(out, ".Sh FACTS OF THE PRIMARY'S TABLE\nEach is yes, no or unknown.\n"
                 ".Bl -tag -width Ds\n");
#define X(name, what)                                                                              \
    str_add(out, ".It Cm " #name "\n");                                                            \
    man_text(out, what);
    PRIMARY_FACTS(X)
#undef X
    str_add(out, ".El\n.Sh GUARDS\nWhy a wanted plan does not start now; shown as\n"
                 ".Dq refused by .\n.Bl -tag -width Ds\n");
    for (int i = 0; i < GUARD_COUNT; i++) {
        str_addf(out, ".It Cm %s\n", guard_name((enum guard_id)i));
        man_text(out, guard_what((enum guard_id)i));
    }
    str_add(out, ".El\n");
}

static void add_row(void *ctx, enum plan_kind kind, uint32_t row, const struct plan_row *what)
{
    struct visit *v = ctx;
    char within[UNITS_TEXT_MAX];
    if (row == 0) {
        if (v->kind != PLAN_NONE)
            str_add(v->out, ".El\n");
        str_addf(v->out, ".Ss %s\n.Bl -enum\n", plan_kind_text(kind));
        v->kind = kind;
    }
    units_format_duration(within, sizeof within, what->deadline_us);
    str_addf(v->out, ".It\n.Sy %s\n(within %s%s%s%s)", step_kind_text(what->step), within,
             (what->flags & ROW_BEST_EFFORT) != 0 ? ", best effort" : "",
             (what->flags & ROW_WITH_NEXT) != 0 ? ", together with the next" : "",
             (what->flags & ROW_NO_RETURN) != 0 ? ", point of no return" : "");
    if (what->undo != STEP_NONE)
        str_addf(v->out, "; undone by\n.Sy %s", step_kind_text(what->undo));
    str_add(v->out, "\n.br\n");
    man_text(v->out, what->why);
}

void man_plans(struct str *out)
{
    struct visit v = {.out = out};
    str_add(
        out,
        ".Sh DESCRIPTION\nA plan is a list of steps, stored before it begins and before and after\n"
        "each step.\nA step ends done, not done or unknown; unknown is settled by looking again.\n"
        "Before its point of no return a plan that cannot finish is undone; after it, it only\n"
        "goes forward.\nA step whose targets need nothing is skipped.\n"
        ".Ql mainstay plan Ar CLUSTER KIND\nprints a plan as it would run now.\n"
        ".Sh PLANS\n");
    plan_visit(add_row, &v);
    if (v.kind != PLAN_NONE)
        str_add(out, ".El\n");
    str_add(out, ".Sh STEPS\n.Bl -tag -width Ds\n");
    for (int i = 1; i < STEP_KIND_COUNT; i++) {
        str_addf(out, ".It Sy %s\n", step_kind_text((enum step_kind)i));
        man_text(out, step_kind_what((enum step_kind)i));
    }
    str_add(out, ".El\n.Sh PROOFS\nPromotion needs one of:\n.Bl -tag -width Ds\n");
    for (int i = 1; i < PROOF_COUNT; i++)
        str_addf(out, ".It Sy %s\n%s\n", proof_kind_text((enum proof_kind)i),
                 i == PROOF_F0_REVOCATION
                     ? "Too few of those that could acknowledge for the old primary are left."
                 : i == PROOF_F1_CONFIRMED ? "The old primary itself was closed and read."
                                           : "A named human accepted the loss.");
    str_add(out, ".El\n");
}
