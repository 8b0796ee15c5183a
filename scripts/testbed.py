"""A Corral of its own in a temporary directory: for the demo and the benchmarks.

Programs, configuration, state and socket all lie below one directory, and its sandboxes have users
from a range of their own, so it disturbs no other Corral on the machine and can be counted alone.
"""

import ipaddress
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Beside the default range, so that a Corral that serves this host keeps its own; by pid, so that
# two test beds at a time do not meet either.
UIDS_EACH = 256
UIDS_FIRST = 2_100_000_000 + os.getpid() % 10_000 * UIDS_EACH
UIDS = range(UIDS_FIRST, UIDS_FIRST + UIDS_EACH)
# How many times slower than a usual machine this one is; an emulated one says so.
SLOWNESS = int(os.environ.get("CORRAL_SLOWNESS", "1"))
READY_SECONDS = 30
STOP_SECONDS = 15
COMMAND_SECONDS = 180 * SLOWNESS


def let_registries_be_where_they_are(path):
    """Where package registries have addresses that no policy of ours lets anybody reach, as behind
    a mirror, the policy at `path`, a test's own, says so."""
    found = set()
    for host in ("pypi.org", "files.pythonhosted.org"):
        try:
            found |= {ipaddress.ip_address(entry[4][0])
                      for entry in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}
        except OSError:
            pass  # what needs the registry will tell
    lifted = [name for name, is_one in (("private", "is_private"), ("reserved", "is_reserved"))
              if any(getattr(address, is_one) or not address.is_global for address in found)]
    if lifted:
        with open(path, encoding="utf-8") as file:
            before, install, after = file.read().partition("\ninstall:\n")
        for name in lifted:
            after = after.replace(f", {name}", "", 1)
        with open(path, "w", encoding="utf-8") as file:
            file.write(before + install + after)


class Failure(Exception):
    """Something that must work did not; the message is for people."""


class Answer:
    """What a run of the corral command gave."""

    def __init__(self, done):
        self.status = done.returncode
        self.text = done.stdout
        self.told = done.stderr.strip()

    @property
    def json(self):
        try:
            return json.loads(self.text)
        except ValueError:
            raise Failure(f"corral printed no JSON: {self.text[:200]!r} {self.told}") from None


class Testbed:
    def __init__(self, built, name, uids=UIDS):
        self.directory = tempfile.mkdtemp(prefix=f"corral-{name}.", dir="/tmp")
        # The broker's user must pass through to its own directory; nothing in here is secret.
        os.chmod(self.directory, 0o711)
        self.built = built
        self.uids = uids
        # Rules of access.yaml beside root's, as it has them.
        self.rules = []
        # What corrald is started by, such as a program that enters another network namespace.
        self.prefix = []
        self.supervisor = None
        self.etc = f"{self.directory}/etc/corral"
        self.socket = f"{self.directory}/run/control.sock"
        self.log = f"{self.directory}/corrald.log"

    def install(self):
        """`make install` into the directory, then a configuration that points there."""
        places = {"DESTDIR": self.directory, "PREFIX": "/usr", "SYSCONFDIR": "/etc",
                  "LIBEXECDIR": "/usr/libexec/corral"}
        done = subprocess.run(
            [f"{TOP}/scripts/install.sh", self.built], cwd=TOP, env={**os.environ, **places},
            capture_output=True, text=True)
        if done.returncode:
            raise Failure(done.stderr.strip())
        self.configure()

    def configure(self):
        with open(f"{self.etc}/corrald.yaml", "w", encoding="utf-8") as file:
            file.write(
                "version: 1\n"
                f"state: {self.directory}/state\n"
                f"runtime: {self.directory}/run\n"
                f"policies: {self.etc}/policies\n"
                f"runcards: {self.etc}/runcards\n"
                f"sandbox_uids: {{first: {self.uids.start}, count: {len(self.uids)}}}\n")

        # root may read everything, so what its tools see has to be typed: this directory only.
        with open(f"{self.etc}/policies/access.yaml", "w", encoding="utf-8") as file:
            file.write(
                "version: 1\n"
                "allow:\n"
                '  - {users: [root], cards: ["*"], commands: true, '
                f"directories: [{self.directory}]}}\n" + "".join(self.rules))

        let_registries_be_where_they_are(f"{self.etc}/policies/default.yaml")

    def policy(self, **keys):
        """Types values of top-level keys into the default policy, in place of those it has."""
        path = f"{self.etc}/policies/default.yaml"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for key, value in keys.items():
            text, found = re.subn(rf"(?m)^{key}:.*$", f"{key}: {value}", text)
            if found != 1:
                raise Failure(f"policy: {found} lines have the key {key}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        """Starts corrald and waits for the readiness that systemd would wait for."""
        notify = f"{self.directory}/notify.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, open(self.log, "ab") as log:
            ready.bind(notify)
            ready.settimeout(READY_SECONDS)
            self.supervisor = subprocess.Popen(
                [*self.prefix, f"{self.directory}/usr/libexec/corral/corrald", "--config",
                 f"{self.etc}/corrald.yaml"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin", "NOTIFY_SOCKET": notify})
            try:
                self.wait_ready(ready)
            finally:
                os.unlink(notify)

    def wait_ready(self, ready):
        ready.settimeout(0.2)
        for _ in range(READY_SECONDS * 5):
            try:
                if "READY=1" in ready.recv(4096).decode(errors="replace").split("\n"):
                    return
            except TimeoutError:
                if self.supervisor.poll() is not None:
                    break
        raise Failure(f"corrald did not start:\n{self.log_tail()}")

    def log_tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-12:]).strip()

    def corral(self, *words, seconds=COMMAND_SECONDS):
        """Runs the corral command against this Corral."""
        done = subprocess.run(
            [f"{self.directory}/usr/bin/corral", "--socket", self.socket, *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
            env={"PATH": "/usr/bin", "HOME": "/root", "LANG": "C.UTF-8"})
        return Answer(done)

    def must(self, *words):
        """Runs a corral command that has to succeed."""
        answer = self.corral(*words)
        if answer.status:
            told = answer.told or answer.text
            raise Failure(f"corral {' '.join(words[:3])}: status {answer.status}: {told}")
        return answer

    def stop(self):
        """Ends corrald as systemd would; kills it when it does not listen, which is a failure."""
        supervisor, self.supervisor = self.supervisor, None
        if supervisor is None:
            return
        supervisor.terminate()
        try:
            supervisor.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()
            raise Failure(f"corrald did not stop within {STOP_SECONDS} s") from None

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)
