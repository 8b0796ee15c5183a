"""How checks are run and told: one line of JSON each on the console."""

import json
import os
import subprocess
import time

MARK = "@corral "
COMMAND_SECONDS = 600


class Failure(Exception):
    """Something is not as it must be; the message is for people."""


class Skip(Exception):
    """A check that cannot be made here, and why."""


class Report:
    def __init__(self):
        self.console = os.open("/dev/console", os.O_WRONLY | os.O_NOCTTY)
        self.count = 0

    def say(self, found):
        # One write, beginning on a line of its own: others write here too.
        os.write(self.console, f"\n{MARK}{json.dumps(found)}\n".encode())

    def section(self, text):
        self.say({"section": text})

    def check(self, name, body):
        """Runs one check; what it returns is told. A failure does not stop those after it."""
        began = time.monotonic()
        try:
            result, told = "passed", body()
        except Skip as skip:
            result, told = "skipped", str(skip)
        except Exception as problem:  # a mistake in a check is a failed check, never a silent end
            result, told = "failed", f"{type(problem).__name__}: {problem}"
        self.count += 1
        self.say({"check": name, "result": result, "told": told,
                  "seconds": time.monotonic() - began})
        return result == "passed"

    def end(self):
        self.say({"end": self.count})


def run(*words, seconds=COMMAND_SECONDS, **more):
    """Runs a command and returns it with its output; it may fail."""
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds, errors="replace", **more)


def must(*words, **more):
    """Runs a command that has to succeed, and returns what it printed."""
    done = run(*words, **more)
    if done.returncode:
        raise Failure(f"{' '.join(words[:4])}: status {done.returncode}: "
                      f"{done.stderr.strip()} {done.stdout.strip()}")
    return done.stdout.strip()


def expect(good, told):
    if not good:
        raise Failure(told)


def eventually(body, seconds):
    """Waits until `body` returns something true, and returns that; None when it never did."""
    deadline = time.monotonic() + seconds
    while True:
        found = body()
        if found or time.monotonic() > deadline:
            return found or None
        time.sleep(0.2)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().strip()
