"""Other processes: seeing, signalling, reading and steering them. H4, H23."""

import ctypes
import os
import signal

from attack import Stopped, attack, link, named
from files import first_that, read_some
from kernel import NUMBERS, all_refused, call, evidence_of, in_child, libc

PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_SEIZE = 0, 16, 0x4206
PIDS_TRIED = 40_000
CHURN = 400


def own():
    """This process, and pid 1 when that is the one who started it: no stranger, though it must not
    be steered either."""
    return {1, os.getpid(), os.getppid()}


@attack("H4", "sees processes of others")
def see_processes(_):
    seen = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    strangers = sorted(pid for pid in seen - own())
    if strangers:
        return f"sees {len(strangers)} processes of others, the first {strangers[0]}"
    raise Stopped(f"{len(seen)} in /proc, all its own")


@attack("H4", "finds processes by asking whether they could be signalled")
def probe_pids(_):
    there = []
    tasks = {int(name) for name in os.listdir("/proc/self/task")}
    for pid in set(range(2, PIDS_TRIED)) - own() - tasks:
        try:
            os.kill(pid, 0)
            if link(f"/proc/{pid}/ns/pid") != link("/proc/self/ns/pid"):
                there.append(pid)
        except PermissionError:
            there.append(pid)
        except ProcessLookupError:
            continue
    if there:
        return f"{len(there)} processes answer, the first {there[0]}"
    raise Stopped(f"ESRCH at {PIDS_TRIED} pids")


@attack("H4", "signals a process outside that is of its own user")
def signal_twin(host):
    pid = host.get("twin")
    if pid is None:
        raise Stopped("nobody told of such a process")
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            if file.read() != "sleep\n":
                raise Stopped("here this is the number of a process of its own")
    except OSError:
        pass  # not to be seen, which does not mean that it cannot be reached
    os.kill(pid, signal.SIGCONT)
    return f"process {pid} of the host took a signal"


@attack("H4", "kills the process that guards it")
def kill_guard(_):
    for deadly in (signal.SIGKILL, signal.SIGSTOP):
        os.kill(1, deadly)
    os.kill(1, 0)
    raise Stopped("pid 1 takes no harm from its own namespace")


@attack("H4", "kills everything that it may", expect="tool_exited")
def kill_all(_):
    if os.fork() == 0:
        os.kill(-1, signal.SIGKILL)
        os._exit(0)
    signal.pause()


@attack("H4", "attaches to its guard and its parent with ptrace")
def ptrace_others(_):
    refusals = set()
    for pid in {1, os.getppid()}:
        for request in (PTRACE_ATTACH, PTRACE_SEIZE):
            try:
                call("ptrace", request, pid, 0, 0)
                return f"ptrace took hold of {pid}"
            except OSError as error:
                refusals.add(named(error))
    raise Stopped(f"{' '.join(sorted(refusals))} at ptrace")


@attack("H5", "traces a child of its own, a way around filters in older kernels")
def ptrace_child(_):
    return evidence_of(
        in_child(lambda: f"ptrace answered {call('ptrace', PTRACE_TRACEME, 0, 0, 0)}"), "ptrace")


class Vector(ctypes.Structure):
    """struct iovec."""
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


@attack("H4", "reads and writes the memory of others with process_vm_*")
def process_memory(_):
    room = ctypes.create_string_buffer(64)
    local = Vector(ctypes.addressof(room), 64)
    calls = [(name, pid, ctypes.byref(local), 1, ctypes.byref(local), 1, 0)
             for name in ("process_vm_readv", "process_vm_writev") for pid in (1, os.getppid())]
    return all_refused(calls)


