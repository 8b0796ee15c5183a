"""System calls by number, without the C library's own opinions of them."""

import ctypes
import os
import platform
import signal

from attack import LET_IN, Stopped, named

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

# Numbers by architecture (asm/unistd_64.h, asm-generic/unistd.h); from 424 on they are the same.
X86_64 = {
    "ioctl": 16, "socket": 41, "connect": 42, "clone": 56, "getpid": 39, "ptrace": 101,
    "syslog": 103, "personality": 135, "modify_ldt": 154, "pivot_root": 155, "prctl": 157,
    "adjtimex": 159, "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166,
    "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171,
    "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176, "quotactl": 179,
    "vhangup": 153, "lookup_dcookie": 212, "mbind": 237, "set_mempolicy": 238, "kexec_load": 246,
    "add_key": 248, "request_key": 249, "keyctl": 250, "migrate_pages": 256, "unshare": 272,
    "move_pages": 279, "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303,
    "open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310,
    "process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "seccomp": 317,
    "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323, "capset": 126, "capget": 125,
    "clock_settime": 227, "sched_setscheduler": 144, "setgroups": 116, "shmget": 29, "shmat": 30,
    "msgget": 68, "msgsnd": 69, "mq_open": 240, "mlock": 149, "getcwd": 79,
}
AARCH64 = {
    "ioctl": 29, "socket": 198, "connect": 203, "clone": 220, "getpid": 172, "ptrace": 117,
    "syslog": 116, "personality": 92, "pivot_root": 41, "prctl": 167, "adjtimex": 171,
    "chroot": 51, "acct": 89, "settimeofday": 170, "mount": 40, "umount2": 39, "swapon": 224,
    "swapoff": 225, "reboot": 142, "sethostname": 161, "setdomainname": 162, "init_module": 105,
    "delete_module": 106, "quotactl": 60, "vhangup": 58, "lookup_dcookie": 18, "mbind": 235,
    "set_mempolicy": 237, "kexec_load": 104, "add_key": 217, "request_key": 218, "keyctl": 219,
    "migrate_pages": 238, "unshare": 97, "move_pages": 239, "perf_event_open": 241,
    "fanotify_init": 262, "name_to_handle_at": 264, "open_by_handle_at": 265, "clock_adjtime": 266,
    "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272,
    "finit_module": 273, "seccomp": 277, "kexec_file_load": 294, "bpf": 280, "userfaultfd": 282,
    "capset": 91, "capget": 90, "clock_settime": 112, "sched_setscheduler": 119, "setgroups": 159,
    "shmget": 194, "shmat": 196, "msgget": 186, "msgsnd": 189, "mq_open": 180, "mlock": 228,
    "getcwd": 17,
}
COMMON = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431,
    "fsmount": 432, "fspick": 433, "pidfd_open": 434, "clone3": 435, "openat2": 437,
    "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443,
    "memfd_secret": 447, "set_mempolicy_home_node": 450,
}
NUMBERS = {**(X86_64 if platform.machine() == "x86_64" else AARCH64), **COMMON}


def number(name):
    if name not in NUMBERS:
        raise Stopped(f"{name}: this architecture has no such call")
    return NUMBERS[name]


def plain(argument):
    """An argument as the 64 bits that a register holds."""
    if isinstance(argument, bytes):
        return ctypes.c_char_p(argument)
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def call_number(which, *arguments, name=None):
    """A system call by number; OSError with `call` when the kernel refuses."""
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(which), *[plain(argument) for argument in arguments])
    if result < 0:
        error = OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        error.call = name or f"call {which}"
        raise error
    return result


def call(name, *arguments):
    """A system call by name."""
    return call_number(number(name), *arguments, name=name)


def knock(name, *arguments):
    """A call with arguments that do no harm, where permission is checked before they are: returns
    evidence when the kernel looked at them, else raises its refusal."""
    try:
        result = call(name, *arguments)
    except OSError as error:
        if named(error) in LET_IN:
            return f"{name} was let in: it answered {named(error)}"
        raise
    return f"{name} answered {result}"


def all_refused(calls):
    """Knocks with each (name, *arguments); evidence of the first that is let in, else Stopped."""
    refusals = {}
    for name, *arguments in calls:
        if name not in NUMBERS:
            continue
        try:
            return knock(name, *arguments)
        except OSError as error:
            refusals.setdefault(named(error), []).append(name)
    raise Stopped("; ".join(f"{why} at {', '.join(who)}" for why, who in refusals.items()))


class Ending:
    """How a child ended, and what it said before."""

    def __init__(self, status, said):
        self.exit = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        self.dumped = os.WCOREDUMP(status)
        self.said = said

    @property
    def text(self):
        return signal.Signals(self.signal).name if self.signal else f"exit status {self.exit}"


def in_child(action):
    """Runs an action that may kill its process in a child; what it returns comes back as text."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            said = str(action())
        except OSError as error:
            said = f"!{named(error)} at {getattr(error, 'call', None) or error.filename}"
        except Stopped as wall:
            said = f"!{wall}"
        os.write(writing, said.encode()[:4096])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    return Ending(os.waitpid(pid, 0)[1], said)


def evidence_of(ending, what):
    """The evidence that a child brought back, or Stopped with what stopped it."""
    if ending.signal:
        raise Stopped(f"{ending.text} at {what}")
    if ending.said.startswith("!"):
        raise Stopped(ending.said[1:])
    return ending.said
