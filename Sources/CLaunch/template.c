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

// Of the descriptors only those that are there go along.
static int send_with_descriptors(
    int socket, const corral_report_t *report, const int *fds, size_t count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)report, .iov_len = sizeof *report};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    size_t passed = 0;
    memset(&control, 0, sizeof control);
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            memcpy(CMSG_DATA(&control.header) + passed++ * sizeof(int), &fds[i], sizeof(int));
    if (passed > 0) {
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(passed * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(passed * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof *report ? 0 : -1;
}

static int answer(int socket, uint32_t kind, enum corral_step step, int error)
{
    corral_report_t report = {.kind = kind, .step = step, .error = error};
    return send_with_descriptors(socket, &report, NULL, 0);
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
    bool has_network = launch.plan.flags & CORRAL_LAUNCH_NETWORK;
    if ((size_t)count != 4 + groups + trees + has_network)
        return false;
    launch.network = has_network ? descriptors[count - 1] : -1;
    launch.input = descriptors[0];
    launch.output = descriptors[1];
    launch.errors = descriptors[2];
    launch.status = descriptors[3];
    memcpy(launch.groups, descriptors + 4, groups * sizeof(int));
    memcpy(launch.trees, descriptors + 4 + groups, trees * sizeof(int));
    return true;
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
    enum corral_step failed = corral_spaces_enter(&launch);
    if (failed != STEP_NONE)
        return answer(socket, CORRAL_REPORT_FAILED, failed, errno);
    int pidfd = -1;
    long pid = syscall(SYS_clone, flags, 0, &pidfd, 0, 0);
    if (pid < 0)
        return answer(socket, CORRAL_REPORT_FAILED, STEP_CLONE, errno);
    if (pid == 0)
        become_sandbox();
    corral_report_t report = {.kind = CORRAL_REPORT_CLONED, .pid = (int32_t)pid};
    int given[] = {pidfd, corral_spaces_used(&launch)};
    int result = send_with_descriptors(socket, &report, given, 2);
    for (size_t i = 0; i < 2; i++)
        if (given[i] >= 0)
            close(given[i]);
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
        launch.network = -1;
        (void)corral_spaces_prepare(&launch);
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
    // Before the host's tree is gone.
    corral_spaces_begin();
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
