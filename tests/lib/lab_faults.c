/* Network faults: a list kept in lab.json, from which the wan's whole packet filter is written anew
 * and loaded in one transaction each time the list changes. Delay needs iptables' NFQUEUE and the
 * program mainstay-delay, since this kernel's nft has no queue statement. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/lib/lab_private.h"

/* "10.77.1.11" or "10.77.1.0/24" for a host, zone or "all"; false when there is no such name. */
static bool block_of(const struct lab *lab, const char *name, char *buf, size_t size)
{
    static const char *const zones[] = {"", "a", "b", "witness", "clients"};
    const char *address = lab_address(lab, name);
    if (address != NULL)
        return stay_copy(buf, size, address);
    if (strcmp(name, "all") == 0) {
        lab_format(buf, size, "10.%d.0.0/16", lab->octet);
        return true;
    }
    for (int i = 1; i < (int)STAY_COUNT(zones); i++)
        if (strcmp(name, zones[i]) == 0) {
            lab_format(buf, size, "10.%d.%d.0/24", lab->octet, i);
            return true;
        }
    return false;
}

static void fault_rule(struct str *r, const struct lab_fault *f, const char *from, const char *to)
{
    switch (f->kind) {
    case LAB_FAULT_CUT:
        str_addf(r, "    ip saddr %s ip daddr %s drop\n", from, to);
        break;
    case LAB_FAULT_LOSSY:
        str_addf(r, "    ip saddr %s ip daddr %s numgen random mod 100 < %d drop\n", from, to,
                 f->amount);
        break;
    case LAB_FAULT_RESET:
        str_addf(r, "    ip saddr %s ip daddr %s meta l4proto tcp reject with tcp reset\n", from,
                 to);
        break;
    case LAB_FAULT_BIG:
        str_addf(r, "    ip saddr %s ip daddr %s ip length > %d drop\n", from, to, f->amount);
        break;
    case LAB_FAULT_SLOW:
    case LAB_FAULT_NARROW:
    case LAB_FAULT_NONE:
    case LAB_FAULT_KIND_COUNT:
        break;
    }
}

bool lab_faults_apply(struct lab *lab)
{
    STAY_AUTO(str_clear) struct str r = {0};
    str_addf(&r, "table inet lab\ndelete table inet lab\ntable inet lab {\n  chain zfw {\n"
                 "    type filter hook forward priority 0; policy accept;\n");
    for (size_t i = 0; i < lab->faults_count; i++) {
        const struct lab_fault *f = &lab->faults[i];
        char a[32] = "", b[32] = "";
        if (!block_of(lab, f->a, a, sizeof a) || !block_of(lab, f->b, b, sizeof b))
            continue;
        fault_rule(&r, f, a, b);
        if (!f->one_way)
            fault_rule(&r, f, b, a);
    }
    str_addf(&r, "  }\n}\n");
    struct lab_path wan = lab_namespace(lab, "wan");
    struct lab_command how = {.ns = wan.s, .input = str_text(&r)};
    return LAB_RUN(lab, &how, "nft", "-f", "-");
}

static bool queue_rule(struct lab *lab, const char *verb, const struct lab_fault *f, bool mirror)
{
    char a[32] = "", b[32] = "", queue[12];
    if (!block_of(lab, mirror ? f->b : f->a, a, sizeof a) ||
        !block_of(lab, mirror ? f->a : f->b, b, sizeof b))
        return false;
    lab_format(queue, sizeof queue, "%d", f->queue);
    struct lab_path wan = lab_namespace(lab, "wan");
    struct lab_command how = {.ns = wan.s};
    return LAB_RUN(lab, &how, "iptables", verb, "FORWARD", "-s", a, "-d", b, "-j", "NFQUEUE",
                   "--queue-num", queue, "--queue-bypass");
}

static bool slow_start(struct lab *lab, struct lab_fault *f)
{
    f->queue = 1;
    for (size_t i = 0; i < lab->faults_count; i++)
        if (lab->faults[i].queue >= f->queue)
            f->queue = lab->faults[i].queue + 1;
    struct lab_path program = lab_program("mainstay-delay");
    if (program.s[0] == '\0')
        return lab_fail(lab, "mainstay-delay is not built");
    char name[24];
    lab_format(name, sizeof name, "delay-%d", f->queue);
    struct lab_path wan = lab_namespace(lab, "wan");
    struct lab_daemon what = {.name = name, .ns = wan.s};
    struct lab_argv argv = {.n = 0};
    lab_arg(&argv, "%s", program.s);
    lab_arg(&argv, "%d", f->queue);
    lab_arg(&argv, "%d", f->amount);
    bool ok = lab_spawn(lab, &what, argv.v) && queue_rule(lab, "-A", f, false) &&
              queue_rule(lab, "-A", f, true);
    lab_argv_clear(&argv);
    return ok;
}

static void slow_stop(struct lab *lab, const struct lab_fault *f)
{
    char name[24];
    lab_format(name, sizeof name, "delay-%d", f->queue);
    (void)queue_rule(lab, "-D", f, false);
    (void)queue_rule(lab, "-D", f, true);
    if (lab_pid(lab, name) != 0)
        (void)lab_signal(lab, name, SIGTERM);
}

