"""New namespaces, which open the kernel's least tested code, and those of others. H5, H7."""

import ctypes
import os
import signal

from attack import Stopped, attack, named
from kernel import call, evidence_of, in_child

NEWTIME, NEWNS, NEWCGROUP, NEWUTS = 0x80, 0x20000, 0x2000000, 0x4000000
NEWIPC, NEWUSER, NEWPID, NEWNET = 0x8000000, 0x10000000, 0x20000000, 0x40000000
KINDS = {"user": NEWUSER, "mount": NEWNS, "pid": NEWPID, "net": NEWNET, "ipc": NEWIPC,
         "uts": NEWUTS, "cgroup": NEWCGROUP, "time": NEWTIME}


def by_clone(flags):
    """Clones a process that ends at once; its pid."""
    pid = call("clone", flags | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


@attack("H7", "makes a user namespace with unshare")
def unshare_user(_):
    def act():
        before = os.readlink("/proc/self/ns/user")
        call("unshare", NEWUSER)
        return f"{before} became {os.readlink('/proc/self/ns/user')}"

    return evidence_of(in_child(act), "unshare")


@attack("H7", "makes a user namespace with clone")
def clone_user(_):
    return evidence_of(in_child(lambda: f"made process {by_clone(NEWUSER)}"), "clone")


@attack("H7", "makes a user namespace with clone, other bits set beside it")
def clone_user_hidden(_):
    # The kernel looks at the low 32 bits only; a filter that compares all 64 sees another number.
    flags = NEWUSER | 0x5A << 40 | 1 << 63
    return evidence_of(in_child(lambda: f"made process {by_clone(flags)}"), "clone")


@attack("H7", "makes a user namespace with clone3, whose flags no filter sees")
def clone3_user(_):
    def act():
        arguments = (ctypes.c_uint64 * 11)(NEWUSER, 0, 0, 0, signal.SIGCHLD)
        pid = call("clone3", ctypes.byref(arguments), 88)
        if pid == 0:
            os._exit(0)
        return f"made process {pid}"

    return evidence_of(in_child(act), "clone3")


@attack("H7", "makes a process in another cgroup with clone3")
def clone3_into_cgroup(_):
    def act():
        directory = os.open("/", os.O_PATH)
        arguments = (ctypes.c_uint64 * 11)(0x200000000, 0, 0, 0, signal.SIGCHLD)
        arguments[10] = directory
        return f"answered {call('clone3', ctypes.byref(arguments), 88)}"

    return evidence_of(in_child(act), "clone3")


@attack("H5", "makes a namespace of each other kind")
def unshare_each(_):
    refusals = {}
    for kind, flag in KINDS.items():
        ending = in_child(lambda: f"made a {kind} namespace, {call('unshare', flag)}")
        if not ending.signal and not ending.said.startswith("!"):
            return ending.said
        refusals.setdefault(ending.said[1:] or ending.text, []).append(kind)
    raise Stopped("; ".join(f"{why}: {' '.join(who)}" for why, who in refusals.items()))


@attack("H5", "makes a namespace of each other kind with clone")
def clone_each(_):
    refusals = {}
    for kind, flag in KINDS.items():
        if kind == "time":
            continue  # in clone(2) its bit is part of the exit signal
        ending = in_child(lambda: f"made a {kind} namespace in process {by_clone(flag)}")
        if not ending.signal and not ending.said.startswith("!"):
            return ending.said
        refusals.setdefault(ending.said[1:] or ending.text, []).append(kind)
    raise Stopped("; ".join(f"{why}: {' '.join(who)}" for why, who in refusals.items()))


@attack("H5", "joins the namespaces of another process")
def join_namespaces(_):
    refusals = {}
    for pid in (1, os.getppid(), "self"):
        for kind in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
            try:
                with open(f"/proc/{pid}/ns/{kind}", "rb") as namespace:
                    call("setns", namespace.fileno(), 0)
                return f"joined {kind} of {pid}"
            except OSError as error:
                refusals.setdefault(named(error), []).append(f"{pid}/{kind}")
    raise Stopped("; ".join(f"{why} at {len(who)}" for why, who in refusals.items()))


@attack("H5", "joins namespaces by a pidfd")
def join_by_pidfd(_):
    def act():
        pidfd = call("pidfd_open", os.getppid(), 0)
        return f"answered {call('setns', pidfd, NEWNET | NEWNS)}"

    return evidence_of(in_child(act), "setns")
