// The zygote: one process per tree, already inside it. It waits for launches, clones, and never
// touches what a tool wrote.
#include <errno.h>
#include <linux/sched.h>
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

static int answer(int socket, uint32_t kind, enum corral_step step, int error)
{
    corral_report_t report = {.kind = kind, .step = step, .error = error};
    return corral_send_with_descriptors(socket, &report, NULL, 0);
}

static bool adopt_descriptors(int count)
{
    size_t groups = launch.plan.group_count, trees = launch.plan.tree_count;
    bool waits = launch.plan.flags & CORRAL_LAUNCH_WAIT;
    bool has_network = launch.plan.flags & CORRAL_LAUNCH_NETWORK;
    size_t streams = waits ? 1 : 3;
    if ((size_t)count != streams + 1 + groups + trees + has_network)
        return false;
    const int *next = descriptors;
    if (waits) {
        launch.command = *next++;
    } else {
        launch.input = *next++;
        launch.output = *next++;
        launch.errors = *next++;
    }
    launch.status = *next++;
    memcpy(launch.groups, next, groups * sizeof(int));
    memcpy(launch.trees, next + groups, trees * sizeof(int));
    launch.network = has_network ? next[groups + trees] : -1;
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

// The uid of the sandbox whose groups the zygote has joined for it, or 0; and why it has not.
static uint64_t joined_for;
static int join_error;

static void prepare(uint64_t uid, size_t groups)
{
    // A failure is told by the launch that needs it.
    launch.network = -1;
    (void)corral_spaces_prepare(&launch);
    joined_for = 0;
    join_error = 0;
    if (groups == 0 || corral_is_left_out("join-cgroups"))
        return;
    if (corral_join_cgroups(descriptors, groups) == 0)
        joined_for = uid;
    else
        join_error = errno;
}

// A launch that relies on the groups of the zygote gets them or fails; each is used once.
static int check_groups(void)
{
    if (!(launch.plan.flags & CORRAL_LAUNCH_JOINED) || corral_is_left_out("join-cgroups"))
        return 0;
    if (joined_for != launch.plan.uid) {
        errno = join_error ? join_error : ESTALE;
        return -1;
    }
    joined_for = 0;
    return 0;
}

static long clone_sandbox(int *pidfd)
{
    struct clone_args arguments = {
        // The supervisor's child: it reaps, and its death kills.
        .flags = new_namespaces() | CLONE_PIDFD | CLONE_PARENT,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
    };
    if (launch.plan.flags & CORRAL_LAUNCH_BORN_IN_GROUP && !corral_is_left_out("join-cgroups")) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)launch.groups[0];
    }
    return syscall(SYS_clone3, &arguments, sizeof arguments);
}

static int start(int socket)
{
    corral_leave_out_for(&launch);
    if (check_groups() < 0)
        return answer(socket, CORRAL_REPORT_FAILED, STEP_JOIN_CGROUPS, errno);
    enum corral_step failed = corral_spaces_enter(&launch);
    if (failed != STEP_NONE)
        return answer(socket, CORRAL_REPORT_FAILED, failed, errno);
    int pidfd = -1;
    long pid = clone_sandbox(&pidfd);
    if (pid < 0)
        return answer(socket, CORRAL_REPORT_FAILED, STEP_CLONE, errno);
    if (pid == 0)
        become_sandbox();
    corral_report_t report = {.kind = CORRAL_REPORT_CLONED, .pid = (int32_t)pid};
    int given[] = {pidfd, corral_spaces_used(&launch)};
    int result = corral_send_with_descriptors(socket, &report, given, 2);
    for (size_t i = 0; i < 2; i++)
        if (given[i] >= 0)
            close(given[i]);
    return result;
}

static int serve_one(int socket)
{
    int count;
    ssize_t n = corral_receive_plan(socket, datagram, descriptors, &count);
    if (n == 0)
        return -1; // the supervisor let go
    int result = 0;
    uint64_t uid;
    size_t groups;
    if (n > 0 && corral_prepare_read(datagram, (size_t)n, &uid, &groups)) {
        if (groups == (size_t)count)
            prepare(uid, groups);
    } else if (n < 0 || !corral_is_close(datagram, (size_t)n)) {
        bool whole = n > 0 && corral_launch_read(datagram, (size_t)n, &launch.plan)
            && adopt_descriptors(count);
        result = whole ? start(socket)
                       : answer(socket, CORRAL_REPORT_FAILED, STEP_READ_LAUNCH, EBADMSG);
    }
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
    ssize_t n = corral_receive_plan(socket, template_bytes, descriptors, &count);
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
