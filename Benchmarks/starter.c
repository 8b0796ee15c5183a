/* Stands in for the broker in the benchmark of starts: runs where corrald runs its broker and asks
   for commands in full sandboxes, as the byte on its stdin says:
       s  /bin/true until it has been reaped
       p  python until its first output
       r  /bin/true again and again for half a second, two at a time
   The answer has 8 bytes: the nanoseconds that it took here, from request to answer, or how many.
   What is measured is all that corrald does for a start: plan, mounts, cgroups, pipes, clone, the
   look from outside, reaping. The messages are those of Sources/SupervisorProtocol. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "samples.h"

enum { LINK = 4, HELLO = 1, START = 2, STARTED = 2, REFUSED = 3, EXITED = 6 };
enum { VERSION = 5 }; // SupervisorProtocol.Limit.version
enum { DESCRIPTORS = 8, OUTPUT = 1 };

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

/* The next message's tag. Descriptors that come along are closed, but for a tool's output when
   somebody wants to read it. */
static int next_tag(int *output)
{
    unsigned char bytes[4096];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t count = recvmsg(LINK, &message, 0);
    if (count < 5)
        exit(1);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    size_t passed = header ? (header->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
    for (size_t i = 0; i < passed; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
        if (output && i == OUTPUT)
            *output = fd;
        else
            close(fd);
    }
    if (bytes[4] == REFUSED) {
        fprintf(stderr, "starter: refused: %.*s\n", (int)count - 18, (char *)bytes + 18);
        exit(1);
    }
    return bytes[4];
}

static void start(const char *const *words)
{
    static uint64_t id;
    uint32_t count = 0;
    while (words[count])
        count++;
    struct message out = {.used = 4};
    number(&out, START, 1);
    number(&out, ++id, 8);
    number(&out, 0, 4);
    text(&out, "bench");
    text(&out, "custom");
    number(&out, 1, 4);
    text(&out, "command");
    number(&out, count, 4);
    for (uint32_t i = 0; i < count; i++)
        text(&out, words[i]);
    number(&out, 0, 4);
    send_message(&out);
}

static const char *const nothing[] = {"/bin/true", NULL};
static const char *const python[] = {"/usr/bin/python3", "-I", "-c", "print(1)", NULL};

static void until_exited(void)
{
    while (next_tag(NULL) != EXITED)
        continue;
}

static void answer(uint64_t value)
{
    if (write(1, &value, sizeof value) != sizeof value)
        exit(1);
}

static void once(void)
{
    uint64_t began = now_ns();
    start(nothing);
    until_exited();
    answer(now_ns() - began);
}

static void first_byte(void)
{
    int output = -1;
    char byte;
    uint64_t began = now_ns();
    start(python);
    while (next_tag(&output) != STARTED)
        continue;
    if (read(output, &byte, 1) != 1)
        exit(1);
    answer(now_ns() - began);
    close(output);
    until_exited();
}

static void rate(void)
{
    uint64_t end = now_ns() + RATE_NS;
    uint64_t done = 0;
    start(nothing);
    start(nothing);
    for (int running = 2; running > 0;) {
        until_exited();
        done++;
        if (now_ns() < end)
            start(nothing);
        else
            running--;
    }
    answer(done);
}

int main(void)
{
    struct message hello = {.used = 4};
    number(&hello, HELLO, 1);
    number(&hello, VERSION, 4);
    send_message(&hello);
    if (next_tag(NULL) != HELLO)
        return 1;
    for (char what; read(0, &what, 1) == 1;) {
        if (what == 's')
            once();
        else if (what == 'p')
            first_byte();
        else if (what == 'r')
            rate();
        else
            return 2;
    }
    pause();
}
