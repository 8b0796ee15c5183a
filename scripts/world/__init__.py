"""A network of a test's own: a host that Corral runs on, and a world around it.

Two network namespaces, joined by a veth pair. In the *world* every address there is answers, public
ones, private ones and those of metadata services, in IPv4 and IPv6, and each packet that arrives is
counted by its destination. The *host* has addresses of its own, one way out, and a resolver in the
world; a mount namespace gives it its own /etc/resolv.conf. Nothing of the machine is changed, and
everything goes away with the program that made it, however that ends.

    python3 -m world        makes one and a shell in its host, for looking around by hand
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from testbed import Failure

from . import keys, sites

READY_SECONDS = 30
RESOLVER = "10.255.0.53"
# Public-looking; whoever answers there is in the world.
PUBLIC4, PUBLIC6 = "93.184.216.34", "2606:2800:220:1::34"
OTHER4, OTHER6 = "93.184.216.35", "2606:2800:220:1::35"
PRIVATE4, PRIVATE6 = "10.1.2.3", "fd12:3456::3"
HOST4, HOST6 = "81.2.69.10", "2a01:4f8:1::10"
HOST_PRIVATE4, HOST_PRIVATE6 = "10.20.30.40", "fd20:30::40"
NET4, NET6 = "81.2.69.1", "2a01:4f8:1::1"

# What arrives, or is sent, by destination and protocol. Neighbour discovery is the link's own.
COUNTING = """
table inet corral_world {
  set seen4 { type ipv4_addr . inet_proto; size 65535; flags dynamic; counter; }
  set seen6 { type ipv6_addr . inet_proto; size 65535; flags dynamic; counter; }
  chain seen {
    type filter hook %s priority -300;
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept
    meta l4proto { igmp } accept
    icmpv6 type { mld-listener-report, 143 } accept
    meta nfproto ipv4 add @seen4 { ip daddr . meta l4proto }
    meta nfproto ipv6 add @seen6 { ip6 daddr . meta l4proto }
  }
}
"""


def run(*words, stdin=None):
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"{' '.join(words[:8])}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def lacking():
    """Programs that a world needs and this machine has not."""
    return [name for name in ("ip", "nft", "nsenter", "unshare", "openssl")
            if not shutil.which(name)]


class World:
    def __init__(self, name="test"):
        # Not below /tmp, where a sandbox has its own.
        self.directory = tempfile.mkdtemp(prefix=f"corral-world-{name}.", dir="/var/tmp")
        os.chmod(self.directory, 0o711)
        self.public = f"{self.directory}/public"
        self.name = f"corral-world-{os.getpid()}"
        self.host, self.net = f"{self.name}-host", f"{self.name}-net"
        self.extra = []
        self.children = []
        self.guard = self.holder = None

    def __enter__(self):
        try:
            self.begin()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def begin(self):
        self.watch()
        for name in (self.host, self.net):
            run("ip", "netns", "add", name)
        self.join()
        os.mkdir(self.public, 0o755)
        keys.make(f"{self.directory}/keys", self.public)
        sites.make(f"{self.directory}/www")
        self.resolve({})
        self.hold()
        self.serve()

    def watch(self):
        """What removes everything when this process is gone: it waits for the end of a pipe."""
        script = ('name=$1; shift; while read -r path; do set -- "$@" "$path"; done; '
                  'for n in $(ip netns list | cut -d" " -f1 | grep "^$name-"); do '
                  'for p in $(ip netns pids "$n"); do kill -9 "$p"; done; ip netns del "$n"; done; '
                  'rm -rf "$@"')
        self.guard = subprocess.Popen(
            ["/bin/sh", "-c", script, "corral-world-guard", self.name, self.directory],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def own(self, directory):
        """Has a directory of the test's own removed with the world."""
        self.guard.stdin.write(directory.encode() + b"\n")
        self.guard.stdin.flush()

    def join(self):
        host, net = ["ip", "-n", self.host], ["ip", "-n", self.net]
        run(*host, "link", "add", "uplink", "type", "veth", "peer", "name", "world",
            "netns", self.net)
        for space in (self.host, self.net):
            for key in ("ipv4.conf.all.rp_filter=0", "ipv4.conf.default.rp_filter=0",
                        "ipv6.conf.all.accept_dad=0", "ipv6.conf.default.accept_dad=0",
                        "ipv6.conf.all.accept_ra=0", "ipv6.conf.default.accept_ra=0",
                        "ipv4.ip_local_port_range=10240 65535"):
                run("ip", "netns", "exec", space, "sysctl", "-qw", f"net.{key}")
        for words, device, addresses in (
                (host, "uplink", [f"{HOST4}/24", f"{HOST_PRIVATE4}/24", f"{HOST6}/64",
                                  f"{HOST_PRIVATE6}/64"]),
                (net, "world", [f"{NET4}/24", f"{NET6}/64", "fe80::a9fe:a9fe/64"])):
            run(*words, "link", "set", "lo", "up")
            run(*words, "link", "set", device, "up")
            for address in addresses:
                run(*words, "address", "add", address, "dev", device,
                    *(["nodad"] if ":" in address else []))
        run(*host, "route", "add", "default", "via", NET4)
        run(*host, "-6", "route", "add", "default", "via", NET6)
        # Every other address is one of the world's own.
        run(*net, "route", "add", "10.20.30.0/24", "dev", "world")
        run(*net, "-6", "route", "add", "fd20:30::/64", "dev", "world")
        for family in ("-4", "-6"):
            run(*net, family, "route", "add", "local", "default", "dev", "lo", "table", "main")
        for space, hook in ((self.host, "output"), (self.net, "prerouting")):
            self.nft(space, stdin=COUNTING % hook)

    def nft(self, space, *words, stdin=None):
        return run("ip", "netns", "exec", space, "nft", *(words or ("-f", "-")), stdin=stdin)

    def hold(self):
        """A process that keeps the host's mount namespace."""
        with open(f"{self.directory}/resolv.conf", "w", encoding="ascii") as file:
            file.write(f"nameserver {RESOLVER}\noptions timeout:2 attempts:2\n")
        script = 'mount --bind "$1" /etc/resolv.conf && echo ready && exec sleep infinity'
        self.holder = self.child(
            ["nsenter", f"--net=/run/netns/{self.host}", "unshare", "--mount", "/bin/sh", "-c",
             script, "sh", f"{self.directory}/resolv.conf"], stdout=subprocess.PIPE)
        if self.holder.stdout.readline().strip() != b"ready":
            raise Failure("world: cannot give the host a resolv.conf of its own")

    def child(self, words, **options):
        """A process that ends with this one."""
        child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *words],
                                 stdin=subprocess.DEVNULL, **options)
        self.children.append(child)
        return child

    @property
    def words(self):
        """What stands before a command that is to run on the host."""
        return ["nsenter", f"--target={self.holder.pid}", "--net", "--mount", "--"]

    @property
    def in_net(self):
        """What stands before a command that is to run in the world."""
        return ["nsenter", f"--net=/run/netns/{self.net}", "--"]

    def serve(self):
        here = os.path.dirname(os.path.abspath(__file__))
        with open(f"{self.directory}/servers.log", "wb") as log:
            servers = self.child([*self.in_net, "/usr/bin/python3", "-B", f"{here}/servers.py",
                                  self.directory], stdout=subprocess.PIPE, stderr=log)
        if servers.stdout.readline().strip() != b"ready":
            with open(f"{self.directory}/servers.log", encoding="utf-8") as file:
                raise Failure(f"world: its servers did not start: {file.read()[-800:]}")

    def resolve(self, zone):
        """Says what names there are: {name: {"A": [..], "AAAA": [..], "CNAME": "..", "ttl": n,
        "flip": [[..], [..]]}}; `flip` answers each question with the next of its lists."""
        path = f"{self.directory}/zone.json"
        with open(path + ".new", "w", encoding="ascii") as file:
            json.dump(zone, file)
        os.rename(path + ".new", path)

    def asked(self):
        """How often each name was asked for."""
        return self.told("asked.json")

    def told(self, name):
        """What the servers have noted, once it is as new as this question."""
        with open(f"{self.directory}/tell", "w", encoding="ascii") as file:
            file.write(str(time.monotonic_ns()))
        stamp = open(f"{self.directory}/tell", encoding="ascii").read()
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            try:
                with open(f"{self.directory}/{name}", encoding="ascii") as file:
                    found = json.load(file)
                if found["stamp"] == stamp:
                    return found["what"]
            except (OSError, ValueError):
                pass
            time.sleep(0.02)
        raise Failure(f"world: its servers do not say {name}")

    def seen(self, space=None):
        """Packets by (destination, protocol): that reached the world, or with the host's name,
        that the host sent."""
        found = {}
        for name in ("seen4", "seen6"):
            said = json.loads(self.nft(space or self.net, "-j", "list", "set", "inet",
                                       "corral_world", name))
            for entry in said["nftables"]:
                for element in entry.get("set", {}).get("elem", []):
                    value = element["elem"]
                    address, protocol = value["val"]["concat"]
                    found[address, str(protocol)] = value["counter"]["packets"]
        return found

    def forget(self):
        """Sets the counts back to nothing."""
        for space in (self.host, self.net):
            for name in ("seen4", "seen6"):
                self.nft(space, "flush", "set", "inet", "corral_world", name)

    def space(self, name):
        """One more network namespace, which goes away with the world."""
        full = f"{self.name}-{name}"
        run("ip", "netns", "add", full)
        self.extra.append(full)
        return full

    def end(self):
        for child in self.children:
            child.kill()
        for child in self.children:
            child.wait()
            if child.stdout:
                child.stdout.close()
        if self.guard:
            self.guard.stdin.close()
            self.guard.wait(READY_SECONDS)
            self.guard = None


def stop_at_signals():
    """Ends by an exception at SIGTERM and SIGHUP, so that what was made is removed in order."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
