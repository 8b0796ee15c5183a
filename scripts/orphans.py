"""make test-orphans: kill -9 at random moments, and nothing may be left.

    orphans.py --built .build/release --rounds 1000 --seed 7

Each round begins something (a start, a call, a stop, an installation), kills the supervisor, the
broker, the gateway, a zygote, the sweeper, a sandbox's pid 1 or its tool at a random moment of it,
and looks again within a second: no process, cgroup, namespace, mount or file of a sandbox that
should not be there. On a machine that is short of time, as late sleeps tell, the second is counted
in looks. Then the next call must work. The same seed gives the same rounds.
"""

import argparse
import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from testbed import TOP, UIDS, Failure, Testbed
from traces import Family, is_living, read, status

# The promise is one second. A machine is quiet while no sleep between two looks ends later than
# that; on another the second is counted in looks, for which it is as short of time as for what is
# looked for.
CLEAN_SECONDS = 1.0
CLEAN_LOOKS = 100
LOOK_SECONDS = 0.01
QUIET_SECONDS = 0.005
RECOVERY_SECONDS = 20.0
# What is begun, how often, and how long it takes at the most: the kill falls in that time.
ACTIONS = {"start": (6, 0.08), "call": (6, 0.03), "stop": (4, 0.05), "install": (1, 2.0)}
VICTIMS = ("supervisor", "broker", "gateway", "zygote", "sweeper", "pid1", "tool")


