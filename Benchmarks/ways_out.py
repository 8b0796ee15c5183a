"""The network's part of `make bench`: a sandbox's way out beside what others use.

Every contender reaches the same server in a world of its own (scripts/world): Corral's gateway;
a veth pair straight into the world, with the six sets denied by nftables; slirp4netns and pasta,
whose user-space networks end on the same host. All take turns.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import time

from testbed import Failure, Testbed
from world import PUBLIC4, World, run

MADE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".build/bench")
CONNECT_ROUNDS, CONNECTS = 20, 100
STREAM_ROUNDS, STREAM_BYTES = 5, 1 << 30
HELD, HELD_CONNECTS = 10_000, 1000
DESCRIPTORS_LEFT = 1600
OFFLINE = 8
SETTLE_SECONDS = 30
TICKS = os.sysconf("SC_CLK_TCK")
POLICY = f"""version: 1
name: bench
limits: {{memory: 512MiB, processes: 512, open_files: FILES, cpu: 8.0, cpu_time: 1h}}
filesystem:
  read: [/usr, FOLDER]
network:
  allow: ["{PUBLIC4}:1-65535"]
  connections: 20000
  connections_per_second: 100000
"""
OFFLINE_POLICY = "version: 1\nname: offline\n"
DENIED = """
table inet denied {
  chain out {
    type filter hook output priority 0;
    ip daddr { 0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12,
      192.0.0.0/24, 192.0.2.0/24, 192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, 198.51.100.0/24,
      203.0.113.0/24, 224.0.0.0/4, 240.0.0.0/4, 168.63.129.16 } reject
    ip6 daddr { ::1, fc00::/7, fe80::/10, ff00::/8, 2001::/23, 2001:db8::/32, 2002::/16,
      64:ff9b:1::/48, 100::/64 } reject
  }
}
"""


class Dialler:
    """`net dial` somewhere, which does one thing at a time."""

    def __init__(self, name, words):
        self.name = name
        self.child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True)

    def ask(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        said = self.child.stdout.readline()
        if not said:
            raise Failure(f"{self.name}: {line!r} got no answer (status {self.child.wait()})")
        return json.loads(said)

    def must(self, line):
        said = self.ask(line)
        if said["failed"]:
            raise Failure(f"{self.name}: {line!r} failed {said['failed']} times")
        return said

    def end(self):
        self.child.stdin.close()
        self.child.wait(SETTLE_SECONDS)
        self.child.stdout.close()


def ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def pids(name, directory=""):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            target = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            continue
        if target.startswith(directory) and os.path.basename(target).startswith(name):
            found.append(int(pid))
    return found


class Contenders:
    """Everybody who takes part, by name, and what each needs."""

    def __init__(self, report, programs):
        self.report = report
        self.world = World("bench")
        self.bed = Testbed(programs, "bench-net")
        self.diallers = {}
        self.helpers = {}
        self.server = None
        self.net = ""

    def begin(self):
        self.world.begin()
        self.world.own(self.bed.directory)
        self.net = f"{self.world.public}/net"
        shutil.copy(f"{MADE}/net", self.net)
        os.chmod(self.net, 0o755)
        # The world's own servers have these ports.
        self.world.children[-1].kill()
        self.world.children[-1].wait()
        self.server = self.world.child([*self.world.in_net, self.net, "serve"])
        self.begin_corral()
        self.begin_veth()
        self.begin_slirp()
        self.begin_pasta()
        time.sleep(0.5)

    def begin_corral(self):
        files = min(16_384, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        self.bed.rules = ['  - {users: [root], run: ["*"]}\n']
        self.bed.prefix = self.world.words
        self.bed.install()
        for name, text in (("bench", POLICY), ("offline", OFFLINE_POLICY)):
            text = text.replace("FILES", str(files)).replace("FOLDER", self.world.public)
            with open(f"{self.bed.etc}/policies/{name}.yaml", "w", encoding="utf-8") as file:
                file.write(text)
        self.bed.start()
        self.diallers["corral"] = Dialler(
            "corral", self.corral_words("bench", self.net, "dial", PUBLIC4))

    def corral_words(self, policy, *words):
        return [f"{self.bed.directory}/usr/bin/corral", "--socket", self.bed.socket, "run",
                "--policy", policy, "--", *words]

    def gateway(self):
        found = pids("corral-egress", self.bed.directory)
        if len(found) != 1:
            raise Failure(f"egress: {len(found)} gateways run")
        return found[0]

    def dial_in(self, name, space):
        return Dialler(name, ["setpriv", "--pdeathsig", "KILL", "--", "nsenter",
                        f"--net=/run/netns/{space}", "--", self.net, "dial", PUBLIC4])

    def begin_veth(self):
        space = self.world.space("veth")
        run("ip", "-n", space, "link", "add", "tool", "type", "veth", "peer", "name", "tool",
            "netns", self.world.net)
        for name, address in ((space, "81.2.70.10/24"), (self.world.net, "81.2.70.1/24")):
            run("ip", "-n", name, "address", "add", address, "dev", "tool")
            run("ip", "-n", name, "link", "set", "tool", "up")
        run("ip", "-n", space, "link", "set", "lo", "up")
        run("ip", "-n", space, "route", "add", "default", "via", "81.2.70.1")
        self.world.nft(space, stdin=DENIED)
        self.diallers["veth"] = self.dial_in("veth", space)

    def begin_user(self, name, words):
        """A network in user space: what it needs has come up when a connection can be made."""
        if not shutil.which(words[0]):
            self.report.skip("egress", f"no {name} here")
            return
        with open(f"{self.world.directory}/{name}.log", "wb") as log:
            # Not in the host's mount namespace, which is older than what they are to find.
            helper = self.world.child(
                ["nsenter", f"--net=/run/netns/{self.world.host}", "--", *words], stdout=log,
                stderr=log)
        space = words[-2] if name == "slirp4netns" else words[-1]
        dialler = self.dial_in(name, os.path.basename(space))
        end = time.monotonic() + SETTLE_SECONDS / 3
        while dialler.ask("connect 13 1")["failed"]:
            if time.monotonic() > end or helper.poll() is not None:
                with open(log.name, encoding="utf-8", errors="replace") as told:
                    why = " ".join(told.read().split())[-120:]
                self.report.skip("egress", f"{name} does not run here: {why or 'no connection'}")
                dialler.end()
                return
            time.sleep(0.1)
        self.diallers[name] = dialler
        self.helpers[name] = helper.pid

    def begin_slirp(self):
        path = f"/run/netns/{self.world.space('slirp')}"
        self.begin_user("slirp4netns", ["slirp4netns", "--configure", "--mtu=65520",
                                        "--disable-host-loopback", "--netns-type=path", path,
                                        "tap0"])

    def begin_pasta(self):
        path = f"/run/netns/{self.world.space('pasta')}"
        self.begin_user("pasta", ["pasta", "--foreground", "--config-net", "--quiet",
                                  "--runas", "0", "--netns", path])

    def between(self, name):
        """Pids of what stands between a contender and the server."""
        if name == "corral":
            return [self.gateway()]
        return [self.helpers[name]] if name in self.helpers else []

    def end(self):
        for dialler in self.diallers.values():
            dialler.child.kill()
        try:
            self.bed.stop()
        finally:
            self.bed.remove()
            self.world.end()


def percentile(samples, part):
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * part))]


def peers_of(contenders):
    return [name for name in contenders.diallers if name != "corral"]


def turns(report, contenders, line):
    """What each contender answers in turn; a peer that fails takes no more part."""
    for name, dialler in list(contenders.diallers.items()):
        before = busy(contenders, name, dialler)
        said = dialler.ask(line)
        if not said["failed"]:
            yield name, said["ns"], busy(contenders, name, dialler) - before
        elif name == "corral":
            raise Failure(f"corral: {line!r} failed {said['failed']} times")
        else:
            report.skip(line, f"{name} failed {said['failed']} times and is left out from here on")
            contenders.diallers.pop(name).end()


def bench_connect(report, contenders):
    samples = {name: [] for name in contenders.diallers}
    for turn in range(1 + CONNECT_ROUNDS):
        for name, taken, _ in turns(report, contenders, f"connect 13 {CONNECTS}"):
            # The first turn only warms up.
            samples[name] += taken if turn else []
    mine = samples["corral"]
    for peer in peers_of(contenders):
        report.add("egress_connect", statistics.median(mine) / 1e3, "us",
                   percentile(mine, 0.99) / 1e3, peer, statistics.median(samples[peer]) / 1e3,
                   len(mine))


def busy(contenders, name, dialler):
    """CPU seconds of both ends and what is between them; a sandbox's end is below the command."""
    ends = [contenders.server.pid, *contenders.between(name)]
    ends += pids("net", contenders.world.public) if name == "corral" else [dialler.child.pid]
    return sum(ticks(pid) for pid in set(ends) - others(contenders, name))


