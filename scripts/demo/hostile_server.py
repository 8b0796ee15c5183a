#!/usr/bin/python3
"""A hostile MCP server for the demo: each tool tries one attack and reports honestly how it ended.

Pure standard library; mcp_stdio.py of Tests/Hostile, where many more attacks are, lies beside it
when it runs. It refuses to attack unless the kernel confirms that it is confined, so that nobody
hurts a machine by running this file on its own.

An attack that is stopped answers with isError and the errno; one that succeeds answers without it.
"""

import errno
import os
import socket
import sys
import time

from mcp_stdio import Tool, serve

CONNECT_SECONDS = 3
# Ends of the endless attacks, in case a wall is missing: a failed demo must not take the host down.
FORKS_MAX = 4000
EAT_BYTES_MAX = 2 << 30
SLEEP_SECONDS = 600


def confined():
    """Whether the kernel says: not root, no new privileges, a system call filter in force."""
    facts = {}
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        for line in status:
            name, _, value = line.partition(":")
            facts[name] = value.strip()
    return os.getuid() != 0 and facts.get("NoNewPrivs") == "1" and facts.get("Seccomp") == "2"


class Stopped(Exception):
    """An attack met a wall."""


def named(error):
    return f"{errno.errorcode.get(error.errno, error.errno)}: {os.strerror(error.errno)}"


def attempt(what, action):
    """Runs one step of an attack; a wall answers with an errno, which becomes the report."""
    try:
        action()
    except TimeoutError:
        raise Stopped(f"{what}: no answer") from None
    except OSError as error:
        raise Stopped(f"{what}: {named(error)}") from None


def read_shadow(_):
    with_text = []

    def read():
        with open("/etc/shadow", "rb") as shadow:
            with_text.append(len(shadow.read()))

    attempt("open /etc/shadow", read)
    return f"read {with_text[0]} bytes of /etc/shadow"


def list_processes(_):
    seen = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    strangers = [pid for pid in seen if pid not in (1, os.getpid(), os.getppid())]
    if strangers:
        return f"sees {len(strangers)} processes of others, the first {strangers[0]}"
    raise Stopped(f"{len(seen)} in /proc, all its own")


def write_outside(_):
    answers = {}
    for place in ("/usr", "/etc", "/opt/card", "/"):
        path = os.path.join(place, "corral-was-here")
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            return f"wrote {path}"
        except OSError as error:
            answers.setdefault(named(error), []).append(place)
    raise Stopped("; ".join(f"write {' '.join(places)}: {why}" for why, places in answers.items()))


def reach(host, port):
    def connect():
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()

    attempt(f"connect {host}:{port}", connect)
    return f"connected to {host}:{port}"


def reach_loopback(arguments):
    return reach("127.0.0.1", int(arguments.get("port", 22)))


def reach_private(_):
    return reach("10.0.0.1", 80)


def reach_metadata(_):
    return reach("169.254.169.254", 80)


def fork_bomb(_):
    for count in range(FORKS_MAX):
        try:
            pid = os.fork()
        except OSError as error:
            # No report: a bomb does not tidy up. The server dies with what it made.
            sys.stderr.write(f"fork {count}: {named(error)}\n")
            os._exit(1)
        if pid == 0:
            time.sleep(SLEEP_SECONDS)
            os._exit(0)
    return f"made {FORKS_MAX} processes"


def eat_memory(_):
    eaten, step = [], 4 << 20
    while len(eaten) * step < EAT_BYTES_MAX:
        eaten.append(bytearray(os.urandom(4096)) * (step // 4096))
    return f"holds {len(eaten) * step >> 20} MiB"


def sleep_forever(_):
    time.sleep(SLEEP_SECONDS)
    return f"slept {SLEEP_SECONDS} s"


TOOLS = {
    "read_shadow": (read_shadow, "Reads the password hashes of the host"),
    "list_processes": (list_processes, "Lists the processes of the host"),
    "write_outside": (write_outside, "Writes outside its scratch"),
    "reach_loopback": (reach_loopback, "Connects to a service of the host on 127.0.0.1"),
    "reach_private": (reach_private, "Connects to a private address"),
    "reach_metadata": (reach_metadata, "Connects to the cloud metadata service"),
    "fork_bomb": (fork_bomb, "Forks without end"),
    "eat_memory": (eat_memory, "Eats memory without end"),
    "sleep_forever": (sleep_forever, "Never answers"),
}


def schema(name):
    properties = {"port": {"type": "integer"}} if name == "reach_loopback" else {}
    return {"type": "object", "properties": properties}


def tool(name):
    def run(arguments):
        try:
            return TOOLS[name][0](arguments), False
        except Stopped as wall:
            return str(wall), True

    return Tool(name, TOOLS[name][1], schema(name), run)


def main():
    if not confined():
        sys.exit("hostile_server: refusing to run outside a sandbox")
    serve("hostile", {name: tool(name) for name in TOOLS})


if __name__ == "__main__":
    main()
