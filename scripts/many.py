"""make test-many: many sandboxes at once start, answer and go away clean.

    many.py --built .build/release --echo .build/bench/echo --count 500

A Corral of its own gets that many connections of one user to a small server, is started anew, and
all of them are called at once: each call starts a sandbox, and all run at the same time. Printed is
what they took of time and memory. Then all are stopped, and the supervisor and the broker must be
as they were before: no process, cgroup, mount, namespace or descriptor more.
"""

import argparse
import os
import queue
import shutil
import sys
import threading
import time

from mcp_client import Gone, Silent, SocketClient
from testbed import SLOWNESS, Failure, Testbed
from traces import Family, link, read, status

CLIENTS = 8
ANSWER_SECONDS = 120 * SLOWNESS
CLEAN_SECONDS = 20 * SLOWNESS
# Between two looks that must see the same.
QUIET_SECONDS = 0.5
# Beside those of other test beds, and enough for all, the next one prepared and the installer.
UIDS_EACH = 1100
UIDS_FIRST = 2_104_000_000 + os.getpid() % 1000 * UIDS_EACH
UIDS = range(UIDS_FIRST, UIDS_FIRST + UIDS_EACH)
# What a sandbox may cost beyond its tool.
BEYOND_KIB_MAX = 300
# Started and stopped before all others: more than corrald keeps of anything for the next start
# (Limit.networks), so that what it keeps is there before as well.
FIRST = 24
# The design's figure, and a little less than corrald takes (Sources/Supervisor/Limit.swift).
COUNT, COUNT_MAX = 500, 1000


