/* controller/decide/decision_text.c - a decision's input and output as one text block. */
#include "base/str.h"
#include "controller/decide/decide.h"

char *decision_record_text(const struct cluster_view *view, const struct decision *decision,
                           int64_t now_mono_us)
{
    struct str s = {0};
    str_addf(&s, "now=%lld\ncluster=%s\nverdict=%u\n", (long long)now_mono_us, view->config->name,
             decision->verdict.rule_id);
    return str_take(&s);
}
