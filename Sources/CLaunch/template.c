// The zygote: one process per tree, already inside it. It waits for launches, clones, and never
// touches what a tool wrote.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "steps.h"

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
// the zygote waits in one that nobody has used, and its next child inherits it.
static bool network_is_fresh;

static int prepare_network(void)
{
    if (launch.plan.flags & CORRAL_LAUNCH_HOST_NETWORK || network_is_fresh
        || corral_is_left_out("network-namespace"))
        return 0;
    if (unshare(CLONE_NEWNET) < 0)
        return -1;
    network_is_fresh = true;
    return 0;
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

// The others are made in steps of their own, in an order that matters.
static unsigned long new_namespaces(void)
{
    static const struct {
        const char *name;
        unsigned long flag;
    } kinds[] = {
        {"sandbox-mount-namespace", CLONE_NEWNS},
        {"pid-namespace", CLONE_NEWPID},
        {"ipc-namespace", CLONE_NEWIPC},
        {"uts-namespace", CLONE_NEWUTS},
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
    if (prepare_network() < 0)
        return answer(socket, CORRAL_REPORT_FAILED, STEP_NETWORK_NAMESPACE, errno);
    int pidfd = -1;
    long pid = syscall(SYS_clone, flags, 0, &pidfd, 0, 0);
    if (pid < 0)
        return answer(socket, CORRAL_REPORT_FAILED, STEP_CLONE, errno);
    if (pid == 0)
        become_sandbox();
    corral_report_t report = {.kind = CORRAL_REPORT_CLONED, .pid = (int32_t)pid};
    int result = send_with_descriptor(socket, &report, pidfd);
    close(pidfd);
    // The child has this one now; the next gets another, made while nobody waits for it. A failure
    // is told by the launch that needs it.
    network_is_fresh = false;
    if (prepare_network() < 0)
        network_is_fresh = false;
    return result;
}

static int serve_one(int socket)
{
    int count;
    ssize_t n = receive(socket, datagram, &count);
    if (n == 0)
        return -1; // the supervisor let go
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
