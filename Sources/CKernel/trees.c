// Removing a tree by descriptor: no path that grows too long, no link that is followed.
#include "CKernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 64, // descriptors held at once; what lies deeper is moved up first
    PASSES_MAX = 4096,
};

static int empty(int directory, int top, int depth);

static int remove_entry(int directory, const char *name, int top, int depth)
{
    int child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0) {
        if (errno == ENOTDIR || errno == ELOOP)
            return unlinkat(directory, name, 0);
        return errno == ENOENT ? 0 : -1;
    }
    if (depth == DEPTH_MAX) {
        char moved[32];
        struct stat status;
        int result = fstat(child, &status);
        close(child);
        // Its own number, so that it meets no other; a later pass over the top finds it.
        snprintf(moved, sizeof moved, ".deep-%llx", (unsigned long long)status.st_ino);
        return result < 0 ? -1 : renameat(directory, name, top, moved);
    }
    int result = empty(child, top, depth + 1);
    int failure = errno;
    close(child);
    errno = failure;
    return result < 0 ? -1 : unlinkat(directory, name, AT_REMOVEDIR);
}

static int empty(int directory, int top, int depth)
{
    int copy = fcntl(directory, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return -1;
    DIR *entries = fdopendir(copy);
    if (!entries) {
        close(copy);
        return -1;
    }
    rewinddir(entries);
    int result = 0;
    struct dirent *entry;
    while (result == 0 && (entry = readdir(entries)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            result = remove_entry(directory, entry->d_name, top, depth);
    int failure = errno;
    closedir(entries);
    errno = failure;
    return result;
}

int corral_remove_tree(const char *path)
{
    int top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top < 0) {
        if (errno == ENOTDIR || errno == ELOOP)
            return unlink(path);
        return errno == ENOENT ? 0 : -1;
    }
    int result = -1;
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        if (empty(top, top, 1) < 0)
            break;
        result = rmdir(path);
        if (result == 0 || errno != ENOTEMPTY)
            break;
    }
    int failure = errno;
    close(top);
    errno = failure;
    return result;
}
