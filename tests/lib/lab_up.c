/* A lab comes up in one pass and goes down completely, also from half-way. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

static bool make_folder(struct lab *lab)
{
    struct lab_path templates;
    lab_format(templates.s, sizeof templates.s, "%s/.templates", lab_root_dir());
    if ((mkdir(lab_root_dir(), 0755) != 0 && errno != EEXIST) ||
        (mkdir(templates.s, 0755) != 0 && errno != EEXIST) ||
        (mkdir(lab->dir, 0755) != 0 && errno != EEXIST))
        return lab_fail(lab, "cannot make %s: %s", lab->dir, strerror(errno));
    return true;
}

static bool start_proxies(struct lab *lab)
{
    for (size_t i = 0; i < lab->hosts_count; i++)
        if (lab->hosts[i].kind == LAB_HOST_PROXY && !lab_proxy_start(lab, &lab->hosts[i]))
            return false;
    return true;
}

static bool set_clocks(struct lab *lab)
{
    bool ok = lab->clocks ? lab_clock(lab, "controller", 0) : true;
    for (size_t i = 0; ok && lab->clocks && i < lab->hosts_count; i++)
        if (lab->hosts[i].kind == LAB_HOST_SERVER)
            ok = lab_clock(lab, lab->hosts[i].name, 0);
    return ok;
}

bool lab_up(struct lab *lab)
{
    if (geteuid() != 0)
        return lab_fail(lab, "the lab makes network namespaces: run it as root (sudo)");
    struct lab *before = lab_new(&(struct lab_options){.name = lab->name, .dir = lab->dir});
    bool ok = !lab_attach(before) || lab_down(before);
    (void)stay_copy(lab->error, sizeof lab->error, before->error);
    lab_free(before);
    if (!ok || !make_folder(lab) || !lab_choose_octet(lab))
        return false;
    lab_layout(lab);
    lab_net_down(lab); /* namespaces of this name whose folder somebody removed by hand */
    /* lab.json first: what is half up can be taken down. */
    ok = lab_files_make(lab) && lab_save(lab) && set_clocks(lab) &&
         (!lab->names || lab_names(lab, true)) && lab_net_up(lab) && lab_servers_up(lab) &&
         start_proxies(lab) && lab_save(lab);
    return ok;
}

static void end_processes(struct lab *lab, int signo)
{
    DIR *folder = opendir(lab_path(lab, "pid").s);
    for (struct dirent *e = folder == NULL ? NULL : readdir(folder); e != NULL; e = readdir(folder))
        if (e->d_name[0] != '.' && lab_pid(lab, e->d_name) != 0) {
            (void)lab_signal(lab, e->d_name, signo);
            if (signo == SIGKILL)
                (void)lab_wait_gone(lab, e->d_name, 5000);
        }
    if (folder != NULL)
        closedir(folder);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

bool lab_down(struct lab *lab)
{
    for (size_t i = 0; lab->disks && i < lab->hosts_count; i++)
        if (lab->hosts[i].kind == LAB_HOST_SERVER)
            (void)LAB_RUN(lab, NULL, "fsfreeze", "-u",
                          lab_path(lab, "data/%s", lab->hosts[i].name).s);
    end_processes(lab, SIGKILL);
    lab_net_down(lab);
    lab_disks_remove(lab);
    if (access(lab_path(lab, "lab.json").s, F_OK) != 0)
        return true;
    if (nftw(lab->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        return lab_fail(lab, "cannot remove %s: %s", lab->dir, strerror(errno));
    lab->error[0] = '\0';
    return true;
}
