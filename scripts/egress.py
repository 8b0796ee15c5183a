"""make egress: proves in a world of its own that a sandbox reaches what its policy grants, and
nothing else.

    egress.py                       with what was built for release
    egress.py --programs DIR        with the programs of that directory
    egress.py --only PATTERN        some checks by name
    egress.py --bytes N             how much goes each way in `transfer` (1 GiB)
    egress.py --reloads N           how often the rules change in `reload` (1000)
    egress.py --flips N             how often a name is asked for in `rebinding` (10000)

Prints a line for each check. Exit status 0 only if every one came out as it must.
"""

import argparse
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import time

import egress_attacks
import egress_changes
import egress_programs
from testbed import TOP, Failure, Testbed
from traces import link, numbers
from world import (OTHER4, PRIVATE4, PRIVATE6, PUBLIC4, PUBLIC6, RESOLVER, World, lacking,
                   stop_at_signals)

CHECKS = {**egress_attacks.CHECKS, **egress_changes.CHECKS, **egress_programs.CHECKS}
RUN_SECONDS = 170
POLICY = """version: 1
name: {name}
limits: {{memory: 512MiB, processes: 256, open_files: 4096, scratch: 256MiB, cpu: 2.0}}
filesystem:
  read: [/usr, /etc/alternatives, /etc/ld.so.cache, /etc/ssl, /etc/resolv.conf, {files}]
network:
  allow: [{allow}]
  connections: 4096
  connections_per_second: 100000
  {more}
"""
ALL = '"0.0.0.0/0:1-65535", "[::/0]:1-65535"'
NAMES = ", ".join(f'"*.{name}:1-65535"' for name in
                  ("world.test", "internal", "nip.io", "example.com", "localdomain"))
POLICIES = {
    "open": (f"{ALL}, {NAMES}", ""),
    "own": (f"{ALL}, {NAMES}", "loopback: own"),
    "names": ('"web.world.test:80,443", "*.wide.world.test:80", "moved.world.test:80"', ""),
    "host": (f'{ALL}, "host_addresses:8080"', ""),
    "flip": ('"*.flip.world.test:13", "mixed.world.test:13", "alias.world.test:13"', ""),
    "change": (f'"{PUBLIC4}:13"', ""),
    "private": ('{to: "db.internal:80", private: true}, '
                '{to: "10.1.2.4:80", private: true}, "web.internal:80"', ""),
    "programs": ('"*.world.test:1-65535", {to: "db.internal:5432", private: true}', ""),
    "none": ("", ""),
    "loopback": ("", "loopback: own"),
}
ZONE = {
    "web.world.test": {"A": [PUBLIC4], "AAAA": [PUBLIC6]},
    "x.wide.world.test": {"A": [PUBLIC4]},
    "moved.world.test": {"A": [PUBLIC4]},
    "denied.world.org": {"A": [PUBLIC4], "AAAA": [PUBLIC6]},
    "evil-web.world.test": {"A": [PUBLIC4]},
    "web.world.test.evil.org": {"A": [PUBLIC4]},
    "alias.world.test": {"CNAME": "db.internal"},
    "db.internal": {"A": [PRIVATE4], "AAAA": [PRIVATE6]},
    "web.internal": {"A": [PRIVATE4]},
    "metadata.google.internal": {"A": ["169.254.169.254"]},
    "127.0.0.1.nip.io": {"A": ["127.0.0.1"]},
    "169.254.169.254.example.com": {"A": ["169.254.169.254"]},
    "localhost.localdomain": {"A": ["127.0.0.1"], "AAAA": ["::1"]},
    # A name for each asker: the gateway asks once for all who wait for the same answer.
    **{f"{number}.flip.world.test":
       {"ttl": 0, "flip": [[PUBLIC4, PUBLIC6], [PRIVATE4, PRIVATE6]]}
       for number in range(egress_attacks.ASKERS)},
    "mixed.world.test": {"ttl": 0, "A": [PRIVATE4, PUBLIC4, "127.0.0.1", "169.254.169.254"],
                         "AAAA": [PRIVATE6, PUBLIC6, "::1", "fd00:ec2::254",
                                  f"::ffff:{PRIVATE4}"]},
    **{f"{name}.world.test": {"A": [OTHER4]} for name in egress_programs.HOSTS},
}


