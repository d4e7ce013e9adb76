/* What a test tells the proxy while it runs: a line is an order, answered by a line. */
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/fault_proxy_private.h"

static const char *set_number(const char *text, int64_t unit, int64_t *ret)
{
    char *end = NULL;
    long value = strtol(text, &end, 10);
    if (end == text || value < 0 || value > 100000000)
        return "error a number is needed";
    *ret = value * unit;
    return "ok";
}

static const char *set_switch(const char *text, bool *ret)
{
    if (strncmp(text, "on", 2) != 0 && strncmp(text, "off", 3) != 0)
        return "error on or off is needed";
    *ret = text[1] == 'n';
    return "ok";
}

static void strike(struct proxy *p, bool reset)
{
    for (size_t i = 0; i < LINKS_MAX; i++) {
        struct link *l = &p->links[i];
        if (l->fds[0] < 0)
            continue;
        p->resets += reset;
        if (reset) {
            fault_link_close(l, true);
        } else { /* the client sees the end of what the server says; its own words still pass */
            (void)shutdown(l->fds[0], SHUT_WR);
            l->out[1].write_over = true;
        }
    }
}

static const char *refuse(struct proxy *p, const char *text)
{
    const char *answer = set_switch(text, &p->refuse);
    if (p->refuse && p->listener >= 0) {
        close(p->listener);
        p->listener = -1;
    } else if (!p->refuse && p->listener < 0) {
        p->listener = fault_listen(&p->settings);
        answer = p->listener < 0 ? "error cannot listen again" : answer;
    }
    return answer;
}

static const char *obey(struct proxy *p, const char *line, char *buf, size_t size)
{
    int64_t number = 0;
    const char *answer = "ok";
    if (strncmp(line, "latency ", 8) == 0)
        return set_number(line + 8, STAY_MS, &p->latency_us);
    if (strncmp(line, "jitter ", 7) == 0)
        return set_number(line + 7, STAY_MS, &p->jitter_us);
    if (strncmp(line, "slice ", 6) == 0) {
        answer = set_number(line + 6, 1, &number);
        p->slice = (size_t)number;
        return answer;
    }
    if (strncmp(line, "blackhole ", 10) == 0)
        return set_switch(line + 10, &p->blackhole);
    if (strncmp(line, "refuse ", 7) == 0)
        return refuse(p, line + 7);
    if (strncmp(line, "reset", 5) == 0 || strncmp(line, "half-close", 10) == 0) {
        strike(p, line[0] == 'r');
        return answer;
    }
    if (strncmp(line, "heal", 4) == 0) {
        p->latency_us = p->jitter_us = 0;
        p->slice = 0;
        p->blackhole = false;
        return refuse(p, "off");
    }
    p->quit = strncmp(line, "quit", 4) == 0;
    if (strncmp(line, "status", 6) != 0)
        return p->quit ? answer : "error unknown command";
    size_t open_links = 0;
    for (size_t i = 0; i < LINKS_MAX; i++)
        open_links += p->links[i].fds[0] >= 0;
    (void)snprintf(buf, size, "ok open %zu accepted %zu resets %zu", open_links, p->accepted,
                   p->resets);
    return buf;
}

void fault_serve_control(struct proxy *p, int *fd)
{
    char text[256], buf[128];
    ssize_t n = recv(*fd, text, sizeof text - 1, 0);
    if (n <= 0) {
        close(*fd);
        *fd = -1;
        return;
    }
    text[n] = '\0';
    for (char *line = text; *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        char *next = *end == '\n' ? end + 1 : end;
        *end = '\0';
        const char *answer = obey(p, line, buf, sizeof buf);
        (void)send(*fd, answer, strlen(answer), MSG_NOSIGNAL);
        (void)send(*fd, "\n", 1, MSG_NOSIGNAL);
        line = next;
    }
}
