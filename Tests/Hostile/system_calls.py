"""The rest of the kernel's surface: calls that no tool needs. H5, H8, H22."""

import ctypes
import os
import select
import signal

from attack import Stopped, attack, facts_of, named
from kernel import (NUMBERS, all_refused, call, call_number, evidence_of, in_child, knock, libc)

UNKNOWN = [499, 511, 600, 1000, 0x3FFFFFFF]


@attack("H5", "loads a program into the kernel")
def bpf(_):
    attributes = ctypes.create_string_buffer(128)
    return knock("bpf", 0, ctypes.byref(attributes), 128)


@attack("H5", "reads the kernel's counters")
def perf_event(_):
    attributes = ctypes.create_string_buffer(128)
    return knock("perf_event_open", ctypes.byref(attributes), 0, -1, -1, 0)


@attack("H5", "handles page faults itself, to hold the kernel in the middle of a call")
def userfaultfd(_):
    return all_refused([("userfaultfd", 0), ("userfaultfd", 1)])


@attack("H5", "boots another kernel")
def kexec(_):
    # EBADF and EINVAL would mean that only the arguments were wrong.
    return all_refused([("kexec_load", 0, 99, 0, 0), ("kexec_file_load", -1, -1, 0, b"", 0)])


@attack("H5", "loads and removes kernel modules")
def modules(_):
    return all_refused([("init_module", b"", 0, b""), ("finit_module", -1, b"", 0),
                        ("delete_module", b"no_such_module", 0x800)])


@attack("H5", "reboots the host")
def reboot(_):
    return knock("reboot", 0, 0, 0, 0)  # the magic numbers are wrong on purpose


@attack("H5", "switches swap, accounting and quotas")
def administer(_):
    return all_refused([
        ("swapon", b"/no/such/file", 0), ("swapoff", b"/no/such/file"),
        ("acct", b"/no/such/file"), ("quotactl", 0x800001 << 8, b"/no/such/file", 0, 0),
        ("quotactl_fd", -1, 0x800001 << 8, 0, 0), ("vhangup",)])


@attack("H5", "opens the ports of the hardware")
def hardware_ports(_):
    return all_refused([("iopl", 3), ("ioperm", 0x80, 1, 1)])


@attack("H5", "reads the kernel's log")
def kernel_log(_):
    room = ctypes.create_string_buffer(4096)
    return all_refused([("syslog", 3, ctypes.byref(room), 4096), ("syslog", 10, 0, 0)])


@attack("H5", "makes 16-bit segments and secret memory")
def odd_memory(_):
    room = ctypes.create_string_buffer(16)
    return all_refused([("modify_ldt", 0, ctypes.byref(room), 16), ("memfd_secret", 0)])


@attack("H5", "switches off the randomisation of addresses")
def personality(_):
    for value in (0x0040000, 0x0100000, 0x0400000, 0x40000 | 1 << 40):
        try:
            call("personality", value)
            if libc.personality(0xFFFFFFFF) & value & 0xFFFFFFFF:
                return f"personality is {libc.personality(0xFFFFFFFF):#x}"
        except OSError as error:
            wall = error
    raise wall


@attack("H5", "watches every file that anybody opens")
def fanotify(_):
    return knock("fanotify_init", 0, 0)


@attack("H5", "moves memory about on the host's nodes")
def memory_policy(_):
    return all_refused([
        ("mbind", 0, 0, 0, 0, 0, 0), ("set_mempolicy", 99, 0, 0), ("migrate_pages", 0, 0, 0, 0),
        ("move_pages", 0, 0, 0, 0, 0, 0), ("set_mempolicy_home_node", 0, 0, 0, 0)])


@attack("H5", "compares kernel objects and steals descriptors and advice of others")
def compare_and_steal(_):
    return all_refused([("kcmp", os.getpid(), os.getpid(), 0, 0, 0), ("pidfd_getfd", -1, 0, 0),
                        ("process_madvise", -1, 0, 0, 0, 0), ("lookup_dcookie", 0, b"", 0)])


@attack("H5", "calls numbers that no kernel has")
def unknown_numbers(_):
    for which in UNKNOWN:
        try:
            return f"call {which} answered {call_number(which, 0, 0, 0, 0, 0, 0)}"
        except OSError as error:
            if error.errno not in (38, 1):
                return f"call {which} was let in: errno {error.errno}"
    raise Stopped(f"ENOSYS at {len(UNKNOWN)} numbers")


@attack("H5", "hides a number's meaning in its upper half")
def wide_number(_):
    # Filter and kernel must look at the same 32 bits.
    def act():
        wide = NUMBERS["unshare"] | 1 << 32
        return f"answered {call_number(wide, 0x10000000, name='unshare + 2^32')}"

    return evidence_of(in_child(act), "unshare + 2^32")


@attack("H8", "sets up io_uring, whose work passes no filter")
def io_uring(_):
    room = ctypes.create_string_buffer(120)
    return all_refused([("io_uring_setup", 4, ctypes.byref(room)),
                        ("io_uring_enter", -1, 0, 0, 0, 0, 0), ("io_uring_register", -1, 0, 0, 0)])


class Filter(ctypes.Structure):
    """struct sock_filter."""
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte),
                ("k", ctypes.c_uint)]


class Program(ctypes.Structure):
    """struct sock_fprog."""
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(Filter))]


def install(action, flags=0):
    """Adds a filter that answers unshare with the action and lets everything else through."""
    lines = (Filter * 4)(Filter(0x20, 0, 0, 0), Filter(0x15, 0, 1, NUMBERS["unshare"]),
                         Filter(0x06, 0, 0, action), Filter(0x06, 0, 0, 0x7FFF0000))
    return call("seccomp", 1, flags, ctypes.byref(Program(4, lines)))


@attack("H22", "adds a filter that allows everything, to loosen the one it has")
def loosen_filter(_):
    def act():
        install(0x7FFF0000)
        return f"then unshare answered {call('unshare', 0x10000000)}"

    return evidence_of(in_child(act), "unshare")


@attack("H22", "adds a filter that asks itself and lets all its calls continue")
def notify_itself(_):
    def act():
        listener = install(0x7FC00000, 1 << 3)
        pid = os.fork()
        if pid == 0:
            os._exit(0 if libc.unshare(0x10000000) == 0 else 1)
        if not select.select([listener], [], [], 1)[0]:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise Stopped("the filter below answered before its own was asked")
        # SECCOMP_IOCTL_NOTIF_RECV and _SEND with the flag to continue.
        asked = ctypes.create_string_buffer(80)
        libc.ioctl(listener, ctypes.c_ulong(0xC0502100), ctypes.byref(asked))
        answer = ctypes.create_string_buffer(24)
        answer[0:8] = asked[0:8]
        answer[20:24] = (1).to_bytes(4, "little")
        libc.ioctl(listener, ctypes.c_ulong(0xC0182101), ctypes.byref(answer))
        os.close(listener)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            return "unshare went through"
        raise Stopped("the filter below its own refused unshare")

    return evidence_of(in_child(act), "seccomp")


@attack("H22", "takes its filter off")
def remove_filter(_):
    def act():
        refusal = "answered 0"
        try:
            call("prctl", 22, 0, 0, 0, 0)
        except OSError as error:
            refusal = named(error)
        if facts_of().get("Seccomp") == "0":
            return "no filter is in force"
        raise Stopped(f"{refusal} at prctl(PR_SET_SECCOMP, 0), and the filter is in force")

    return evidence_of(in_child(act), "prctl")
