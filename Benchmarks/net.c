// Both ends of the network benchmarks.
//
//     net serve          port 13: a byte and the end; 14: a byte, and kept open; 9: reads
//     net dial ADDRESS   does what lines of its input say; answers each with a line of JSON:
//         connect PORT COUNT          connects, reads a byte, closes: nanoseconds of each
//         send PORT STREAMS BYTES     so many streams with so many bytes each, in writes of 64 KiB
//         hold PORT COUNT             opens connections and keeps them
//         drop                        closes them
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 64 << 10, STREAMS_MAX = 256, HELD_MAX = 20000, LINE_MAX_BYTES = 256 };

static struct sockaddr_in server;
static int held[HELD_MAX];
static int held_count;

static void fail(const char *what)
{
    fprintf(stderr, "net: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void *drain(void *argument)
{
    int stream = (int)(long)argument;
    static __thread char block[BLOCK];
    long long left;
    // A length goes before the bytes: not everybody passes on the end of one direction alone.
    if (recv(stream, &left, sizeof left, MSG_WAITALL) != sizeof left) left = -1;
    while (left > 0) {
        ssize_t got = read(stream, block, sizeof block);
        if (got <= 0) break;
        left -= got;
    }
    if (left == 0 && write(stream, "!", 1) != 1) errno = 0;
    close(stream);
    return NULL;
}

static void *serve(void *argument)
{
    int port = (int)(long)argument, one = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (void *)&any, sizeof any) || listen(listener, 4096)) fail("listen");
    for (;;) {
        int stream = accept(listener, NULL, NULL);
        if (stream < 0) continue;
        if (port == 9) {
            pthread_t thread;
            if (pthread_create(&thread, NULL, drain, (void *)(long)stream)) close(stream);
            else pthread_detach(thread);
            continue;
        }
        if (write(stream, "!", 1) != 1) errno = 0;
        if (port != 14) close(stream);
    }
}

static int dial(int port)
{
    struct sockaddr_in to = server;
    to.sin_port = htons(port);
    int stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (stream >= 0 && connect(stream, (void *)&to, sizeof to) == 0) return stream;
    if (stream >= 0) close(stream);
    return -1;
}

static void connect_often(int port, int count)
{
    int failed = 0;
    printf("{\"ns\": [");
    for (int i = 0, told = 0; i < count; i++) {
        long long began = now();
        char byte;
        int stream = dial(port);
        int good = stream >= 0 && read(stream, &byte, 1) == 1;
        if (stream >= 0) close(stream);
        if (good) printf("%s%lld", told++ ? ", " : "", now() - began);
        else failed++;
    }
    printf("], \"failed\": %d}\n", failed);
}

struct task {
    int port;
    long long bytes;
    int good;
};

static void *send_all(void *argument)
{
    struct task *task = argument;
    static char block[BLOCK];
    char byte;
    int stream = dial(task->port);
    long long left = task->bytes;
    if (stream >= 0 && write(stream, &left, sizeof left) != sizeof left) left = -1;
    while (stream >= 0 && left > 0) {
        ssize_t sent = write(stream, block, left < BLOCK ? (size_t)left : BLOCK);
        if (sent <= 0) break;
        left -= sent;
    }
    task->good = stream >= 0 && left == 0 && read(stream, &byte, 1) == 1;
    if (stream >= 0) close(stream);
    return NULL;
}

static void send_streams(int port, int streams, long long bytes)
{
    pthread_t threads[STREAMS_MAX];
    struct task tasks[STREAMS_MAX];
    int failed = 0;
    if (streams > STREAMS_MAX) streams = STREAMS_MAX;
    long long began = now();
    for (int i = 0; i < streams; i++) {
        tasks[i] = (struct task){.port = port, .bytes = bytes};
        if (pthread_create(&threads[i], NULL, send_all, &tasks[i])) fail("thread");
    }
    for (int i = 0; i < streams; i++) {
        pthread_join(threads[i], NULL);
        failed += !tasks[i].good;
    }
    printf("{\"ns\": [%lld], \"failed\": %d}\n", now() - began, failed);
}

static void hold(int port, int count)
{
    int failed = 0;
    char byte;
    for (int i = 0; i < count && held_count < HELD_MAX && failed < 100; i++) {
        int stream = dial(port);
        if (stream >= 0 && read(stream, &byte, 1) == 1) {
            held[held_count++] = stream;
        } else {
            failed++;
            if (stream >= 0) close(stream);
        }
    }
    printf("{\"ns\": [], \"failed\": %d, \"held\": %d}\n", failed, held_count);
}

static void drop(void)
{
    while (held_count > 0) close(held[--held_count]);
    printf("{\"ns\": [], \"failed\": 0}\n");
}

static int obey(void)
{
    char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof line, stdin)) {
        int port, count;
        long long bytes;
        if (sscanf(line, "connect %d %d", &port, &count) == 2) connect_often(port, count);
        else if (sscanf(line, "send %d %d %lld", &port, &count, &bytes) == 3)
            send_streams(port, count, bytes);
        else if (sscanf(line, "hold %d %d", &port, &count) == 2) hold(port, count);
        else if (!strncmp(line, "drop", 4)) drop();
        else return 2;
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && !strcmp(argv[1], "dial")) {
        server.sin_family = AF_INET;
        if (inet_pton(AF_INET, argv[2], &server.sin_addr) != 1) fail(argv[2]);
        return obey();
    }
    if (argc != 2 || strcmp(argv[1], "serve")) {
        fprintf(stderr, "net: serve, or dial ADDRESS\n");
        return 2;
    }
    pthread_t thread;
    static const int ports[] = {13, 14, 9};
    for (int i = 0; i < 3; i++)
        if (pthread_create(&thread, NULL, serve, (void *)(long)ports[i])) fail("thread");
    pause();
    return 0;
}
