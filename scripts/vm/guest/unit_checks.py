"""systemd 252: the unit, the user, the socket, and what is left after restart, kill and stop."""

import grp
import os
import pwd
import re
import shutil
import stat
import subprocess
import time

from installed import (
    GROUP, LIBEXEC, SOCKET, UIDS, UNIT, call, expect_active, processes, sandbox_groups, show)
from report import eventually, expect, must, read, run
from testbed import let_registries_be_where_they_are
from traces import Family

HERE = os.path.dirname(os.path.abspath(__file__))
PROBE = "/usr/share/corral-probe"
# systemd's own figure for the shipped unit, which may not get worse unnoticed; 10 is the worst.
EXPOSURE_MAX = 6.2
SETTLE_SECONDS = 30
# RestartSec= of the unit is 1 s.
RESTART_SECONDS = 3

PROBE_CARD = f"""\
version: 1
name: probe
title: Probe
description: Tells what a sandbox may do
command: [/usr/bin/python3, -B, {PROBE}/probe_server.py]
settings:
  - {{name: files, kind: directory, hint: a directory to read}}
  - {{name: shared, kind: directory, writable: true, hint: a directory to write}}
limits: {{memory: 96MiB, call_timeout: 20s}}
"""
ACCESS = """\
version: 1
allow:
  - {users: [root], cards: ["*"], tools: ["*"], commands: true}
  - {groups: [corral], cards: [time, git, probe], tools: ["*"]}
deny: []
"""


def machine():
    """The kind of machine that this is all about."""
    release, version = os.uname().release, must("systemctl", "--version").split()[1]
    kind = must("stat", "--file-system", "--format=%T", "/sys/fs/cgroup")
    told = f"Linux {release}, systemd {version}, {kind}"
    expect(release.startswith("6.1.") and version == "252" and kind == "cgroup2fs", told)
    return told


def network():
    """qemu's user network has these addresses always; a daemon for it would be one more to boot."""
    must("ip", "link", "set", "eth0", "up")
    must("ip", "address", "replace", "10.0.2.15/24", "dev", "eth0")
    must("ip", "route", "replace", "default", "via", "10.0.2.2")
    return "10.0.2.15, no service of the host is forwarded"


def users():
    """As the scripts of a package would: sysusers, tmpfiles; then people."""
    must("systemd-sysusers")
    must("systemd-tmpfiles", "--create", "corral.conf")
    corral = pwd.getpwnam("corral")
    expect(corral.pw_shell == "/usr/sbin/nologin" and 0 < corral.pw_uid < 1000, str(corral))
    for name, groups in (("ann", ["-G", "corral"]), ("ben", ["-G", "corral"]), ("eve", [])):
        must("useradd", "--create-home", *groups, name)
    found = grp.getgrnam("corral").gr_mem
    expect(found == ["ann", "ben"], str(found))
    return f"corral is {corral.pw_uid}:{corral.pw_gid}; ann and ben are in its group, eve is not"


def configure():
    """A card of the machine's own, for everybody in the group."""
    os.makedirs(PROBE)
    shutil.copy(f"{HERE}/probe_server.py", PROBE)
    for path, text in (("runcards/probe.yaml", PROBE_CARD), ("policies/access.yaml", ACCESS)):
        with open(f"/etc/corral/{path}", "w", encoding="utf-8") as file:
            file.write(text)
    let_registries_be_where_they_are("/etc/corral/policies/default.yaml")
    told = must("corral", "policy", "check")
    return told.splitlines()[-1] if told else "corral policy check: no mistake"


def verify():
    done = run("systemd-analyze", "verify", "--man=no", UNIT)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "corral" in line]
    expect(done.returncode == 0 and not ours, " ".join(ours) or f"status {done.returncode}")
    return "no complaint"


def mistake():
    """A file with a mistake: told at its place, and no restart mends it."""
    path = "/etc/corral/runcards/mistake.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write("version: 1\nname: mistake\nlimit: {}\n")
    done = run("systemctl", "start", "corrald")
    time.sleep(RESTART_SECONDS)
    state, restarts = show("ActiveState"), show("NRestarts")
    os.unlink(path)
    must("systemctl", "reset-failed", UNIT)
    expect(done.returncode and state == "failed" and restarts == "0",
           f"status {done.returncode}, {state}, NRestarts={restarts}")
    told = must("journalctl", "--output=cat", f"--unit={UNIT}")
    found = re.search(r"mistake\.yaml:3:1: .*", told)
    expect(found, "the journal does not name the place")
    return found[0]


def start():
    must("systemctl", "start", "corrald")
    expect_active()
    kind = show("Type")
    expect(kind == "notify", f"Type={kind}")
    return f"active (Type={kind}, Delegate={show('Delegate')}: {show('DelegateControllers')})"


def doctor():
    done = run("corral", "doctor")
    told = [line for line in done.stdout.splitlines() if line.strip()]
    expect(done.returncode == 0, " / ".join(told + [done.stderr]))
    return told[-1].strip()


