/* Row 56: the state file is locked by another program, held by another mainstayd, or on a disk that
 * is read-only. mainstayd refuses to start and says what to do; nothing is touched; put right, it
 * starts with all it knew.
 * ENGINES: mariadb */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/lib/server_talk.h"

/* As SQLite locks a file whole: its pending byte and what follows. */
static int lock_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct flock all = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 512};
    SCENARIO_CHECK(fd >= 0 && fcntl(fd, F_SETLK, &all) == 0, "%s: %m", path);
    return fd;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    STAY_AUTO(stay_free_charp) char *folder = stay_sprintf("%s/state", lab_dir(lab));
    STAY_AUTO(stay_free_charp) char *file = stay_sprintf("%s/state.db", folder);
    STAY_AUTO(stay_free_charp) char *lock = stay_sprintf("%s.lock", file);
    LAB_MUST(lab, lab_stop_controller(lab));
    int fd = lock_file(file);
    scenario_refuses_start(lab, "locked by another program", "another program has it open");
    close(fd);
    fd = open(lock, O_RDWR | O_CLOEXEC);
    SCENARIO_CHECK(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0, "%s: %m", lock);
    scenario_refuses_start(lab, "held by another mainstayd", "one controller per state file");
    close(fd);
    SCENARIO_CHECK(mount(folder, folder, NULL, MS_BIND, NULL) == 0 &&
                       mount(NULL, folder, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0,
                   "%s: %m", folder);
    bool started = lab_start_controller(lab);
    (void)umount2(folder, MNT_DETACH);
    SCENARIO_CHECK(!started, "it started on a read-only disk");
    STAY_AUTO(stay_free_charp) char *log = scenario_file(lab, "log/controller.log");
    const char *last = strrchr(log, '\'');
    SCENARIO_CHECK(last != NULL && strstr(log, "writable") != NULL, "not said: %s", log);
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    LAB_MUST(lab, lab_start_controller(lab));
    scenario_ready(lab, 30);
    scenario_pass("56", "state file locked by a program; by a mainstayd; on a read-only disk",
                  "refuses to start, each with what to do; put right, it goes on", "S4 S11 S14");
}
