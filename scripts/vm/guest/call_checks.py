"""Calls of ordinary users, the walls around their servers, limits, directories."""

import os
import pwd
import re
import shutil
import socket
import time
import urllib.request

from demo import ATTACKS
from installed import (
    PROBE_LIMITS, UIDS, call, corral, facts, group_of, members, succeed)
from report import Skip, eventually, expect, read, run
from unit_checks import PROBE

HOSTILE = "/usr/share/corral-hostile"


def custom():
    """A command of root's own."""
    succeed("root", "connect", "custom", "--name", "own", "--",
            "/usr/bin/python3", "-B", f"{PROBE}/probe_server.py")
    answer = call("root", "own__identity")
    expect("uid 1000, gid 1000, groups []" == answer.text, answer.told)
    return f"inside it is {answer.text}"


def member():
    """Someone of the group connects, lists and calls."""
    succeed("ann", "connect", "probe")
    tools = succeed("ann", "tools").told
    expect("probe__read_file" in tools, tools)
    answer = call("ann", "probe__echo", text="hello")
    expect(answer.text == "hello", answer.told)
    return "ann connects a card, lists its tools, calls one"


def stranger():
    """Someone outside the group does not get past the socket's mode."""
    answer = corral("eve", "list")
    expect(answer.status == 5, answer.told)
    return f"eve: status 5, {answer.text or answer.told}"


def refused_command():
    answer = corral("ann", "connect", "custom", "--name", "mine", "--", "/usr/bin/id")
    expect(answer.status == 3 and answer.reason == "not_allowed", answer.told)
    return f"ann: {answer.reason}: {answer.text}"


def others_connection():
    answer = call("ben", "probe__echo", text="hello")
    expect(answer.status != 0 and answer.failed, answer.told)
    return f"ben calls ann's probe: {answer.reason or answer.text}"


def limits():
    """What the kernel has, read back from the group of a running sandbox."""
    group = group_of("ann", "probe")
    found = {name: read(f"{group}/{name}") for name in PROBE_LIMITS
             if os.path.exists(f"{group}/{name}") or name != "memory.swap.max"}
    wanted = {name: PROBE_LIMITS[name] for name in found}
    expect(found == wanted, f"{found} in {group}")
    return f"{', '.join(f'{name} {value}' for name, value in found.items())}"


