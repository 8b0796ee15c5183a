// Datagrams with descriptors between corrald and the launcher (unix(7), SCM_RIGHTS).
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steps.h"

int corral_send_with_descriptors(
    int socket, const corral_report_t *report, const int *fds, size_t count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)report, .iov_len = sizeof *report};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    size_t passed = 0;
    memset(&control, 0, sizeof control);
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            memcpy(CMSG_DATA(&control.header) + passed++ * sizeof(int), &fds[i], sizeof(int));
    if (passed > 0) {
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(passed * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(passed * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof *report ? 0 : -1;
}

ssize_t corral_receive_plan(int socket, uint8_t *bytes, int *fds, int *count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(CORRAL_PLAN_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = CORRAL_PLAN_BYTES};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = sizeof control.room,
    };
    *count = 0;
    ssize_t n;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(header), (size_t)*count * sizeof(int));
    }
    return n > 0 && message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -1 : n;
}