class Crowd:
    """Several clients of one user who share what is to be asked."""

    def __init__(self, path):
        self.clients = [SocketClient(path) for _ in range(CLIENTS)]

    def ask(self, requests):
        """Sends all requests at once, spread over the clients; the answers by their names."""
        left, answers, failures = queue.SimpleQueue(), {}, []
        for request in requests:
            left.put(request)

        def one(client):
            while True:
                try:
                    name, method, parameters = left.get_nowait()
                except queue.Empty:
                    return
                try:
                    answer = client.request(method, parameters, ANSWER_SECONDS)
                except (Gone, Silent) as failure:
                    failures.append(f"{name}: {failure}")
                    continue
                if "error" in answer:
                    failures.append(f"{name}: {answer['error'].get('message')}")
                answers[name] = answer.get("result")

        # A thread for each question that is open: none waits for another's answer.
        threads = [threading.Thread(target=one, args=(client,)) for client in self.clients
                   for _ in range(len(requests) // CLIENTS + 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise Failure(f"{len(failures)} of {len(requests)} failed, the first "
                          + "; ".join(failures[:3]))
        return answers

    def close(self):
        for client in self.clients:
            client.close()


class State:
    """What a Corral has on this machine."""

    def __init__(self, family):
        self.members = family.members()
        self.tools, self.inits, self.programs = set(), set(), {}
        for pid in self.members:
            name = os.path.basename(read(f"/proc/{pid}/cmdline").split("\0")[0])
            # The range's last two are the broker's and the gateway's, without users of theirs.
            if int(status(pid).get("Uid", "0").split()[0]) not in UIDS[:-2]:
                self.programs[pid] = name
            elif name == "corral-launch":
                self.inits.add(pid)
            else:
                self.tools.add(pid)
        self.cgroups = len(family.cgroups(self.members))
        self.namespaces = len(family.namespaces(self.members))
        self.mounts = sum(family.directory in row
                          for row in read("/proc/self/mountinfo").splitlines())

    def descriptors(self):
        """How many each of our own programs has, by name."""
        found = {}
        for pid, name in self.programs.items():
            if name in ("corrald", "corral-broker", "corral-egress"):
                found[name] = len(os.listdir(f"/proc/{pid}/fd"))
        return found

    def facts(self):
        """What must be the same again when all sandboxes are gone."""
        return {"processes": len(self.members), "cgroups": self.cgroups,
                "namespaces": self.namespaces, "mounts": self.mounts, **self.descriptors()}


def pss_kib(pids):
    total = 0
    for pid in pids:
        for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def prepared(built, echo, count):
    """A Corral with that many connections, none of whose servers runs."""
    bed = Testbed(built, "many", UIDS)
    try:
        bed.install()
        tool = f"{bed.directory}/echo"
        os.mkdir(tool)
        shutil.copy(echo, f"{tool}/echo")
        bed.start()
        crowd = Crowd(bed.socket)
        crowd.ask([(f"echo{number}", "corral/connections/register", {
            "name": f"echo{number}", "card": "custom", "settings": {
                "command": [f"{tool}/echo"], "files": tool}}) for number in range(count)])
        crowd.close()
        bed.stop()
        return bed
    except BaseException:
        bed.stop()
        bed.remove()
        raise


def call(crowd, names):
    answers = crowd.ask([(name, "tools/call", {
        "name": f"{name}__echo", "arguments": {"text": name}}) for name in names])
    wrong = [name for name in names if answers[name]["content"][0]["text"] != name]
    if wrong:
        raise Failure(f"another's answer came to {' '.join(wrong[:5])}")


def settle(family, before):
    """Waits until all is as it was; what is not when the time is over."""
    end = time.monotonic() + CLEAN_SECONDS
    while True:
        now = State(family).facts()
        if now == before:
            return
        if time.monotonic() > end:
            changed = [f"{name} {before[name]} before, {now.get(name)} now"
                       for name in before if now.get(name) != before[name]]
            raise Failure("after the stop: " + ", ".join(changed))
        time.sleep(0.05)


def run(bed, count):
    family = Family(bed.directory, UIDS)
    bed.start()
    crowd = Crowd(bed.socket)
    names = [f"echo{number}" for number in range(count)]
    # Some before all: their template, what is kept for the next starts and the broker's store stay,
    # however many follow.
    call(crowd, names[:FIRST])
    if not State(family).cgroups:  # the family knows a cgroup once it has seen a member in it
        raise Failure("the counter counts nothing: no cgroup is seen while a tool runs")
    crowd.ask([(name, "corral/connections/remove", {"name": name}) for name in names[:FIRST]])
    names = names[FIRST:]
    before = quiet(family)
    ours = pss_kib(before.programs)
    began = time.monotonic()
    call(crowd, names)
    started = time.monotonic() - began
    running = State(family)
    if len(running.tools) != len(names) or len(running.inits) != len(names):
        raise Failure(f"{len(running.tools)} tools and {len(running.inits)} pid 1 run of "
                      f"{len(names)}")
    uids = {status(pid).get("Uid") for pid in running.tools}
    homes = {link(f"/proc/{pid}/ns/net") for pid in running.tools}
    if len(uids) != len(names) or len(homes) != len(names):
        raise Failure(f"{len(uids)} users and {len(homes)} network namespaces of {len(names)}")
    beyond = (pss_kib(running.programs) - ours + pss_kib(running.inits)) / len(names)
    tools = pss_kib(running.tools) / len(names)
    began = time.monotonic()
    call(crowd, names)
    called = time.monotonic() - began
    began = time.monotonic()
    crowd.ask([(name, "corral/connections/remove", {"name": name}) for name in names])
    settle(family, before.facts())
    stopped = time.monotonic() - began
    crowd.close()
    print(f"many: {len(names)} sandboxes at once: started and answered in {started:.1f} s, "
          f"answered again in {called:.1f} s, gone without a trace in {stopped:.1f} s; "
          f"{beyond:.0f} KiB each beyond the tool's {tools:.0f} (PSS)")
    if beyond > BEYOND_KIB_MAX:
        raise Failure(f"a sandbox may cost {BEYOND_KIB_MAX} KiB beyond its tool")


def quiet(family):
    """The state in which nothing runs and nothing changes any more."""
    end, last = time.monotonic() + CLEAN_SECONDS, None
    while time.monotonic() < end:
        now = State(family)
        if not now.tools | now.inits and last and now.facts() == last.facts():
            return now
        last = now
        time.sleep(QUIET_SECONDS)
    raise Failure("the first ones do not stop")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--built", required=True)
    parser.add_argument("--echo", required=True)
    parser.add_argument("--count", type=int, default=COUNT)
    asked = parser.parse_args()
    if not 1 <= asked.count <= COUNT_MAX:
        parser.error(f"--count takes 1 to {COUNT_MAX}")
    try:
        bed = prepared(os.path.abspath(asked.built), asked.echo, asked.count + FIRST)
    except (Failure, Gone, Silent) as failure:
        print(f"many: {failure}", file=sys.stderr)
        return 1
    try:
        run(bed, asked.count + FIRST)
        bed.stop()
        if State(Family(bed.directory, UIDS)).members:
            raise Failure("after the end processes are left")
    except (Failure, Gone, Silent) as failure:
        print(f"many: {failure}\n{bed.log_tail()}", file=sys.stderr)
        return 1
    finally:
        bed.stop()
        bed.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
