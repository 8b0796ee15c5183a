"""The network from a sandbox that has a way out: nothing that its policy denies is reached, however
it is addressed. N1, N2, N3, N5, N8, N12.

A connection may be taken and then reset: what proves a way out is a byte that comes back.
`host["targets"]` replaces the addresses, `host["target_ports"]` the ports.
"""

import ctypes
import errno
import os
import socket
import struct
import threading

from attack import Stopped, attack, named
from kernel import libc

ANSWER_SECONDS = 2.0
THREADS = 16
TARGETS = [
    # Loopback, this network, private networks, shared address space.
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.1.2.3", "172.16.0.1",
    "172.31.255.254", "192.168.0.1", "192.168.255.254", "100.64.0.1", "100.127.255.254",
    # Link-local, and where clouds hand out credentials.
    "169.254.0.1", "169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.169.253",
    "100.100.100.200", "168.63.129.16", "192.0.0.192",
    # Protocol assignments, documentation, benchmarking, multicast, reserved, broadcast.
    "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.254", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.254",
    "255.255.255.255",
    "::1", "::", "fc00::1", "fd12:3456::3", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
    "fd00:c1::a9fe:a9fe", "fec0::1", "fe80::a9fe:a9fe", "ff02::1", "ff0e::1", "100::1",
    "2001:2::1", "2001:10::1", "2001:db8::1", "3fff::1", "5f00::1", "4000::1", "1::1",
    # IPv4 carried in IPv6: mapped, compatible, translated, NAT64 in each form, 6to4, Teredo,
    # ISATAP.
    "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::127.0.0.1", "::10.1.2.3",
    "::ffff:0:10.1.2.3", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a01:203",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "64:ff9b:1:a01:2:300::",
    "64:ff9b:1:a:1:203::", "64:ff9b:1:0:a:102:300:0", "2002:7f00:1::1", "2002:a01:203::1",
    "2002:a9fe:a9fe::1", "2001:0:a01:203::1", "2001:0:808:808::5601:5601",
    "2001:0:808:808:0:ffff:f5fe:fdfc", "2a00:1450::5efe:a01:203", "2a00:1450::200:5efe:a9fe:a9fe",
    "2a00:1450:1:1:0:5efe:7f00:1",
]
# What libc's resolver takes for an address, and people who write filters do not.
SPELLINGS = [
    "0x7f.1", "0x7f000001", "0x7f.0x0.0x0.0x1", "017700000001", "0177.0.0.1", "2130706433", "127.1",
    "127.0.1", "127.000.000.001", "0", "0x0", "0.0", "0xa9fea9fe", "2852039166",
    "0251.0376.169.254",
    "169.254.43518", "0xA9.0xFE.0xA9.0xFE", "0x0a010203", "167838211", "10.66051", "012.1.2.3",
    "[::1]", "::1%lo", "fe80::a9fe:a9fe%lo", "fe80::a9fe:a9fe%1", "::FFFF:7F00:1",
    "0:0:0:0:0:FFFF:A9FE:A9FE", "::ffff:0x7f.1", "0000:0000:0000:0000:0000:0000:0000:0001",
    "localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost",
    "ip6-loopback",
    "127.0.0.1.", "①②⑦.0.0.1", "１２７.0.0.1", "127。0。0。1", "127.0.0.1\u200b", "ⓛocalhost",
    "127.0.0.1@example.com", "example.com@127.0.0.1", "127.0.0.1#.example.com", "127.0.0.1%00",
    "127.0.0.1.nip.io", "metadata", "metadata.google.internal", "METADATA.google.internal.",
    "instance-data", "host.docker.internal", "gateway.docker.internal", "kubernetes.default.svc",
    "169.254.169.254.example.com", "127.0.0.1\\.example.com", "127.0.0.1 ", " 127.0.0.1",
    "127.0.0.1\t", "127.0.0.1:80", "//127.0.0.1", "[::ffff:127.0.0.1]", "0x7f.0.0.1.", "٠.٠.٠.٠",
    "127.0x0.0.1", "0300.0250.0.1", "0xC0A80001", "3232235521",
]


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def heard(channel):
    """Evidence of a byte that came back; else the reason why none did."""
    try:
        channel.sendall(b"GET /latest/meta-data/ HTTP/1.0\r\n\r\n")
        said = channel.recv(64)
    except OSError as error:
        return None, named(error)
    return (said, "") if said else (None, "closed")


