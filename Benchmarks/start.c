/* Times starts: as they are, behind bubblewrap's nearest equal walls, and in a full sandbox of
   Corral; one of each in turn.
       start KIND RUNS BWRAP|- OURS|-
   KIND: true     /bin/true from request to reaped
         python   python from request to its first byte
         rate     /bin/true, two at a time, for half a second: how many
   OURS is told what to start by a byte on its stdin, and measures it where it is asked for
   (starter.c). Between two starts everybody has a
   while to tidy up what the last one left, so that nobody pays for another's. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "samples.h"

enum { WARM_RUNS = 10, PAUSE_US = 4000, WORDS = 40 };

extern char **environ;

static __attribute__((noreturn)) void die(const char *what)
{
    fprintf(stderr, "start: %s: %s\n", what, strerror(errno));
    exit(1);
}

static pid_t spawn(char **words, int output)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    if (output >= 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1);
    errno = posix_spawn(&pid, words[0], &actions, NULL, words, environ);
    if (errno != 0)
        die(words[0]);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void reap(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("a run failed");
}

static uint64_t until_reaped(char **words)
{
    uint64_t began = now_ns();
    reap(spawn(words, -1));
    return now_ns() - began;
}

static uint64_t until_first_byte(char **words)
{
    int ends[2];
    char byte;

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe");
    uint64_t began = now_ns();
    pid_t pid = spawn(words, ends[1]);
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1)
        die("no first byte");
    uint64_t time = now_ns() - began;
    reap(pid);
    close(ends[0]);
    return time;
}

/* Two at a time, each in a process of its own. */
static uint64_t in_half_a_second(char **words)
{
    int ends[2];
    uint64_t total = 0, part;
    uint64_t end = now_ns() + RATE_NS;
    pid_t runners[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe");
    for (int i = 0; i < 2; i++) {
        runners[i] = fork();
        if (runners[i] < 0)
            die("fork");
        if (runners[i] > 0)
            continue;
        for (part = 0; now_ns() < end; part++)
            until_reaped(words);
        _exit(write(ends[1], &part, sizeof part) != sizeof part);
    }
    close(ends[1]);
    while (read(ends[0], &part, sizeof part) == sizeof part)
        total += part;
    for (int i = 0; i < 2; i++)
        reap(runners[i]);
    close(ends[0]);
    return total;
}

struct service {
    pid_t pid;
    int to, from;
};

static struct service serve(char *program)
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
    return (struct service){pid, in[1], out[0]};
}

static uint64_t ask(struct service service, char what)
{
    uint64_t answer;

    if (write(service.to, &what, 1) != 1
        || read(service.from, &answer, sizeof answer) != sizeof answer)
        die("our starter ended");
    return answer;
}

/* What our sandbox has, as far as bubblewrap can. */
static void behind_bwrap(char *bwrap, char **words, char **out)
{
    char *const walls[] = {
        bwrap, "--unshare-all", "--die-with-parent", "--new-session",
        "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib64", "/lib64",
        "--symlink", "usr/lib", "/lib", "--symlink", "usr/bin", "/bin",
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
        "--cap-drop", "ALL", "--uid", "65534", "--gid", "65534",
    };
    size_t count = sizeof walls / sizeof *walls;
    memcpy(out, walls, sizeof walls);
    while ((out[count++] = *words++))
        continue;
}

int main(int count, char **arguments)
{
    if (count != 5)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    char *nothing[] = {"/bin/true", NULL};
    char *python[] = {"/usr/bin/python3", "-I", "-c", "print(1)", NULL};
    char kind = arguments[1][0];
    char **direct = kind == 'p' ? python : nothing;
    uint64_t (*measure)(char **) =
        kind == 'p' ? until_first_byte : kind == 'r' ? in_half_a_second : until_reaped;
    char *bwrap[WORDS];
    size_t runs = strtoul(arguments[2], NULL, 10), warm = kind == 'r' ? 1 : WARM_RUNS;
    int has_bwrap = strcmp(arguments[3], "-") != 0, has_ours = strcmp(arguments[4], "-") != 0;
    struct samples plain = samples_make(runs), peer = samples_make(runs), ours = samples_make(runs);
    struct service service = {0};

    behind_bwrap(arguments[3], direct, bwrap);
    if (has_ours)
        service = serve(arguments[4]);
    for (size_t i = 0; i < runs + warm; i++) {
        uint64_t plain_found = measure(direct);
        usleep(PAUSE_US);
        uint64_t peer_found = has_bwrap ? measure(bwrap) : 0;
        usleep(PAUSE_US);
        uint64_t our_found = has_ours ? ask(service, kind == 't' ? 's' : kind) : 0;
        usleep(PAUSE_US);
        if (i < warm)
            continue;
        samples_add(&plain, plain_found);
        if (has_bwrap)
            samples_add(&peer, peer_found);
        if (has_ours)
            samples_add(&ours, our_found);
    }
    samples_print(&plain, "posix_spawn", 0);
    samples_print(&peer, "bwrap", 0);
    samples_print(&ours, "corral", 0);
    if (has_ours) {
        kill(service.pid, SIGTERM);
        waitpid(service.pid, NULL, 0);
    }
    return 0;
}
