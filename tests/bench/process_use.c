/* tests/bench/process_use.c - /proc/PID as numbers; see the header. */
#include "tests/bench/process_use.h"

#include <ctype.h>
#include <dirent.h>
#include <string.h>
#include <time.h>

static bool read_text(char *buf, size_t size, const char *path)
{
    FILE *file = fopen(path, "r");
    size_t n = file == NULL ? 0 : fread(buf, 1, size - 1, file);
    buf[n] = '\0';
    if (file != NULL)
        fclose(file);
    return n > 0;
}

/* The number after `key` in "Key:  123 kB" lines, summed; -1 when there is none. */
static int64_t number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at == NULL ? -1 : strtoll(at + strlen(key), NULL, 10);
}

static void read_times(pid_t pid, struct process_use *use)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (!read_text(text, sizeof text, path))
        return;
    char *at = strrchr(text, ')'); /* field 2 ends here; 14 and 15 are the times, 20 the threads */
    for (int field = 3; at != NULL && field <= 20; field++) {
        at = strchr(at + 1, ' ');
        if (at != NULL && field == 14)
            use->user_ticks = strtoll(at, NULL, 10);
        if (at != NULL && field == 15)
            use->system_ticks = strtoll(at, NULL, 10);
        if (at != NULL && field == 20)
            use->threads = strtoll(at, NULL, 10);
    }
}

static void add_thread(pid_t pid, const char *tid, struct process_use *use)
{
    char path[320], text[4096], name[32];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%s/comm", (int)pid, tid);
    if (!read_text(name, sizeof name, path))
        return;
    name[strcspn(name, "\n")] = '\0';
    size_t length = strlen(name);
    while (length > 1 && (isdigit((unsigned char)name[length - 1]) || name[length - 1] == '-'))
        name[--length] = '\0';
    (void)snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, tid);
    if (read_text(text, sizeof text, path)) {
        json_int_t before = json_integer_value(json_object_get(use->by_thread, name));
        json_object_set_new(use->by_thread, name, json_integer(before + strtoll(text, NULL, 10)));
    }
    (void)snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, tid);
    if (read_text(text, sizeof text, path))
        use->switches += number_after(text, "\nvoluntary_ctxt_switches:") +
                         number_after(text, "\nnonvoluntary_ctxt_switches:");
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    return clock_gettime(clock, &t) == 0 ? (int64_t)t.tv_sec * 1000000000 + t.tv_nsec : -1;
}

bool process_use_read(pid_t pid, struct process_use *ret)
{
    char path[64], text[4096];
    clockid_t clock;
    *ret = (struct process_use){.by_thread = json_object()};
    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    if (clock_getcpuclockid(pid, &clock) != 0 || !read_text(text, sizeof text, path)) {
        process_use_clear(ret);
        return false;
    }
    ret->rss_kb = number_after(text, "\nRss:");
    ret->pss_kb = number_after(text, "\nPss:");
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    for (struct dirent *e = folder == NULL ? NULL : readdir(folder); e != NULL; e = readdir(folder))
        if (e->d_name[0] != '.')
            add_thread(pid, e->d_name, ret);
    if (folder != NULL)
        closedir(folder);
    read_times(pid, ret);
    ret->at_us = now_ns(CLOCK_MONOTONIC) / 1000;
    ret->cpu_ns = now_ns(clock);
    return ret->cpu_ns >= 0;
}

void process_use_clear(struct process_use *use)
{
    json_decref(use->by_thread);
    use->by_thread = NULL;
}
