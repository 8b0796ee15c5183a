#include "CKernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

const uint64_t CORRAL_RESOLVE_NO_SYMLINKS = RESOLVE_NO_SYMLINKS;
const uint64_t CORRAL_RESOLVE_NO_MAGICLINKS = RESOLVE_NO_MAGICLINKS;
const uint64_t CORRAL_RESOLVE_BENEATH = RESOLVE_BENEATH;
const int CORRAL_O_PATH = O_PATH;
const int CORRAL_O_DIRECTORY = O_DIRECTORY;
const int CORRAL_O_NOFOLLOW = O_NOFOLLOW;

int corral_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags | O_CLOEXEC, mode);
}

int corral_openat(int directory, const char *path, int flags, mode_t mode)
{
    return openat(directory, path, flags | O_CLOEXEC, mode);
}

int corral_openat2(int directory, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int corral_pipe2(int ends[2], int flags)
{
    return pipe2(ends, flags | O_CLOEXEC);
}

int corral_mkdirat(int directory, const char *path, mode_t mode)
{
    return mkdirat(directory, path, mode);
}

int corral_set_nonblocking(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -1;
    return fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

int corral_lock_exclusively(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB);
}

uint64_t corral_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t corral_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

int corral_random(void *bytes, size_t count)
{
    size_t done = 0;
    while (done < count) {
        ssize_t n = getrandom((char *)bytes + done, count - done, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

ssize_t corral_list(const char *path, char *names, size_t capacity)
{
    DIR *directory = opendir(path);
    if (!directory)
        return -1;
    size_t used = 0;
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(directory))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        size_t length = strlen(entry->d_name) + 1;
        if (used + length > capacity) {
            closedir(directory);
            errno = ENOBUFS;
            return -1;
        }
        memcpy(names + used, entry->d_name, length);
        used += length;
    }
    int failure = errno;
    closedir(directory);
    if (failure) {
        errno = failure;
        return -1;
    }
    return (ssize_t)used;
}

static void copy_stat(const struct stat *from, corral_stat_t *to)
{
    to->mode = from->st_mode;
    to->uid = from->st_uid;
    to->gid = from->st_gid;
    to->size = from->st_size;
    to->device = from->st_dev;
    to->inode = from->st_ino;
    to->changed_ns = (int64_t)from->st_ctim.tv_sec * 1000000000 + from->st_ctim.tv_nsec;
}

int corral_fstat(int fd, corral_stat_t *out)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -1;
    copy_stat(&status, out);
    return 0;
}

int corral_lstat(const char *path, corral_stat_t *out)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return -1;
    copy_stat(&status, out);
    return 0;
}

int corral_stat(const char *path, corral_stat_t *out)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return -1;
    copy_stat(&status, out);
    return 0;
}

int corral_syncfs(int fd)
{
    return syncfs(fd);
}
