/* The floor of any broker: bytes between one Unix socket client and a server's pipes, by epoll,
   without reading a single one of them.
       relay SOCKET PROGRAM */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK_BYTES (1 << 18)

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener < 0 || strlen(path) >= sizeof address.sun_path)
        die("socket");
    strcpy(address.sun_path, path);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0)
        die("bind");
    return listener;
}

static void start(const char *program, int *to, int *from)
{
    int in[2], out[2];

    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        die("pipe");
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    *to = in[1];
    *from = out[0];
}

/* Moves what there is; blocks on a full pipe, as one client with one call never fills both. */
static int move_bytes(int from, int to)
{
    static char chunk[CHUNK_BYTES];
    ssize_t got = read(from, chunk, sizeof chunk);

    for (ssize_t sent = 0; sent < got;) {
        ssize_t count = write(to, chunk + sent, (size_t)(got - sent));
        if (count <= 0)
            return 0;
        sent += count;
    }
    return got > 0;
}

int main(int count, char **words)
{
    int to, from;

    if (count != 3)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int listener = listen_at(words[1]);
    start(words[2], &to, &from);
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (client < 0 || poll < 0)
        die("accept");
    struct epoll_event asked = {.events = EPOLLIN, .data.fd = client};
    struct epoll_event told = {.events = EPOLLIN, .data.fd = from};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, client, &asked) < 0
        || epoll_ctl(poll, EPOLL_CTL_ADD, from, &told) < 0)
        die("epoll_ctl");
    for (;;) {
        struct epoll_event events[2];
        int ready = epoll_wait(poll, events, 2, -1);
        if (ready < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < ready; i++) {
            int is_client = events[i].data.fd == client;
            if (!move_bytes(is_client ? client : from, is_client ? to : client))
                return 0;
        }
    }
}
