#include "CKernel.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

// linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h, which clash with netinet/in.h.
enum { ORIGINAL_DESTINATION = 80 };

const uint32_t CORRAL_EPOLLOUT = EPOLLOUT;
const uint32_t CORRAL_EPOLLRDHUP = EPOLLRDHUP;
const uint32_t CORRAL_EPOLLET = EPOLLET;

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address_t;

static uint64_t load64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void store64(uint64_t value, uint8_t *bytes)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        bytes[i] = (uint8_t)value;
}

static socklen_t to_address(const corral_endpoint_t *endpoint, address_t *out)
{
    memset(out, 0, sizeof *out);
    if (!endpoint->v6) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(endpoint->port);
        out->v4.sin_addr.s_addr = htonl((uint32_t)endpoint->low);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(endpoint->port);
    out->v6.sin6_scope_id = endpoint->scope;
    store64(endpoint->high, out->v6.sin6_addr.s6_addr);
    store64(endpoint->low, out->v6.sin6_addr.s6_addr + 8);
    return sizeof out->v6;
}

static int from_address(const address_t *address, corral_endpoint_t *out)
{
    memset(out, 0, sizeof *out);
    if (address->any.sa_family == AF_INET) {
        out->port = ntohs(address->v4.sin_port);
        out->low = ntohl(address->v4.sin_addr.s_addr);
        return 0;
    }
    if (address->any.sa_family != AF_INET6) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    out->v6 = true;
    out->port = ntohs(address->v6.sin6_port);
    out->scope = address->v6.sin6_scope_id;
    out->high = load64(address->v6.sin6_addr.s6_addr);
    out->low = load64(address->v6.sin6_addr.s6_addr + 8);
    return 0;
}

int corral_accept_internet(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int corral_original_destination(int fd, bool v6, corral_endpoint_t *out)
{
    address_t address;
    socklen_t size = sizeof address;
    int level = v6 ? SOL_IPV6 : SOL_IP;
    memset(&address, 0, sizeof address);
    if (getsockopt(fd, level, ORIGINAL_DESTINATION, &address, &size) < 0)
        return -1;
    return from_address(&address, out);
}

static int close_keeping_errno(int fd)
{
    int failure = errno;
    close(fd);
    errno = failure;
    return -1;
}

int corral_set_no_delay(int fd)
{
    int on = 1;
    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int corral_reset_on_close(int fd, bool on)
{
    struct linger none = {.l_onoff = on, .l_linger = 0};
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

int corral_dial(const corral_endpoint_t *to)
{
    address_t address;
    socklen_t size = to_address(to, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (corral_set_no_delay(fd) < 0 || corral_reset_on_close(fd, true) < 0)
        return close_keeping_errno(fd);
    if (connect(fd, &address.any, size) < 0 && errno != EINPROGRESS)
        return close_keeping_errno(fd);
    return fd;
}

int corral_datagram_socket(const corral_endpoint_t *to)
{
    address_t address;
    socklen_t size = to_address(to, &address);
    int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, &address.any, size) < 0)
        return close_keeping_errno(fd);
    return fd;
}

int corral_socket_failure(int fd)
{
    int failure = 0;
    socklen_t size = sizeof failure;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
        return -1;
    return failure;
}

int corral_set_pipe_capacity(int fd, int bytes)
{
    return fcntl(fd, F_SETPIPE_SZ, bytes);
}

ssize_t corral_splice(int from, int to, size_t count)
{
    return splice(from, NULL, to, NULL, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

ssize_t corral_receive_from(int fd, void *bytes, size_t capacity, corral_endpoint_t *from)
{
    address_t address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    ssize_t n = recvfrom(fd, bytes, capacity, MSG_DONTWAIT, &address.any, &size);
    if (n >= 0 && from_address(&address, from) < 0)
        return -1;
    return n;
}

ssize_t corral_send_to(int fd, const void *bytes, size_t count, const corral_endpoint_t *to)
{
    address_t address;
    socklen_t size = to_address(to, &address);
    return sendto(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL, &address.any, size);
}
