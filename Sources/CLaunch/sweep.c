// The sweeper: outlives a killed supervisor just long enough to remove what the kernel does not
// remove by itself, which are cgroup directories and half-made installations.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "steps.h"

enum {
    ROUNDS = 1000, // of 5 ms: five seconds for the kernel to end what was killed
    DEPTH_MAX = 64,
    // Where a file system discards freed blocks at once (ext4's discard), each removal waits for
    // the disk: a second and more for all of an installation, unless many wait at a time.
    HANDS = 8,
};

// Which hand this process is, and leaves what others remove; -1 for one that removes everything.
static int hand = -1;

static bool is_for_others(const char *name)
{
    unsigned sum = 0;
    for (const char *c = name; *c; c++)
        sum = sum * 31 + (unsigned char)*c;
    return hand >= 0 && sum % HANDS != (unsigned)hand;
}

// What waits for a limited disk cannot be killed before it has got what it asked for: each line of
// a limit begins with the number of its disk, and one that is written without a rate ends it.
static void let_go_of_disks(int group)
{
    static const struct {
        const char *file, *open;
    } limits[] = {
        {"io.max", "rbps=max wbps=max riops=max wiops=max"},
        {"blkio.throttle.read_bps_device", "0"},
        {"blkio.throttle.write_bps_device", "0"},
        {"blkio.throttle.read_iops_device", "0"},
        {"blkio.throttle.write_iops_device", "0"},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        int fd = openat(group, limits[i].file, O_RDWR | O_CLOEXEC);
        if (fd < 0)
            continue;
        char text[4096], line[128];
        ssize_t n = read(fd, text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = 0;
        unsigned major, minor;
        for (char *at = text; at && sscanf(at, "%u:%u", &major, &minor) == 2;) {
            int length =
                snprintf(line, sizeof(line), "%u:%u %s", major, minor, limits[i].open);
            // A disk that is gone holds nobody up.
            if (pwrite(fd, line, (size_t)length, 0) != length)
                break;
            at = strchr(at, '\n');
            at = at ? at + 1 : NULL;
        }
        close(fd);
    }
}

static void kill_members(int group)
{
    let_go_of_disks(group);
    // cgroup v2 ends all at once; v1 has no such file, and there each member is killed.
    int fd = openat(group, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (write(fd, "1", 1) == 1) {
            close(fd);
            return;
        }
        close(fd);
    }
    fd = openat(group, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *members = fd < 0 ? NULL : fdopen(fd, "r");
    if (!members)
        return;
    int pid;
    while (fscanf(members, "%d", &pid) == 1)
        if (pid > 1)
            kill(pid, SIGKILL);
    fclose(members);
}

enum kind { CGROUP, TREE };

// Removes what is in a directory, following no link; true when it is empty afterwards.
static bool empty_directory(int directory, enum kind kind, int depth)
{
    bool all = true;
    DIR *entries = depth < DEPTH_MAX ? fdopendir(dup(directory)) : NULL;
    if (!entries)
        return false;
    rewinddir(entries);
    struct dirent *entry;
    while ((entry = readdir(entries))) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, ".."))
            continue;
        int child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child >= 0) {
            if (kind == CGROUP)
                kill_members(child);
            bool emptied = empty_directory(child, kind, depth + 1);
            close(child);
            if (unlinkat(directory, name, AT_REMOVEDIR) < 0 || !emptied)
                all = all && errno == ENOENT;
        } else if (kind == TREE && (is_for_others(name) || unlinkat(directory, name, 0) < 0)) {
            all = false;
        }
    }
    closedir(entries);
    return all;
}

// Removes most of a tree with many hands; what they leave, and a hand that there is no process for,
// is no harm: all of it is gone over once more.
static void remove_together(const char *path)
{
    // Nothing is in it, and nothing needs a process for each hand.
    if (rmdir(path) == 0)
        return;
    for (int next = 0; next < HANDS; next++) {
        if (fork() != 0)
            continue;
        hand = next;
        int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (directory >= 0)
            empty_directory(directory, TREE, 0);
        _exit(0);
    }
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
}

static bool remove_tree(const char *path, enum kind kind)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return errno == ENOENT;
    if (kind == CGROUP)
        kill_members(directory);
    else
        remove_together(path);
    empty_directory(directory, kind, 0);
    close(directory);
    return rmdir(path) == 0 || errno == ENOENT;
}

static void wait_for_end(int lifeline)
{
    char byte;
    ssize_t n;
    do
        n = read(lifeline, &byte, 1);
    while (n > 0 || (n < 0 && errno == EINTR));
}

// argv: `cgroup:PATH` or `tree:PATH`, each removed with all below it.
int corral_launch_sweep(int lifeline, int count, char **argv)
{
    // A signal to the whole process group, as a terminal sends it, is not meant for this one.
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (setsid() < 0)
        return 1;
    wait_for_end(lifeline);
    bool clean = false;
    for (int round = 0; round < ROUNDS && !clean; round++) {
        clean = true;
        for (int i = 0; i < count; i++) {
            enum kind kind = strncmp(argv[i], "cgroup:", 7) ? TREE : CGROUP;
            // What lives in the cgroups may stand on a tree, and its lock says that it lives.
            if (kind == TREE && !clean)
                break;
            const char *path = strchr(argv[i], ':');
            clean = path && remove_tree(path + 1, kind) && clean;
        }
        if (!clean)
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return clean ? 0 : 1;
}
