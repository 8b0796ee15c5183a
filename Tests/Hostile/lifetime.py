"""Outliving the call, the server and the sandbox; filling disks and logs. H17, H18."""

import mmap
import os
import signal
import sys
import time

from attack import Stopped, attack, named
from files import SCRATCH
from limits import SECONDS_MAX, set_name

FILL_BYTES_MAX = 1 << 30
INODES_MAX = 500_000
FLOOD_BYTES = 6 << 20
DISK_SECONDS = 2.0


def fill(directory, host):
    """Writes files until refused, then removes them; evidence when nothing refuses."""
    block, written, paths = os.urandom(1 << 20), 0, []
    try:
        while written < host.get("enough", FILL_BYTES_MAX):
            paths.append(f"{directory}/fill-{os.getpid()}-{len(paths)}")
            with open(paths[-1], "wb", buffering=0) as file:
                for _ in range(16):
                    count = file.write(block)
                    written += count
                    if count < len(block):
                        raise OSError(28, "short write", directory)
    except OSError as error:
        raise Stopped(f"{named(error)} after {written >> 20} MiB in {directory}") from None
    finally:
        for path in paths:
            if os.path.exists(path):
                os.unlink(path)
    return f"wrote {written >> 20} MiB in {directory}"


@attack("H17", "fills the disk below its scratch")
def fill_scratch(host):
    return fill(SCRATCH, host)


@attack("H17", "fills its home")
def fill_home(host):
    return fill(os.path.expanduser("~"), host)


@attack("H15", "fills /dev/shm")
def fill_shm(host):
    return fill("/dev/shm", host)


@attack("H17", "reads the disk as fast as it can", where="slow")
def read_disk(host):
    rate = host.get("disk_rate", 4 << 20)
    try:
        file = os.open(os.path.realpath(sys.executable), os.O_RDONLY | os.O_DIRECT)
    except OSError as error:
        # No wall: what is there cannot be read past the cache.
        raise RuntimeError(f"{named(error)} at O_DIRECT") from None
    block = mmap.mmap(-1, 256 << 10)
    room = os.fstat(file).st_size // len(block) * len(block)
    done, took, began = 0, 0.0, time.monotonic()
    while took < DISK_SECONDS:
        done += os.preadv(file, [block], done % room)
        took = time.monotonic() - began
    os.close(file)
    told = f"read {done / took / (1 << 20):.1f} MiB a second, of {rate >> 20}"
    # The kernel counts in slices, and lets the first of them through: twice is room for all.
    if done > rate * took * 2:
        return told
    raise Stopped(told)


@attack("H17", "uses up the inodes of its scratch")
def fill_inodes(host):
    place = f"{SCRATCH}/inodes-{os.getpid()}"
    os.mkdir(place)
    made, enough = 0, host.get("enough", INODES_MAX)
    try:
        for made in range(enough):
            os.close(os.open(f"{place}/{made}", os.O_CREAT | os.O_WRONLY, 0o600))
        made = enough
        return f"made {enough} files"
    except OSError as error:
        raise Stopped(f"{named(error)} after {made} files") from None
    finally:
        for number in range(made):
            os.unlink(f"{place}/{number}")
        os.rmdir(place)


@attack("H17", "writes one huge file, holes and all", where="shared")
def huge_file(host):
    path = f"{host['shared']}/huge-{os.getpid()}"
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.ftruncate(file, 64 << 30)
        return f"made a file of {os.fstat(file).st_size >> 30} GiB"
    finally:
        os.close(file)
        os.unlink(path)


@attack("H17", "floods its standard error")
def flood_errors(_):
    line = "x" * 65535 + "\n"
    for _ in range(FLOOD_BYTES >> 16):
        sys.stderr.write(line)
    sys.stderr.flush()
    # Whether the flood went anywhere shows on the host's disk, where the runner looks.
    raise Stopped(f"wrote {FLOOD_BYTES >> 20} MiB, which somebody read")


@attack("H17", "answers with one endless line", expect="output_too_large|invalid_output")
def endless_line(_):
    for _ in range(64 << 4):
        sys.stdout.write("x" * 65536)
    sys.stdout.write("\n")
    sys.stdout.flush()
    return "wrote 64 MiB in one line"


def hide(name):
    """A grandchild in a session of its own, with no stream, deaf to hang-ups: a daemon."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            set_name(name)
            os.closerange(0, 64)
            time.sleep(SECONDS_MAX)
        os._exit(0)
    time.sleep(0.1)


@attack("H18", "leaves a daemon behind and exits", expect="tool_exited", leaves="corral-stray")
def leave_daemon(_):
    hide("corral-stray")
    os._exit(0)


@attack("H18", "leaves a daemon behind that holds the streams of the server",
        expect="tool_exited|timeout", leaves="corral-holder")
def leave_holder(_):
    if os.fork() == 0:
        os.setsid()
        set_name("corral-holder")
        time.sleep(SECONDS_MAX)
        os._exit(0)
    time.sleep(0.1)
    os._exit(3)


@attack("H18", "stops itself", expect="timeout", leaves="corral-frozen")
def stop_itself(_):
    set_name("corral-frozen")
    os.kill(os.getpid(), signal.SIGSTOP)
    return "went on"


def renew(end):
    """Hands its life on to a child, again and again."""
    while time.monotonic() < end:
        try:
            if os.fork() != 0:
                os._exit(0)
        except OSError:
            continue  # the limit on processes: once more


@attack("H18", "renews itself by forking as fast as it is killed",
        expect="tool_exited|pids_exceeded", leaves="corral-hydra")
def hydra(_):
    set_name("corral-hydra")
    end = time.monotonic() + 30
    for _ in range(8):
        if os.fork() == 0:
            renew(end)
    time.sleep(0.2)
    os._exit(0)
