"""Bombs: processes, memory of every kind, processor, descriptors. H14, H15, H16, H17.

Each has an end of its own, in case a wall is missing: a failed test must not take the host down.
`enough` of the host's facts brings that end nearer, for tests that take the wall away.
"""

import ctypes
import mmap
import os
import resource
import signal
import socket
import sys
import threading
import time

from attack import Stopped, attack, named
from kernel import call, libc

FORKS_MAX = 4000
THREADS_MAX = 4000
EAT_BYTES_MAX = 1 << 30
STEP = 4 << 20
FILES_MAX = 200_000
SECONDS_MAX = 600
SHARE_SECONDS = 1.0


def set_name(name):
    """What ps shows of this process: the runner looks for it on the host."""
    libc.prctl(15, ctypes.c_char_p(name.encode()), 0, 0, 0)


@attack("H14", "forks without end and dies of it", expect="pids_exceeded", leaves="corral-bomb")
def fork_bomb(_):
    set_name("corral-bomb")
    for count in range(FORKS_MAX):
        try:
            pid = os.fork()
        except OSError as error:
            # No report: a bomb does not tidy up. The server dies with what it made.
            sys.stderr.write(f"fork {count}: {named(error)}\n")
            os._exit(1)
        if pid == 0:
            time.sleep(SECONDS_MAX)
            os._exit(0)
    return f"made {FORKS_MAX} processes"


@attack("H14", "forks without end and goes on")
def fork_until_refused(host):
    children = []
    try:
        for _ in range(host.get("enough", FORKS_MAX)):
            pid = os.fork()
            if pid == 0:
                time.sleep(SECONDS_MAX)
                os._exit(0)
            children.append(pid)
    except OSError as error:
        raise Stopped(f"{named(error)} after {len(children)} processes") from None
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return f"made {len(children)} processes"


@attack("H14", "starts threads without end")
def thread_bomb(_):
    enough = threading.Event()
    threads = []
    threading.stack_size(64 << 10)
    try:
        for _ in range(THREADS_MAX):
            one = threading.Thread(target=enough.wait, daemon=True)
            one.start()
            threads.append(one)
    except RuntimeError as error:
        raise Stopped(f"{error} after {len(threads)}") from None
    finally:
        enough.set()
        for one in threads:
            one.join()
        threading.stack_size(0)
    return f"started {THREADS_MAX} threads"


