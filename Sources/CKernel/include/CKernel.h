// The Linux names that Swift's Glibc module lacks, each a thin wrapper with the call's own
// conventions: -1 and errno on failure. The Swift module Kernel is their only caller.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#pragma clang assume_nonnull begin

// fcntl.h, unistd.h: calls that are variadic or hidden.
int corral_open(const char *path, int flags, mode_t mode);
int corral_openat(int directory, const char *path, int flags, mode_t mode);
// openat2(2) with O_CLOEXEC; `resolve` is a set of CORRAL_RESOLVE_*.
int corral_openat2(int directory, const char *path, int flags, uint64_t resolve);
int corral_pipe2(int ends[_Nonnull 2], int flags);
int corral_mkdirat(int directory, const char *path, mode_t mode);
int corral_set_nonblocking(int fd, bool on);
int corral_lock_exclusively(int fd); // flock(2) LOCK_EX | LOCK_NB
int corral_syncfs(int fd);
// The number after `name`, which a line of the file must begin with, or which is all of it when
// `name` is empty: a counter of a cgroup, read anew from its beginning, without an allocation.
// EPROTO for anything else.
int corral_read_counter(int fd, const char *name, uint64_t *value);
// Writes "0" at the beginning, which sets a memory peak back.
int corral_reset_counter(int fd);

extern const uint64_t CORRAL_RESOLVE_NO_SYMLINKS;
extern const uint64_t CORRAL_RESOLVE_NO_MAGICLINKS;
extern const uint64_t CORRAL_RESOLVE_BENEATH;
extern const int CORRAL_O_PATH;
extern const int CORRAL_O_DIRECTORY;
extern const int CORRAL_O_NOFOLLOW;

// epoll(7), signalfd(2), pidfd_open(2).
int corral_epoll_create(void);
int corral_epoll_add(int epoll, int fd, uint32_t events, uint64_t token);
int corral_epoll_remove(int epoll, int fd);
// Fills tokens and events; returns how many, at most `capacity`. -1 timeout waits for ever.
int corral_epoll_wait(int epoll, uint64_t *tokens, uint32_t *events, int capacity, int timeout_ms);
extern const uint32_t CORRAL_EPOLLIN;
extern const uint32_t CORRAL_EPOLLHUP;
extern const uint32_t CORRAL_EPOLLERR;
extern const uint32_t CORRAL_EPOLLPRI;
extern const uint32_t CORRAL_EPOLLOUT;
extern const uint32_t CORRAL_EPOLLRDHUP;
extern const uint32_t CORRAL_EPOLLET;
// Blocks the signals for the process and returns a descriptor that reads them.
int corral_signalfd(const int *signals, int count);
// The next pending signal's number, 0 when none is pending.
int corral_signalfd_read(int fd);
int corral_eventfd(void); // eventfd(2), non-blocking
int corral_pidfd_open(pid_t pid);
int corral_pidfd_signal(int pidfd, int signal);
// What the kernel says of a process: /proc/PID/status, whose length is returned, and the numbers of
// its namespaces by the names of /proc/PID/ns with a space between them; 0 for one that it has let
// go. Without `status` only the numbers are read.
ssize_t corral_look(
    pid_t pid, const char *kinds, uint64_t *numbers, int count, char *_Nullable status,
    size_t capacity);
// waitid(2) on a child's pidfd without blocking: 1 and the ending when it is over, 0 when it runs.
int corral_pidfd_wait(int pidfd, int *status, int *signal);

// unix(7): one datagram with descriptors (SCM_RIGHTS); all received ones are CLOEXEC.
ssize_t corral_send(
    int fd, const void *bytes, size_t count, const int *_Nullable fds, int fd_count);
// `fd_count` is how many fit on entry and how many came on return; sets *truncated when the
// message or its descriptors did not fit.
ssize_t corral_receive(
    int fd, void *bytes, size_t capacity, int *fds, int *fd_count, bool *truncated);
int corral_socketpair_seqpacket(int ends[_Nonnull 2]);
// A listening stream socket bound to `path`, CLOEXEC; the file must not exist.
int corral_listen(const char *path, int backlog);
int corral_connect(const char *path);
int corral_accept(int fd);
int corral_peer(int fd, pid_t *pid, uid_t *uid, gid_t *gid); // SO_PEERCRED
// One datagram to a systemd notification socket (sd_notify(3)); '@' starts an abstract name.
int corral_notify(const char *address, const char *message);

// ip(7), ipv6(7), tcp(7): an address and a port, both in this machine's byte order.
typedef struct {
    uint64_t high; // the first 64 bits of an IPv6 address
    uint64_t low;  // the last 64 bits of an IPv6 address; the 32 bits of an IPv4 one
    uint32_t scope; // the zone of a link-local IPv6 address
    uint16_t port;
    bool v6;
} corral_endpoint_t;
int corral_accept_internet(int listener); // non-blocking, as all of these are
// What the other side of an accepted connection dialled, before netfilter redirected it.
int corral_original_destination(int fd, bool v6, corral_endpoint_t *out);
// A stream that has begun to connect, without Nagle's delay; close(2) resets it.
int corral_dial(const corral_endpoint_t *to);
int corral_datagram_socket(const corral_endpoint_t *to);
int corral_set_no_delay(int fd);
int corral_reset_on_close(int fd, bool on); // SO_LINGER of 0 seconds
int corral_socket_failure(int fd); // SO_ERROR, which is cleared
int corral_set_pipe_capacity(int fd, int bytes); // fcntl(2) F_SETPIPE_SZ
ssize_t corral_splice(int from, int to, size_t count);
ssize_t corral_receive_from(int fd, void *bytes, size_t capacity, corral_endpoint_t *from);
ssize_t corral_send_to(int fd, const void *bytes, size_t count, const corral_endpoint_t *to);