def others(contenders, name):
    return {dialler.child.pid for other, dialler in contenders.diallers.items() if other != name}


def bench_throughput(report, contenders):
    for streams in (1, 32):
        speeds = {name: [] for name in contenders.diallers}
        cost = {name: [] for name in contenders.diallers}
        for _ in range(STREAM_ROUNDS):
            line = f"send 9 {streams} {STREAM_BYTES // streams}"
            for name, taken, cpu in turns(report, contenders, line):
                speeds[name].append(STREAM_BYTES / (taken[0] / 1e9) / (1 << 20))
                cost[name].append(cpu / (STREAM_BYTES / (1 << 30)))
        for peer in peers_of(contenders):
            report.add(f"egress_tx_{streams}", statistics.median(speeds["corral"]), "MiB/s", None,
                       peer, statistics.median(speeds[peer]), STREAM_ROUNDS)
        for peer in peers_of(contenders):
            report.add(f"egress_cpu_{streams}", statistics.median(cost["corral"]), "s/GiB", None,
                       peer, statistics.median(cost[peer]), STREAM_ROUNDS)


def bench_idle(report, contenders):
    dialler, gateway = contenders.diallers["corral"], contenders.gateway()
    before = pss_kib(gateway)
    offline = [subprocess.Popen(contenders.corral_words("offline", "/usr/bin/cat"),
                                stdin=subprocess.PIPE) for _ in range(OFFLINE)]
    time.sleep(2)
    report.add("egress_offline", (pss_kib(gateway) - before) / OFFLINE, "KiB", None, None, None,
               OFFLINE)
    for one in offline:
        one.stdin.close()
        one.wait(SETTLE_SECONDS)
    before = pss_kib(gateway)
    # A connection takes two descriptors of the gateway's, and others have to be left.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = min(HELD, (most - DESCRIPTORS_LEFT) // 2)
    held = dialler.must(f"hold 14 {wanted}")["held"]
    if wanted < HELD:
        report.skip("egress_idle", f"{HELD - wanted} of {HELD} connections: a process may have "
                    f"{most} descriptors here")
    report.add("egress_idle", (pss_kib(gateway) - before) / max(held, 1), "KiB", None, None, None,
               held)
    samples = {"corral": [], "veth": []}
    veth = contenders.diallers["veth"]
    veth.ask(f"hold 14 {held}")
    for _ in range(10):
        for name, one in (("corral", dialler), ("veth", veth)):
            samples[name] += one.must(f"connect 13 {HELD_CONNECTS // 10}")["ns"]
    report.add("egress_busy", percentile(samples["corral"], 0.5) / 1e3, "us",
               percentile(samples["corral"], 0.99) / 1e3, "veth",
               percentile(samples["veth"], 0.5) / 1e3, held)
    for one in (dialler, veth):
        one.must("drop")


KINDS = {"egress_connect": bench_connect, "egress_throughput": bench_throughput,
         "egress_idle": bench_idle}


def measure(report, programs, chosen):
    contenders = Contenders(report, programs)
    try:
        contenders.begin()
        for name, bench in KINDS.items():
            if name in chosen or "egress" in chosen:
                bench(report, contenders)
    finally:
        contenders.end()
