#include "CKernel.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

enum { SPAWN_FDS = 8, SAFE_FD = 64 };

int corral_set_dumpable(bool on)
{
    return prctl(PR_SET_DUMPABLE, on ? 1 : 0, 0, 0, 0);
}

int corral_seal_descriptors(void)
{
    return (int)syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
}

int corral_raise_descriptor_limit(uint64_t wanted, uint64_t *limit)
{
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now) < 0)
        return -1;
    if (now.rlim_cur < wanted) {
        now.rlim_cur = now.rlim_max < wanted ? now.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &now) < 0)
            return -1;
    }
    *limit = now.rlim_cur;
    return 0;
}

int corral_set_no_new_privileges(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int corral_set_parent_death_signal(int signal)
{
    return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0);
}

int corral_filter_system_calls(const void *instructions, size_t count)
{
    struct sock_fprog program = {
        .len = (unsigned short)count,
        .filter = (struct sock_filter *)instructions,
    };
    if (count == 0 || count > BPF_MAXINSNS) {
        errno = EINVAL;
        return -1;
    }
    // With TSYNC a thread that cannot follow is returned by its id, which is a failure too.
    long result = syscall(
        SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (result > 0)
        errno = EBUSY;
    return result == 0 ? 0 : -1;
}

int corral_assume_file_identity(uid_t uid, gid_t gid, const gid_t *groups, int count)
{
    // Groups first, while the capability to set them is still effective: a change of the file
    // system uid from 0 takes the file capabilities away (capabilities(7)).
    if (setgroups((size_t)count, groups) < 0)
        return -1;
    setfsgid(gid);
    setfsuid(uid);
    // The calls report no failure; asking with -1 returns what holds.
    if ((gid_t)setfsgid((gid_t)-1) != gid || (uid_t)setfsuid((uid_t)-1) != uid) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

pid_t corral_spawn(
    const char *path, const char *const *argv, const char *const *envp, const int *fds,
    int fd_count, int *pidfd)
{
    if (fd_count > SPAWN_FDS) {
        errno = EINVAL;
        return -1;
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    // Copies far above the targets, so that no dup2 overwrites a source still to come.
    int copies[SPAWN_FDS];
    int failure = 0, made = 0;
    for (; made < fd_count && !failure; made++) {
        copies[made] = fcntl(fds[made], F_DUPFD_CLOEXEC, SAFE_FD);
        failure = copies[made] < 0
            ? errno
            : posix_spawn_file_actions_adddup2(&actions, copies[made], 3 + made);
    }
    pid_t pid = -1;
    if (!failure)
        failure = posix_spawn(
            &pid, path, &actions, &attributes, (char *const *)argv, (char *const *)envp);
    for (int i = 0; i < made; i++)
        if (copies[i] >= 0)
            close(copies[i]);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failure) {
        errno = failure;
        return -1;
    }
    // Our own unreaped child: its pid cannot have been reused.
    *pidfd = corral_pidfd_open(pid);
    return *pidfd < 0 ? -1 : pid;
}

// The number of a namespace by its link, `kind:[number]`: unlike stat(2) that makes no inode of it.
// 0 for one that a process on its way out has let go.
static int namespace_number(int process, const char *kind, size_t length, uint64_t *number)
{
    char path[32], link[64];
    snprintf(path, sizeof path, "ns/%.*s", (int)length, kind);
    ssize_t size = readlinkat(process, path, link, sizeof link - 1);
    *number = 0;
    if (size < 0)
        return errno == ENOENT ? 0 : -1;
    link[size] = '\0';
    const char *at = strchr(link, '[');
    if (at)
        *number = strtoull(at + 1, NULL, 10);
    return 0;
}

static ssize_t read_status(int process, char *text, size_t capacity)
{
    int file = openat(process, "status", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    // The kernel writes it in one go.
    ssize_t size = read(file, text, capacity);
    int failure = errno;
    close(file);
    errno = failure;
    return size;
}

ssize_t corral_look(
    pid_t pid, const char *kinds, uint64_t *numbers, int count, char *status, size_t capacity)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", pid);
    int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0)
        return -1;
    ssize_t result = status ? read_status(process, status, capacity) : 0;
    for (int i = 0; i < count && result >= 0; i++) {
        size_t length = strcspn(kinds, " ");
        if (namespace_number(process, kinds, length, &numbers[i]) < 0)
            result = -1;
        kinds += length + (kinds[length] == ' ');
    }
    int failure = errno;
    close(process);
    errno = failure;
    return result;
}