class Stage:
    """A Corral on the host of a world, and what checks need of both."""

    def __init__(self, chosen):
        self.world = World("egress")
        self.bed = Testbed(chosen.programs, "egress")
        self.bytes, self.reloads, self.flips = chosen.bytes, chosen.reloads, chosen.flips
        self.files = f"{self.world.directory}/public"

    def begin(self):
        self.world.begin()
        self.world.own(self.bed.directory)
        self.world.resolve(ZONE)
        here = os.path.dirname(os.path.abspath(__file__))
        shutil.copy(f"{here}/world/inside.py", self.files)
        shutil.copytree(f"{TOP}/Tests/Hostile", f"{self.files}/hostile",
                        ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["chmod", "-R", "a+rX", self.files], check=True)
        self.bed.rules = ['  - {users: [root], run: ["*"]}\n']
        self.bed.prefix = self.world.words
        self.bed.install()
        for name, (allow, more) in POLICIES.items():
            self.policy(name, allow, more)
        self.bed.start()

    def policy(self, name, allow, more=""):
        """Writes a policy; one that is there is replaced at once."""
        path = f"{self.bed.etc}/policies/{name}.yaml"
        # What begins with a dot is passed over, so that nobody reads half of it.
        new = f"{self.bed.etc}/policies/.{name}.new"
        with open(new, "w", encoding="utf-8") as file:
            file.write(POLICY.format(name=name, allow=allow, files=self.files, more=more))
        os.rename(new, path)

    def words(self, policy, *words):
        return [f"{self.bed.directory}/usr/bin/corral", "--socket", self.bed.socket, "run",
                "--policy", policy, "--", *words]

    def run(self, policy, *words, seconds=RUN_SECONDS, status=0):
        """What a command in a sandbox of that policy prints."""
        done = subprocess.run(self.words(policy, *words), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=seconds, check=False)
        if status is not None and done.returncode != status:
            raise Failure(f"{' '.join(words)[:120]}: status {done.returncode}: "
                          f"{(done.stderr or done.stdout).strip()[-600:]}")
        return done.stdout

    def start(self, policy, *words):
        """A command in a sandbox that goes on meanwhile."""
        return subprocess.Popen(self.words(policy, *words), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def inside_words(self, *words):
        return ["/usr/bin/python3", "-B", f"{self.files}/inside.py", *map(str, words)]

    def inside(self, policy, *words, **options):
        said = self.run(policy, *self.inside_words(*words), **options)
        return json.loads(said.splitlines()[-1])

    def attack(self, policy, name, facts):
        return json.loads(self.run(policy, *self.attack_words(name, facts)))

    def attack_words(self, name, facts):
        return ["/usr/bin/python3", "-B", f"{self.files}/hostile/server.py", "--attack", name,
                json.dumps(facts)]

    def outside(self, *words, seconds=RUN_SECONDS):
        """What a command prints on the host, as a user of no privilege."""
        weak = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]
        return subprocess.run([*self.world.words, *weak, *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=seconds, check=True).stdout

    def strangers(self, allowed):
        """Destinations that a packet reached or was sent to and that are not among these."""
        known = {*allowed, RESOLVER}
        return sorted({f"{address} ({protocol}, {packets} packets)"
                       for space in (self.world.net, self.world.host)
                       for (address, protocol), packets in self.world.seen(space).items()
                       if address not in known})

    def gateways(self):
        """Pids of this Corral's gateway."""
        return [pid for pid in numbers()
                if link(f"/proc/{pid}/exe").startswith(self.bed.directory + "/")
                and link(f"/proc/{pid}/exe").endswith("/corral-egress")]

    def end(self):
        try:
            self.bed.stop()
        finally:
            self.bed.remove()
            self.world.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", default=f"{TOP}/.build/release", metavar="DIR")
    parser.add_argument("--only", default="*", metavar="PATTERN")
    parser.add_argument("--bytes", type=int, default=1 << 30, metavar="N")
    parser.add_argument("--reloads", type=int, default=1000, metavar="N")
    parser.add_argument("--flips", type=int, default=10_000, metavar="N")
    chosen = parser.parse_args()
    if lacking():
        print(f"egress: skipped: this machine has no {' and no '.join(lacking())}")
        return 1
    stop_at_signals()
    stage = Stage(chosen)
    failed = 0
    try:
        stage.begin()
        for name, check in CHECKS.items():
            if not fnmatch.fnmatch(name, chosen.only):
                continue
            began = time.monotonic()
            try:
                mark, told = "ok  ", check(stage)
            except (Failure, OSError, ValueError, KeyError, subprocess.SubprocessError) as failure:
                mark, told = "FAIL", f"{type(failure).__name__}: {failure}"
                failed += 1
            print(f"{mark} {name:<22}{time.monotonic() - began:6.1f} s  {told}", flush=True)
    except Failure as failure:
        print(f"egress: {failure}", file=sys.stderr)
        return 1
    finally:
        if failed:
            print(stage.bed.log_tail(), file=sys.stderr)
        stage.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