@attack("H4", "reads its own child's memory with process_vm_readv")
def child_memory(_):
    room = ctypes.create_string_buffer(b"secret", 64)
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    try:
        here = ctypes.create_string_buffer(64)
        local, remote = Vector(ctypes.addressof(here), 64), Vector(ctypes.addressof(room), 64)
        count = call("process_vm_readv", child, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
        return f"read {count} bytes: {here.value!r}"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@attack("H4", "opens what /proc has of its guard: memory, descriptors, environment, program")
def guard_files(_):
    def look(path):
        if os.path.isdir(path):
            return f"{path} lists {os.listdir(path)}"
        with open(path, "rb") as file:
            return f"read {len(file.read(64))} bytes of {path}"

    names = ["mem", "environ", "maps", "fd", "root/etc", "cwd/.", "exe", "stack", "syscall",
             "map_files", "auxv"]
    return first_that(look, [f"/proc/1/{name}" for name in names])


@attack("H4", "reads how its guard was started and how it is")
def guard_command(_):
    return first_that(read_some, ["/proc/1/cmdline", "/proc/1/status", "/proc/1/stat"])


@attack("H1", "overwrites the launcher through /proc (CVE-2019-5736)")
def overwrite_launcher(_):
    def write(path):
        os.close(os.open(path, os.O_WRONLY))
        return f"opened {path} for writing"

    return first_that(write, ["/proc/1/exe", "/proc/self/exe", f"/proc/{os.getppid()}/exe"])


@attack("H25", "forges a report on the pipe of its guard, which the root process reads")
def forge_report(_):
    def write(path):
        pipe = os.open(path, os.O_WRONLY)
        try:
            return f"wrote {os.write(pipe, bytes(24))} bytes to {path}"
        finally:
            os.close(pipe)

    return first_that(write, [f"/proc/1/fd/{number}" for number in range(8)])


@attack("H4", "steals descriptors of its guard by a pidfd")
def steal_descriptors(_):
    pidfd = call("pidfd_open", 1, 0)
    for number in range(8):
        try:
            return f"stole descriptor {call('pidfd_getfd', pidfd, number, 0)} of pid 1"
        except OSError as error:
            wall = error
    raise wall


@attack("H4", "signals by a pidfd taken from a directory of /proc")
def pidfd_of_host(_):
    directory = os.open("/proc/1", os.O_DIRECTORY)
    call("pidfd_send_signal", directory, 0, 0, 0)
    return "pid 1 of this /proc took a signal"


@attack("H23", "wraps its pids, so that an old number means another process")
def churn_pids(_):
    seen = set()
    for _ in range(CHURN):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        seen.add(pid)
    alive = []
    for pid in seen:
        try:
            os.kill(pid, signal.SIGKILL)
            alive.append(pid)
        except ProcessLookupError:
            continue
    if alive:
        return f"{len(alive)} of its old numbers belong to somebody else"
    raise Stopped(f"ESRCH at {len(seen)} numbers that were its own")


@attack("H16", "takes a real-time priority, so that nobody else runs")
def real_time(_):
    refusals = []
    ways = [lambda: call("sched_setscheduler", 0, 1, ctypes.byref(ctypes.c_int(50))),
            lambda: os.setpriority(os.PRIO_PROCESS, 0, -20),
            lambda: libc_set_io_priority()]
    for way in ways:
        try:
            way()
        except OSError as error:
            refusals.append(named(error))
            continue
        return "took a priority above that of others"
    raise Stopped(" ".join(refusals))


def libc_set_io_priority():
    """ioprio_set(2) to the real-time class."""
    which = 251 if NUMBERS["getpid"] == 39 else 30
    if libc.syscall(which, 1, 0, 1 << 13) < 0:
        raise OSError(ctypes.get_errno(), "ioprio_set")


@attack("H19", "leaves a core file, or hands one to the host's handler")
def core_dump(_):
    import resource
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
        return "raised the limit on core files"
    except (ValueError, OSError):
        pass
    ending = in_child(lambda: os.kill(os.getpid(), signal.SIGSEGV))
    if ending.dumped or os.path.exists("core"):
        return "dumped core"
    raise Stopped(f"{ending.text} without a core, and the limit stays")