class Herd:
    """The Corral under attack, and what there is of it."""

    def __init__(self, built, echo):
        self.bed = Testbed(built, "orphans")
        self.family = Family(self.bed.directory, UIDS)
        self.bed.install()
        self.tool = f"{self.bed.directory}/echo"
        os.mkdir(self.tool)
        shutil.copy(echo, self.tool)
        self.bed.start()
        self.bed.must("connect", "custom", "--name", "echo", "--set", f"files={self.tool}", "--",
                      f"{self.tool}/echo")

    def run(self, *words):
        return subprocess.Popen(
            [f"{self.bed.directory}/usr/bin/corral", "--socket", self.bed.socket, *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin", "HOME": "/root", "LANG": "C.UTF-8"})

    def call(self):
        return self.run("call", "echo__echo", '{"text":"moo"}')

    def by_role(self):
        """The pids of each kind of victim."""
        roles = {victim: [] for victim in VICTIMS}
        for pid in self.family.members():
            words = read(f"/proc/{pid}/cmdline").split("\0")
            uid = int(status(pid).get("Uid", "0").split()[0])
            name = os.path.basename(words[0])
            if name == "corrald":
                roles["supervisor"].append(pid)
            elif name == "corral-broker":
                roles["broker"].append(pid)
            elif name == "corral-egress":
                roles["gateway"].append(pid)
            elif name == "corral-launch" and uid in UIDS:
                roles["pid1"].append(pid)
            elif name == "corral-launch" and "sweep" in words:
                roles["sweeper"].append(pid)
            elif name == "corral-launch":
                roles["zygote"].append(pid)
            elif uid in UIDS:
                roles["tool"].append(pid)
        return roles

    def sandbox_groups(self):
        """Every sandbox's cgroup, by name; the one prepared for the next start is among them."""
        return {os.path.basename(path)
                for top in self.family.cgroups(self.family.members())
                for path in [top] if os.path.basename(top).startswith("sandbox-")}

    def leftovers(self):
        """What must not be there beside a supervisor that runs, or after one that was killed."""
        roles = self.by_role()
        # Neither beside a supervisor nor after it: mounts of the host's, files in shared places.
        found = sorted(self.family.mounts(set())) + sorted(self.family.strays())
        if not roles["supervisor"]:
            members = self.family.members()
            # With the state: one that the kernel ends still is not one that lives on.
            found += [f"{role} {pid} ({status(pid).get('State', 'gone')})"
                      for role, pids in roles.items() for pid in pids]
            found += sorted(self.family.cgroups(members))
            found += sorted(self.family.namespaces(members))
            found += glob.glob(f"{self.bed.directory}/state/installing/*")
            return found
        # Each pid 1 has a tool and each tool a pid 1; a pid 1 that is alone is about to end.
        if len(roles["pid1"]) > len(roles["tool"]) or (roles["tool"] and not roles["pid1"]):
            found.append(f"{len(roles['pid1'])} pid 1, {len(roles['tool'])} tools")
        spare = 1
        groups = self.sandbox_groups()
        if len(groups) > len(roles["pid1"]) + spare:
            found.append(f"{len(groups)} cgroups for {len(roles['pid1'])} sandboxes")
        return found


class Patience:
    """Waits for nothing to be left, and remembers the longest wait by either measure."""

    def __init__(self):
        self.seconds = []
        self.looks = []

    def wait_until_clean(self, look):
        """What `look` still finds when the time is over; nothing as soon as it finds nothing."""
        began = time.monotonic()
        late = 0.0
        for number in range(1, CLEAN_LOOKS + 1):
            asleep = time.monotonic()
            time.sleep(LOOK_SECONDS)
            late = max(late, time.monotonic() - asleep - LOOK_SECONDS)
            found = look()
            took = time.monotonic() - began
            if not found or late <= QUIET_SECONDS and took > CLEAN_SECONDS:
                break
        if late <= QUIET_SECONDS:
            self.seconds.append(took)
        else:
            self.looks.append((number, took))
        return found

    def text(self):
        """The longest waits."""
        looks, took = max(self.looks, default=(0, 0.0))
        return (f"all gone after {max(self.seconds, default=0.0):.2f} s at the most in the "
                f"{len(self.seconds)} waits on a quiet machine, after {looks} looks ({took:.2f} s) "
                f"at the most in the {len(self.looks)} others")


def begin(herd, action):
    """Begins something that takes a while; the process that waits for it."""
    if action == "start":
        for pid in herd.by_role()["tool"]:
            os.kill(pid, signal.SIGKILL)
        return herd.call()
    if action == "call":
        return herd.call()
    if action == "stop":
        return herd.run("restart", "echo")
    shutil.rmtree(f"{herd.bed.directory}/state/prefixes", ignore_errors=True)
    os.makedirs(f"{herd.bed.directory}/state/prefixes", mode=0o700, exist_ok=True)
    return herd.run("connect", "time")


def strike(herd, victim):
    pids = herd.by_role()[victim]
    # What is there now must be gone later: it is known only once it was seen.
    herd.family.namespaces(herd.family.members())
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it ended by itself, which is a moment too
    return len(pids)


def recover(herd):
    """Corral works again: at once, or after a restart when the supervisor was killed."""
    if not herd.by_role()["supervisor"]:
        herd.bed.supervisor.wait()
        herd.bed.start()
    end = time.monotonic() + RECOVERY_SECONDS
    while True:
        last = herd.call()
        if last.wait(timeout=RECOVERY_SECONDS) == 0:
            return
        if time.monotonic() > end:
            raise Failure(f"the next call does not work:\n{herd.bed.log_tail()}")
        time.sleep(0.05)


def one_round(herd, chance, patience):
    action = chance.choices(list(ACTIONS), [weight for weight, _ in ACTIONS.values()])[0]
    victim = chance.choice(VICTIMS)
    delay = chance.uniform(0, ACTIONS[action][1])
    waiter = begin(herd, action)
    time.sleep(delay)
    struck = strike(herd, victim)
    if victim == "supervisor":
        herd.bed.supervisor.wait()  # or it might still be seen on its way out
    found = patience.wait_until_clean(herd.leftovers) if victim == "supervisor" else []
    waiter.kill()
    waiter.wait()
    if not found:
        recover(herd)
        if action == "install":
            herd.run("disconnect", "time").wait(timeout=RECOVERY_SECONDS)
        found = patience.wait_until_clean(herd.leftovers)
    if found:
        raise Failure(f"{action}, kill -9 {victim} after {delay * 1000:.1f} ms: left: "
                      + ", ".join(found))
    return struck


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--built", required=True)
    parser.add_argument("--echo", required=True)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    herd = Herd(os.path.abspath(asked.built), asked.echo)
    chance = random.Random(asked.seed)
    patience = Patience()
    struck = number = 0
    began = time.monotonic()
    try:
        if not herd.by_role()["tool"] and herd.call().wait() or not herd.by_role()["tool"]:
            raise Failure("the counter counts nothing: no tool is seen while one runs")
        if not herd.family.namespaces(herd.family.members()):
            raise Failure("the counter counts nothing: no namespace is seen while a tool runs")
        for number in range(1, asked.rounds + 1):
            struck += one_round(herd, chance, patience)
            if sys.stdout.isatty():
                print(f"\r\033[K  round {number} of {asked.rounds}", end="", flush=True)
        herd.bed.stop()
        found = patience.wait_until_clean(herd.leftovers)
        if found:
            raise Failure("after the stop: left: " + ", ".join(found))
    except Failure as failure:
        print(f"orphans: round {number}, seed {asked.seed}: {failure}", file=sys.stderr)
        return 1
    finally:
        herd.bed.stop()
        herd.bed.remove()
    print(f"orphans: {asked.rounds} rounds, seed {asked.seed}: {struck} processes killed, nothing "
          f"left, every next call worked ({time.monotonic() - began:.0f} s); {patience.text()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
