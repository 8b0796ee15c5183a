// The sandbox, step by step, in the process that becomes its pid 1. The order is the point: each
// step says what must have happened before it, or must not yet.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "steps.h"

int corral_write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    int failure = errno;
    close(fd);
    errno = failure;
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

int corral_join_cgroups(const int *groups, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (write(groups[i], "0", 1) != 1)
            return -1;
    return 0;
}

static int join_cgroups(struct launch *launch)
{
    // One that was born in its group is there already.
    return launch->plan.flags & CORRAL_LAUNCH_BORN_IN_GROUP
        ? 0
        : corral_join_cgroups(launch->groups, launch->plan.group_count);
}

static int cgroup_namespace(struct launch *launch)
{
    (void)launch;
    return unshare(CLONE_NEWCGROUP);
}

static int mount_proc(struct launch *launch)
{
    (void)launch;
    // subset=pid leaves no /proc/sys, no keys, no kallsyms: nothing to mask (proc(5)).
    char options[32];
    corral_put(
        corral_put(options, corral_is_left_out("proc-hidepid") ? "hidepid=0" : "hidepid=2"),
        corral_is_left_out("proc-subset") ? "" : ",subset=pid");
    return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, options);
}

// A limit; 0, which is none to tmpfs, where a test leaves it out.
static uint64_t unless_left_out(const char *wall, uint64_t limit)
{
    return corral_is_left_out(wall) ? 0 : limit;
}

static int scratch_directory(const char *path, unsigned mode, uint64_t uid, const char *target)
{
    if (mkdir(path, mode) < 0 || chmod(path, mode) < 0
        || chown(path, (uid_t)uid, (gid_t)uid) < 0)
        return -1;
    return mount(path, target, NULL, MS_BIND, NULL);
}

static int mount_scratch(struct launch *launch)
{
    char options[128], *at = corral_put(options, "mode=0700,size=");
    at = corral_put_number(at, unless_left_out("scratch-size", launch->plan.scratch_bytes));
    at = corral_put(at, ",nr_inodes=");
    corral_put_number(at, unless_left_out("scratch-inodes", launch->plan.scratch_inodes));
    unsigned long flags = (corral_is_left_out("scratch-nosuid") ? 0 : MS_NOSUID)
        | (corral_is_left_out("scratch-nodev") ? 0 : MS_NODEV);
    if (mount("scratch", "/scratch", "tmpfs", flags, options) < 0)
        return -1;
    // One tmpfs, so that one limit holds for all three. Where it is mounted only root may go: it
    // stays, since an umount here waits for every processor (synchronize_rcu_expedited).
    uint64_t uid = launch->plan.uid;
    if (scratch_directory("/scratch/tmp", 01777, uid, "/tmp") < 0
        || scratch_directory("/scratch/home", 0700, uid, "/home/tool") < 0
        || scratch_directory("/scratch/shm", 01777, uid, "/dev/shm") < 0)
        return -1;
    return 0;
}

// After the scratch, because a tree may lie below /tmp or /home.
static int mount_trees(struct launch *launch)
{
    for (size_t i = 0; i < launch->plan.tree_count; i++) {
        const char *target = launch->plan.trees[i];
        struct stat found;
        if (stat(target, &found) < 0 && corral_make_path(AT_FDCWD, target, 0755) < 0)
            return -1;
        if (syscall(
                SYS_move_mount, launch->trees[i], "", AT_FDCWD, target,
                MOVE_MOUNT_F_EMPTY_PATH) < 0)
            return -1;
    }
    return 0;
}

static int set_hostname(struct launch *launch)
{
    return sethostname(launch->plan.hostname, strlen(launch->plan.hostname));
}

static int session(struct launch *launch)
{
    (void)launch;
    umask(022);
    return setsid() < 0 ? -1 : 0; // no controlling terminal
}

static int keyring(struct launch *launch)
{
    (void)launch;
    // Keyrings are in no namespace: a fresh, empty one, or the tool finds the supervisor's.
    return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ? -1 : 0;
}

