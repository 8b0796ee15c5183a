"""Typing into somebody's terminal. H13."""

import ctypes
import os

from attack import Stopped, attack, named
from files import first_that
from kernel import call

TIOCSTI, TIOCLINUX, TIOCSCTTY, TIOCCONS = 0x5412, 0x541C, 0x540E, 0x541D


def typed(request, argument):
    """Sends a terminal request to every stream; evidence when one takes it."""
    refusals = set()
    for number in (0, 1, 2):
        try:
            call("ioctl", number, request, argument)
            return f"descriptor {number} took {request:#x}"
        except OSError as error:
            refusals.add(named(error))
    raise Stopped(f"{' '.join(sorted(refusals))} at {request:#x}")


@attack("H13", "types into the terminal with TIOCSTI (CVE-2017-5226)")
def tiocsti(_):
    return typed(TIOCSTI, b"\n")


@attack("H13", "types with TIOCSTI, a bit set in the upper half (flatpak's CVE-2019-10063)")
def tiocsti_wide(_):
    return typed(TIOCSTI | 1 << 32, b"\n")


@attack("H13", "pastes with TIOCLINUX (CVE-2023-28100)")
def tioclinux(_):
    return typed(TIOCLINUX, bytes([3, 0]))


@attack("H13", "takes a terminal as its own and the console's output")
def take_terminal(_):
    refusals = []
    for request in (TIOCSCTTY, TIOCCONS):
        try:
            return typed(request, ctypes.c_long(0))
        except Stopped as wall:
            refusals.append(str(wall))
    raise Stopped("; ".join(refusals))


@attack("H13", "opens its controlling terminal, others, and new ones")
def open_terminals(_):
    def open_one(path):
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        return f"opened {path}"

    names = ["tty", "ptmx", "pts/0", "pts/1", "pts/ptmx", "console", "tty0", "tty1", "ttyS0", "vcs"]
    return first_that(open_one, [f"/dev/{name}" for name in names])


@attack("H13", "shares a session with a process outside, and so its terminal")
def foreign_session(_):
    # A leader in no namespace of ours has no number here (getsid(2)).
    session = os.getsid(0)
    if session == 0:
        return "the leader of its session lives outside"
    raise Stopped(f"its session is {session}, of its own sandbox")
