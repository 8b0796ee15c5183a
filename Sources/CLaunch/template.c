// The zygote: one process per tree, already inside it. It waits for launches, clones, and never
// touches what a tool wrote.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "steps.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

// Static, so that nothing is allocated between a request and its exec.
static uint8_t datagram[CORRAL_PLAN_BYTES];
static uint8_t template_bytes[CORRAL_PLAN_BYTES];
static corral_template_t tree;
static struct launch launch;
static int descriptors[CORRAL_PLAN_DESCRIPTORS];

static int send_with_descriptor(int socket, const corral_report_t *report, int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)report, .iov_len = sizeof *report};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = sizeof control.room;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof *report ? 0 : -1;
}

static int answer(int socket, uint32_t kind, enum corral_step step, int error)
{
    corral_report_t report = {.kind = kind, .step = step, .error = error};
    return send_with_descriptor(socket, &report, -1);
}

// Receives one datagram and its descriptors; 0 at the end, -1 when it did not fit.
static ssize_t receive(int socket, uint8_t *bytes, int *count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(CORRAL_PLAN_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = CORRAL_PLAN_BYTES};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = sizeof control.room,
    };
    *count = 0;
    ssize_t n;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(descriptors, CMSG_DATA(header), (size_t)*count * sizeof(int));
    }
    return n > 0 && message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -1 : n;
}

static bool adopt_descriptors(int count)
{
    size_t groups = launch.plan.group_count, trees = launch.plan.tree_count;
    if ((size_t)count != 4 + groups + trees)
        return false;
    launch.input = descriptors[0];
    launch.output = descriptors[1];
    launch.errors = descriptors[2];
    launch.status = descriptors[3];
    memcpy(launch.groups, descriptors + 4, groups * sizeof(int));
    memcpy(launch.trees, descriptors + 4 + groups, trees * sizeof(int));
    return true;
}

// A network namespace takes half a millisecond to make, more than all other namespaces together:
// the zygote waits in namespaces that nobody has used, and its next child inherits them.
static bool spaces_are_fresh;
// Of the zygote, on the host's /proc: only there can the clocks of a time namespace be set.
static int clock_offsets = -1;

static enum corral_step prepare_spaces(void)
{
    static const struct {
        enum corral_step step;
        const char *wall;
        int flag;
        uint64_t kept_by; // a flag of the launch
    } spaces[] = {
        {STEP_NETWORK_NAMESPACE, "network-namespace", CLONE_NEWNET, CORRAL_LAUNCH_HOST_NETWORK},
        {STEP_CLONE, "ipc-namespace", CLONE_NEWIPC, 0},
        {STEP_CLONE, "uts-namespace", CLONE_NEWUTS, 0},
        {STEP_TIME_NAMESPACE, "time-namespace", CLONE_NEWTIME, CORRAL_LAUNCH_NO_TIME_NAMESPACE},
    };
    if (spaces_are_fresh)
        return STEP_NONE;
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        bool kept = launch.plan.flags & spaces[i].kept_by;
        if (!kept && !corral_is_left_out(spaces[i].wall) && unshare(spaces[i].flag) < 0)
            return spaces[i].step;
    }
    spaces_are_fresh = true;
    return STEP_NONE;
}

