/* Stands in for the broker in the benchmark of starts: runs where corrald runs its broker, asks for
   /bin/true in a full sandbox for each byte on stdin, and answers a byte once it has been reaped.
   What is measured is all that corrald does for a start: plan, mounts, cgroups, pipes, clone, the
   look from outside, reaping. The messages are those of Sources/SupervisorProtocol. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINK = 4, HELLO = 1, START = 2, STARTED = 2, REFUSED = 3, EXITED = 6 };

struct message {
    unsigned char bytes[512];
    size_t used;
};

static void number(struct message *out, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        out->bytes[out->used++] = (unsigned char)(value >> (8 * i));
}

static void text(struct message *out, const char *value)
{
    number(out, strlen(value), 4);
    memcpy(out->bytes + out->used, value, strlen(value));
    out->used += strlen(value);
}

static void send_message(struct message *out)
{
    uint32_t length = (uint32_t)(out->used - 4);
    memcpy(out->bytes, &length, 4);
    if (send(LINK, out->bytes, out->used, MSG_NOSIGNAL) != (ssize_t)out->used)
        exit(1);
}

/* The next message's tag; descriptors that come along are closed, as nobody talks to /bin/true. */
static int next_tag(void)
{
    unsigned char bytes[4096];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(6 * sizeof(int))];
    } control;
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t count = recvmsg(LINK, &message, 0);
    if (count < 5)
        exit(1);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    for (size_t at = 0; header && at + sizeof(int) <= header->cmsg_len - CMSG_LEN(0); at += 4) {
        int fd;
        memcpy(&fd, CMSG_DATA(header) + at, sizeof fd);
        close(fd);
    }
    if (bytes[4] == REFUSED) {
        fprintf(stderr, "starter: refused: %.*s\n", (int)count - 18, (char *)bytes + 18);
        exit(1);
    }
    return bytes[4];
}

static void start(uint64_t id)
{
    struct message out = {.used = 4};
    number(&out, START, 1);
    number(&out, id, 8);
    number(&out, 0, 4);
    text(&out, "bench");
    text(&out, "custom");
    number(&out, 1, 4);
    text(&out, "command");
    number(&out, 1, 4);
    text(&out, "/bin/true");
    number(&out, 0, 4);
    send_message(&out);
}

int main(void)
{
    struct message hello = {.used = 4};
    number(&hello, HELLO, 1);
    number(&hello, 4, 4); // Limit.version
    send_message(&hello);
    if (next_tag() != HELLO)
        return 1;
    char byte;
    for (uint64_t id = 1; read(0, &byte, 1) == 1; id++) {
        start(id);
        while (next_tag() != EXITED)
            continue;
        if (write(1, &byte, 1) != 1)
            return 1;
    }
    pause();
}
