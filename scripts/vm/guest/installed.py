"""The Corral that is installed on this machine: its unit, its cgroups, its command."""

import glob
import json
import os

from report import Failure, expect, must, read, run

UNIT = "corrald.service"
GROUP = "/sys/fs/cgroup/system.slice/corrald.service"
LIBEXEC = "/usr/libexec/corral"
SOCKET = "/run/corral/control.sock"
# sandbox_uids of the shipped corrald.yaml.
UIDS = range(2_000_000_000, 2_000_065_536)
# What the probe's card asks for and the default policy's other limits, as the kernel shows them.
PROBE_LIMITS = {"memory.max": str(96 << 20), "pids.max": "128", "cpu.max": "100000 100000",
                "memory.oom.group": "1", "memory.swap.max": "0"}


class Answer:
    """What the corral command said, as JSON."""

    def __init__(self, done):
        self.status = done.returncode
        self.told = f"status {done.returncode}: {done.stdout.strip()} {done.stderr.strip()}"
        try:
            self.json = json.loads(done.stdout)
        except ValueError:
            self.json = {}
        error = self.json.get("error") or {}
        self.reason = (error.get("data") or {}).get("reason", "")
        result = self.json.get("result", self.json)
        parts = result.get("content", []) if isinstance(result, dict) else []
        self.failed = bool(error) or bool(isinstance(result, dict) and result.get("isError"))
        self.text = error.get("message") or " ".join(part.get("text", "") for part in parts)


def corral(user, *words, seconds=600):
    """The corral command as one of this machine's users."""
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]
    return Answer(run(*(become if user != "root" else []), "/usr/bin/corral", "--json", *words,
                      seconds=seconds, cwd="/"))


def succeed(user, *words, **more):
    answer = corral(user, *words, **more)
    if answer.status or answer.failed:
        raise Failure(f"{user}: corral {' '.join(words[:3])}: {answer.told}")
    return answer


def call(user, tool, **arguments):
    return corral(user, "call", tool, json.dumps(arguments))


def show(name):
    """A property of the unit."""
    return must("systemctl", "show", "--value", f"--property={name}", UNIT)


def expect_active():
    state = f"{show('ActiveState')} {show('SubState')}"
    expect(state == "active running", f"the unit is {state}")


def sandbox_groups():
    return sorted(glob.glob(f"{GROUP}/corral-*/sandbox-*"))


def members(group):
    return [int(pid) for pid in read(f"{group}/cgroup.procs").split()]


def facts(pid):
    lines = (line.partition(":") for line in read(f"/proc/{pid}/status").splitlines())
    return {name: value.strip() for name, _, value in lines}


def group_of(user, connection):
    """The cgroup of the server that a call to its probe shows to run."""
    before = set(sandbox_groups())
    answer = call(user, f"{connection}__echo", text="here")
    expect(answer.text == "here", answer.told)
    groups = [group for group in sandbox_groups() if members(group)]
    new = [group for group in groups if group not in before] or groups
    expect(new, f"no cgroup with a member below {GROUP}")
    return new[-1]


def processes():
    """pid → start time, of Corral's programs and of everything that runs as a sandbox's user."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            uid = os.stat(f"/proc/{name}").st_uid
            program = os.readlink(f"/proc/{name}/exe")
            began = read(f"/proc/{name}/stat").rpartition(")")[2].split()[19]
        except OSError:
            continue
        if program.startswith(f"{LIBEXEC}/") or uid in UIDS:
            found[int(name)] = began
    return found
