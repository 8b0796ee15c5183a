"""System calls by the doors of other architectures, where numbers mean something else. H6."""

import ctypes
import mmap
import platform

from attack import Stopped, attack
from kernel import evidence_of, in_child

X32 = 0x40000000


def machine_code(code):
    """Runs bytes of machine code and answers what it returns."""
    if platform.machine() != "x86_64":
        raise Stopped("this architecture has no such door")
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    run = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    result = run()
    if -4096 < result < 0:
        error = OSError(-result, "refused")
        error.call = "the other door"
        raise error
    return result


def by_int80(number, argument):
    # push rbx; mov eax, NUMBER; mov ebx, ARGUMENT; int 0x80; movsxd rax, eax; pop rbx; ret
    return machine_code(
        b"\x53\xb8" + number.to_bytes(4, "little") + b"\xbb" + argument.to_bytes(4, "little")
        + b"\xcd\x80\x48\x63\xc0\x5b\xc3")


def by_syscall(number, argument):
    # mov eax, NUMBER; mov edi, ARGUMENT; syscall; ret
    return machine_code(
        b"\xb8" + number.to_bytes(4, "little") + b"\xbf" + argument.to_bytes(4, "little")
        + b"\x0f\x05\xc3")


@attack("H6", "calls by int 0x80, the 32-bit door")
def int80(_):
    # 20 is getpid there; here it is writev.
    return evidence_of(in_child(lambda: f"getpid is {by_int80(20, 0)}"), "int 0x80")


@attack("H6", "makes a user namespace by int 0x80")
def int80_unshare(_):
    return evidence_of(in_child(lambda: f"unshare answered {by_int80(310, 0x10000000)}"),
                       "int 0x80")


@attack("H6", "calls by x32, the other 64-bit door")
def x32(_):
    return evidence_of(in_child(lambda: f"getpid is {by_syscall(X32 | 39, 0)}"), "x32")


@attack("H6", "makes a user namespace by x32")
def x32_unshare(_):
    return evidence_of(
        in_child(lambda: f"unshare answered {by_syscall(X32 | 272, 0x10000000)}"), "x32")


@attack("H6", "uses the numbers that only x32 has")
def x32_own_numbers(_):
    # 512 to 547 exist in x32 alone; kernels before 5.4 also took them without its bit.
    def act():
        for number in range(512, 548):
            try:
                by_syscall(number, 0)
            except OSError as error:
                if error.errno != 38:
                    return f"call {number} was let in: errno {error.errno}"
        raise Stopped("ENOSYS at 512 to 547")

    return evidence_of(in_child(act), "x32")
