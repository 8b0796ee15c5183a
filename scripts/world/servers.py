"""The world's servers, in one process inside the world: `servers.py DIRECTORY` says `ready`.

    53     the resolver, as zone.json says
    80     the web, 443 the same over TLS; 8443 the same, and it records the name it was asked by
    7      answers what it hears (TCP and UDP)
    9      reads everything and answers with its length and SHA-256
    19     reads 8 bytes, a length, and sends so many bytes and then their SHA-256
    13     sends one byte and waits for the end
"""

import asyncio
import hashlib
import ipaddress
import json
import os
import resource
import socket
import ssl
import struct
import sys

DIRECTORY = sys.argv[1]
RESOLVER = "10.255.0.53"
A, CNAME, TXT, AAAA, HTTPS = 1, 5, 16, 28, 65
BLOCK = os.urandom(1 << 16)
TELL_SECONDS = 0.02


class Zone:
    """What zone.json says, read again whenever it is another file."""

    def __init__(self):
        self.stamp, self.names, self.turns, self.asked = None, {}, {}, {}

    def look(self):
        stamp = os.stat(f"{DIRECTORY}/zone.json").st_mtime_ns
        if stamp != self.stamp:
            with open(f"{DIRECTORY}/zone.json", encoding="ascii") as file:
                self.names = json.load(file)
            self.stamp, self.turns = stamp, {}

    def answers(self, name, kind):
        """Records of (name, type, TTL, data) for a question; None when there is no such name."""
        self.look()
        key = f"{name} {kind}"
        self.asked[key] = self.asked.get(key, 0) + 1
        entry = self.names.get(name)
        if entry is None:
            return None
        ttl = entry.get("ttl", 60)
        if "CNAME" in entry:
            further = self.answers(entry["CNAME"], kind) or []
            return [(name, CNAME, ttl, packed(entry["CNAME"]))] + further
        addresses = entry.get("A", []) + entry.get("AAAA", [])
        if "flip" in entry:
            # A and AAAA take turns of their own, so that each sees every list.
            turn = self.turns[key] = self.turns.get(key, -1) + 1
            addresses = entry["flip"][turn % len(entry["flip"])]
        found = [ipaddress.ip_address(one) for one in addresses]
        wanted = {A: 4, AAAA: 6}.get(kind)
        return [(name, kind, ttl, one.packed) for one in found if one.version == wanted]


def packed(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def answered(zone, question):
    """The reply to one message (RFC 1035 section 4); nothing to one that is none."""
    if len(question) < 17:
        return b""
    number, flags, count = struct.unpack_from(">HHH", question)
    place, labels = 12, []
    while question[place]:
        length = question[place]
        labels.append(question[place + 1:place + 1 + length].decode("latin1").lower())
        place += 1 + length
    kind, = struct.unpack_from(">H", question, place + 1)
    asked = question[12:place + 5]
    records = zone.answers(".".join(labels), kind)
    body = b"".join(packed(name) + struct.pack(">HHIH", what, 1, ttl, len(data)) + data
                    for name, what, ttl, data in records or [])
    code = 3 if records is None else 0
    head = struct.pack(">HHHHHH", number, 0x8180 | flags & 0x0100 | code, count, len(records or []),
                       0, 0)
    return head + asked + body


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer):
        self.answer = answer

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        said = self.answer(data)
        if said:
            self.transport.sendto(said, address)


async def resolver(zone, reader, writer):
    length, = struct.unpack(">H", await reader.readexactly(2))
    said = answered(zone, await reader.readexactly(length))
    writer.write(struct.pack(">H", len(said)) + said)


