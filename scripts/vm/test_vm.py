"""make test-vm: boots Debian 12 with systemd and cgroup v2 under qemu and runs Corral there.

The guest (guest/main.py) prints a line of JSON for each check on the serial console and powers
off; here they become a table with a summary at its end. Exit status 0 only if every check passed
and the guest said how many there were. The table and the console are kept where `make clean` does
not reach: VM_LOGS says where, /var/tmp/corral-vm when it does not.
"""

import fcntl
import json
import os
import re
import selectors
import subprocess
import sys
import time

import image

MARK = "@corral "
LOGS = os.environ.get("VM_LOGS", "/var/tmp/corral-vm")
CONSOLE = f"{LOGS}/console.log"
# Emulated, a boot takes about a minute and Python starts in seconds.
BOOT_SECONDS = int(os.environ.get("VM_BOOT_SECONDS", "600"))
ALL_SECONDS = int(os.environ.get("VM_SECONDS", "5400"))
# Parts of the checks: unit, tests, demo, hostile.
PARTS = os.environ.get("VM_PARTS", "unit,tests,demo,hostile")
MEMORY_MIB = 2048
PROCESSORS = 2
COLUMNS = 110
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
SIGNS = {"passed": ("✓", "32"), "failed": ("✗", "31"), "skipped": ("–", "33")}


def machine(kernel, initial, disk):
    """The qemu command: no KVM, a serial console, user-mode network."""
    # No journald or kernel chatter on the console: that is for results, in whole lines.
    command_line = ("root=/dev/vda rw console=ttyS0 loglevel=1 systemd.show_status=0 "
                    f"net.ifnames=0 mitigations=off nopti panic=-1 corral.parts={PARTS}")
    return ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "Nehalem",
            "-m", str(MEMORY_MIB), "-smp", str(PROCESSORS), "-no-reboot", "-nodefaults",
            "-display", "none", "-chardev", "stdio,id=console,signal=off",
            "-serial", "chardev:console", "-device", "virtio-rng-pci",
            "-drive", f"file={disk},if=virtio,format=raw,cache=unsafe",
            "-nic", "user,model=virtio-net-pci",
            "-kernel", kernel, "-initrd", initial, "-append", command_line]


class Table:
    """Prints the guest's checks as they come, counts them, and keeps a copy without colours."""

    def __init__(self):
        self.counts = dict.fromkeys(SIGNS, 0)
        self.promised = None
        self.section = ""
        # Section → checks, seconds; in the order of the guest.
        self.parts = {}
        self.bad = []
        self.copy = open(f"{LOGS}/table.log", "w", encoding="utf-8")

    def say(self, text=""):
        print(text, flush=True)
        self.copy.write(re.sub(r"\033\[\d*m", "", text) + "\n")
        self.copy.flush()

    def take(self, line):
        try:
            found = json.loads(line)
        except ValueError:
            # Somebody else wrote into the line: a check is missing then, and the count tells.
            return
        if "end" in found:
            self.promised = found["end"]
        elif "section" in found:
            self.section = found["section"]
            self.say(f"\n{self.section}")
        else:
            self.row(found)

    def row(self, found):
        self.counts[found["result"]] += 1
        checks, seconds = self.parts.get(self.section, (0, 0))
        self.parts[self.section] = (checks + 1, seconds + found["seconds"])
        sign, colour = SIGNS[found["result"]]
        sign = f"\033[{colour}m{sign}\033[0m" if COLOUR else sign
        told = " ".join(str(found["told"]).split())
        if found["result"] != "passed":
            self.bad.append(f"{SIGNS[found['result']][0]} {found['check']}: {told}")
        whole = COLUMNS - 44 if found["result"] == "passed" else 2000
        if len(told) > whole:
            told = told[:whole - 1] + "…"
        self.say(f"{sign} {found['check']:<34} {told:<{COLUMNS - 44}} {found['seconds']:>5.0f} s")

    def end(self, took):
        """What it came to: each part, what did not pass once more, counts, how long it took."""
        done = sum(checks for checks, _ in self.parts.values())
        if self.promised != done or done == 0:
            self.counts["failed"] += 1
            self.bad.append(f"✗ the guest promised {self.promised} checks and {done} were seen")
        self.say("\nsummary")
        for section, (checks, seconds) in self.parts.items():
            self.say(f"  {section:<60} {checks:>3} checks {seconds:>6.0f} s")
        for line in self.bad:
            self.say(f"  {line}")
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        self.say(f"{counts}; {', '.join(f'{name} {value:.0f} s' for name, value in took.items())}")
        self.say(f"kept: {self.copy.name}, {CONSOLE}")
        self.copy.close()
        return 0 if not self.counts["failed"] else 1


def lines(process, deadline):
    """Lines of the console until it closes; TimeoutError when nothing ends it in time."""
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    rest = b""
    while True:
        left = deadline() - time.monotonic()
        if left <= 0 or not selector.select(left):
            raise TimeoutError
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            return
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace").rstrip("\r")


def watch(process, table):
    """Feeds the table until the guest powers off or a deadline passes."""
    began = time.monotonic()
    # A guest that has said nothing yet may have died in its boot.
    limits = [BOOT_SECONDS]
    with open(CONSOLE, "w", encoding="utf-8") as console:
        try:
            for line in lines(process, lambda: began + limits[0]):
                stamp = time.monotonic() - began
                console.write(f"{stamp:7.1f} {line}\n")
                console.flush()
                _, mark, found = line.partition(MARK)
                if mark:
                    limits[0] = ALL_SECONDS
                    table.take(found)
        except TimeoutError:
            table.bad.append(f"✗ the guest was ended: not done after {limits[0]} s")
            table.counts["failed"] += 1
    return time.monotonic() - began


def main():
    began = time.monotonic()
    os.makedirs(image.PLACE, exist_ok=True)
    lock = os.open(image.PLACE, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"cannot make the test machine: another one is made or runs in {image.PLACE}")
    parts = image.make()
    took = {"disk": time.monotonic() - began}
    os.makedirs(LOGS, exist_ok=True)
    table = Table()
    table.say(f"disk made in {took['disk']:.0f} s")
    process = subprocess.Popen(machine(*parts), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        took["guest"] = watch(process, table)
    finally:
        process.kill()
        process.wait()
        os.unlink(image.DISK)
    took["total"] = time.monotonic() - began
    return table.end(took)


if __name__ == "__main__":
    sys.exit(main())
