/* A tmpfs in the place of the state folder. */
#include "tests/lib/state_disk.h"

#include <sys/mount.h>
#include <unistd.h>

static char folder[400], fill[440];

void state_disk_remove(void)
{
    if (folder[0] != '\0')
        (void)umount2(folder, MNT_DETACH);
    folder[0] = '\0';
}

void state_disk_mount(struct lab *lab, unsigned kib)
{
    char size[40];
    snprintf(folder, sizeof folder, "%s/state", lab_dir(lab));
    snprintf(fill, sizeof fill, "%s/fill", folder);
    snprintf(size, sizeof size, "size=%uk", kib);
    SCENARIO_CHECK(mount("tmpfs", folder, "tmpfs", 0, size) == 0, "mount %s: %m", folder);
    (void)atexit(state_disk_remove); /* after the lab's own, so it runs before */
}

void state_disk_fill(void)
{
    static const char block[1024];
    FILE *out = fopen(fill, "we");
    SCENARIO_CHECK(out != NULL, "%s", fill);
    setbuf(out, NULL);
    while (fwrite(block, 1, sizeof block, out) == sizeof block)
        continue;
    (void)fclose(out);
}

void state_disk_free(void)
{
    SCENARIO_CHECK(unlink(fill) == 0, "%s: %m", fill);
}
