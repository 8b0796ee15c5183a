// Pid 1 of a sandbox: confined like the tool, it starts the tool, reaps what is left behind,
// passes signals on, says how the tool ended, and takes the whole pid namespace with it.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

// Where a bare command name is looked for; the same as the tool's PATH.
static const char *const search_path[] = {"/usr/local/bin/", "/usr/bin/", "/bin/"};

int corral_send_report(int fd, const corral_report_t *report)
{
    // Below PIPE_BUF: written whole or not at all (pipe(7)).
    ssize_t n;
    do
        n = write(fd, report, sizeof *report);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *report ? 0 : -1;
}

static void report_failure(int fd, enum corral_step step, int error)
{
    corral_report_t report = {.kind = CORRAL_REPORT_FAILED, .step = step, .error = error};
    // Nobody is left to hear of a failure to report: the exit tells the same.
    if (corral_send_report(fd, &report) < 0)
        _exit(2);
}

static int execute(struct launch *launch)
{
    char *const *argv = (char *const *)launch->plan.arguments;
    char *const *envp = (char *const *)launch->plan.environment;
    if (strchr(argv[0], '/'))
        return execve(argv[0], argv, envp);
    int failure = ENOENT;
    for (size_t i = 0; i < sizeof search_path / sizeof *search_path; i++) {
        char path[512];
        size_t prefix = strlen(search_path[i]), length = strlen(argv[0]);
        if (prefix + length >= sizeof path)
            continue;
        memcpy(path, search_path[i], prefix);
        memcpy(path + prefix, argv[0], length + 1);
        execve(path, argv, envp);
        if (errno != ENOENT)
            failure = errno;
    }
    errno = failure;
    return -1;
}

// What pid 1 and its tool tell each other while they share their memory.
struct birth {
    struct launch *launch;
    enum corral_step failed;
    int error;
};

static enum corral_step become_tool(struct launch *launch)
{
    if (dup2(launch->input, 0) < 0 || dup2(launch->output, 1) < 0 || dup2(launch->errors, 2) < 0)
        return STEP_STANDARD_STREAMS;
    if (chdir(launch->plan.directory) < 0)
        return STEP_WORKING_DIRECTORY;
    // All that is left closes at exec, and nothing before: a failed exec is still told.
    if (!corral_is_left_out("close-descriptors")
        && syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
        return STEP_CLOSE_DESCRIPTORS;
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || execute(launch) < 0)
        return STEP_EXECUTE;
    return STEP_NONE;
}

static int be_born(void *argument)
{
    struct birth *birth = argument;
    birth->failed = become_tool(birth->launch);
    birth->error = errno;
    _exit(127);
}

// As vfork(2), but on a stack of its own: the tool borrows this process's memory until its exec, so
// that no page is copied for it, and this process waits until then, so that nothing has to tell.
static pid_t bear(struct birth *birth)
{
    static char stack[32 << 10] __attribute__((aligned(16)));
    pid_t tool = clone(be_born, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, birth);
    if (tool < 0) {
        birth->failed = STEP_FORK_TOOL;
        birth->error = errno;
    }
    return tool;
}

// Keeps only the status pipe, as 0: an end of the tool's pipes held here would hide its end of
// file.
static int close_all_but(int status)
{
    if (dup2(status, 0) < 0 || fcntl(0, F_SETFD, FD_CLOEXEC) < 0)
        return -1;
    return (int)syscall(SYS_close_range, 1u, ~0u, 0u);
}

// Reaps everything; true when the tool itself has ended.
static bool reap(pid_t tool, corral_report_t *report)
{
    int status;
    pid_t pid;
    bool over = false;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != tool)
            continue;
        over = true;
        report->kind = CORRAL_REPORT_EXITED;
        report->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        report->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }
    return over;
}

// Passes a signal on as a terminal would: what its keys send goes to everybody in front of it,
// which here is everybody; the rest to the tool alone.
static void pass_on(pid_t tool, int signal)
{
    switch (signal) {
    case SIGTSTP:
        // No shell is in here to continue what it stops, so the kernel would ignore it.
        kill(-1, SIGSTOP);
        break;
    case SIGINT:
    case SIGQUIT:
    case SIGHUP:
    case SIGCONT:
    case SIGWINCH:
        kill(-1, signal);
        break;
    default:
        kill(tool, signal);
    }
}

static void watch(pid_t tool, int status)
{
    sigset_t all;
    sigfillset(&all);
    corral_report_t report = {0};
    while (!reap(tool, &report)) {
        siginfo_t info;
        int signal = sigwaitinfo(&all, &info);
        if (signal > 0 && signal != SIGCHLD && signal != SIGPIPE)
            pass_on(tool, signal);
    }
    _exit(corral_send_report(status, &report) < 0 ? 2 : 0);
}

void corral_init(struct launch *launch)
{
    if (launch->plan.flags & CORRAL_LAUNCH_WAIT) {
        corral_report_t report = {.kind = CORRAL_REPORT_WAITING, .error = launch->landlock};
        if (corral_send_report(launch->status, &report) < 0)
            _exit(2);
        enum corral_step failed = corral_await_command(launch);
        if (failed != STEP_NONE) {
            report_failure(launch->status, failed, errno);
            _exit(1);
        }
    }
    struct birth birth = {.launch = launch, .failed = STEP_NONE};
    pid_t tool = bear(&birth);
    if (birth.failed != STEP_NONE) {
        report_failure(launch->status, birth.failed, birth.error);
        _exit(1);
    }
    if (close_all_but(launch->status) < 0) {
        report_failure(launch->status, STEP_CLOSE_DESCRIPTORS, errno);
        _exit(1);
    }
    corral_report_t report = {.kind = CORRAL_REPORT_STARTED, .error = launch->landlock};
    if (corral_send_report(0, &report) < 0)
        _exit(2);
    watch(tool, 0);
    _exit(2);
}
