#include "CKernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int corral_unshare_network(void)
{
    return unshare(CLONE_NEWNET);
}

int corral_enter_network(int descriptor)
{
    return setns(descriptor, CLONE_NEWNET);
}

int corral_netlink(int protocol)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
}

static int closed(int fd)
{
    int failure = errno;
    close(fd);
    errno = failure;
    return -1;
}

int corral_loopback_socket(bool v6, bool stream, uint16_t port, int backlog)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct sockaddr_in6 address6 = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(port),
        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
    };
    int kind = stream ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(v6 ? AF_INET6 : AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int bound = v6 ? bind(fd, (struct sockaddr *)&address6, sizeof address6)
                   : bind(fd, (struct sockaddr *)&address, sizeof address);
    if (bound < 0 || (stream && listen(fd, backlog) < 0))
        return closed(fd);
    return fd;
}
