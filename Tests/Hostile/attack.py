"""What every attack has in common: how it is declared, how it ends, and when it refuses to run.

An attack is a function of `host`, facts that the runner tells (the port of a listener of the host,
the path of a file outside, …). It returns a text, the evidence that it succeeded; or it meets a
wall, which is an OSError or Stopped. Anything else is a mistake of the attack's own and counts as
neither.
"""

import errno
import os
import re

# What a call that has been let in says of arguments that make no sense on purpose.
LET_IN = ("EINVAL", "EFAULT", "EBADF", "ENOENT", "E2BIG", "ESRCH", "ENOEXEC")

ATTACKS = {}


class Stopped(Exception):
    """An attack met a wall; the text names it."""


class Attack:
    """One attack. `expect` holds the ways in which it may be stopped: "stopped" when it answers
    so itself, else the reason in the error of a call that ends the server or lasts too long."""

    def __init__(self, function, row, tries, expect, where, leaves):
        self.name = function.__name__
        self.function = function
        self.row = row
        self.tries = tries
        self.expect = expect
        self.where = where
        self.leaves = leaves
        self.facility = function.__module__


def attack(row, tries, expect="stopped", where="hostile", leaves=None):
    """Declares an attack.

    `where` is the connection it needs: "hostile", or one with a limit or a mount of its own.
    `leaves` is the name of processes that must be gone from the host soon after it.
    """
    ways = tuple(expect.split("|"))

    def declare(function):
        if function.__name__ in ATTACKS:
            raise ValueError(f"two attacks are named {function.__name__}")
        ATTACKS[function.__name__] = Attack(function, row, tries, ways, where, leaves)
        return function

    return declare


def named(error):
    """EPERM for an OSError with that number; a timeout of Python's own has none."""
    return errno.errorcode.get(error.errno, str(error.errno)) if error.errno else "no answer"


def run(name, host):
    """Runs one attack and answers what became of it."""
    chosen = ATTACKS[name]
    answer = {"attack": name, "row": chosen.row, "outcome": "stopped"}
    try:
        evidence = chosen.function(host)
        answer.update(outcome="succeeded", by=evidence)
    except Stopped as wall:
        answer["by"] = str(wall)
    except OSError as error:
        at = getattr(error, "call", None) or error.filename or name
        answer["by"] = f"{named(error)} at {at if isinstance(at, str) else at!r}"
    except Exception as mistake:  # pylint: disable=broad-except
        # An attack with a mistake proves nothing: it must not look as if a wall had stopped it.
        answer.update(outcome="broken", by=f"{type(mistake).__name__}: {mistake}")
    return answer


def facts_of(pid="self"):
    """The lines of /proc/PID/status (proc(5))."""
    facts = {}
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            name, _, value = line.partition(":")
            facts[name] = value.strip()
    return facts


def namespace(kind):
    """The inode of a namespace of this process; 0 when the kernel does not say."""
    found = re.search(r"\d+", link(f"/proc/self/ns/{kind}"))
    return int(found.group()) if found else 0


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


# The first namespaces of a kernel have fixed inodes (include/linux/proc_ns.h).
INITIAL_USER, INITIAL_PID = 0xEFFFFFFD, 0xEFFFFFFC
SYS_ADMIN = 1 << 21


def danger():
    """Why an attack would hurt this machine; None when something confines it.

    Root of the host is refused whatever else holds. Anybody else must show one sign of a sandbox:
    a pid namespace, a system call filter, or no new privileges.
    """
    facts = facts_of()
    effective = int(facts.get("CapEff", "0"), 16)
    if effective & SYS_ADMIN and namespace("user") in (0, INITIAL_USER):
        return "this is root of the host"
    signs = (
        namespace("pid") not in (0, INITIAL_PID), facts.get("Seccomp") == "2",
        facts.get("NoNewPrivs") == "1")
    return None if any(signs) else "nothing confines this process"
