"""What tests let run inside a sandbox of the world: `inside.py COMMAND WORDS...` prints JSON.

    reach HOST:PORT...        what each says when it is connected to
    flip NAME PORT COUNT      resolves and connects so often; how often each address answered
    flood SECONDS HOST:PORT.. connects to all in turn; how often each answered
    hold HOST:PORT SECONDS    connects again whenever a connection ends; when it was up and down
    listen PORT SECONDS       listens on every address; who came
    download HOST PORT BYTES  from the world's source; upload HOST PORT BYTES  to its sink
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

ANSWER_SECONDS = 5.0
THREADS = 8


def place(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def said(host, port, seconds=ANSWER_SECONDS):
    """The first bytes that a place says to a question for a page, or the name of what failed."""
    try:
        with socket.create_connection((host, port), timeout=seconds) as channel:
            channel.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
            return (channel.recv(200) or b"closed").decode("latin1")
    except TimeoutError:
        return "ETIMEDOUT"
    except socket.gaierror as error:
        return f"no such name ({error.errno})"
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)
    except UnicodeError:
        return "no name"


def reach(*places):
    return {text: said(*place(text)) for text in places}


def resolved(name, port):
    """Waits while the gateway has heard enough questions from this sandbox."""
    while True:
        try:
            return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            if error.errno != socket.EAI_AGAIN:
                raise
            time.sleep(0.05)


def flip(name, port, count):
    counts = collections.Counter()
    for _ in range(int(count)):
        try:
            found = resolved(name, int(port))
        except OSError:
            counts["no address"] += 1
            continue
        for kind, _, _, _, address in found:
            try:
                with socket.socket(kind, socket.SOCK_STREAM) as channel:
                    channel.settimeout(ANSWER_SECONDS)
                    channel.connect(address)
                    counts[address[0] if channel.recv(1) else "closed"] += 1
            except OSError:
                counts["refused"] += 1
    return counts


def flood(seconds, *places):
    counts, end = collections.Counter(), time.monotonic() + float(seconds)
    targets = [place(text) for text in places]

    def work():
        while time.monotonic() < end:
            for host, port in targets:
                try:
                    with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as channel:
                        counts[host] += bool(channel.recv(1))
                        counts["tried " + host] += 1
                except OSError:
                    counts["tried " + host] += 1

    workers = [threading.Thread(target=work) for _ in range(THREADS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return counts


def hold(where, seconds):
    host, port = place(where)
    end, log = time.monotonic() + float(seconds), []

    def note(state):
        if not log or log[-1] != state:
            log.append(state)
            print(json.dumps(state), flush=True)

    while time.monotonic() < end:
        try:
            with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as channel:
                channel.settimeout(1.0)
                while time.monotonic() < end:
                    channel.sendall(b"x")
                    if not channel.recv(1):
                        break
                    note("up")
                    time.sleep(0.01)
        except OSError:
            pass
        note("down" if time.monotonic() < end else "end")
        time.sleep(0.01)
    return log


def listen(port, seconds):
    came, servers = [], []

    def serve(server):
        while True:
            channel, address = server.accept()
            came.append(address[0])
            channel.sendall(b"from inside")
            channel.close()

    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        server = socket.socket(family, socket.SOCK_STREAM)
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind((host, int(port)))
        server.listen(16)
        servers.append(server)
        threading.Thread(target=serve, args=(server,), daemon=True).start()
    print(json.dumps({host: said(host, int(port)) for host in ("127.0.0.1", "::1")}), flush=True)
    time.sleep(float(seconds))
    return came


def exactly(channel, count):
    data = b""
    while len(data) < count:
        part = channel.recv(count - len(data))
        if not part:
            raise EOFError(f"{len(data)} of {count} bytes")
        data += part
    return data


def download(host, port, count):
    count, digest, room = int(count), hashlib.sha256(), bytearray(1 << 20)
    with socket.create_connection((host, int(port)), timeout=60) as channel:
        channel.sendall(struct.pack(">Q", count))
        left = count
        while left:
            got = channel.recv_into(room, min(left, len(room)))
            if not got:
                return {"whole": False, "missing": left}
            if left == count:
                print(json.dumps("began"), flush=True)
            digest.update(memoryview(room)[:got])
            left -= got
        return {"whole": exactly(channel, 32) == digest.digest(), "bytes": count}


def upload(host, port, count):
    count, digest, block = int(count), hashlib.sha256(), os.urandom(1 << 20)
    with socket.create_connection((host, int(port)), timeout=60) as channel:
        left, number = count, 0
        while left:
            part = (struct.pack(">Q", number) + block[8:])[:left]
            digest.update(part)
            channel.sendall(part)
            left -= len(part)
            number += 1
        # The other half stays open for the answer.
        channel.shutdown(socket.SHUT_WR)
        told = channel.makefile().readline().split()
    return {"whole": told == [str(count), digest.hexdigest()], "bytes": count}


COMMANDS = {function.__name__: function
            for function in (reach, flip, flood, hold, listen, download, upload)}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])), flush=True)
