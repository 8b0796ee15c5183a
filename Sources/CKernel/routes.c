#include "CKernel.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const int CORRAL_ROUTE_LOCAL = RTN_LOCAL;
const int CORRAL_ROUTE_BROADCAST = RTN_BROADCAST;
const int CORRAL_ROUTE_ANYCAST = RTN_ANYCAST;

int corral_route_socket(void)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&kernel, sizeof kernel) < 0) {
        int failure = errno;
        close(fd);
        errno = failure;
        return -1;
    }
    return fd;
}

// The kernel answers while it takes the question: what is not there at once never comes.
static int route_answer(int fd, uint32_t serial)
{
    union {
        struct nlmsghdr header;
        char room[2048];
    } answer;
    for (;;) {
        ssize_t n = recv(fd, &answer, sizeof answer, MSG_DONTWAIT);
        if (n < 0)
            return -1;
        if ((size_t)n < NLMSG_LENGTH(0) || answer.header.nlmsg_len > (size_t)n) {
            errno = EPROTO;
            return -1;
        }
        if (answer.header.nlmsg_seq != serial)
            continue; // left over from a question whose answer was not awaited
        const void *body = NLMSG_DATA(&answer.header);
        size_t length = answer.header.nlmsg_len - NLMSG_LENGTH(0);
        if (answer.header.nlmsg_type == RTM_NEWROUTE && length >= sizeof(struct rtmsg))
            return ((const struct rtmsg *)body)->rtm_type;
        if (answer.header.nlmsg_type == NLMSG_ERROR && length >= sizeof(struct nlmsgerr)) {
            int failure = -((const struct nlmsgerr *)body)->error;
            errno = failure > 0 ? failure : EPROTO;
            return -1;
        }
        errno = EPROTO;
        return -1;
    }
}

int corral_route_kind(int fd, uint32_t serial, const corral_endpoint_t *to)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr attribute;
        uint8_t address[16];
    } question;
    memset(&question, 0, sizeof question);
    size_t size = to->v6 ? 16 : 4;
    for (size_t i = 0; i < size; i++) {
        uint64_t word = i + 8 < size ? to->high : to->low;
        question.address[i] = (uint8_t)(word >> (8 * ((size - 1 - i) % 8)));
    }
    question.header.nlmsg_len = (uint32_t)(sizeof question - 16 + size);
    question.header.nlmsg_type = RTM_GETROUTE;
    question.header.nlmsg_flags = NLM_F_REQUEST;
    question.header.nlmsg_seq = serial;
    question.route.rtm_family = to->v6 ? AF_INET6 : AF_INET;
    question.route.rtm_dst_len = (uint8_t)(8 * size);
    question.attribute.rta_type = RTA_DST;
    question.attribute.rta_len = (unsigned short)RTA_LENGTH(size);
    if (send(fd, &question, question.header.nlmsg_len, MSG_DONTWAIT) < 0)
        return -1;
    return route_answer(fd, serial);
}
