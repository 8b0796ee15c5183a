"""make hostile: the corpus of attacks, through a Corral of its own or any other MCP gateway.

    hostile.py                          attacks Corral as built for release
    hostile.py --programs DIR           the same with the programs of that directory
    hostile.py --server "COMMAND"       attacks whatever that command speaks MCP for

Exit status 0 only if every attack was stopped in the way that was expected of it and the host took
no harm. docs/hostile.md says more.
"""

import argparse
import fnmatch
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from hostile_host import CORPUS, Bait, seconds_until_gone
from mcp_client import Client, Gone, Silent
from testbed import SLOWNESS, TOP, Failure, Testbed

ANSWER_SECONDS = 30 * SLOWNESS
BACK_SECONDS = 20 * SLOWNESS
LANES = 3
# Starts while a directory to mount is being swapped; each is a chance for the link to win.
SWAPPED_STARTS = 12
# What a flood of errors may leave on disk at most: nothing of it, and the records of the calls.
GROWTH_BYTES = 1 << 20
POLICY = """version: 1
name: {name}
limits:
  memory: 64MiB
  cpu: 1.0
  cpu_time: {cpu_time}
  processes: 48
  open_files: 128
  file_size: 8MiB
  scratch: 16MiB
  call_timeout: {timeout}
  response: 1MiB
{more}"""
CARD = """version: 1
name: {name}
title: Hostile
description: Tools that attack what they run in
policy: {name}
command: [/usr/bin/python3, -B, "{{files}}/server.py"]
settings:
  - {{name: files, kind: directory, required: true}}
  - {{name: shared, kind: directory, writable: true}}
  - {{name: runtime, kind: directory}}
"""


def corpus():
    said = subprocess.run([sys.executable, "-B", f"{CORPUS}/server.py", "--list"],
                          capture_output=True, text=True, check=True)
    return [json.loads(line) for line in said.stdout.splitlines()]


class Verdict:
    """What became of one attack."""

    def __init__(self, attack, got, by, good):
        self.attack, self.got, self.by, self.good = attack, got, by, good

    def row(self):
        expected = " or ".join(self.attack["expect"])
        mark = "ok  " if self.good else "FAIL"
        told = " ".join(f"{self.got}: {self.by}".split())
        return (f"{mark} {self.attack['name']:<24}{self.attack['row']:<5}{expected:<34}"
                f"{told[:90] if self.good else told}")


class Lane:
    """One connection to a hostile server, on which one attack at a time is made."""

    def __init__(self, words, prefix, facts, is_strict):
        self.words, self.prefix, self.facts = words, prefix, facts
        self.is_strict = is_strict
        self.client = None

    def connected(self):
        if self.client is None:
            self.client = Client(self.words)
        return self.client

    def drop(self):
        if self.client:
            self.client.close()
        self.client = None

    def said(self, attack):
        """What a call answered: the outcome, or the reason of an error, and the words."""
        try:
            answer = self.connected().call(
                self.prefix + attack["name"], {"host": self.facts}, ANSWER_SECONDS)
        except Gone as gone:
            self.drop()
            return "server_ended", str(gone)
        except Silent as silent:
            self.drop()
            return "no_answer", str(silent)
        if "error" in answer:
            error = answer["error"]
            return (error.get("data") or {}).get("reason", "error"), error.get("message", "")
        # A gateway may add parts of its own, such as a limit that was met.
        text = (answer["result"].get("content") or [{}])[0].get("text", "")
        try:
            found = json.loads(text)
            return found["outcome"], found["by"]
        except (ValueError, KeyError, TypeError):
            return "error" if answer["result"].get("isError") else "unreadable", text

    def attack(self, attack):
        got, by = self.said(attack)
        if self.is_strict:
            good = got in attack["expect"]
        else:
            good = got not in ("succeeded", "broken", "unreadable")
        if attack["leaves"]:
            took = seconds_until_gone(attack["leaves"], got == "timeout")
            good = good and took is not None
            by += "; its processes live on" if took is None else f" (gone after {took:.1f} s)"
        if got not in ("stopped", "succeeded", "broken") and not self.is_back():
            good, by = False, by + "; the server did not come back"
        return Verdict(attack, got, by, good)

    def is_back(self):
        end = time.monotonic() + BACK_SECONDS
        while time.monotonic() < end:
            try:
                answer = self.connected().call(self.prefix + "echo", {"text": "x"}, ANSWER_SECONDS)
                if "error" not in answer:
                    return True
            except (Gone, Silent):
                self.drop()
            time.sleep(0.05)
        return False