async def echo(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


async def sink(reader, writer):
    digest, length = hashlib.sha256(), 0
    while data := await reader.read(1 << 20):
        digest.update(data)
        length += len(data)
    writer.write(f"{length} {digest.hexdigest()}\n".encode())


async def source(reader, writer):
    left, = struct.unpack(">Q", await reader.readexactly(8))
    digest = hashlib.sha256()
    number = 0
    while left:
        # Every block is another one, so that one lost or doubled is noticed.
        block = (struct.pack(">Q", number) + BLOCK[8:])[:left]
        digest.update(block)
        writer.write(block)
        await writer.drain()
        left -= len(block)
        number += 1
    writer.write(digest.digest())


async def one_byte(reader, writer):
    writer.write(b"!")
    await reader.read(1)


async def web(reader, writer):
    """As much of HTTP/1.1 as the programs need."""
    while True:
        line = (await reader.readline()).decode("latin1").split()
        if len(line) < 3:
            return
        heads = {}
        while (row := (await reader.readline()).decode("latin1").strip()):
            name, _, value = row.partition(":")
            heads[name.lower()] = value.strip()
        body = await reader.readexactly(int(heads.get("content-length", 0)))
        path = line[1].split("?")[0]
        status, kind, content = page(line[0], path, body, heads)
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n"
                     f"Content-Length: {len(content)}\r\n{moved(path)}\r\n".encode())
        if line[0] != "HEAD":
            writer.write(content)
        await writer.drain()
        if heads.get("connection", "").lower() == "close" or line[2] == "HTTP/1.0":
            return


def moved(path):
    return "Location: http://169.254.169.254/latest/meta-data/\r\n" if path == "/moved" else ""


def page(method, path, body, heads):
    if path == "/moved":
        return "302 Found", "text/plain", b""
    if path == "/host":
        return "200 OK", "text/plain", heads.get("host", "").encode()
    if path == "/length":
        return "200 OK", "text/plain", str(len(body)).encode()
    if path.startswith("/latest"):
        return "200 OK", "text/plain", b"credentials of the cloud\n"
    place = os.path.normpath(f"{DIRECTORY}/www{path}")
    if os.path.isdir(place):
        place += "/index.html"
    try:
        with open(place, "rb") as file:
            content = file.read()
    except OSError:
        return "404 Not Found", "text/plain", b"no such page\n"
    return "200 OK", "text/html" if place.endswith(".html") else "application/octet-stream", content


def datagrams(family, host, port):
    channel = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    # The resolver's own address and all others beside it.
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    channel.bind((host, port))
    return channel


def closing(serve):
    async def served(reader, writer):
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, IndexError, struct.error, ssl.SSLError):
            pass
        finally:
            writer.close()
    return served


async def tell(zone):
    """Writes what was noted whenever somebody asks for it."""
    last = None
    while True:
        await asyncio.sleep(TELL_SECONDS)
        try:
            with open(f"{DIRECTORY}/tell", encoding="ascii") as file:
                stamp = file.read()
        except OSError:
            continue
        if stamp and stamp != last:
            last = stamp
            with open(f"{DIRECTORY}/asked.json.new", "w", encoding="ascii") as file:
                json.dump({"stamp": stamp, "what": zone.asked}, file)
            os.rename(f"{DIRECTORY}/asked.json.new", f"{DIRECTORY}/asked.json")


async def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    zone, loop = Zone(), asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{DIRECTORY}/keys/server.pem", f"{DIRECTORY}/keys/server.key")

    async def listen(serve, port, hosts=("0.0.0.0", "::"), tls=None):
        for host in hosts:
            await asyncio.start_server(closing(serve), host, port, ssl=tls, backlog=4096)

    await listen(web, 80)
    await listen(echo, 853)
    await listen(web, 443, tls=context)
    for serve, port in ((echo, 7), (sink, 9), (source, 19), (one_byte, 13)):
        await listen(serve, port)
    await listen(lambda reader, writer: resolver(zone, reader, writer), 53, (RESOLVER,))
    await loop.create_datagram_endpoint(
        lambda: Datagrams(lambda data: answered(zone, data)),
        sock=datagrams(socket.AF_INET, RESOLVER, 53))
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        # What is asked at any other address gets an echo: proof that a datagram arrives.
        await loop.create_datagram_endpoint(
            lambda: Datagrams(lambda data: data), sock=datagrams(family, host, 7))
        # A resolver at every other address as well, for tools that bring their own.
        await loop.create_datagram_endpoint(
            lambda: Datagrams(lambda data: answered(zone, data)), sock=datagrams(family, host, 53))
    print("ready", flush=True)
    await tell(zone)


if __name__ == "__main__":
    asyncio.run(main())
