// What this host can do, tried out: each probe leaves everything as it was.
#include "CKernel.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

// Runs `body` in a child, which shares nothing and allocates nothing; gives back its errno.
static int in_child(int (*body)(long), long argument)
{
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid < 0)
        return -1;
    if (pid == 0)
        _exit(body(argument) == 0 ? 0 : errno);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    // A filter around this process may kill instead of refusing.
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
    return errno == 0 ? 0 : -1;
}

static int make_namespace(long flags)
{
    return unshare((int)flags);
}

int corral_probe_namespace(const char *kind, bool inside_user_namespace)
{
    static const struct {
        const char *kind;
        int flag;
    } kinds[] = {
        {"mnt", CLONE_NEWNS}, {"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET}, {"ipc", CLONE_NEWIPC},
        {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return in_child(
                make_namespace, kinds[i].flag | (inside_user_namespace ? CLONE_NEWUSER : 0));
    errno = EINVAL;
    return -1;
}

static int set_clocks(long unused)
{
    (void)unused;
    static const char offsets[] = "monotonic 1 0\nboottime 1 0\n";
    if (unshare(CLONE_NEWTIME) < 0)
        return -1;
    int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    return write(fd, offsets, sizeof offsets - 1) == (ssize_t)sizeof offsets - 1 ? 0 : -1;
}

int corral_probe_clocks(void)
{
    return in_child(set_clocks, 0);
}

// As a sandbox does it: without privilege on the host, then with its own inside.
static int make_user_namespace(long uid)
{
    if (uid >= 0
        && (setgroups(0, NULL) < 0 || setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) < 0
            || setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0))
        return -1;
    if (unshare(CLONE_NEWUSER) < 0)
        return -1;
    if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) == 0)
        return 0;
    errno = EACCES;
    return -1;
}

int corral_probe_user_namespace(int64_t uid)
{
    return in_child(make_user_namespace, (long)uid);
}

// A call with arguments that cannot succeed exists when the kernel says so in another way.
static int exists(long result)
{
    return result < 0 && (errno == ENOSYS || errno == EPERM) ? -1 : 0;
}

static int opened(long fd)
{
    if (fd < 0)
        return -1;
    close((int)fd);
    return 0;
}

int corral_probe_call(const char *name)
{
    if (strcmp(name, "openat2") == 0) {
        struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
        return opened(syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how));
    }
    if (strcmp(name, "pidfd_open") == 0)
        return opened(syscall(SYS_pidfd_open, getpid(), 0));
    if (strcmp(name, "close_range") == 0)
        return (int)syscall(SYS_close_range, ~0u, ~0u, 0u);
    if (strcmp(name, "open_tree") == 0)
        return exists(syscall(SYS_open_tree, -1, "", 0u));
    if (strcmp(name, "move_mount") == 0)
        return exists(syscall(SYS_move_mount, -1, "", -1, "", 0u));
    if (strcmp(name, "mount_setattr") == 0)
        return exists(syscall(SYS_mount_setattr, -1, "", 0u, NULL, 0));
    if (strcmp(name, "seccomp") == 0) {
        uint32_t action = SECCOMP_RET_KILL_PROCESS;
        return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
    }
    errno = EINVAL;
    return -1;
}

int corral_landlock_version(void)
{
    enum { VERSION = 1 }; // LANDLOCK_CREATE_RULESET_VERSION
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION);
}

bool corral_library_loads(const char *name)
{
    void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
    return library && dlclose(library) == 0;
}

int corral_file_system(const char *path, uint64_t *type, uint64_t *free_bytes)
{
    struct statfs found;
    if (statfs(path, &found) < 0)
        return -1;
    *type = (uint64_t)(uint32_t)found.f_type;
    *free_bytes = (uint64_t)found.f_bavail * (uint64_t)found.f_bsize;
    return 0;
}
