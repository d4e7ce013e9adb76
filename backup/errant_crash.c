/* Crash points; empty unless built with MAINSTAY_CRASH_POINTS. */
#include "base/base.h"
#include "backup/errant_crash.h"

#ifdef MAINSTAY_CRASH_POINTS
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

void errant_crash_point(const char *name)
{
    const char *dir = getenv("MAINSTAY_ERRANT_CRASH_DIR");
    char what = 0;
    if (dir == NULL)
        return;
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/%s", dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    bool armed = read(fd, &what, 1) == 1 && unlink(path) == 0;
    (void)close(fd);
    if (armed && (what == 'c' || what == 'b'))
        (void)kill(getppid(), SIGKILL);
    if (armed && (what == 'j' || what == 'b'))
        (void)raise(SIGKILL);
    if (armed && what == 's')
        (void)raise(SIGSTOP);
}
#else
/* ISO C wants a declaration in every file. */
struct errant_crash_unused;
#endif