class SwapLane:
    """Starts servers with a shared directory that is exchanged for a link to another all the while:
    what is opened must be what is mounted, and never through the link."""

    def __init__(self, corral, bait, facts):
        self.corral, self.bait, self.facts = corral, bait, facts

    def attack(self, attack):
        stop, swaps = threading.Event(), []
        swapper = threading.Thread(target=lambda: swaps.append(self.bait.swap(stop)))
        swapper.start()
        try:
            told = [self.start(attack) for _ in range(SWAPPED_STARTS)]
        finally:
            stop.set()
            swapper.join()
        through = [by for got, by in told if got != "stopped"]
        if through:
            return Verdict(attack, "succeeded", through[0], False)
        refused = sum(by == "refused" for _, by in told)
        return Verdict(attack, "stopped", f"{len(told)} starts, {refused} of them refused, while "
                       f"{swaps[0]} swaps were made", True)

    def start(self, attack):
        bed = self.corral.bed
        answer = bed.corral("connect", "hostile", "--name", "swap", "--set",
                            f"files={self.bait.files}", "--set", f"shared={self.bait.swapped}")
        if answer.status:
            return "stopped", "refused"
        lane = Lane(self.corral.words("swap"), "swap__", self.facts, True)
        verdict = lane.attack(attack)
        lane.drop()
        bed.must("disconnect", "swap")
        return verdict.got, verdict.by

    def drop(self):
        """Keeps nothing between attacks."""


class Neighbour:
    """Somebody else's tool, called all the while; each call must succeed."""

    def __init__(self, words, prefix):
        self.client, self.prefix = Client(words), prefix
        self.times, self.failures = [], []
        self.going = True
        self.thread = threading.Thread(target=self.go_on, daemon=True)
        self.client.call(prefix + "plant", {}, ANSWER_SECONDS)
        self.thread.start()

    def go_on(self):
        while self.going:
            began = time.monotonic()
            try:
                answer = self.client.call(self.prefix + "echo", {"text": "well"}, ANSWER_SECONDS)
                if "error" in answer:
                    self.failures.append(answer["error"].get("message", "error"))
            except (Gone, Silent) as failure:
                self.failures.append(str(failure))
                return
            self.times.append(time.monotonic() - began)
            time.sleep(0.02)

    def end(self):
        self.going = False
        self.thread.join(ANSWER_SECONDS)
        self.client.close()

    def told(self):
        times = sorted(self.times) or [0]
        return (f"a neighbour made {len(self.times)} calls meanwhile, {len(self.failures)} failed, "
                f"p50 {statistics.median(times) * 1e3:.1f} ms, "
                f"p99 {times[int(len(times) * 0.99)] * 1e3:.1f} ms")


