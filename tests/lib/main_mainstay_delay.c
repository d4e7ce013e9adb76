/* mainstay-delay: holds every packet of one NFQUEUE for a fixed time, then lets it go on. This is
 * the lab's `slow` verb: the kernel has no netem. One queue, one delay, first in first out. */
#include <errno.h>
#include <netinet/in.h> /* before the kernel's own definitions */

#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <time.h>

#include "base/base.h"

enum { HELD_MAX = 65536, PACKET_MAX = 4096 };

struct held {
    uint32_t id;
    int64_t due_us;
};

struct line {
    struct held ring[HELD_MAX];
    size_t first, count;
    int64_t delay_us;
};

static struct line line;

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * STAY_SECOND + now.tv_nsec / 1000;
}

static int on_packet(struct nfq_q_handle *queue, struct nfgenmsg *message, struct nfq_data *data,
                     void *context)
{
    (void)message;
    (void)context;
    struct nfqnl_msg_packet_hdr *header = nfq_get_msg_packet_hdr(data);
    uint32_t id = header == NULL ? 0 : ntohl(header->packet_id);
    if (line.count == HELD_MAX)
        return nfq_set_verdict(queue, id, NF_DROP, 0, NULL);
    line.ring[(line.first + line.count++) % HELD_MAX] =
        (struct held){.id = id, .due_us = now_us() + line.delay_us};
    return 0;
}

static void release_due(struct nfq_q_handle *queue)
{
    while (line.count > 0 && line.ring[line.first].due_us <= now_us()) {
        nfq_set_verdict(queue, line.ring[line.first].id, NF_ACCEPT, 0, NULL);
        line.first = (line.first + 1) % HELD_MAX;
        line.count--;
    }
}

static int serve(struct nfq_handle *handle, struct nfq_q_handle *queue)
{
    char packet[PACKET_MAX] __attribute__((aligned));
    struct pollfd fd = {.fd = nfq_fd(handle), .events = POLLIN};
    for (;;) {
        struct timespec wait = {0};
        int64_t left_us = line.count > 0 ? line.ring[line.first].due_us - now_us() : 0;
        wait.tv_sec = left_us > 0 ? left_us / STAY_SECOND : 0;
        wait.tv_nsec = left_us > 0 ? (long)(left_us % STAY_SECOND) * 1000 : 0;
        if (ppoll(&fd, 1, line.count > 0 ? &wait : NULL, NULL) < 0 && errno != EINTR)
            return 1;
        ssize_t n = (fd.revents & POLLIN) != 0 ? recv(fd.fd, packet, sizeof packet, 0) : 0;
        if (n > 0)
            nfq_handle_packet(handle, packet, (int)n);
        else if (n < 0 && errno != EINTR && errno != ENOBUFS)
            return 1;
        release_due(queue);
    }
}

int main(int argc, char **argv)
{
    unsigned number = 0, ms = 0;
    if (argc != 3 || sscanf(argv[1], "%u", &number) != 1 || sscanf(argv[2], "%u", &ms) != 1 ||
        number > 65535 || ms > 10000) {
        fprintf(stderr, "usage: mainstay-delay QUEUE MS\n");
        return 2;
    }
    line.delay_us = (int64_t)ms * STAY_MS;
    struct nfq_handle *handle = nfq_open();
    struct nfq_q_handle *queue =
        handle == NULL ? NULL : nfq_create_queue(handle, (uint16_t)number, on_packet, NULL);
    if (queue == NULL || nfq_set_mode(queue, NFQNL_COPY_META, 0) < 0) {
        fprintf(stderr, "mainstay-delay: queue %u: %s\n", number, strerror(errno));
        return 1;
    }
    (void)nfq_set_queue_maxlen(queue, HELD_MAX);
    return serve(handle, queue);
}
