/* Names of a lab: a hosts file and a resolver of its own, which its daemons see in the place of
 * this machine's. Silent: the names are taken out of the file, and the name server is an address in
 * the lab's own block that nobody has. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/lib/lab_private.h"

/* In place: a file that is mounted somewhere must stay the same file. */
static bool rewrite(struct lab *lab, const char *name, const char *text)
{
    FILE *out = fopen(lab_path(lab, "%s", name).s, "we");
    bool ok = out != NULL && fputs(text, out) >= 0;
    if (out != NULL)
        ok = fclose(out) == 0 && ok;
    return ok ? true : lab_fail(lab, "%s: %s", name, strerror(errno));
}

bool lab_names(struct lab *lab, bool resolve)
{
    if (!lab->names)
        return lab_fail(lab, "this lab knows its servers by address");
    STAY_AUTO(str_clear) struct str hosts = {0}, resolver = {0};
    str_addf(&hosts, "127.0.0.1 localhost\n");
    for (size_t i = 0; resolve && i < lab->hosts_count; i++)
        str_addf(&hosts, "%s %s\n", lab->hosts[i].address, lab->hosts[i].name);
    str_addf(&resolver, "nameserver 10.%d.9.9\n", lab->octet);
    lab->fault_mono_us = lab_now_us();
    return rewrite(lab, "hosts", str_text(&hosts)) &&
           rewrite(lab, "resolv.conf", str_text(&resolver));
}

bool lab_names_enter(const struct lab *lab)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount(lab_path(lab, "hosts").s, "/etc/hosts", NULL, MS_BIND, NULL) == 0 &&
           mount(lab_path(lab, "resolv.conf").s, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;
}