// The sandbox's clocks start from nothing: how long a host has run tells hosts apart. Needs
// CAP_SYS_TIME, and nobody born into the namespace yet (time_namespaces(7)).
static int start_clocks(void)
{
    struct timespec monotonic, boot;
    if (launch.plan.flags & CORRAL_LAUNCH_NO_TIME_NAMESPACE
        || corral_is_left_out("time-namespace"))
        return 0;
    if (clock_gettime(CLOCK_MONOTONIC, &monotonic) < 0
        || clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
        return -1;
    char offsets[96];
    int n = snprintf(
        offsets, sizeof offsets, "monotonic -%lld 0\nboottime -%lld 0\n",
        (long long)monotonic.tv_sec, (long long)boot.tv_sec);
    // The file takes no pwrite, and no write but at its beginning.
    return lseek(clock_offsets, 0, SEEK_SET) == 0 && write(clock_offsets, offsets, (size_t)n) == n
        ? 0
        : -1;
}

static void become_sandbox(void)
{
    enum corral_step failed = corral_confine(&launch);
    if (failed == STEP_NONE)
        corral_init(&launch);
    corral_report_t report = {
        .kind = CORRAL_REPORT_FAILED, .step = failed, .error = errno};
    _exit(corral_send_report(launch.status, &report) < 0 ? 2 : 1);
}

// The others are made ahead, or in steps of their own.
static unsigned long new_namespaces(void)
{
    static const struct {
        const char *name;
        unsigned long flag;
    } kinds[] = {
        {"sandbox-mount-namespace", CLONE_NEWNS},
        {"pid-namespace", CLONE_NEWPID},
    };
    unsigned long flags = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!corral_is_left_out(kinds[i].name))
            flags |= kinds[i].flag;
    return flags;
}

static int start(int socket)
{
    unsigned long flags = new_namespaces()
        | CLONE_PIDFD | CLONE_PARENT; // the supervisor's child: it reaps, and its death kills
    enum corral_step failed = prepare_spaces();
    if (failed == STEP_NONE && start_clocks() < 0)
        failed = STEP_TIME_NAMESPACE;
    if (failed != STEP_NONE)
        return answer(socket, CORRAL_REPORT_FAILED, failed, errno);
    int pidfd = -1;
    long pid = syscall(SYS_clone, flags, 0, &pidfd, 0, 0);
    if (pid < 0)
        return answer(socket, CORRAL_REPORT_FAILED, STEP_CLONE, errno);
    if (pid == 0)
        become_sandbox();
    // The child has these now; the next gets others.
    spaces_are_fresh = false;
    corral_report_t report = {.kind = CORRAL_REPORT_CLONED, .pid = (int32_t)pid};
    int result = send_with_descriptor(socket, &report, pidfd);
    close(pidfd);
    return result;
}

static int serve_one(int socket)
{
    int count;
    ssize_t n = receive(socket, datagram, &count);
    if (n == 0)
        return -1; // the supervisor let go
    if (n > 0 && corral_is_prepare(datagram, (size_t)n)) {
        // A failure is told by the launch that needs them.
        (void)prepare_spaces();
        return 0;
    }
    bool whole = n > 0 && corral_launch_read(datagram, (size_t)n, &launch.plan)
        && adopt_descriptors(count);
    int result = whole ? start(socket)
                       : answer(socket, CORRAL_REPORT_FAILED, STEP_READ_LAUNCH, EBADMSG);
    for (int i = 0; i < count; i++)
        close(descriptors[i]);
    return result;
}

int corral_launch_template(int socket)
{
    // All signals wait: a sandbox is born with them blocked, and its tool opens them before exec.
    sigset_t all;
    sigfillset(&all);
    pid_t supervisor = getppid();
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0
        || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || getppid() != supervisor)
        return 1;
    // Before the host's tree is gone; where there is none, the launch that needs it fails.
    clock_offsets = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    int count;
    ssize_t n = receive(socket, template_bytes, &count);
    for (int i = 0; i < count; i++)
        close(descriptors[i]);
    if (n <= 0)
        return 1;
    enum corral_step failed = STEP_READ_PLAN;
    errno = EBADMSG;
    if (corral_template_read(template_bytes, (size_t)n, &tree))
        failed = corral_build_tree(&tree);
    if (failed != STEP_NONE)
        return answer(socket, CORRAL_REPORT_FAILED, failed, errno) < 0 ? 2 : 1;
    launch.tree = &tree;
    if (answer(socket, CORRAL_REPORT_READY, STEP_NONE, 0) < 0)
        return 2;
    while (serve_one(socket) == 0)
        continue;
    return 0;
}
