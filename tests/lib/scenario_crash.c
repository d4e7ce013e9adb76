/* tests/lib/scenario_crash.c - a scenario's controller that ends or stops at a crash point. */
#include "tests/lib/scenario.h"

#include <unistd.h>

/* mainstayd of this build holds the words it would log at a crash point. */
static bool has_crash_points(void)
{
    char own[400] = "";
    const char *given = getenv("MAINSTAY_BIN");
    if (given == NULL && readlink("/proc/self/exe", own, sizeof own - 1) < 0)
        return false;
    char *slash = strrchr(own, '/');
    if (slash != NULL)
        *slash = '\0';
    STAY_AUTO(stay_free_charp)
    char *path = given != NULL ? stay_sprintf("%s/mainstayd", given)
                               : stay_sprintf("%s/../bin/mainstayd", own);
    static const char words[] = "crash point %s reached";
    FILE *in = fopen(path, "re");
    char *text = stay_calloc(1, 64 << 20);
    size_t size = in == NULL ? 0 : fread(text, 1, 64 << 20, in);
    bool found = memmem(text, size, words, sizeof words - 1) != NULL;
    free(text);
    if (in != NULL)
        fclose(in);
    return found;
}

void scenario_crash_at(const char *point)
{
    if (point == NULL) {
        unsetenv("MAINSTAY_CRASH_AT");
        return;
    }
    if (!has_crash_points())
        scenario_skip("mainstayd was built without crash points (preset dev has them)");
    setenv("MAINSTAY_CRASH_AT", point, 1);
}

static bool is_stopped(struct lab *lab, const char *name)
{
    STAY_AUTO(stay_free_charp) char *file = stay_sprintf("pid/%s", name);
    STAY_AUTO(stay_free_charp) char *pid = scenario_file(lab, file);
    STAY_AUTO(stay_free_charp)
    char *path = stay_sprintf("/proc/%ld/stat", strtol(pid, NULL, 10));
    char text[400] = "";
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return false;
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    const char *after = strrchr(text, ')');
    return after != NULL && strncmp(after, ") T", 3) == 0;
}

bool scenario_wait_crash(struct lab *lab, bool stopped, int timeout_s)
{
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND; lab_now_us() < due;
         scenario_write_on(10))
        if (stopped ? is_stopped(lab, "controller") : !lab_is_running(lab, "controller"))
            return true;
    return false;
}
