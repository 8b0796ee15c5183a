"""What a server inherits without being meant to, and what its three streams are. H12, H25."""

import fcntl
import os
import socket
import stat

from attack import Stopped, attack, link, named

HIGHEST = 4096


def described(number):
    return f"{number} {link(f'/proc/self/fd/{number}')}".strip()


def inherited():
    """Descriptors above 2 that are open; found by asking for each number, /proc or not."""
    found = []
    for number in range(3, HIGHEST):
        try:
            fcntl.fcntl(number, fcntl.F_GETFD)
            found.append(number)
        except OSError:
            continue
    return found


@attack("H12", "finds descriptors that it was not given")
def inherited_descriptors(_):
    found = inherited()
    if found:
        return "has " + ", ".join(described(number) for number in found)
    raise Stopped("0, 1 and 2 only")


@attack("H12", "finds a file, a terminal or a socket of the host in its streams")
def stream_kinds(_):
    for number in (0, 1, 2):
        mode = os.fstat(number).st_mode
        if os.isatty(number) or stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            return f"descriptor {described(number)} is no pipe"
    raise Stopped("pipes and nothing else")


@attack("H12", "opens its streams again for what they were not made for")
def reopen_streams(_):
    # To write into its own input would be to speak for the client; to read its output, to hear.
    refusals = []
    for number, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY)):
        kind = os.fstat(number).st_mode
        try:
            os.close(os.open(f"/proc/self/fd/{number}", flags | os.O_NONBLOCK))
        except OSError as error:
            refusals.append(named(error))
            continue
        if not stat.S_ISFIFO(kind):
            return f"descriptor {described(number)} opened again"
        refusals.append("only its own pipe")
    raise Stopped(", ".join(refusals))


@attack("H25", "speaks to the root process over any socket that it holds")
def speak_to_root(_):
    spoken = []
    for number in [0, 1, 2] + inherited():
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            continue
        channel = socket.socket(fileno=os.dup(number))
        if channel.family == socket.AF_UNIX and channel.type == socket.SOCK_SEQPACKET:
            spoken.append(described(number))
    if spoken:
        return f"holds {', '.join(spoken)}, which takes messages"
    raise Stopped("no descriptor is a message socket")


@attack("H12", "passes for pid 1 of root over a socket (SCM_CREDENTIALS)")
def forge_credentials(_):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    forged = (1).to_bytes(4, "little") + (0).to_bytes(4, "little") * 2
    with ours, theirs:
        ours.sendmsg([b"x"], [(socket.SOL_SOCKET, 2, forged)])
        return "a listener would take it for pid 1 of root"
