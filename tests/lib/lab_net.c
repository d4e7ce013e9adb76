/* Namespaces and addresses of a lab. Every host has a veth of its own into the wan namespace and a
 * /32 address, so all traffic, also inside a zone, is routed there and can be cut (lab_faults.c).
 * The controller's leg mslabOCTET stands in the root namespace with the witness zone's address. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/lib/lab_private.h"

static bool batch(struct lab *lab, const char *host, const struct str *t)
{
    struct lab_path ns = lab_namespace(lab, host == NULL ? "" : host);
    struct lab_command how = {.ns = host == NULL ? NULL : ns.s, .input = str_text(t)};
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
    STAY_AUTO(str_clear) struct str t = {0};
    int zone = zone_number(h->zone);
    str_addf(&t, "link set lo up\n");
    str_addf(&t, "address add %s/32 dev eth0\n", h->address);
    str_addf(&t, "link set eth0 up\n");
    str_addf(&t, "route add 10.%d.%d.1/32 dev eth0 src %s\n", lab->octet, zone, h->address);
    str_addf(&t, "route add default via 10.%d.%d.1 dev eth0 src %s\n", lab->octet, zone,
             h->address);
    return batch(lab, h->name, &t);
}

static bool root_leg_up(struct lab *lab)
{
    STAY_AUTO(str_clear) struct str t = {0};
    str_addf(&t, "address add 10.%d.3.10/32 dev mslab%d\n", lab->octet, lab->octet);
    str_addf(&t, "link set mslab%d up\n", lab->octet);
    str_addf(&t, "route add 10.%d.3.1/32 dev mslab%d src 10.%d.3.10\n", lab->octet, lab->octet,
             lab->octet);
    str_addf(&t, "route add 10.%d.0.0/16 via 10.%d.3.1 dev mslab%d src 10.%d.3.10\n", lab->octet,
             lab->octet, lab->octet, lab->octet);
    return batch(lab, NULL, &t);
}

static bool wan_up(struct lab *lab)
{
    STAY_AUTO(str_clear) struct str t = {0};
    str_addf(&t, "link set lo up\n");
    for (size_t i = 0; i < lab->hosts_count; i++) {
        const struct lab_host *h = &lab->hosts[i];
        str_addf(&t, "link set %s up\n", h->name);
        str_addf(&t, "address add 10.%d.%d.1/32 dev %s\n", lab->octet, zone_number(h->zone),
                 h->name);
        str_addf(&t, "route add %s/32 dev %s\n", h->address, h->name);
    }
    str_addf(&t, "link set controller up\n");
    str_addf(&t, "address add 10.%d.3.1/32 dev controller\n", lab->octet);
    str_addf(&t, "route add 10.%d.3.10/32 dev controller\n", lab->octet);
    return batch(lab, "wan", &t);
}

bool lab_net_up(struct lab *lab)
{
    STAY_AUTO(str_clear) struct str t = {0};
    struct lab_path wan = lab_namespace(lab, "wan");
    str_addf(&t, "netns add %s\n", wan.s);
    for (size_t i = 0; i < lab->hosts_count; i++)
        str_addf(&t, "netns add %s\n", lab_namespace(lab, lab->hosts[i].name).s);
    for (size_t i = 0; i < lab->hosts_count; i++)
        str_addf(&t, "link add name %s netns %s type veth peer name eth0 netns %s\n",
                 lab->hosts[i].name, wan.s, lab_namespace(lab, lab->hosts[i].name).s);
    str_addf(&t, "link add name mslab%d type veth peer name controller netns %s\n", lab->octet,
             wan.s);
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
    STAY_AUTO(str_clear) struct str t = {0};
    str_addf(&t, "link del mslab%d\n", lab->octet);
    for (size_t i = 0; i < lab->hosts_count; i++)
        str_addf(&t, "netns del %s\n", lab_namespace(lab, lab->hosts[i].name).s);
    str_addf(&t, "netns del %s\n", lab_namespace(lab, "wan").s);
    struct lab_command how = {.input = str_text(&t)};
    (void)LAB_RUN(lab, &how, "ip", "-force", "-batch", "-");
    (void)stay_copy(lab->error, sizeof lab->error, saved);
}
