"""The world outside of a sandbox: servers on all addresses of this network namespace.

    8001 echoes; 8002 speaks first, then echoes; 8003 answers at the end how much it read, and its
    hash; 8004 resets after one byte; 8005 sends as many bytes as a line asks for and ends;
    8006 never reads; 8007 takes a byte, answers, and waits for ever; 80 and 443 echo;
    8999 says how many connections each address had. UDP and TCP 53 answer questions by `zone`.
"""
import collections
import hashlib
import json
import os
import socket
import struct
import sys
import threading
import time

counts = collections.Counter()
questions = collections.Counter()
PUBLIC, OTHER, PRIVATE = "93.184.216.34", "93.184.216.35", "10.1.2.3"
V6 = "2606:2800:220:1::34"


def read_all(connection):
    total, digest = 0, hashlib.sha256()
    while data := connection.recv(1 << 16):
        total += len(data)
        digest.update(data)
    return total, digest.hexdigest()


def echo(connection):
    while data := connection.recv(1 << 16):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def speak_first(connection):
    connection.sendall(b"220 ready\r\n")
    echo(connection)


def measure(connection):
    connection.sendall(f"{read_all(connection)}".encode())


def reset(connection):
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def source(connection):
    wanted = int(connection.makefile().readline())
    digest, block = hashlib.sha256(), os.urandom(1 << 20)
    while wanted:
        part = block[:min(wanted, len(block))]
        digest.update(part)
        connection.sendall(part)
        wanted -= len(part)
    connection.shutdown(socket.SHUT_WR)
    read_all(connection)
    counts["digest " + digest.hexdigest()] += 1


def deaf(connection):
    time.sleep(3600)


def wait(connection):
    connection.sendall(connection.recv(1))
    connection.recv(1)


def tell(connection):
    connection.sendall(json.dumps({"connections": counts, "questions": questions}).encode())


def serve(listener, handler, counted):
    def handle(connection):
        with connection:
            try:
                handler(connection)
            except OSError:
                pass

    while True:
        connection, _ = listener.accept()
        if counted:
            counts[connection.getsockname()[0].removeprefix("::ffff:")] += 1
        threading.Thread(target=handle, args=(connection,), daemon=True).start()


def name_of(message):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels), struct.unpack(">H", message[at + 1:at + 3])[0], at + 5


def record(kind, data, life=60):
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, life, len(data)) + data


def wire(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def a(address, life=60):
    return record(1, socket.inet_aton(address), life)


def aaaa(address):
    return record(28, socket.inet_pton(socket.AF_INET6, address))


def zone(name, kind, over_tcp):
    """The answers and the status; None to say nothing; TRUNCATED to ask for TCP."""
    first = name.split(".")[0]
    number = questions[name]
    if first == "flip":  # public, private, public …
        return [a(PUBLIC if number % 2 else PRIVATE, 0)], 0
    if first == "mixed":
        return [a(PRIVATE), a(PUBLIC), a("169.254.169.254")], 0
    if first == "inside":
        return [a(PRIVATE)], 0
    if first == "nothing":
        return [], 3
    if first == "silent":
        return None, 0
    if first == "broken":
        return [], 2
    if first == "alias":
        target = wire("real.example")
        return [record(5, target, 30), target + record(1, socket.inet_aton(PUBLIC), 20)[2:]], 0
    if first == "big":
        return ([a(f"93.184.217.{n}") for n in range(100)], 0) if over_tcp else ("TRUNCATED", 0)
    if first == "many":
        return [a(f"93.184.217.{n}") for n in range(60)], 0
    if kind == 5:
        return [record(5, wire("real.example"))], 0
    if kind == 28:
        return [aaaa(V6)], 0
    if kind == 16:
        return [record(16, b"\x05hello")], 0
    if kind == 15:
        return [record(15, b"\0\x0a" + wire("mail.example"))], 0
    if kind == 33:
        return [record(33, b"\0\1\0\2\x1f\x90" + wire("srv.example"))], 0
    if kind == 1:
        return [a(OTHER if first == "other" else PUBLIC)], 0
    return [record(kind, b"\0" * 8)], 0


def answer(message, over_tcp=False):
    name, kind, end = name_of(message)
    questions[name] += 1
    answers, status = zone(name, kind, over_tcp)
    if answers is None:
        return None
    flags = 0x8180 | status
    if answers == "TRUNCATED":
        flags, answers = flags | 0x200, []
    head = message[:2] + struct.pack(">HHHHH", flags, 1, len(answers), 0, 0)
    return head + message[12:end] + b"".join(answers)


def datagrams(door):
    while True:
        message, asker = door.recvfrom(4096)
        reply = answer(message)
        if reply is None:
            continue
        # Lies that a forger could send, before the truth: another number, another question.
        door.sendto(bytes([reply[0] ^ 1]) + reply[1:], asker)
        door.sendto(reply[:13] + b"x" + reply[14:], asker)
        door.sendto(reply, asker)


def stream(connection):
    while head := connection.recv(2):
        wanted = struct.unpack(">H", head)[0]
        message = b""
        while len(message) < wanted:
            message += connection.recv(wanted - len(message))
        reply = answer(message, over_tcp=True)
        connection.sendall(struct.pack(">H", len(reply)) + reply)


HANDLERS = {
    8001: echo, 8002: speak_first, 8003: measure, 8004: reset, 8005: source, 8006: deaf,
    8007: wait, 80: echo, 443: echo, 8999: tell, 53: stream,
}
for port, handler in HANDLERS.items():
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                                    backlog=1024)
    threading.Thread(target=serve, args=(listener, handler, port not in (53, 8999)),
                     daemon=True).start()
door = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
door.bind(("::", 53))
os.write(3, b"ready")
os.close(3)
datagrams(door)