class Corral:
    """A Corral of its own with a hostile server in each connection that attacks ask for."""

    def __init__(self, programs):
        self.bed = Testbed(programs, "hostile")
        # Why no policy of this host can limit disks; empty where one can.
        self.unlimited = ""

    def begin(self):
        self.bed.install()
        for name, cpu_time, timeout, more in (
                ("hostile", "10m", f"{8 * SLOWNESS}s", ""),
                ("short", f"{SLOWNESS}s", f"{20 * SLOWNESS}s", ""),
                ("slow", "10m", f"{20 * SLOWNESS}s", "  io: {read: 4MiB}\n")):
            self.write(f"policies/{name}.yaml",
                       POLICY.format(name=name, cpu_time=cpu_time, timeout=timeout, more=more))
            self.write(f"runcards/{name}.yaml", CARD.format(name=name))
        # A way out that leads nowhere: what is attacked is the gateway, and what it denies.
        network = "network: {allow: ['192.0.2.1:9']}\n"
        self.write("policies/networked.yaml", POLICY.format(
            name="networked", cpu_time="10m", timeout=f"{20 * SLOWNESS}s", more=network))
        self.write("runcards/networked.yaml", CARD.format(name="networked") + network)
        self.unlimited = self.lacks("slow")
        if self.unlimited:
            for kind in ("runcards", "policies"):
                os.unlink(f"{self.bed.etc}/{kind}/slow.yaml")
        self.bed.start()
        # The gateway's socket, as if an admin had opened it to everybody by mistake.
        os.chmod(self.bed.socket, 0o666)
        os.chmod(os.path.dirname(self.bed.socket), 0o755)

    def lacks(self, policy):
        """What this host has not that a policy needs."""
        told = self.bed.corral("--json", "doctor", "--policies",
                                          f"{self.bed.etc}/policies", "--runcards",
                                          f"{self.bed.etc}/runcards").json
        return next(need["lacks"] for need in told["needs"]
                    if (need["kind"], need["name"]) == ("policy", policy))

    def write(self, path, text):
        with open(f"{self.bed.etc}/{path}", "w", encoding="utf-8") as file:
            file.write(text)

    def words(self, name):
        return [f"{self.bed.directory}/usr/bin/corral", "--socket", self.bed.socket, "mcp",
                "--connection", name]

    def connect(self, name, card, bait, *more):
        self.bed.must("connect", card, "--name", name, "--set", f"files={bait.files}", *more)

    def lanes(self, bait, facts):
        """Lists of lanes by the `where` of attacks."""
        facts["control"] = self.bed.socket
        facts["cpus"] = 1.0
        names = {"hostile": [f"hostile{number}" for number in range(LANES)],
                 "shared": ["shared"], "short": ["short"], "runtime": ["runtime"]}
        for name in names["hostile"]:
            self.connect(name, "hostile", bait)
        self.connect("short", "short", bait)
        names["networked"] = ["networked"]
        self.connect("networked", "networked", bait)
        if not self.unlimited:
            names["slow"] = ["slow"]
            self.connect("slow", "slow", bait)
        self.connect("shared", "hostile", bait, "--set", f"shared={bait.shared}")
        self.connect("runtime", "hostile", bait, "--set",
                     f"runtime={os.path.dirname(self.bed.socket)}")
        self.connect("neighbour", "hostile", bait)
        lanes = {where: [Lane(self.words(name), f"{name}__", facts, True) for name in some]
                 for where, some in names.items()}
        return {**lanes, "swap": [SwapLane(self, bait, facts)]}

    def neighbour(self):
        return Neighbour(self.words("neighbour"), "neighbour__")

    def grown(self):
        """Bytes that logs and state take on the host's disk, but for the database's journal, whose
        size is its own affair."""
        return sum(os.lstat(os.path.join(where, name)).st_size
                   for where, _, names in os.walk(f"{self.bed.directory}/state")
                   for name in names if not name.endswith("-wal")) + os.path.getsize(self.bed.log)

    def end(self):
        self.bed.stop()
        self.bed.remove()


def run_lane(lane, attacks, verdicts):
    """Takes one attack after the other from the list that its lanes share."""
    while True:
        try:
            attack = attacks.pop(0)
        except IndexError:
            return
        try:
            verdicts.append(lane.attack(attack))
        except (Gone, Silent, OSError) as failure:
            verdicts.append(Verdict(attack, "no_server", str(failure), False))
            lane.drop()


def run(lanes, attacks):
    verdicts, threads = [], []
    for where, some in lanes.items():
        # Those that wait for a deadline first, so that nobody waits for them alone at the end.
        left = sorted((one for one in attacks if one["where"] == where),
                      key=lambda one: "timeout" not in one["expect"])
        threads += [threading.Thread(target=run_lane, args=(lane, left, verdicts))
                    for lane in some]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for some in lanes.values():
        for lane in some:
            lane.drop()
    return verdicts


