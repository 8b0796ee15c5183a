"""make demo: two real MCP servers and a hostile one, through the corral command alone.

Exit status 0 only if every line is as it should be. Everything lies in one temporary directory and
is gone afterwards, which the last lines prove.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

from testbed import TOP, UIDS, Failure, Testbed
from traces import KINDS, Family

RELEASE = f"{TOP}/.build/release"
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ

# The longest a hostile call may take: the demo's copy of the card gets this limit.
CALL_TIMEOUT = "2s"
# Exit statuses of `corral call`: a tool's error, a deadline.
FAILED, LATE = 1, 6

# tool, what it tries, what has to stop it, what the caller must be told, and by which exit status
ATTACKS = [
    ("read_shadow", "read /etc/shadow", "a root of a few listed trees", "ENOENT", FAILED),
    ("list_processes", "list other processes", "a pid namespace of its own",
     "all its own", FAILED),
    ("write_outside", "write outside its scratch", "read-only mounts", "EROFS|EACCES", FAILED),
    ("reach_loopback", "reach the host's 127.0.0.1", "no network at all",
     "EACCES|ENETUNREACH", FAILED),
    ("reach_private", "reach 10.0.0.1", "the same", "EACCES|ENETUNREACH", FAILED),
    ("reach_metadata", "reach 169.254.169.254", "the same", "EACCES|ENETUNREACH", FAILED),
    ("fork_bomb", "fork without end", "the limit of its pids cgroup", "pids_exceeded", FAILED),
    ("eat_memory", "eat memory", "the limit of its memory cgroup", "memory_exceeded", FAILED),
    ("sleep_forever", "sleep past its deadline", f"the call's deadline, {CALL_TIMEOUT} here",
     "timeout", LATE),
]


def paint(text, code):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


class Screen:
    """Prints the lines and remembers whether each was as it should be."""

    def __init__(self):
        self.good = 0
        self.bad = 0
        self.began = time.monotonic()

    def head(self, text):
        print(paint(text, "1"))

    def progress(self, text):
        if COLOUR:
            print(f"\r\033[K  … {text}", end="", flush=True)

    def line(self, good, text):
        if COLOUR:
            print("\r\033[K", end="")
        self.good += good
        self.bad += not good
        print(f"{paint('✓', '32') if good else paint('✗', '31')} {text}", flush=True)

    def end(self):
        seconds = time.monotonic() - self.began
        told = f"{self.good} of {self.good + self.bad} lines as they should be · {seconds:.1f} s"
        print(paint(told, "1;32" if not self.bad else "1;31"))
        return 0 if not self.bad else 1


class Listener:
    """A service of the host that nobody in a sandbox may reach; counts who does."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            visitor, _ = self.server.accept()
            self.visits += 1
            visitor.close()

    def is_reachable(self):
        """Proves from outside that the listener counts."""
        before = self.visits
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as visit:
            visit.recv(1)
        return self.visits == before + 1


def one_line(text, width):
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= width else text[:width - 1] + "…"


def content(answer):
    """The text of a tool's result, or the reason and message of an error."""
    found = answer.json
    error = found.get("error", found if "code" in found else None)
    if error:
        data = error.get("data") or {}
        return True, f"{error['code']} {data.get('reason', '')}", error.get("message", "")
    result = found.get("result", found)
    text = " ".join(part.get("text", "") for part in result.get("content", []))
    return bool(result.get("isError")), "isError" if result.get("isError") else "", text


def connect(bed, screen, words, told):
    name = words[words.index("--name") + 1] if "--name" in words else words[0]
    screen.progress(f"corral connect {name}")
    began = time.monotonic()
    answer = bed.corral("--json", "connect", *words)
    took = time.monotonic() - began
    good = answer.status == 0
    text = told if good else answer.told or answer.text
    screen.line(good, f"connect {name:<9}{one_line(text, 70):<71}{took:>6.1f} s")
    if not good:
        raise Failure(answer.told or answer.text)


def call(bed, screen, tool, arguments, pattern):
    """Calls a tool and shows the parts of its text that the pattern finds."""
    screen.progress(f"corral call {tool}")
    answer = bed.corral("--json", "call", tool, arguments)
    failed, reason, text = content(answer)
    found = re.search(pattern, text, re.DOTALL)
    good = answer.status == 0 and not failed and found is not None
    told = " → ".join(found.groups()) if good else text or reason
    screen.line(good, f"call    {tool}: {one_line(told, 86 - len(tool))}")


