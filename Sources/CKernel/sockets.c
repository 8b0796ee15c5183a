#include "CKernel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SCM_MAX = 64 };

ssize_t corral_send(int fd, const void *bytes, size_t count, const int *fds, int fd_count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(SCM_MAX * sizeof(int))];
    } control;
    if (fd_count > SCM_MAX) {
        errno = EINVAL;
        return -1;
    }
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE((size_t)fd_count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN((size_t)fd_count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, (size_t)fd_count * sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

ssize_t corral_receive(
    int fd, void *bytes, size_t capacity, int *fds, int *fd_count, bool *truncated)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(SCM_MAX * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = sizeof control.room,
    };
    int room = *fd_count;
    *fd_count = 0;
    // Without room the kernel drops them itself: closing one here would run the close of whatever
    // file system its sender chose, which may never return.
    if (room == 0) {
        message.msg_control = NULL;
        message.msg_controllen = 0;
    }
    *truncated = false;
    ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (n < 0)
        return -1;
    *truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    for (; header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int passed;
            memcpy(&passed, CMSG_DATA(header) + i * sizeof(int), sizeof passed);
            // A descriptor that nobody asked for must not stay open.
            if (*fd_count < room) {
                fds[(*fd_count)++] = passed;
            } else {
                close(passed);
                *truncated = true;
            }
        }
    }
    return n;
}

int corral_socketpair_seqpacket(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int unix_address(const char *path, struct sockaddr_un *address)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address->sun_path, path);
    return 0;
}

static int close_keeping_errno(int fd)
{
    int failure = errno;
    close(fd);
    errno = failure;
    return -1;
}

int corral_listen(const char *path, int backlog)
{
    struct sockaddr_un address;
    if (unix_address(path, &address) < 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, backlog) < 0)
        return close_keeping_errno(fd);
    return fd;
}

int corral_connect(const char *path)
{
    struct sockaddr_un address;
    if (unix_address(path, &address) < 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return close_keeping_errno(fd);
    return fd;
}

int corral_accept(int fd)
{
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

int corral_peer(int fd, pid_t *pid, uid_t *uid, gid_t *gid)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return -1;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

int corral_notify(const char *path, const char *text)
{
    struct sockaddr_un address;
    size_t length = strlen(path);
    if (unix_address(path, &address) < 0)
        return -1;
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    ssize_t n = sendto(
        fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    if (n < 0)
        return close_keeping_errno(fd);
    return close(fd);
}
