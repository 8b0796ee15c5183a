#include "CKernel.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

const uint32_t CORRAL_EPOLLIN = EPOLLIN;
const uint32_t CORRAL_EPOLLHUP = EPOLLHUP;
const uint32_t CORRAL_EPOLLERR = EPOLLERR;
const uint32_t CORRAL_EPOLLPRI = EPOLLPRI;

enum { WAIT_MAX = 256 };

int corral_epoll_create(void)
{
    return epoll_create1(EPOLL_CLOEXEC);
}

int corral_epoll_add(int epoll, int fd, uint32_t events, uint64_t token)
{
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int corral_epoll_remove(int epoll, int fd)
{
    return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
}

int corral_epoll_wait(int epoll, uint64_t *tokens, uint32_t *events, int capacity, int timeout_ms)
{
    struct epoll_event ready[WAIT_MAX];
    int n = epoll_wait(epoll, ready, capacity < WAIT_MAX ? capacity : WAIT_MAX, timeout_ms);
    for (int i = 0; i < n; i++) {
        tokens[i] = ready[i].data.u64;
        events[i] = ready[i].events;
    }
    return n;
}

int corral_signalfd(const int *signals, int count)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++)
        sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int corral_signalfd_read(int fd)
{
    struct signalfd_siginfo info;
    ssize_t n = read(fd, &info, sizeof info);
    if (n == (ssize_t)sizeof info)
        return (int)info.ssi_signo;
    return n < 0 && errno != EAGAIN ? -1 : 0;
}

int corral_eventfd(void)
{
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

int corral_pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int corral_pidfd_signal(int pidfd, int signal)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int corral_pidfd_wait(int pidfd, int *status, int *signal)
{
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0)
        return -1;
    if (info.si_pid == 0)
        return 0;
    *status = info.si_code == CLD_EXITED ? info.si_status : -1;
    *signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    return 1;
}
