"""Meeting another sandbox, or a process of the host, in memory that both can reach. H10, H21."""

import ctypes
import os
import socket

from attack import Stopped, attack
from files import first_that, read_some
from kernel import call

KEY = 0x0C0441
NAME = "corral-meeting"
planted = []


def plant(_):
    """What a neighbour leaves for others to find; it stays as long as that server does."""
    for directory in ("/tmp", "/dev/shm", "/var/tmp"):
        try:
            with open(f"{directory}/{NAME}", "wb") as file:
                file.write(b"hello")
            os.chmod(file.name, 0o666)
        except OSError:
            continue
    call("shmget", KEY, 4096, 0o1666)
    call("msgget", KEY, 0o1666)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind("\0" + NAME)
    listener.listen()
    planted.append(listener)
    return "planted", False


@attack("H21", "finds a neighbour's System V segment or queue")
def meet_in_segment(host):
    return first_that(
        lambda key: f"found segment {call('shmget', int(key), 0, 0)} by key {key}",
        [str(KEY), str(host.get("segment", KEY))])


@attack("H21", "finds a neighbour's message queue")
def meet_in_queue(_):
    return f"found queue {call('msgget', KEY, 0)}"


@attack("H21", "finds a neighbour's or the host's file in /tmp or /dev/shm")
def meet_in_files(host):
    names = [NAME, os.path.basename(host.get("meeting", NAME))]
    return first_that(read_some, [f"{place}/{name}" for place in ("/dev/shm", "/tmp", "/var/tmp")
                                  for name in names])


@attack("H10", "connects to a neighbour's abstract socket")
def meet_at_socket(_):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.connect("\0" + NAME)
    return "connected to a neighbour"


@attack("H21", "lists what System V objects there are")
def list_segments(_):
    # SHM_STAT_ANY by index: what ipcs shows.
    libc = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(256)
    found = [index for index in range(64)
             if libc.shmctl(index, 15, ctypes.byref(room)) >= 0]
    if found:
        return f"{len(found)} segments of others"
    raise Stopped("none")