def try_all(targets, attempt, threads=THREADS):
    """Evidence of the first target at which an attempt succeeds, else Stopped with all reasons.

    An attempt gives (evidence or None, reason) or fails with an OSError.
    """
    left, found, reasons = list(reversed(targets)), [], {}

    def work():
        while left:
            try:
                target = left.pop()
            except IndexError:
                return
            try:
                evidence, reason = attempt(target)
            except (OSError, UnicodeError, ValueError) as error:
                evidence = None
                reason = named(error) if isinstance(error, OSError) else type(error).__name__
            if evidence:
                found.append(f"{target}: {evidence}")
            else:
                reasons[reason] = reasons.get(reason, 0) + 1

    workers = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if found:
        return f"{len(found)} of {len(targets)}: " + "; ".join(sorted(found)[:20])
    raise Stopped(f"{len(targets)}: " + ", ".join(f"{why} {many}" for why, many in
                                                  sorted(reasons.items())))


def targets(host):
    return host.get("targets") or TARGETS


def ports(host):
    return host.get("target_ports") or [80]


def places(host):
    return [(address, port) for address in targets(host) for port in ports(host)]


def connected(place, protocol=0, prepare=None):
    address, port = place
    with socket.socket(family(address), socket.SOCK_STREAM, protocol) as channel:
        channel.settimeout(ANSWER_SECONDS)
        if prepare:
            prepare(channel)
        channel.connect((address, port))
        return heard(channel)


@attack("N1", "connects to every denied range over TCP, in each form of its addresses",
        where="networked")
def connect_denied(host):
    return try_all(places(host), connected)


@attack("N1", "sends data with the first packet of a connection (TCP fast open)", where="networked")
def fast_open_denied(host):
    def attempt(place):
        address, port = place
        with socket.socket(family(address), socket.SOCK_STREAM) as channel:
            # A time limit of Python's own would make the call return before the first packet.
            limit = struct.pack("ll", int(ANSWER_SECONDS), 0)
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            channel.sendto(b"GET / HTTP/1.0\r\n\r\n", socket.MSG_FASTOPEN, (address, port))
            said = channel.recv(64)
            return (said, "") if said else (None, "closed")

    return try_all(places(host), attempt)


@attack("N1", "connects over multipath TCP", where="networked")
def multipath_denied(host):
    return try_all(places(host), lambda place: connected(place, 262))


@attack("N1", "connects with odd options: source routes, devices, marks, no routing",
        where="networked")
