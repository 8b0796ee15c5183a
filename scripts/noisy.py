"""Noisy neighbours: while one sandbox bombs, another user's calls go on.

    noisy.py --programs .build/release

For each kind of bomb a hostile server of root's is kept at it, again and again where a limit ends
it, until a user `nobody` has made his calls; every one of them must succeed, and the broker may not
have kept what the bomb said. How long the calls took is printed and not judged.
"""

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time

from hostile import ANSWER_SECONDS, Corral
from hostile_host import Bait
from mcp_client import Client, Gone, Silent
from testbed import TOP, Failure
from traces import read, status

# At least so many calls, for as long as the bomb is to be at work.
CALLS = 40
SECONDS = 1.5
PAUSE_SECONDS = 0.005
NOBODY = 65534
NOISE_MIB = 1024
# What the broker may keep of the noise of all bombs: queues and logs, which have bounds.
GROWTH_KIB = 64 << 10
# The bomb, the connection it needs, and what its tool is told.
BOMBS = [
    ("eat_memory", "hostile0", {}), ("fork_bomb", "hostile0", {}), ("thread_bomb", "hostile0", {}),
    ("take_processors", "hostile0", {}), ("ignore_signals", "hostile0", {}),
    ("fill_scratch", "hostile0", {}), ("fill_inodes", "hostile0", {}),
    ("exhaust_descriptors", "hostile0", {}),
    ("fill_directory", "shared", {"mib": 256}),
    ("noise_on_output", "hostile0", {"mib": NOISE_MIB}),
    ("noise_on_errors", "hostile0", {"mib": NOISE_MIB}),
]


class Neighbour:
    """A user whom all of it does not concern."""

    def __init__(self, corral, bait, seconds):
        self.seconds = seconds
        self.words = ["/usr/bin/setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY),
                      "--clear-groups", f"{corral.bed.directory}/usr/bin/corral", "--socket",
                      corral.bed.socket]
        done = subprocess.run(
            self.words + ["connect", "hostile", "--name", "calm", "--set", f"files={bait.files}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd="/",
            env={"PATH": "/usr/bin", "HOME": "/"})
        if done.returncode:
            raise Failure(f"nobody cannot connect: {done.stderr or done.stdout}")
        self.client = Client(self.words + ["mcp", "--connection", "calm"])

    def calls(self):
        """How long each call took; each must succeed."""
        times = []
        end = time.monotonic() + self.seconds
        while len(times) < CALLS or time.monotonic() < end:
            number, began = len(times), time.monotonic()
            answer = self.client.call("calm__echo", {"text": str(number)}, ANSWER_SECONDS)
            if "error" in answer or answer["result"]["content"][0]["text"] != str(number):
                raise Failure(f"a neighbour's call failed: {answer}")
            times.append(time.monotonic() - began)
            time.sleep(PAUSE_SECONDS)
        return times


class Bomb:
    """A tool that is called until it is told to stop."""

    def __init__(self, corral, facts, tool, connection, arguments):
        self.corral, self.connection = corral, connection
        self.tool, self.arguments = f"{connection}__{tool}", {**arguments, "host": facts}
        self.going, self.endings, self.failure = True, {}, None
        self.thread = threading.Thread(target=self.go_on)
        self.thread.start()

    def go_on(self):
        try:
            client = Client(self.corral.words(self.connection))
            while self.going:
                answer = client.call(self.tool, self.arguments, ANSWER_SECONDS)
                ending = "answered"
                if "error" in answer:
                    ending = (answer["error"].get("data") or {}).get("reason", "error")
                self.endings[ending] = self.endings.get(ending, 0) + 1
            client.close()
        except (Gone, Silent) as failure:
            self.failure = str(failure)

    def end(self):
        """Stops it in the middle of what it does."""
        self.going = False
        self.corral.bed.must("restart", self.connection)
        self.thread.join(ANSWER_SECONDS)
        if self.failure:
            raise Failure(f"{self.tool}: {self.failure}")
        if set(self.endings) & {"error", "unknown_tool", "denied"}:
            raise Failure(f"{self.tool} did not run: {self.endings}")


def broker_kib(corral):
    """The most memory that the broker has had so far."""
    for pid in os.listdir("/proc"):
        path = f"{corral.bed.directory}/usr/libexec/corral/corral-broker"
        if pid.isdigit() and read(f"/proc/{pid}/cmdline").split("\0")[0] == path:
            return int(status(pid)["VmHWM"].split()[0])
    raise Failure("no broker runs")


def row(name, times, endings):
    how = ", ".join(f"{count} {ending}" for ending, count in endings.items())
    return (f"ok   {name:<22}{len(times):>6}{statistics.median(times) * 1e3:>8.1f}"
            f"{max(times) * 1e3:>8.1f}  {how}")


def bombard(corral, bait, seconds):
    facts = bait.facts()
    for name in ("hostile0", "shared"):
        more = ["--set", f"shared={bait.shared}"] if name == "shared" else []
        corral.connect(name, "hostile", bait, *more)
    neighbour = Neighbour(corral, bait, seconds)
    quiet = neighbour.calls()
    before, made = broker_kib(corral), len(quiet)
    print(f"     {'bomb':<22}{'calls':>6}{'p50 ms':>8}{'max ms':>8}  how the bomb's calls ended")
    print(row("none", quiet, {}))
    for tool, connection, arguments in BOMBS:
        bomb = Bomb(corral, facts, tool, connection, arguments)
        try:
            times = neighbour.calls()
        finally:
            bomb.end()
        made += len(times)
        print(row(tool, times, bomb.endings), flush=True)
    grown = broker_kib(corral) - before
    if grown > GROWTH_KIB:
        raise Failure(f"the broker grew by {grown >> 10} MiB")
    harm = bait.harm()
    if harm:
        raise Failure("; ".join(harm))
    print(f"     all of {made} calls of a neighbour's succeeded; the broker grew by {grown} KiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", default=f"{TOP}/.build/release", metavar="DIR")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each bomb goes on")
    asked = parser.parse_args()
    corral = Corral(os.path.abspath(asked.programs))
    bait = None
    corral.bed.rules.append("  - {users: [nobody], cards: [hostile]}\n")
    try:
        corral.begin()
        bait = Bait(f"{corral.bed.directory}/bait")
        bombard(corral, bait, asked.seconds)
        return 0
    except (Failure, Gone, Silent) as failure:
        print(f"FAIL {failure}\n{corral.bed.log_tail()}")
        return 1
    finally:
        if bait:
            bait.remove()
        corral.end()


if __name__ == "__main__":
    sys.exit(main())