@attack("H15", "eats memory", expect="memory_exceeded")
def eat_memory(host):
    eaten = []
    while len(eaten) * STEP < host.get("enough", EAT_BYTES_MAX):
        eaten.append(bytearray(os.urandom(4096)) * (STEP // 4096))
    return f"holds {len(eaten) * STEP >> 20} MiB"


# A kernel that kills some of them and leaves the rest waiting would make this a timeout.
@attack("H15", "eats memory in many processes, each of them small",
        expect="memory_exceeded", leaves="corral-herd")
def eat_memory_together(_):
    set_name("corral-herd")
    reading, writing = os.pipe()
    for _ in range(16):
        if os.fork() == 0:
            eaten = [bytearray(os.urandom(4096)) * (STEP // 4096) for _ in range(8)]
            os.write(writing, b".")
            time.sleep(SECONDS_MAX)
            os._exit(len(eaten))
    os.close(writing)
    done = 0
    while done < 16:
        said = os.read(reading, 16)
        if not said:
            return eat_memory({})
        done += len(said)
    return "16 processes hold 32 MiB each"


@attack("H15", "eats memory in files that have no name (memfd)", expect="memory_exceeded")
def fill_memfd(_):
    file = os.memfd_create("corral")
    written = 0
    block = os.urandom(1 << 20)
    files = [file]
    while written < EAT_BYTES_MAX:
        try:
            written += os.write(files[-1], block)
        except OSError as error:
            if named(error) != "EFBIG":
                raise
            files.append(os.memfd_create("corral"))
    return f"memfd holds {written >> 20} MiB"


@attack("H15", "eats memory by shared pages", expect="memory_exceeded")
def fill_shared(_):
    maps = []
    while len(maps) * STEP < EAT_BYTES_MAX:
        one = mmap.mmap(-1, STEP)
        for offset in range(0, STEP, 4096):
            one[offset] = 1
        maps.append(one)
    return f"holds {len(maps) * STEP >> 20} MiB"


@attack("H15", "eats memory by System V segments", expect="memory_exceeded|stopped")
def fill_segments(_):
    libc.shmat.restype = ctypes.c_void_p
    taken = 0
    while taken < EAT_BYTES_MAX:
        segment = call("shmget", 0, STEP, 0o1600)
        ctypes.memset(libc.shmat(segment, None, 0), 1, STEP)
        taken += STEP
    return f"holds {taken >> 20} MiB of segments"


@attack("H15", "eats kernel memory by pipes", expect="memory_exceeded|stopped")
def fill_pipes(_):
    taken, block = 0, bytes(1 << 16)
    while taken < EAT_BYTES_MAX:
        _, writing = os.pipe2(os.O_NONBLOCK)
        libc.fcntl(writing, 1031, 1 << 20)
        try:
            while True:
                taken += os.write(writing, block)
        except BlockingIOError:
            continue
    return f"pipes hold {taken >> 20} MiB"


@attack("H15", "eats kernel memory by sockets", expect="memory_exceeded|stopped")
def fill_sockets(_):
    taken, pairs, block = 0, [], bytes(1 << 16)
    while taken < EAT_BYTES_MAX:
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        pairs.append(pair)
        for one in pair:
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 << 20)
            try:
                while True:
                    taken += one.send(block)
            except BlockingIOError:
                continue
    return f"sockets hold {taken >> 20} MiB"


@attack("H15", "eats kernel memory by messages that nobody reads",
        expect="memory_exceeded|stopped")
def fill_messages(_):
    taken = 0
    message = ctypes.create_string_buffer((1).to_bytes(8, "little") + bytes(8000))
    while taken < EAT_BYTES_MAX:
        queue = call("msgget", 0, 0o1600)
        try:
            while True:
                call("msgsnd", queue, ctypes.byref(message), 8000, 0o4000)
                taken += 8000
        except BlockingIOError:
            continue
    return f"queues hold {taken >> 20} MiB"


@attack("H15", "makes a POSIX message queue, whose memory counts for the user on the host")
def message_queue(_):
    attributes = (ctypes.c_long * 8)(0, 10, 8192)
    return f"made queue {call('mq_open', b'corral', 0o102, 0o600, ctypes.byref(attributes))}"


@attack("H15", "locks memory, so that it cannot be taken back")
def lock_memory(_):
    room = mmap.mmap(-1, 1 << 20)
    call("mlock", ctypes.addressof(ctypes.c_char.from_buffer(room)), 1 << 20)
    return "locked 1 MiB"


@attack("H15", "raises its own limits")
def raise_limits(_):
    for which in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU,
                  resource.RLIMIT_MEMLOCK, resource.RLIMIT_CORE, resource.RLIMIT_MSGQUEUE):
        _, hard = resource.getrlimit(which)
        if hard == resource.RLIM_INFINITY:
            return f"limit {which} is none at all"
        try:
            resource.setrlimit(which, (hard + 4096, hard + 4096))
            return f"raised limit {which} to {hard + 4096}"
        except (ValueError, OSError):
            continue
    raise Stopped("EPERM at setrlimit")


@attack("H15", "opens files without end")
def exhaust_descriptors(host):
    opened = []
    try:
        while len(opened) < host.get("enough", FILES_MAX):
            opened.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        raise Stopped(f"{named(error)} after {len(opened)}") from None
    finally:
        for number in opened:
            os.close(number)
    return f"has {len(opened)} files open"


@attack("H16", "sleeps past its deadline", expect="timeout", leaves="corral-asleep")
def sleep_forever(_):
    set_name("corral-asleep")
    time.sleep(SECONDS_MAX)
    return f"slept {SECONDS_MAX} s"


@attack("H16", "spins past its deadline and ignores every signal", expect="timeout",
        leaves="corral-deaf")
def ignore_signals(_):
    set_name("corral-deaf")
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    end = time.monotonic() + SECONDS_MAX
    while time.monotonic() < end:
        pass
    return f"spun {SECONDS_MAX} s"


@attack("H16", "uses up its processor time", expect="cpu_exceeded", where="short")
def burn_time(host):
    enough = host.get("enough", SECONDS_MAX)
    while time.process_time() < enough:
        pass
    return f"spun {enough} s"


@attack("H16", "uses up its processor time in children, each of which stays below the limit",
        expect="cpu_exceeded", where="short")
def burn_in_children(host):
    end = time.monotonic() + host.get("enough", SECONDS_MAX)
    while time.monotonic() < end:
        if os.fork() == 0:
            while time.process_time() < 0.4:
                pass
            os._exit(0)
        os.wait()
    return f"its children used {sum(os.times()[2:4]):.1f} s"


@attack("H16", "takes more than its share of the processors")
def take_processors(host):
    share = host.get("cpus", 1.0)
    children = []
    before = os.times()
    began = time.monotonic()
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            while time.monotonic() < began + SHARE_SECONDS:
                pass
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    took, now = time.monotonic() - began, os.times()
    used = (now.children_user + now.children_system
            - before.children_user - before.children_system) / took
    # A period of the scheduler may begin and end in the middle: a fifth is room for both.
    if used > share * 1.2:
        return f"used {used:.2f} cores of {share}"
    raise Stopped(f"used {used:.2f} cores of {share}")
