// The template: one private tree per policy and card, built once, sealed, entered for good.
// A sandbox starts as a copy of it, which costs microseconds instead of a mount for each entry.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "steps.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

// Descriptors of the host trees, opened before anything is mounted over them.
static int sources[CORRAL_PLAN_MOUNTS];

static int open_sources(corral_template_t *tree)
{
    for (size_t i = 0; i < tree->mount_count; i++) {
        sources[i] = (int)syscall(
            SYS_open_tree, AT_FDCWD, tree->mounts[i].source,
            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        if (sources[i] < 0)
            return -1;
    }
    return 0;
}

static int mount_namespace(corral_template_t *tree)
{
    (void)tree; // the table's signature; this step needs nothing of it
    return unshare(CLONE_NEWNS);
}

static int private_mounts(corral_template_t *tree)
{
    (void)tree;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int mount_root(corral_template_t *tree)
{
    if (mount("corral", tree->root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m") < 0)
        return -1;
    return chdir(tree->root);
}

int corral_make_path(int directory, const char *path, unsigned mode)
{
    char part[4096];
    size_t length = strlen(path);
    if (length >= sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(part, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char kept = part[i];
        part[i] = '\0';
        if (mkdirat(directory, part, mode) < 0 && errno != EEXIST)
            return -1;
        part[i] = kept;
    }
    return 0;
}

static int make_directories(corral_template_t *tree)
{
    for (size_t i = 0; i < tree->directory_count; i++)
        if (corral_make_path(AT_FDCWD, tree->directories[i], 0755) < 0)
            return -1;
    return 0;
}

// Device files of our own on a tmpfs of their own: nothing of the host's /dev is mounted, so
// nothing there can be swapped for something else.
static int make_devices(corral_template_t *tree)
{
    static const struct {
        const char *path;
        unsigned minor;
    } devices[] = {
        {"dev/null", 3}, {"dev/zero", 5}, {"dev/full", 7}, {"dev/random", 8}, {"dev/urandom", 9},
    };
    (void)tree;
    if (mkdir("dev", 0755) < 0 && errno != EEXIST)
        return -1;
    if (mount("corral", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k") < 0)
        return -1;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        if (mknod(devices[i].path, S_IFCHR, makedev(1, devices[i].minor)) < 0)
            return -1;
        // By chmod, because mknod's mode is cut by the umask.
        if (chmod(devices[i].path, 0666) < 0)
            return -1;
    }
    if (mkdir("dev/shm", 01777) < 0 || symlink("/proc/self/fd", "dev/fd") < 0
        || symlink("/proc/self/fd/0", "dev/stdin") < 0
        || symlink("/proc/self/fd/1", "dev/stdout") < 0)
        return -1;
    return symlink("/proc/self/fd/2", "dev/stderr");
}

static int make_links(corral_template_t *tree)
{
    for (size_t i = 0; i < tree->link_count; i++)
        if (symlink(tree->links[i].content, tree->links[i].path) < 0)
            return -1;
    return 0;
}

static int write_files(corral_template_t *tree)
{
    for (size_t i = 0; i < tree->file_count; i++) {
        const char *text = tree->files[i].content;
        int fd = open(tree->files[i].path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
            return -1;
        ssize_t n = write(fd, text, strlen(text));
        if (close(fd) < 0 || n != (ssize_t)strlen(text))
            return -1;
    }
    return 0;
}

// The tree is not yet the root: its paths are relative to the working directory.
static const char *below(const char *path)
{
    while (*path == '/')
        path++;
    return path;
}

static int mount_point(const corral_mount_t *mount)
{
    const char *target = below(mount->target);
    if (!mount->file)
        return corral_make_path(AT_FDCWD, target, 0755);
    char parent[4096];
    const char *slash = strrchr(target, '/');
    if (slash) {
        snprintf(parent, sizeof parent, "%.*s", (int)(slash - target), target);
        if (corral_make_path(AT_FDCWD, parent, 0755) < 0)
            return -1;
    }
    int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    return fd < 0 ? -1 : close(fd);
}

static uint64_t tree_flags(const corral_mount_t *mount)
{
    bool writable = mount->writable || corral_is_left_out("tree-read-only");
    return (writable ? 0 : MOUNT_ATTR_RDONLY)
        | (corral_is_left_out("tree-nosuid") ? 0 : MOUNT_ATTR_NOSUID)
        | (corral_is_left_out("tree-nodev") ? 0 : MOUNT_ATTR_NODEV);
}

static int bind_trees(corral_template_t *tree)
{
    for (size_t i = 0; i < tree->mount_count; i++) {
        struct mount_attr attributes = {
            .attr_set = tree_flags(&tree->mounts[i]),
            // A clone stays a peer of what it was cloned from: what the host mounts there later
            // would appear here, without these flags.
            .propagation = MS_PRIVATE,
        };
        if (syscall(
                SYS_mount_setattr, sources[i], "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
                sizeof attributes) < 0)
            return -1;
        if (mount_point(&tree->mounts[i]) < 0)
            return -1;
        if (syscall(
                SYS_move_mount, sources[i], "", AT_FDCWD, below(tree->mounts[i].target),
                MOVE_MOUNT_F_EMPTY_PATH) < 0)
            return -1;
        close(sources[i]);
    }
    return 0;
}

// After the binds, whose mount points had to be made; the trees bound inside keep their own flags.
static int seal_root(corral_template_t *tree)
{
    (void)tree;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    if (syscall(SYS_mount_setattr, AT_FDCWD, "dev", 0, &attributes, sizeof attributes) < 0)
        return -1;
    return (int)syscall(SYS_mount_setattr, AT_FDCWD, ".", 0, &attributes, sizeof attributes);
}

static int pivot(corral_template_t *tree)
{
    (void)tree;
    // Both arguments "." (pivot_root(2), NOTES): the old root ends up over the new one, and goes.
    // chdir first: the working directory must be the mount, not the directory under it.
    if (chdir(tree->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return -1;
    if (umount2(".", MNT_DETACH) < 0)
        return -1;
    return chdir("/");
}

static int reduce_privilege(corral_template_t *tree)
{
    (void)tree;
    enum { CHOWN = 0, SETGID = 6, SETUID = 7, SETPCAP = 8, SYS_ADMIN = 21, SYS_RESOURCE = 24,
           SYS_TIME = 25 };
    return corral_keep_capabilities(
        1u << CHOWN | 1u << SETGID | 1u << SETUID | 1u << SETPCAP | 1u << SYS_ADMIN,
        // For the score that the kernel kills by, and the clocks; some hosts give them to nobody.
        1u << SYS_RESOURCE | 1u << SYS_TIME);
}

// Most of the filter, once for all that is cloned: loading it costs a sandbox a tenth of its start.
static int filter_ahead(corral_template_t *tree)
{
    return corral_load_filter(tree->ahead, tree->ahead_count);
}

static const struct template_step steps[] = {
    {STEP_OPEN_SOURCES, open_sources}, // before any mount of ours can hide one
    {STEP_MOUNT_NAMESPACE, mount_namespace},
    {STEP_PRIVATE_MOUNTS, private_mounts}, // before mounting: nothing may reach the host
    {STEP_MOUNT_ROOT, mount_root},
    {STEP_MAKE_DIRECTORIES, make_directories},
    {STEP_MAKE_DEVICES, make_devices},
    {STEP_MAKE_LINKS, make_links},
    {STEP_WRITE_FILES, write_files},
    {STEP_BIND_TREES, bind_trees},
    {STEP_SEAL_ROOT, seal_root}, // after the last mount point was made
    {STEP_PIVOT, pivot},         // the host's tree is gone from here on
    {STEP_REDUCE_PRIVILEGE, reduce_privilege},
    {STEP_SYSTEM_CALL_FILTER, filter_ahead}, // last: it forbids most of the above
};

enum corral_step corral_build_tree(corral_template_t *tree)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (!corral_is_left_out(corral_launch_step_name(steps[i].name))
            && steps[i].run(tree) < 0)
            return steps[i].name;
    return STEP_NONE;
}