def report(verdicts, attacks, harm, notes):
    print(f"     {'attack':<24}{'row':<5}{'expected':<34}got")
    order = {attack["name"]: number for number, attack in enumerate(attacks)}
    for verdict in sorted(verdicts, key=lambda one: order[one.attack["name"]]):
        print(verdict.row())
    for one in harm:
        print(f"FAIL {one}")
    for note in notes:
        print(f"     {note}")
    bad = sum(not verdict.good for verdict in verdicts)
    rows = {verdict.attack["row"] for verdict in verdicts}
    print(f"{len(verdicts) - bad} of {len(verdicts)} attacks over {len(rows)} rows met what they "
          f"should" + (f"; {bad} DID NOT" if bad else "") + ("; HARM DONE" if harm else ""))
    return 1 if bad or harm or not verdicts else 0


def attack_corral(programs, attacks):
    corral = Corral(programs)
    bait = None
    try:
        corral.begin()
        bait = Bait(f"{corral.bed.directory}/bait")
        if not bait.proven():
            raise Failure("the host's listeners do not count their visitors")
        lanes = corral.lanes(bait, bait.facts())
        notes = [f"{one['name']} left out: its policy lacks {corral.unlimited}"
                 for one in attacks if one["where"] not in lanes]
        attacks = [one for one in attacks if one["where"] in lanes]
        neighbour = corral.neighbour()
        before = corral.grown()
        verdicts = run(lanes, attacks)
        neighbour.end()
        harm = bait.harm()
        harm += [f"a neighbour's call failed: {one}" for one in neighbour.failures[:3]]
        grown = corral.grown() - before
        if grown > GROWTH_BYTES:
            harm.append(f"logs and state grew by {grown >> 20} MiB")
        notes += [neighbour.told(), f"logs and state grew by {grown >> 10} KiB"]
        return report(verdicts, attacks, harm, notes)
    finally:
        if bait:
            bait.remove()
        corral.end()


def attack_server(command, prefix, attacks):
    """Any other gateway: it must offer this corpus, or be the command that runs it."""
    with tempfile.TemporaryDirectory(prefix="corral-hostile.", dir="/tmp") as directory:
        bait = Bait(directory)
        try:
            # {corpus} is where the corpus lies, for a command that starts it.
            words = [word.replace("{corpus}", bait.files) for word in shlex.split(command)]
            client = Client(words)
            names = client.tools()
            client.close()
            if prefix is None:
                offered = [name for name in names if name.endswith(attacks[0]["name"])]
                if not offered:
                    raise Failure(f"the command offers no tool {attacks[0]['name']}: {names[:5]}")
                prefix = offered[0][:-len(attacks[0]["name"])]
            attacks = [one for one in attacks if one["where"] == "hostile"]
            lane = Lane(words, prefix, bait.facts(), False)
            return report(run({"hostile": [lane]}, attacks), attacks, bait.harm(), [])
        finally:
            bait.remove()


def table(attacks):
    """The rows of docs/hostile.md, in order of the threats they belong to."""
    def key(one):
        return one["row"][0], int(one["row"][1:])

    for one in sorted(attacks, key=key):
        ways = " or ".join(f"`{way}`" for way in one["expect"])
        print(f"| {one['row']} | `{one['name']}` | {one['tries']} | {ways} |")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", default=f"{TOP}/.build/release", metavar="DIR")
    parser.add_argument("--server", metavar="COMMAND",
                        help="words of a command that speaks MCP; {corpus} is the corpus")
    parser.add_argument("--prefix", help="what stands before each tool's name; found out if absent")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="attacks or rows by name")
    parser.add_argument("--table", action="store_true", help="print the attacks for docs, no more")
    chosen = parser.parse_args()
    attacks = [one for one in corpus() if fnmatch.fnmatch(one["name"], chosen.only)
               or fnmatch.fnmatch(one["row"], chosen.only)]
    if chosen.table:
        return table(attacks)
    if not attacks:
        sys.exit(f"hostile: no attack and no row matches '{chosen.only}'")
    if os.getuid() != 0:
        sys.exit("hostile: starting corrald and laying bait need root: sudo make hostile")
    try:
        if chosen.server:
            return attack_server(chosen.server, chosen.prefix, attacks)
        return attack_corral(chosen.programs, attacks)
    except (Failure, Gone, Silent) as failure:
        print(f"FAIL {failure}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
