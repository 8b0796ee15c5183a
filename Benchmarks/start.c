/* Times /bin/true from request to reaped: as it is, behind bubblewrap's nearest equal walls, and in
   a full sandbox of Corral; one of each in turn.
       start RUNS BWRAP|- OURS|-
   OURS starts one sandbox for each byte on its stdin and answers a byte once it has been reaped. */
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

#define WARM_RUNS 10

extern char **environ;

static void die(const char *what)
{
    fprintf(stderr, "start: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t spawn_once(char **words)
{
    pid_t pid;
    int status;
    uint64_t began = now_ns();

    errno = posix_spawn(&pid, words[0], NULL, NULL, words, environ);
    if (errno != 0)
        die(words[0]);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("a run failed");
    return now_ns() - began;
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

static uint64_t service_once(struct service service)
{
    char byte = 's';
    uint64_t began = now_ns();

    if (write(service.to, &byte, 1) != 1 || read(service.from, &byte, 1) != 1)
        die("our starter ended");
    return now_ns() - began;
}

int main(int count, char **words)
{
    if (count != 4)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    char *direct[] = {"/bin/true", NULL};
    char *bwrap[] = {
        words[2], "--unshare-all", "--die-with-parent", "--new-session",
        "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib64", "/lib64",
        "--symlink", "usr/lib", "/lib", "--symlink", "usr/bin", "/bin",
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
        "--cap-drop", "ALL", "--uid", "65534", "--gid", "65534",
        "/bin/true", NULL,
    };
    size_t runs = strtoul(words[1], NULL, 10);
    int has_bwrap = strcmp(words[2], "-") != 0, has_ours = strcmp(words[3], "-") != 0;
    struct samples plain = samples_make(runs), peer = samples_make(runs), ours = samples_make(runs);
    struct service service = {0};

    if (has_ours)
        service = serve(words[3]);
    for (size_t i = 0; i < runs + WARM_RUNS; i++) {
        uint64_t plain_ns = spawn_once(direct);
        uint64_t peer_ns = has_bwrap ? spawn_once(bwrap) : 0;
        uint64_t ours_ns = has_ours ? service_once(service) : 0;
        if (i < WARM_RUNS)
            continue;
        samples_add(&plain, plain_ns);
        if (has_bwrap)
            samples_add(&peer, peer_ns);
        if (has_ours)
            samples_add(&ours, ours_ns);
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