def confinement():
    """What the kernel says of every process in a sandbox."""
    pids = members(group_of("ann", "probe"))
    expect(len(pids) >= 2, f"processes {pids}")
    for pid in pids:
        found = facts(pid)
        caps = {found[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
        good = (int(found["Uid"].split()[0]) in UIDS and caps == {"0" * 16}
                and found["Seccomp"] == "2" and found["NoNewPrivs"] == "1")
        expect(good, f"process {pid}: {found}")
        spaces = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"]
        # Who unshares time stays in the old one (time_namespaces(7)): pid 1, which is our own.
        if found["NSpid"].split()[-1] != "1":
            spaces.append("time")
        shared = [name for name in spaces if os.stat(f"/proc/{pid}/ns/{name}").st_ino
                  == os.stat(f"/proc/self/ns/{name}").st_ino]
        expect(not shared, f"process {pid} shares {shared} with the host")
    expect(any(facts(pid)["NSpid"].split()[-1] != "1" for pid in pids), "no tool, only pid 1")
    return f"{len(pids)} processes: own user, no capability, filter, own namespaces"


def clocks():
    """The server started moments ago, and so did its clocks."""
    inside = call("ann", "probe__uptime")
    outside = time.clock_gettime(time.CLOCK_BOOTTIME)
    good = not inside.failed and float(inside.text) < outside / 2
    expect(good, f"{inside.told}, {outside:.0f} s outside")
    return f"up {float(inside.text):.0f} s inside, {outside:.0f} s outside"


def core_handler():
    """The host's handler of core dumps runs as root, outside: no crash inside may start it."""
    handler, seen = "/usr/local/sbin/core-handler", "/run/cores"  # /run itself executes nothing
    pattern = "/proc/sys/kernel/core_pattern"
    with open(handler, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\ncat >/dev/null\necho $1 >>{seen}\n")
    os.chmod(handler, 0o755)
    before = read(pattern)
    with open(pattern, "w", encoding="utf-8") as file:
        file.write(f"|{handler} %u")
    try:
        # With a limit of 0 and outside of a sandbox it runs: the counter-proof.
        run("/bin/sh", "-c", "ulimit -c 0; kill -SEGV $$")
        expect(eventually(lambda: os.path.exists(seen), 10), "the handler never runs")
        answer = call("ann", "probe__crash")
        time.sleep(2)
        expect("core False" in answer.text and read(seen) == "0", f"{answer.told}; {read(seen)}")
    finally:
        with open(pattern, "w", encoding="utf-8") as file:
            file.write(before)
    return f"it runs for a crash outside, not for one inside ({answer.text})"


def posture(user, connection):
    """Corral's own look, through the unit's filters and capabilities."""
    def check():
        call(user, f"{connection}__echo", text="run, please")
        answer = corral(user, "posture", connection)
        rows = answer.json.get("rows") or []
        wrong = [f"{row['group']} {row['name']}: wanted {row.get('wanted')}, found {row['found']}"
                 for row in rows if not row["ok"]]
        expect(answer.status == 0 and rows and not wrong, " / ".join(wrong) or answer.told)
        return f"{len(rows)} rows as they should be"
    return check


def prepare_directory(name, mode):
    """A directory of ann's with a file that is hers alone."""
    ann = pwd.getpwnam("ann")
    path = f"/home/ann/{name}"
    os.makedirs(path)
    with open(f"{path}/secret", "w", encoding="utf-8") as file:
        file.write("ann's alone")
    os.chmod(f"{path}/secret", 0o600)
    for target in (path, f"{path}/secret"):
        os.chown(target, ann.pw_uid, ann.pw_gid)
    os.chmod(path, mode)
    os.chmod("/home/ann", 0o755)
    return path


def own_directory():
    """Id-mapped: a file 0600 of the user is readable by the tool of that user, not writable."""
    path = prepare_directory("private", 0o700)
    succeed("ann", "connect", "probe", "--name", "papers", "--set", f"files={path}")
    answer = call("ann", "papers__read_file", path=f"{path}/secret")
    expect(answer.text == "ann's alone" and not answer.failed, answer.told)
    refused = call("ann", "papers__write_file", path=f"{path}/new")
    expect(refused.failed and "Read-only" in refused.text, refused.told)
    kept = call("ann", "papers__write_file", path=f"{path}/secret")
    expect(kept.failed and read(f"{path}/secret") == "ann's alone", kept.told)
    return "ann's tool reads her 0600 file, and writing is EROFS"


def written_directory():
    """What a tool writes belongs to the user whose directory it is."""
    path = prepare_directory("shared", 0o700)
    succeed("ann", "connect", "probe", "--name", "desk", "--set", f"shared={path}")
    answer = call("ann", "desk__write_file", path=f"{path}/new")
    expect(not answer.failed and read(f"{path}/new") == "written by a tool", answer.told)
    found, ann = os.stat(f"{path}/new"), pwd.getpwnam("ann")
    expect((found.st_uid, found.st_gid) == (ann.pw_uid, ann.pw_gid), str(found))
    return "what ann's tool writes is ann's on disk"


def others_directory():
    """What the user could not open is not mounted; what they can see is no more than that."""
    closed = corral("ben", "connect", "probe", "--name", "closed",
                    "--set", "files=/home/ann/private")
    expect(closed.status != 0, closed.told)
    path = prepare_directory("open", 0o755)
    succeed("ben", "connect", "probe", "--name", "peek", "--set", f"files={path}")
    answer = call("ben", "peek__read_file", path=f"{path}/secret")
    expect(answer.failed and "Permission denied" in answer.text, answer.told)
    return f"ben's tool: {answer.text}; a 0700 directory: {closed.reason}"


def hostile():
    """The demo's hostile server, as root's own command under the unit."""
    os.makedirs(HOSTILE)
    for name in ("scripts/demo/hostile_server.py", "Tests/Hostile/mcp_stdio.py"):
        shutil.copy(f"/usr/src/corral/{name}", HOSTILE)
    answer = succeed("root", "connect", "custom", "--name", "hostile", "--",
                     "/usr/bin/python3", "-B", f"{HOSTILE}/hostile_server.py")
    return f"connected, {len(ATTACKS)} attacks follow {answer.text}"


def attack(row):
    """One row of the demo's table."""
    tool, _, _, expected, status = row

    def check():
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            arguments = {"port": port} if tool == "reach_loopback" else {}
            answer = call("root", f"hostile__{tool}", **arguments)
        told = f"{answer.reason} {answer.text}"
        good = answer.status == status and answer.failed and re.search(expected, told)
        expect(good, answer.told)
        return told
    return check


def undisturbed():
    """The neighbours of what has just been killed."""
    answer = call("ann", "probe__echo", text="still here")
    expect(answer.text == "still here", answer.told)
    return "ann's server answers"


def require_registry():
    """Skips what installs packages where the default policy's registry is out of reach."""
    found = re.search(r'pypi: "(https://[^"]+)"', read("/etc/corral/policies/default.yaml"))
    try:
        urllib.request.urlopen(f"{found[1]}/mcp-server-time/", timeout=60).close()
    except OSError as error:
        raise Skip(f"the guest cannot reach the package registry: {error}") from None


def time_card():
    """A real server, installed from its lock file by the unit's own rights."""
    require_registry()
    succeed("ann", "connect", "time", seconds=900)
    answer = call("ann", "time__convert_time", source_timezone="Europe/Berlin", time="09:30",
                  target_timezone="Asia/Tokyo")
    expect(re.search(r"T1[67]:30", answer.text), answer.told)
    return "mcp-server-time: 09:30 in Berlin is " + re.search(r"T(1[67]:30)", answer.text)[1]