/* The wan's end of a host's veth is named as the host. */
static bool narrow_start(struct lab *lab, const struct lab_fault *f)
{
    char rate[24];
    lab_format(rate, sizeof rate, "%dkbit", f->amount);
    struct lab_path wan = lab_namespace(lab, "wan");
    struct lab_command how = {.ns = wan.s};
    return LAB_RUN(lab, &how, "tc", "qdisc", "replace", "dev", f->a, "root", "tbf", "rate", rate,
                   "burst", "16kb", "latency", "400ms");
}

static void narrow_stop(struct lab *lab, const struct lab_fault *f)
{
    struct lab_path wan = lab_namespace(lab, "wan");
    struct lab_command how = {.ns = wan.s};
    (void)LAB_RUN(lab, &how, "tc", "qdisc", "del", "dev", f->a, "root");
}

static bool fault_add(struct lab *lab, struct lab_fault f, const char *a, const char *b)
{
    char block[32];
    (void)stay_copy(f.a, sizeof f.a, a);
    (void)stay_copy(f.b, sizeof f.b, b);
    if (!block_of(lab, a, block, sizeof block))
        return lab_fail(lab, "'%s' is no host or zone of the lab", a);
    if (!block_of(lab, b, block, sizeof block))
        return lab_fail(lab, "'%s' is no host or zone of the lab", b);
    if (lab->faults_count == LAB_FAULTS_MAX)
        return lab_fail(lab, "more than %d network faults at once", LAB_FAULTS_MAX);
    if (f.kind == LAB_FAULT_SLOW && !slow_start(lab, &f))
        return false;
    if (f.kind == LAB_FAULT_NARROW && !narrow_start(lab, &f))
        return false;
    lab->faults[lab->faults_count++] = f;
    lab->fault_mono_us = lab_now_us();
    return lab_faults_apply(lab) && lab_save(lab);
}

bool lab_cut(struct lab *lab, const char *a, const char *b, bool one_way)
{
    return fault_add(lab, (struct lab_fault){.kind = LAB_FAULT_CUT, .one_way = one_way}, a, b);
}

bool lab_lossy(struct lab *lab, const char *a, const char *b, int percent)
{
    if (percent < 1 || percent > 100)
        return lab_fail(lab, "loss is 1 to 100 percent, not %d", percent);
    return fault_add(lab, (struct lab_fault){.kind = LAB_FAULT_LOSSY, .amount = percent}, a, b);
}

bool lab_reset(struct lab *lab, const char *a, const char *b)
{
    return fault_add(lab, (struct lab_fault){.kind = LAB_FAULT_RESET}, a, b);
}

bool lab_slow(struct lab *lab, const char *a, const char *b, int ms)
{
    if (ms < 1 || ms > 10000)
        return lab_fail(lab, "delay is 1 to 10000 ms, not %d", ms);
    return fault_add(lab, (struct lab_fault){.kind = LAB_FAULT_SLOW, .amount = ms}, a, b);
}

bool lab_big(struct lab *lab, const char *a, const char *b, int bytes)
{
    if (bytes < 100 || bytes > 65535)
        return lab_fail(lab, "packets are of 100 to 65535 bytes, not %d", bytes);
    return fault_add(lab, (struct lab_fault){.kind = LAB_FAULT_BIG, .amount = bytes}, a, b);
}

bool lab_narrow(struct lab *lab, const char *node, int kbit)
{
    if (kbit < 8 || lab_host_of(lab, node) == NULL)
        return lab_fail(lab, "a host and 8 kbit/s or more, not '%s' and %d", node, kbit);
    return fault_add(lab, (struct lab_fault){.kind = LAB_FAULT_NARROW, .amount = kbit}, node,
                     "all");
}

static bool concerns(const struct lab_fault *f, const char *a, const char *b)
{
    if (a == NULL)
        return true;
    if (b == NULL)
        return strcmp(f->a, a) == 0 || strcmp(f->b, a) == 0;
    return (strcmp(f->a, a) == 0 && strcmp(f->b, b) == 0) ||
           (strcmp(f->a, b) == 0 && strcmp(f->b, a) == 0);
}

bool lab_heal(struct lab *lab, const char *a, const char *b)
{
    size_t kept = 0, healed = 0;
    for (size_t i = 0; i < lab->faults_count; i++) {
        if (!concerns(&lab->faults[i], a, b)) {
            lab->faults[kept++] = lab->faults[i];
            continue;
        }
        healed++;
        if (lab->faults[i].kind == LAB_FAULT_SLOW)
            slow_stop(lab, &lab->faults[i]);
        if (lab->faults[i].kind == LAB_FAULT_NARROW)
            narrow_stop(lab, &lab->faults[i]);
    }
    lab->faults_count = kept;
    if (healed == 0 && a != NULL)
        return lab_fail(lab, "no fault between '%s' and '%s'", a, b == NULL ? "anything" : b);
    return lab_faults_apply(lab) && lab_save(lab);
}