def security():
    last = must("systemd-analyze", "security", "--no-pager", UNIT).splitlines()[-1]
    found = re.search(r"([\d.]+) ([A-Z]+)", last)
    expect(found and float(found[1]) <= EXPOSURE_MAX, last)
    return f"exposure {found[1]} {found[2]}"


def privileges():
    """Who runs as whom: only the broker talks to strangers, and it may do nothing."""
    names = {}
    for pid in processes():
        lines = dict(line.split(":\t", 1) for line in read(f"/proc/{pid}/status").splitlines())
        names.setdefault(read(f"/proc/{pid}/comm"), []).append(
            (lines["Uid"].split()[0], int(lines["CapEff"], 16)))
    broker = names.get("corral-broker", [])
    expect(broker == [(str(pwd.getpwnam("corral").pw_uid), 0)], str(names))
    return ", ".join(f"{len(found)} {name}" for name, found in sorted(names.items()))


def socket_mode():
    found = os.stat(SOCKET)
    mode, group = stat.S_IMODE(found.st_mode), grp.getgrgid(found.st_gid).gr_name
    told = f"{mode:o} {pwd.getpwuid(found.st_uid).pw_name}:{group}"
    expect(told == "660 root:corral", told)
    return f"{SOCKET} {told}"


def answers(user="ann", connection="probe"):
    answer = call(user, f"{connection}__echo", text="again")
    expect(answer.text == "again", answer.told)
    return answer.text


def gone(before):
    """Names the processes of `before` that live on."""
    now = processes()
    return [pid for pid, began in before.items() if now.get(pid) == began]


def restart():
    answers()
    before = processes()
    must("systemctl", "restart", "corrald")
    expect_active()
    expect(not gone(before), f"processes {gone(before)} live on")
    expect(not sandbox_groups(), f"cgroups are left: {sandbox_groups()}")
    answers()
    return f"{len(before)} processes ended, ann's connection is there and answers"


def killed():
    """kill -9: the unit is failed for a moment, and systemd starts another."""
    answers()
    before, main = processes(), show("MainPID")
    must("kill", "-KILL", main)
    back = eventually(
        lambda: show("MainPID") not in ("0", main) and show("SubState") == "running",
        SETTLE_SECONDS)
    expect(back, f"not started again: {show('SubState')}, {show('Result')}")
    expect(not gone(before), f"processes {gone(before)} live on")
    expect(not sandbox_groups(), f"cgroups are left: {sandbox_groups()}")
    answers()
    return f"started again (NRestarts={show('NRestarts')}); nothing of before is left"


def broker_killed():
    answers()
    before = {pid: began for pid, began in processes().items()
              if read(f"/proc/{pid}/comm") == "corral-broker" or os.stat(
                  f"/proc/{pid}").st_uid in UIDS}
    for pid in before:
        if read(f"/proc/{pid}/comm") == "corral-broker":
            must("kill", "-KILL", str(pid))
    expect(eventually(lambda: not gone(before), SETTLE_SECONDS), f"left: {gone(before)}")
    expect(eventually(lambda: call("ann", "probe__echo", text="again").text == "again",
                      SETTLE_SECONDS), "no call is answered any more")
    expect_active()
    return "its servers ended with it, another took its place"


def stop(family):
    """What a stop leaves, counted by what counted before it."""
    answers()
    running = family.count()
    kinds = ("processes", "cgroups", "namespaces")
    expect(all(running[kind] for kind in kinds), f"the counter does not count: {running}")
    must("systemctl", "stop", "corrald")
    left = family.settled_of(kinds)
    there = [path for path in (GROUP, "/run/corral") if os.path.exists(path)]
    mounts = [line for line in read("/proc/self/mountinfo").splitlines() if "corral" in line]
    result = show("Result")
    expect(not any(left.values()) and not there and not mounts and result == "success",
           f"{left} {there} {mounts} {result}")
    return (", ".join(f"{running[kind]} {kind}" for kind in kinds)
            + " before, none after; the unit ended with success")


class UnitFamily(Family):
    """Everything of the installed Corral, by its programs and its users."""

    def __init__(self):
        super().__init__(LIBEXEC, UIDS)

    def settled_of(self, kinds):
        def counted():
            counts = self.count()
            return {kind: counts[kind] for kind in kinds}
        eventually(lambda: not any(counted().values()), 5)
        return counted()


def journal():
    """What systemd did not understand of the unit, and what went wrong that nobody asked for."""
    told = must("journalctl", "--no-pager", "--output=cat", "--unit=corrald")
    odd = [line for line in told.splitlines()
           if re.search(r"Unknown|ignoring|cgroup-left|notify-failed|user-missing|defect", line)]
    expect(not odd, " / ".join(odd[:4]))
    return f"{len(told.splitlines())} lines, no complaint"


def console(words):
    """Prints a command's output on the console, for who looks into its log."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    fd = os.open("/dev/console", os.O_WRONLY | os.O_NOCTTY)
    os.write(fd, done.stdout + done.stderr)
    os.close(fd)