static int oom_score(struct launch *launch)
{
    (void)launch;
    // Written with CAP_SYS_RESOURCE, or the tool could take it back, down to what corrald was
    // started with: at -1000 nothing ends a sandbox that meets its memory limit.
    return corral_write_file("/proc/self/oom_score_adj", "500");
}

static int drop_groups(struct launch *launch)
{
    (void)launch;
    return setgroups(0, NULL);
}

static int drop_user(struct launch *launch)
{
    uid_t uid = (uid_t)launch->plan.uid;
    if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
        return -1;
    uid_t real, effective, saved;
    if (getresuid(&real, &effective, &saved) < 0)
        return -1;
    if (real != uid || effective != uid || saved != uid) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

static int user_namespace(struct launch *launch)
{
    (void)launch;
    return unshare(CLONE_NEWUSER);
}

static int map_ids(struct launch *launch)
{
    char map[64], *at = corral_put(corral_put_number(map, CORRAL_INNER_ID), " ");
    corral_put(corral_put_number(at, launch->plan.uid), " 1");
    // The files of /proc/self belong to root unless the process is dumpable; it is so only here.
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
        return -1;
    if (corral_write_file("/proc/self/setgroups", "deny") < 0
        || corral_write_file("/proc/self/uid_map", map) < 0
        || corral_write_file("/proc/self/gid_map", map) < 0
        // Else the tool may write it itself, once, and everything (user_namespaces(7)).
        || corral_write_file("/proc/self/projid_map", map) < 0)
        return -1;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int drop_capabilities(struct launch *launch)
{
    (void)launch;
    return corral_drop_all_capabilities();
}

static int lock_securebits(struct launch *launch)
{
    (void)launch;
    return prctl(
        PR_SET_SECUREBITS,
        SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP
            | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED
            | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
        0, 0, 0);
}

static int die_with_supervisor(struct launch *launch)
{
    (void)launch;
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static int no_new_privileges(struct launch *launch)
{
    (void)launch;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int corral_load_filter(const uint64_t *instructions, size_t count)
{
    struct sock_fprog program = {
        .len = (unsigned short)count,
        .filter = (struct sock_filter *)instructions,
    };
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int system_call_filter(struct launch *launch)
{
    return corral_load_filter(launch->tree->filter, launch->tree->filter_count);
}

static const struct launch_step steps[] = {
    {STEP_JOIN_CGROUPS, join_cgroups}, // first: all that follows is charged to the sandbox
    {STEP_CGROUP_NAMESPACE, cgroup_namespace}, // after joining: its root is where we are now
    {STEP_MOUNT_PROC, mount_proc},             // in the new pid namespace
    {STEP_MOUNT_SCRATCH, mount_scratch},
    {STEP_MOUNT_TREES, mount_trees},
    {STEP_HOSTNAME, set_hostname},
    {STEP_SESSION, session},
    {STEP_KEYRING, keyring},
    {STEP_OOM_SCORE, oom_score},
    {STEP_RESOURCE_LIMITS, corral_resource_limits},
    {STEP_DROP_GROUPS, drop_groups},           // before the uid: needs CAP_SETGID
    {STEP_DROP_USER, drop_user},               // takes all capabilities on the host away
    {STEP_USER_NAMESPACE, user_namespace},     // last namespace: it owns none of the others
    {STEP_MAP_IDS, map_ids},
    {STEP_LOCK_SECUREBITS, lock_securebits},   // while CAP_SETPCAP in the new namespace is there
    {STEP_DROP_CAPABILITIES, drop_capabilities}, // after unshare, which refills the bounding set
    {STEP_DIE_WITH_SUPERVISOR, die_with_supervisor}, // after setresuid, which clears it
    {STEP_NO_NEW_PRIVILEGES, no_new_privileges},
    {STEP_LANDLOCK, corral_landlock},              // after the mounts, whose inodes it names
    // Last: it forbids most of the above. What no step needs is forbidden since the zygote.
    {STEP_SYSTEM_CALL_FILTER, system_call_filter},
};

enum corral_step corral_confine(struct launch *launch)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (!corral_is_left_out(corral_launch_step_name(steps[i].name))
            && steps[i].run(launch) < 0)
            return steps[i].name;
    return STEP_NONE;
}