// rtnetlink(7): the kind of the route to an address (RTN_*); -1 and the kernel's reason without
// one. `serial` tells one question from the next.
int corral_route_socket(void);
int corral_route_kind(int fd, uint32_t serial, const corral_endpoint_t *to);
extern const int CORRAL_ROUTE_LOCAL;
extern const int CORRAL_ROUTE_BROADCAST;
extern const int CORRAL_ROUTE_ANYCAST;
// network_namespaces(7): of the calling thread alone.
int corral_unshare_network(void);
int corral_enter_network(int descriptor);
// A netlink socket (netlink(7)), CLOEXEC.
int corral_netlink(int protocol);
// A socket bound to 127.0.0.1 or ::1 that does not block; a stream listens.
int corral_loopback_socket(bool v6, bool stream, uint16_t port, int backlog);

// prctl(2), credentials.
int corral_set_dumpable(bool on);
int corral_set_no_new_privileges(void);
// Makes every descriptor from 3 on CLOEXEC (close_range(2)).
int corral_seal_descriptors(void);
// Raises RLIMIT_NOFILE to `wanted` or the hard limit; *limit is what holds.
int corral_raise_descriptor_limit(uint64_t wanted, uint64_t *limit);
int corral_set_parent_death_signal(int signal);
// Loads a filter of `count` struct sock_filter for all threads (seccomp(2), TSYNC).
int corral_filter_system_calls(const void *instructions, size_t count);
// Sets the file system ids and groups (setfsuid(2), setgroups(2)); fails when they did not take.
int corral_assume_file_identity(uid_t uid, gid_t gid, const gid_t *_Nullable groups, int count);

// Starts a program with `fds` as its descriptors 3, 4, …; every other one is CLOEXEC by rule.
// Signals are reset to their defaults. Returns the pid; the caller owns *pidfd.
pid_t corral_spawn(
    const char *path, const char *_Nullable const *_Nonnull argv,
    const char *_Nullable const *_Nonnull envp, const int *_Nullable fds, int fd_count,
    int *pidfd);

// Mounts by descriptor: open_tree(2), mount_setattr(2).
// A detached clone of the tree that `fd` refers to, with everything mounted in it.
int corral_clone_tree(int fd);
// Makes a tree nosuid, nodev and, where asked, read-only, with all that is mounted in it, and cuts
// it off from mounts that are made where it was cloned from.
int corral_restrict_tree(int tree, bool read_only);
// Maps one owner of a detached tree: files of `disk` appear as `mapped`'s, and what `mapped`
// creates belongs to `disk` (mount_setattr(2), MOUNT_ATTR_IDMAP).
int corral_map_tree(int tree, uid_t disk_uid, gid_t disk_gid, uid_t mapped_uid, gid_t mapped_gid);

// Probes of the host; each undoes what it did. -1 and errno say why something cannot be had.
// Makes a namespace of a /proc/PID/ns kind in a child, in a user namespace of its own when asked.
int corral_probe_namespace(const char *kind, bool inside_user_namespace);
// Makes a user namespace in a child that has become `uid` (-1: is what it is), and uses a
// capability in it: EACCES when the namespace was made and the capability refused.
int corral_probe_user_namespace(int64_t uid);
// Makes a time namespace in a child and sets its clocks: EPERM without CAP_SYS_TIME.
int corral_probe_clocks(void);
// Whether a system call is there: openat2, pidfd_open, close_range, open_tree, move_mount,
// mount_setattr, seccomp (with SECCOMP_RET_KILL_PROCESS).
int corral_probe_call(const char *name);
// The ABI version of Landlock.
int corral_landlock_version(void);
bool corral_library_loads(const char *name);
// statfs(2): the file system's magic number and the bytes that an ordinary user could still write.
int corral_file_system(const char *path, uint64_t *type, uint64_t *free_bytes);

// The monotonic clock in microseconds (clock_gettime(2)).
uint64_t corral_monotonic_us(void);
// Wall clock in milliseconds since 1970.
uint64_t corral_wall_ms(void);
// getrandom(2): fills `bytes` wholly.
int corral_random(void *bytes, size_t count);
// readdir(3) over a directory, names joined by NUL into `names`; returns the length, -1 with
// errno ENOBUFS when they do not fit.
ssize_t corral_list(const char *path, char *names, size_t capacity);

// Removes a file, or a directory with all below it, following no link; 0 when it is not there.
int corral_remove_tree(const char *path);

typedef struct {
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    int64_t size;
    uint64_t device;
    uint64_t inode;
    int64_t changed_ns; // of the inode, since 1970
} corral_stat_t;
int corral_fstat(int fd, corral_stat_t *out);
int corral_lstat(const char *path, corral_stat_t *out);
int corral_stat(const char *path, corral_stat_t *out);

#pragma clang assume_nonnull end
