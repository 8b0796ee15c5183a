"""The host's side of the hostile corpus: bait for the attacks, and a look at what became of it.

As a program, `hostile_host.py DIR`, it lays the bait, prints what attacks are told of it as a line
of JSON, and takes it away at the end of its input.
"""

import ctypes
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

from testbed import TOP

CORPUS = f"{TOP}/Tests/Hostile"
SECRET = b"only for the host\n"
KEY = 0x0C000000 + os.getpid()
IPC_CREAT, IPC_RMID = 0o1000, 0
AT_FDCWD, RENAME_EXCHANGE = -100, 2
# CAP_NET_RAW, effective: struct vfs_cap_data of revision 2.
NET_RAW = (0x02000001).to_bytes(4, "little") + (1 << 13).to_bytes(4, "little") + bytes(12)
# The promise is one second. It is counted in looks: a machine that is short of time for what is
# looked for is short of it for the looks as well.
LOOK_SECONDS = 0.02
GONE_LOOKS = 50
# A server that has missed a deadline is pinged first (pingGrace in Sources/Broker/Limit.swift).
PING_LOOKS = 100


class Listener:
    """A service of the host that nobody in a sandbox may reach; counts who does."""

    def __init__(self, family, kind, address):
        self.socket = socket.socket(family, kind)
        self.socket.bind(address)
        if kind == socket.SOCK_STREAM:
            self.socket.listen(64)
        self.visits = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                if self.socket.type == socket.SOCK_STREAM:
                    self.socket.accept()[0].close()
                else:
                    self.socket.recv(64)
            except OSError:
                return
            self.visits += 1

    @property
    def port(self):
        return self.socket.getsockname()[1]


def own_addresses():
    """Addresses of this host that are not its loopback."""
    said = subprocess.run(["/bin/hostname", "-I"], capture_output=True, text=True, check=False)
    return said.stdout.split()[:4]


class Bait:
    """Everything on the host that an attack may go for, below one directory."""

    def __init__(self, directory):
        self.directory = directory
        self.files = f"{directory}/corpus"
        self.shared = f"{directory}/shared"
        shutil.copytree(CORPUS, self.files, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (directory, self.files):
            os.chmod(path, 0o755)
        for path in (self.shared, f"{self.shared}-secret", f"{directory}/outside"):
            os.mkdir(path)
        self.secret = self.write(f"{directory}/outside/secret")
        self.swapped = f"{directory}/swap/inner"
        os.makedirs(self.swapped)
        os.symlink(f"{directory}/outside", f"{directory}/swap/link")
        self.write(f"{self.shared}-secret/secret")
        self.meeting = self.write(f"/dev/shm/corral-hostile-{os.getpid()}")
        self.set_uid = self.program("id", 0o4755)
        self.with_capabilities = self.program("cat", 0o755)
        os.setxattr(self.with_capabilities, "security.capability", NET_RAW)
        self.stream = Listener(socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", 0))
        self.datagrams = Listener(socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", 0))
        self.name = f"corral-hostile-{os.getpid()}"
        self.abstract = Listener(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.name)
        self.segment = ctypes.CDLL(None).shmget(KEY, 4096, IPC_CREAT | 0o666)
        # Somebody else's process, which must live through everything.
        self.bystander = subprocess.Popen(["/bin/sleep", "1000"], user=65534)

    @staticmethod
    def write(path):
        with open(path, "wb") as file:
            file.write(SECRET)
        os.chmod(path, 0o644)
        return path

    def program(self, name, mode):
        path = f"{self.files}/{name}-of-the-host"
        shutil.copy(f"/usr/bin/{name}", path)
        os.chmod(path, mode)
        return path

    def facts(self):
        """What attacks are told, so that they try the right places."""
        return {
            "secret": self.secret, "shared": self.shared, "meeting": self.meeting,
            "swapped": self.swapped,
            "set_uid": self.set_uid, "with_capabilities": self.with_capabilities,
            "port": self.stream.port, "udp_port": self.datagrams.port, "abstract": self.name,
            "addresses": own_addresses(), "segment": KEY, "hostname": socket.gethostname(),
            "twin": self.bystander.pid, "boottime": time.clock_gettime(time.CLOCK_BOOTTIME),
            "noted": time.time(),
        }

    def swap(self, stop):
        """Exchanges a directory and a link to one outside until told to stop; how often."""
        libc, count = ctypes.CDLL(None), 0
        names = self.swapped.encode(), f"{self.directory}/swap/link".encode()
        while not stop.is_set():
            libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)
            count += 1
        if not os.path.islink(self.swapped):
            return count
        libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)
        return count

    def proven(self):
        """Reaches each listener from here, so that a count of none means something."""
        socket.create_connection(("127.0.0.1", self.stream.port), timeout=5).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            channel.sendto(b"x", ("127.0.0.1", self.datagrams.port))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.connect("\0" + self.name)
        listeners = (self.stream, self.datagrams, self.abstract)
        end = time.monotonic() + 5
        while not all(one.visits == 1 for one in listeners) and time.monotonic() < end:
            time.sleep(0.01)
        return all(one.visits == 1 for one in listeners)

    def harm(self):
        """What happened to the host, in words; empty when nothing did."""
        found = []
        for name, one in (("TCP", self.stream), ("UDP", self.datagrams),
                          ("abstract", self.abstract)):
            if one.visits > 1:
                found.append(f"the host's {name} listener had {one.visits - 1} visits")
        for path in (self.secret, f"{self.shared}-secret/secret", self.meeting):
            with open(path, "rb") as file:
                if file.read() != SECRET:
                    found.append(f"{path} was changed")
        if self.bystander.poll() is not None:
            found.append("a process of somebody else was ended")
        left = os.listdir(self.shared)
        if left:
            found.append(f"left in the shared directory: {' '.join(sorted(left))}")
        return found

    def remove(self):
        self.bystander.kill()
        self.bystander.wait()
        for one in (self.stream, self.datagrams, self.abstract):
            one.socket.close()
        os.unlink(self.meeting)
        ctypes.CDLL(None).shmctl(self.segment, IPC_RMID, None)


def living(name):
    """Pids of processes with this name that live."""
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue  # ended meanwhile
        before, _, after = text.rpartition(")")
        if before.partition("(")[2] == name and after.split()[0] not in "ZX":
            found.append(int(path.split("/")[2]))
    return found


def seconds_until_gone(name, is_pinged):
    """How long processes of a name went on; None when they still do."""
    began = time.monotonic()
    for _ in range(GONE_LOOKS + (PING_LOOKS if is_pinged else 0)):
        if not living(name):
            return time.monotonic() - began
        time.sleep(LOOK_SECONDS)
    return None


def main():
    directory = sys.argv[1]
    os.mkdir(directory)
    try:
        bait = Bait(directory)
        try:
            print(json.dumps(bait.facts()), flush=True)
            sys.stdin.read()
        finally:
            bait.remove()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