def odd_options(host):
    # IP_OPTIONS with a loose source route, SO_DONTROUTE, SO_BINDTODEVICE, SO_MARK,
    # IP_TRANSPARENT, IP_FREEBIND, IP_TOS.
    options = ((socket.IPPROTO_IP, 4, bytes([131, 7, 4, 10, 1, 2, 3, 0])),
               (socket.SOL_SOCKET, socket.SO_DONTROUTE, struct.pack("i", 1)),
               (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0"),
               (socket.SOL_SOCKET, 36, struct.pack("i", 1)),
               (socket.IPPROTO_IP, 19, struct.pack("i", 1)),
               (socket.IPPROTO_IP, 15, struct.pack("i", 1)),
               (socket.IPPROTO_IP, 1, struct.pack("i", 0x10)))

    def attempt(target):
        place, option = target
        return connected(place, 0, lambda channel: channel.setsockopt(*option))

    few = host.get("targets") or ["127.0.0.1", "10.1.2.3", "169.254.169.254", "fd00:ec2::254",
                                  "fe80::a9fe:a9fe", "::1"]
    return try_all([((address, port), option) for address in few for port in ports(host)
                    for option in options], attempt)


@attack("N3", "asks libc for addresses in spellings that filters overlook", where="networked")
def odd_spellings(host):
    def attempt(text):
        evidence, reasons = None, set()
        for kind, _, _, _, address in socket.getaddrinfo(text, 80, type=socket.SOCK_STREAM):
            try:
                with socket.socket(kind, socket.SOCK_STREAM) as channel:
                    channel.settimeout(ANSWER_SECONDS)
                    channel.connect(address)
                    said, why = heard(channel)
                    evidence = evidence or said
                    reasons.add(why)
            except OSError as error:
                reasons.add(named(error))
        return evidence, " ".join(sorted(reasons))

    return try_all(host.get("spellings") or SPELLINGS, attempt)


def question(name, kind):
    labels = b"".join(bytes([len(label)]) + label for label in name.split(b"."))
    return struct.pack(">HHHHHH", os.getpid() & 0xFFFF, 0x0100, 1, 0, 0, 0) + labels + b"\0" \
        + struct.pack(">HH", kind, 1)


def answers(address, port, name, kind):
    """How many records an answer has; None without one."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as channel:
        channel.settimeout(1.0)
        channel.sendto(question(name, kind), (address, port))
        said = channel.recv(4096)
    return struct.unpack_from(">H", said, 6)[0] if len(said) > 12 else None


@attack("N5", "asks resolvers of its own choice for names that no rule allows", where="networked")
def own_resolver(host):
    name = host.get("denied_name", "denied.example.org").encode()

    def attempt(target):
        address, kind = target
        found = answers(address, 53, name, kind)
        return (f"{found} records" if found else None), "no records"

    servers = ["8.8.8.8", "1.1.1.1", "127.0.0.53", "2001:4860:4860::8888",
               *host.get("resolvers", [])]
    return try_all([(server, kind) for server in servers for kind in (1, 28, 5, 16, 255)], attempt)


@attack("N5", "asks over TLS and HTTPS (DoT, DoH)", where="networked")
def encrypted_resolver(host):
    servers = ["8.8.8.8", "1.1.1.1", "9.9.9.9", "2606:4700:4700::1111"]
    return try_all([(address, port) for address in servers for port in (443, 853)], connected)


@attack("N5", "hides bytes in questions for names (DNS tunnel)", where="networked")
def tunnel_names(host):
    domain = host.get("denied_name", "denied.example.org").encode()
    labels = [bytes([0x61 + number % 26]) * 60 for number in range(64)]

    def attempt(label):
        found = [answers("8.8.8.8", 53, b".".join([label, label[:40], domain]), kind)
                 for kind in (16, 10, 1, 28, 65, 15)]
        return (f"{found} records" if any(found) else None), "no records"

    return try_all(labels, attempt)


@attack("N8", "talks to the gateway itself, and asks it to be a proxy", where="networked")
def gateway_ports(host):
    wish = host.get("port", 22)

    def attempt(target):
        address, port, words = target
        with socket.socket(family(address), socket.SOCK_STREAM) as channel:
            channel.settimeout(ANSWER_SECONDS)
            channel.connect((address, port))
            channel.sendall(words)
            said = channel.recv(64)
            return (said, "") if said else (None, "closed")

    requests = [f"CONNECT 127.0.0.1:{wish} HTTP/1.1\r\n\r\n".encode(),
                f"GET http://169.254.169.254/ HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n".encode(),
                bytes([5, 1, 0]), bytes([4, 1, 0, 80, 169, 254, 169, 254, 0])]
    return try_all([(address, port, words) for address in
                    ("127.0.0.1", "::1", "127.0.0.2", "::ffff:127.0.0.1", "0.0.0.0", "10.1.2.3")
                    for port in (1, 3128, 1080) for words in requests], attempt)


@attack("N8", "takes the gateway's ports for itself", where="networked")
def bind_gateway_ports(_):
    def attempt(target):
        address, kind, reuse = target
        with socket.socket(family(address), kind) as channel:
            if reuse:
                channel.setsockopt(socket.SOL_SOCKET, reuse, 1)
            channel.bind((address, 1))
        return "bound port 1", ""

    return try_all([(address, kind, reuse) for address in ("127.0.0.1", "0.0.0.0", "::1", "::",
                                                           "127.0.0.9", "8.8.8.8")
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
                    for reuse in (0, socket.SO_REUSEADDR, socket.SO_REUSEPORT)], attempt)


@attack("N12", "adds addresses, routes and rules to its network", where="networked")
def change_network(_):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        # SIOCSIFADDR, SIOCSIFFLAGS, SIOCADDRT, SIOCBRADDBR, and a socket of TUN's.
        for number in (0x8916, 0x8914, 0x890B, 0x89A0):
            request = struct.pack("16sH22x", b"lo", 1)
            if libc.ioctl(channel.fileno(), number, request) == 0:
                return f"ioctl {number:#x} was let in"
            if ctypes.get_errno() in (errno.EINVAL, errno.EFAULT):
                return f"ioctl {number:#x} looked at its argument"
    os.open("/dev/net/tun", os.O_RDWR)
    return "opened /dev/net/tun"
