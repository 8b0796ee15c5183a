#include "CKernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

int corral_clone_tree(int fd)
{
    return (int)syscall(
        SYS_open_tree, fd, "",
        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
}

static int set_attributes(int tree, unsigned flags, struct mount_attr *attributes)
{
    return (int)syscall(
        SYS_mount_setattr, tree, "", AT_EMPTY_PATH | flags, attributes, sizeof *attributes);
}

int corral_restrict_tree(int tree, bool read_only)
{
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (read_only ? MOUNT_ATTR_RDONLY : 0),
        // A clone stays a peer of what it was cloned from (mount_namespaces(7)): mounts would pass
        // between host and sandbox, in both directions.
        .propagation = MS_PRIVATE,
    };
    return set_attributes(tree, AT_RECURSIVE, &attributes);
}

static int write_map(pid_t pid, const char *file, unsigned inside, unsigned outside)
{
    char path[64], line[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    int length = snprintf(line, sizeof line, "%u %u 1", inside, outside);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, line, (size_t)length);
    int failure = errno;
    close(fd);
    errno = failure;
    return n == length ? 0 : -1;
}

// A user namespace that maps one uid and one gid. It needs a process to be born in; that one
// only waits to be killed.
static int single_map_namespace(uid_t disk_uid, gid_t disk_gid, uid_t uid, gid_t gid)
{
    pid_t parent = getpid();
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid < 0)
        return -1;
    if (pid == 0) {
        // It must not outlive a supervisor that is killed right now.
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
            _exit(1);
        for (;;)
            pause();
    }
    int fd = -1;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
    if (write_map(pid, "uid_map", disk_uid, uid) == 0
        && write_map(pid, "gid_map", disk_gid, gid) == 0)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    int failure = errno;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    errno = failure;
    return fd;
}

int corral_map_tree(int tree, uid_t disk_uid, gid_t disk_gid, uid_t mapped_uid, gid_t mapped_gid)
{
    int namespace = single_map_namespace(disk_uid, disk_gid, mapped_uid, mapped_gid);
    if (namespace < 0)
        return -1;
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_IDMAP,
        .userns_fd = (uint64_t)namespace,
    };
    int result = set_attributes(tree, AT_RECURSIVE, &attributes);
    int failure = errno;
    close(namespace);
    errno = failure;
    return result;
}
