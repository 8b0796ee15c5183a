/* Times one tools/call of a given size along three paths in turn, in rounds, so that whatever else
   the machine does hits all of them alike.
       call ECHO RELAY CONTROL_SOCKET CALLS_PER_SIZE
   pipe    client → pipe → server
   floor   client → socket → relay → pipe → server
   corral  client → control socket → broker → pipe → sandboxed server, as tool echo__echo */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "json.h"
#include "samples.h"

#define LINE_MAX_BYTES (1 << 20)
#define CALLS_PER_ROUND 20
#define CONNECT_TRIES 500

struct path {
    const char *name, *tool;
    int to, from;
    struct samples samples;
};

static char line[LINE_MAX_BYTES];

static void die(const char *what)
{
    fprintf(stderr, "call: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void open_pipe(struct path *path, const char *program)
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
    path->to = in[1];
    path->from = out[0];
}

static void open_socket(struct path *path, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(name) >= sizeof address.sun_path)
        die("socket path too long");
    strcpy(address.sun_path, name);
    /* The relay may still be binding its socket; this wait ends before any time counts. */
    for (int attempt = 0; attempt < CONNECT_TRIES; attempt++) {
        path->to = path->from = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(path->to, (struct sockaddr *)&address, sizeof address) == 0)
            return;
        close(path->to);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    die(name);
}

static void open_relay(struct path *path, const char *relay, const char *program)
{
    char name[64];

    snprintf(name, sizeof name, "/tmp/corral-bench.%d.sock", (int)getpid());
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(relay, relay, name, program, (char *)NULL);
        _exit(127);
    }
    open_socket(path, name);
    unlink(name);
}

static void send_line(struct path *path, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = write(path->to, bytes, count);
        if (sent <= 0)
            die(path->name);
        bytes += sent;
        count -= (size_t)sent;
    }
}

/* Reads until a line answers the id; other lines are notifications. */
static struct span read_answer(struct path *path, const char *id)
{
    size_t held = 0;

    for (;;) {
        ssize_t got = read(path->from, line + held, sizeof line - held);
        if (got <= 0)
            die(path->name);
        held += (size_t)got;
        if (line[held - 1] != '\n')
            continue;
        struct span answer = {line, held - 1};
        if (is(member(answer, "id"), id))
            return answer;
        held = 0;
    }
}

static void initialize(struct path *path)
{
    static const char hello[] =
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-06-18\",\"capabilities\":{},"
        "\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}\n";
    static const char ready[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";

    send_line(path, hello, sizeof hello - 1);
    if (member(read_answer(path, "0"), "result").at == NULL)
        die("initialize refused");
    send_line(path, ready, sizeof ready - 1);
}

/* A request line of exactly `size` bytes, its newline included. */
static void compose(char *request, size_t size, const char *tool)
{
    int head = sprintf(request,
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
                       "{\"name\":\"%s\",\"arguments\":{\"text\":\"",
                       tool);
    static const char tail[] = "\"}}}\n";
    size_t fill = size - (size_t)head - (sizeof tail - 1);

    memset(request + head, 'a', fill);
    memcpy(request + head + fill, tail, sizeof tail);
}

static uint64_t call_once(struct path *path, const char *request, size_t size)
{
    uint64_t began = now_ns();
    send_line(path, request, size);
    struct span answer = read_answer(path, "1");
    uint64_t took = now_ns() - began;

    /* What is timed must be the call that was meant: the whole text comes back. */
    if (member(answer, "result").at == NULL || answer.count + 100 < size) {
        fprintf(stderr, "call: %s answered %.*s\n", path->name, 300, answer.at);
        exit(1);
    }
    return took;
}

static void measure(struct path *paths, size_t count, size_t size, size_t calls)
{
    char *requests[3];

    for (size_t i = 0; i < count; i++) {
        requests[i] = malloc(size + 1);
        if (requests[i] == NULL)
            die("malloc");
        compose(requests[i], size, paths[i].tool);
        paths[i].samples = samples_make(calls);
        for (int warm = 0; warm < CALLS_PER_ROUND; warm++)
            call_once(&paths[i], requests[i], size);
    }
    for (size_t done = 0; done < calls; done += CALLS_PER_ROUND)
        for (size_t i = 0; i < count; i++)
            for (size_t n = 0; n < CALLS_PER_ROUND; n++)
                samples_add(&paths[i].samples, call_once(&paths[i], requests[i], size));
    for (size_t i = 0; i < count; i++) {
        samples_print(&paths[i].samples, paths[i].name, size);
        free(paths[i].samples.times);
        free(requests[i]);
    }
}

int main(int count, char **words)
{
    static const size_t sizes[] = {200, 4096, 65536};
    struct path paths[3] = {
        {.name = "pipe", .tool = "echo"},
        {.name = "floor", .tool = "echo"},
        {.name = "corral", .tool = "echo__echo"},
    };

    if (count != 5)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    open_pipe(&paths[0], words[1]);
    open_relay(&paths[1], words[2], words[1]);
    /* "-" leaves Corral out, to try the two peers alone. */
    size_t used = strcmp(words[3], "-") == 0 ? 2 : 3;
    if (used == 3)
        open_socket(&paths[2], words[3]);
    for (size_t i = 0; i < used; i++)
        initialize(&paths[i]);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        measure(paths, used, sizes[i], strtoul(words[4], NULL, 10));
    return 0;
}
