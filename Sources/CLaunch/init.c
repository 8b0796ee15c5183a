// Pid 1 of a sandbox: confined like the tool, it starts the tool, reaps what is left behind,
// passes signals on, says how the tool ended, and takes the whole pid namespace with it.
#include <errno.h>
#include <fcntl.h>
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

static enum corral_step become_tool(struct launch *launch)
{
    if (dup2(launch->input, 0) < 0 || dup2(launch->output, 1) < 0 || dup2(launch->errors, 2) < 0)
        return STEP_STANDARD_STREAMS;
    if (chdir(launch->plan.directory) < 0)
        return STEP_WORKING_DIRECTORY;
    // All that is left closes at exec; the pipe that reports a failed exec must live until then.
    if (!corral_is_left_out("close-descriptors")
        && syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
        return STEP_CLOSE_DESCRIPTORS;
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || execute(launch) < 0)
        return STEP_EXECUTE;
    return STEP_NONE;
}

// Keeps only the status pipe, as 0: an end of the tool's pipes held here would hide its end of
// file.
static int close_all_but(int status)
{
    if (dup2(status, 0) < 0 || fcntl(0, F_SETFD, FD_CLOEXEC) < 0)
        return -1;
    return (int)syscall(SYS_close_range, 1u, ~0u, 0u);
}

static int wait_for_exec(pid_t tool, int pipe, corral_report_t *report)
{
    ssize_t n;
    do
        n = read(pipe, report, sizeof *report);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return 0; // closed by exec
    if (n != (ssize_t)sizeof *report) {
        report->kind = CORRAL_REPORT_FAILED;
        report->step = STEP_EXECUTE;
        report->error = n < 0 ? errno : EIO;
    }
    while (waitpid(tool, NULL, 0) < 0 && errno == EINTR)
        continue;
    return -1;
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
    int exec_pipe[2];
    corral_report_t report = {0};
    pid_t tool = -1;
    if (pipe2(exec_pipe, O_CLOEXEC) == 0)
        tool = fork();
    if (tool < 0) {
        report_failure(launch->status, STEP_FORK_TOOL, errno);
        _exit(1);
    }
    if (tool == 0) {
        enum corral_step failed = become_tool(launch);
        report_failure(exec_pipe[1], failed, errno);
        _exit(127);
    }
    close(exec_pipe[1]);
    if (wait_for_exec(tool, exec_pipe[0], &report) < 0) {
        if (corral_send_report(launch->status, &report) < 0)
            _exit(2);
        _exit(1);
    }
    if (close_all_but(launch->status) < 0) {
        report_failure(launch->status, STEP_CLOSE_DESCRIPTORS, errno);
        _exit(1);
    }
    report.kind = CORRAL_REPORT_STARTED;
    report.error = launch->landlock;
    if (corral_send_report(0, &report) < 0)
        _exit(2);
    watch(tool, 0);
    _exit(2);
}