def attack(bed, screen, listener, row):
    tool, tried, wall, expected, status = row
    screen.progress(tried)
    arguments = f'{{"port":{listener.port}}}' if tool == "reach_loopback" else "{}"
    answer = bed.corral("--json", "call", f"hostile__{tool}", arguments)
    failed, reason, text = content(answer)
    good = answer.status == status and failed and re.search(expected, reason + text) is not None
    # Of what the caller is told the name is enough here; the unexpected is shown as it is.
    names = sorted(set(re.findall(r"\bE[A-Z]{4,}\b", text)))
    if good:
        told = f"isError: {', '.join(names) or text}" if reason == "isError" else f"error {reason}"
    else:
        told = f"status {answer.status}, {reason}: {text} {answer.told}"
    screen.line(good, f"{tried:<27} {wall:<31} {one_line(told, 38 if good else 400)}")


def make_repository(path):
    os.mkdir(path)
    git = ["git", "-C", path, "-c", "user.name=Demo", "-c", "user.email=demo@example.org"]
    with open(f"{path}/README", "w", encoding="utf-8") as file:
        file.write("A small repository.\n")
    for words in (["init", "-q"], ["add", "README"], ["commit", "-q", "-m", "Begin the herd book"]):
        subprocess.run([*git, *words], check=True, capture_output=True)


def real_servers(bed, screen):
    screen.head("Real servers, installed from PyPI with hash-checked pins, run without a network")
    connect(bed, screen, ["time"], "mcp-server-time, installed, started, its tools listed")
    tools = bed.must("--json", "tools").text
    names = sorted(set(re.findall(r"time__\w+", tools)))
    screen.line(len(names) == 2, f"tools   {', '.join(names)}")
    call(bed, screen, "time__convert_time",
         '{"source_timezone":"Europe/Berlin","time":"09:30","target_timezone":"Asia/Tokyo"}',
         r'"source".*?T(\d\d:\d\d\S+?)".*"target".*?T(\d\d:\d\d\S+?)"')
    repository = f"{bed.directory}/herd"
    make_repository(repository)
    connect(bed, screen, ["git", "--set", f"repository={repository}"],
            "mcp-server-git, on a repository mounted read-only")
    call(bed, screen, "git__git_log", f'{{"repo_path":"{repository}"}}',
         r"(Commit: \w+).*(Begin the herd book)")


def shorten_deadline(bed):
    """The demo's own addition to its copy of the card: nobody wants to watch 30 s of sleep."""
    with open(f"{bed.etc}/runcards/custom.yaml", "a", encoding="utf-8") as card:
        card.write(f"limits: {{call_timeout: {CALL_TIMEOUT}}}\n")


def hostile_server(bed, screen, family):
    print()
    screen.head("A hostile server: what it tries · what stops it · what the caller is told")
    files = f"{bed.directory}/hostile"
    os.mkdir(files)
    for name in ("scripts/demo/hostile_server.py", "Tests/Hostile/mcp_stdio.py"):
        shutil.copy(f"{TOP}/{name}", files)
    connect(bed, screen, ["custom", "--name", "hostile", "--set", f"files={files}", "--",
                          "/usr/bin/python3", f"{files}/hostile_server.py"],
            f"{len(ATTACKS)} tools, each an attack")
    listener = Listener()
    if not listener.is_reachable():
        raise Failure("the host's listener does not count its visitors")
    family.count()
    for row in ATTACKS:
        attack(bed, screen, listener, row)
    if listener.visits != 1:
        screen.line(False, "the host's listener had a visitor from a sandbox")


def table_row(name, counts):
    return f"{name:<22}" + "".join(f"{counts[kind]:>12}" for kind in KINDS)


def afterwards(bed, screen, family):
    print()
    screen.head(f"{'What there is of it':<24}" + "".join(f"{kind:>12}" for kind in KINDS))
    running = family.count()
    screen.line(all(running.values()), table_row("while it runs", running))
    bed.stop()
    bed.remove()
    left = family.settled()
    screen.line(not any(left.values()), table_row("after it stopped", left))


def main():
    if os.getuid() != 0:
        sys.exit("the demo starts corrald, which needs root: sudo make demo")
    screen = Screen()
    bed = Testbed(RELEASE, "demo")
    family = Family(bed.directory, UIDS)
    try:
        bed.install()
        shorten_deadline(bed)
        bed.start()
        real_servers(bed, screen)
        hostile_server(bed, screen, family)
        afterwards(bed, screen, family)
    except Failure as failure:
        screen.line(False, str(failure))
        if os.path.exists(bed.log):
            print(bed.log_tail())
    finally:
        bed.stop()
        bed.remove()
    print()
    return screen.end()


if __name__ == "__main__":
    sys.exit(main())
