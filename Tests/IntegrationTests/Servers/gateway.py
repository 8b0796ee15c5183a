#!/usr/bin/python3 -B
"""A stand-in for corral-egress: lets nothing out, and tells each connection who asked for what.

Every connection gets one line: the owner of the sandbox, the address and the port that were
dialled, and the first entry of the rules that hold for it. Every question for a name gets itself.
"""

import array
import os
import select
import socket
import struct
import sys

HELLO, LISTENER, OPEN, RULES, CLOSE = range(1, 6)


class Reader:
    """Fields in order, little-endian, as SupervisorProtocol writes them."""

    def __init__(self, datagram):
        self.bytes, self.at = datagram, 4

    def number(self, kind):
        value, = struct.unpack_from("<" + kind, self.bytes, self.at)
        self.at += struct.calcsize(kind)
        return value

    def text(self):
        length = self.number("I")
        self.at += length
        return self.bytes[self.at - length:self.at].decode()


def first_entry(reader):
    """The text of the first entry of `allow`, whose destination is skipped; `none` without one."""
    if reader.number("I") == 0:
        return "none"
    kind = reader.number("B")
    if kind in (1, 2):
        reader.text()
    elif kind == 3:
        length = {4: 4, 6: 16}[reader.number("B")]
        reader.at += length + 1
    for _ in range(reader.number("I")):
        reader.at += 4
    reader.number("B")
    return reader.text()


def original(connection, is6):
    place = connection.getsockopt(41 if is6 else socket.SOL_IP, 80, 28)
    family, raw = (socket.AF_INET6, place[8:24]) if is6 else (socket.AF_INET, place[4:8])
    return socket.inet_ntop(family, raw), int.from_bytes(place[2:4], "big")


class Gateway:
    def __init__(self, link):
        self.link = link
        self.poll = select.poll()
        self.poll.register(link, select.POLLIN)
        self.rules, self.owners, self.sockets = {}, {}, {}

    def order(self):
        datagram, control, _, _ = self.link.recvmsg(1 << 17, 4096)
        if not datagram:
            sys.exit(0)
        passed = array.array("i")
        for _, _, data in control:
            passed.frombytes(data)
        reader = Reader(datagram)
        kind = reader.number("B")
        if kind == HELLO:
            self.link.send(struct.pack("<IBI", 5, 1, reader.number("I")))
        elif kind == LISTENER:
            for number in passed:
                os.close(number)
        elif kind == OPEN:
            sandbox = reader.number("Q")
            self.owners[sandbox] = reader.text()
            self.rules[sandbox] = first_entry(reader)
            for index, number in enumerate(passed):
                one = socket.socket(fileno=number)
                self.sockets[number] = (sandbox, one, index)
                self.poll.register(one, select.POLLIN)
        elif kind == RULES:
            serial, sandbox = reader.number("Q"), reader.number("Q")
            self.rules[sandbox] = first_entry(reader)
            self.link.send(struct.pack("<IBQ", 9, 2, serial))
        elif kind == CLOSE:
            sandbox = reader.number("Q")
            for number, (owner, one, _) in list(self.sockets.items()):
                if owner == sandbox:
                    self.poll.unregister(one)
                    del self.sockets[number]
                    one.close()

    def serve(self, number):
        sandbox, one, index = self.sockets[number]
        if index >= 2:
            data, sender = one.recvfrom(512)
            one.sendto(data, sender)
            return
        connection, _ = one.accept()
        address, port = original(connection, index == 1)
        text = f"{self.owners[sandbox]} {address} {port} {self.rules[sandbox]}\n"
        connection.sendall(text.encode())
        connection.close()

    def run(self):
        while True:
            for number, _ in self.poll.poll():
                if number == self.link.fileno():
                    self.order()
                elif number in self.sockets:
                    self.serve(number)


Gateway(socket.socket(fileno=int(sys.argv[sys.argv.index("--supervisor-fd") + 1]))).run()
