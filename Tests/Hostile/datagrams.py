"""Datagrams, ICMP and raw packets from a sandbox that has a way out for TCP. N1."""

import ctypes
import socket
import struct

from attack import attack
from kernel import libc
from network import family, targets, try_all

# What a sandbox sends to itself: only an answer proves that it went further.
OWN = ("0.0.0.0", "127.", "::1", "::ffff:127.")


def datagrams(host, send):
    """Datagrams to each target, at a port that echoes where one is in the world."""
    def attempt(place):
        address, port = place
        with socket.socket(family(address), socket.SOCK_DGRAM) as channel:
            channel.settimeout(0.2)
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            send(channel, (address, port))
            if address == "::" or address.startswith(OWN):
                return f"heard {channel.recv(64)}", ""
        return f"sent to port {port}", ""

    where = [(address, port) for address in targets(host) for port in (7, 80, 123, 443)]
    return try_all(where, attempt)


@attack("N1", "sends datagrams with sendto(2)", where="networked")
def sendto_denied(host):
    return datagrams(host, lambda channel, address: channel.sendto(b"corral", address))


@attack("N1", "sends datagrams with sendmsg(2)", where="networked")
def sendmsg_denied(host):
    return datagrams(host, lambda channel, address: channel.sendmsg([b"corral"], [], 0, address))


@attack("N1", "sends datagrams of a connected socket", where="networked")
def send_connected(host):
    def send(channel, address):
        channel.connect(address)
        channel.send(b"corral")

    return datagrams(host, send)


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct mmsghdr (sendmmsg(2))."""

    _fields_ = [("name", ctypes.c_char_p), ("name_length", ctypes.c_uint),
                ("vectors", ctypes.POINTER(Vector)), ("count", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("sent", ctypes.c_uint)]


def raw_address(address):
    host, port = address
    packed = socket.inet_pton(family(host), host)
    if family(host) == socket.AF_INET6:
        return struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(port), 0, packed, 0)
    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), packed)


@attack("N1", "sends datagrams with sendmmsg(2)", where="networked")
def sendmmsg_denied(host):
    def send(channel, address):
        name = raw_address(address)
        vector = Vector(b"corral", 6)
        messages = (Message * 2)(*[Message(name, len(name), ctypes.pointer(vector), 1)] * 2)
        if libc.sendmmsg(channel.fileno(), messages, 2, 0) < 0:
            raise OSError(ctypes.get_errno(), "sendmmsg")

    return datagrams(host, send)


@attack("N1", "sends datagrams to public hosts, QUIC and time among them", where="networked")
def send_public(host):
    return datagrams({"targets": [*host.get("public", ["8.8.8.8", "2001:4860:4860::8888"])]},
                     lambda channel, address: channel.sendto(b"corral", address))


@attack("N1", "sends ICMP and ICMPv6, from ping sockets and raw ones", where="networked")
def send_icmp(host):
    def attempt(target):
        address, kind = target
        is6 = family(address) == socket.AF_INET6
        protocol = socket.IPPROTO_ICMPV6 if is6 else socket.IPPROTO_ICMP
        with socket.socket(family(address), kind, protocol) as channel:
            channel.sendto(struct.pack(">BBHHH", 128 if is6 else 8, 0, 0, 1, 1), (address, 0))
        return "sent an echo request", ""

    return try_all([(address, kind) for address in targets(host) + host.get("public", ["8.8.8.8"])
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW)], attempt)


@attack("N1", "sends packets that it makes itself, and protocols beside TCP and UDP",
        where="networked")
def send_raw(host):
    kinds = [(socket.SOCK_RAW, protocol) for protocol in (255, 6, 17, 41, 47, 50)]
    # UDP-Lite, DCCP, SCTP as a stream and as messages.
    kinds += [(socket.SOCK_DGRAM, 136), (6, 33), (socket.SOCK_STREAM, 132),
              (socket.SOCK_SEQPACKET, 132)]

    def attempt(target):
        address, (kind, protocol) = target
        with socket.socket(family(address), kind, protocol) as channel:
            channel.settimeout(0.2)
            channel.sendto(bytes(40), (address, 0 if kind == socket.SOCK_RAW else 80))
        return f"sent protocol {protocol}", ""

    return try_all([(address, kind) for address in targets(host) + host.get("public", ["8.8.8.8"])
                    for kind in kinds], attempt)
