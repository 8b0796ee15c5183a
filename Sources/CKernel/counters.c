#include "CKernel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int corral_read_counter(int fd, const char *name, uint64_t *value)
{
    // As long as the longest file with counters of ours, memory.events, can be.
    char text[512];
    ssize_t count = pread(fd, text, sizeof text - 1, 0);
    if (count < 0)
        return -1;
    text[count] = '\0';
    size_t length = strlen(name);
    const char *at = text;
    while (at && strncmp(at, name, length) != 0) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    at = at ? at + length : "";
    if (*at < '0' || *at > '9') {
        errno = EPROTO;
        return -1;
    }
    uint64_t number = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    *value = number;
    return 0;
}

int corral_reset_counter(int fd)
{
    return pwrite(fd, "0", 1, 0) == 1 ? 0 : -1;
}
