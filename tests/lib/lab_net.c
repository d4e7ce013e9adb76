/* Namespaces and addresses of a lab. Every host has a veth of its own into the wan namespace and a
 * /32 address, so all traffic, also inside a zone, is routed there and can be cut (lab_faults.c).
 * The controller's leg mslabOCTET stands in the root namespace with the witness zone's address. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

struct text {
    char s[8192];
    size_t used;
};

static void STAY_PRINTF(2, 3) line(struct text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(t->s + t->used, sizeof t->s - t->used, fmt, args);
    va_end(args);
    must(n >= 0 && t->used + (size_t)n + 1 < sizeof t->s);
    t->used += (size_t)n;
    t->s[t->used++] = '\n';
    t->s[t->used] = '\0';
}

static bool batch(struct lab *lab, const char *host, const struct text *t)
{
    struct lab_path ns = lab_namespace(lab, host == NULL ? "" : host);
    struct lab_command how = {.ns = host == NULL ? NULL : ns.s, .input = t->s};
    return LAB_RUN(lab, &how, "ip", "-batch", "-");
}

static int zone_number(const char *zone)
{
    static const char *const zones[] = {"", "a", "b", "witness", "clients"};
    for (int i = 1; i < (int)STAY_COUNT(zones); i++)
        if (strcmp(zones[i], zone) == 0)
            return i;
    return 0;
}

static bool forward_in_wan(struct lab *lab)
{
    int old = lab_enter(lab, "wan");
    if (old < 0)
        return lab_fail(lab, "cannot enter the wan namespace: %s", strerror(errno));
    int fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, "1", 1) == 1;
    if (fd >= 0)
        close(fd);
    lab_leave(old);
    return ok ? true : lab_fail(lab, "ip_forward in the wan namespace: %s", strerror(errno));
}

static bool host_up(struct lab *lab, const struct lab_host *h)
{
    struct text t = {"", 0};
    int zone = zone_number(h->zone);
    line(&t, "link set lo up");
    line(&t, "address add %s/32 dev eth0", h->address);
    line(&t, "link set eth0 up");
    line(&t, "route add 10.%d.%d.1/32 dev eth0 src %s", lab->octet, zone, h->address);
    line(&t, "route add default via 10.%d.%d.1 dev eth0 src %s", lab->octet, zone, h->address);
    return batch(lab, h->name, &t);
}

static bool root_leg_up(struct lab *lab)
{
    struct text t = {"", 0};
    line(&t, "address add 10.%d.3.10/32 dev mslab%d", lab->octet, lab->octet);
    line(&t, "link set mslab%d up", lab->octet);
    line(&t, "route add 10.%d.3.1/32 dev mslab%d src 10.%d.3.10", lab->octet, lab->octet,
         lab->octet);
    line(&t, "route add 10.%d.0.0/16 via 10.%d.3.1 dev mslab%d src 10.%d.3.10", lab->octet,
         lab->octet, lab->octet, lab->octet);
    return batch(lab, NULL, &t);
}

static bool wan_up(struct lab *lab)
{
    struct text t = {"", 0};
    line(&t, "link set lo up");
    for (size_t i = 0; i < lab->hosts_count; i++) {
        const struct lab_host *h = &lab->hosts[i];
        line(&t, "link set %s up", h->name);
        line(&t, "address add 10.%d.%d.1/32 dev %s", lab->octet, zone_number(h->zone), h->name);
        line(&t, "route add %s/32 dev %s", h->address, h->name);
    }
    line(&t, "link set controller up");
    line(&t, "address add 10.%d.3.1/32 dev controller", lab->octet);
    line(&t, "route add 10.%d.3.10/32 dev controller", lab->octet);
    return batch(lab, "wan", &t);
}

bool lab_net_up(struct lab *lab)
{
    struct text t = {"", 0};
    struct lab_path wan = lab_namespace(lab, "wan");
    line(&t, "netns add %s", wan.s);
    for (size_t i = 0; i < lab->hosts_count; i++)
        line(&t, "netns add %s", lab_namespace(lab, lab->hosts[i].name).s);
    for (size_t i = 0; i < lab->hosts_count; i++)
        line(&t, "link add name %s netns %s type veth peer name eth0 netns %s", lab->hosts[i].name,
             wan.s, lab_namespace(lab, lab->hosts[i].name).s);
    line(&t, "link add name mslab%d type veth peer name controller netns %s", lab->octet, wan.s);
    bool ok = batch(lab, NULL, &t) && wan_up(lab) && forward_in_wan(lab);
    for (size_t i = 0; ok && i < lab->hosts_count; i++)
        ok = host_up(lab, &lab->hosts[i]);
    return ok && root_leg_up(lab) && lab_faults_apply(lab);
}

/* Best effort: what is not there needs no removing. */
void lab_net_down(struct lab *lab)
{
    char saved[sizeof lab->error];
    (void)stay_copy(saved, sizeof saved, lab->error);
    struct text t = {"", 0};
    line(&t, "link del mslab%d", lab->octet);
    for (size_t i = 0; i < lab->hosts_count; i++)
        line(&t, "netns del %s", lab_namespace(lab, lab->hosts[i].name).s);
    line(&t, "netns del %s", lab_namespace(lab, "wan").s);
    struct lab_command how = {.input = t.s};
    (void)LAB_RUN(lab, &how, "ip", "-force", "-batch", "-");
    (void)stay_copy(lab->error, sizeof lab->error, saved);
}
