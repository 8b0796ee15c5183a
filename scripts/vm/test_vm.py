"""make test-vm: boots Debian 12 with systemd and cgroup v2 under qemu and runs Corral there.

The guest (guest/main.py) prints a line of JSON for each check on the serial console and powers
off; here they become a table. Exit status 0 only if every check passed and the guest said how
many there were. The console is kept in .build/vm/console.log.
"""

import json
import os
import selectors
import subprocess
import sys
import time

import image

MARK = "@corral "
CONSOLE = f"{image.PLACE}/console.log"
# Emulated, a boot takes about a minute and Python starts in seconds.
BOOT_SECONDS = int(os.environ.get("VM_BOOT_SECONDS", "600"))
ALL_SECONDS = int(os.environ.get("VM_SECONDS", "2700"))
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
    """Prints the guest's checks as they come, and counts them."""

    def __init__(self):
        self.counts = dict.fromkeys(SIGNS, 0)
        self.promised = None

    def take(self, line):
        try:
            found = json.loads(line)
        except ValueError:
            # Somebody else wrote into the line: a check is missing then, and the count tells.
            return
        if "end" in found:
            self.promised = found["end"]
        elif "section" in found:
            print(f"\n{found['section']}", flush=True)
        else:
            self.row(found)

    def row(self, found):
        self.counts[found["result"]] += 1
        sign, colour = SIGNS[found["result"]]
        sign = f"\033[{colour}m{sign}\033[0m" if COLOUR else sign
        told = " ".join(str(found["told"]).split())
        whole = COLUMNS - 44 if found["result"] == "passed" else 2000
        if len(told) > whole:
            told = told[:whole - 1] + "…"
        print(f"{sign} {found['check']:<34} {told:<{COLUMNS - 44}} {found['seconds']:>5.0f} s",
              flush=True)

    def end(self):
        done = sum(self.counts.values())
        complete = self.promised == done and done > 0
        if not complete:
            self.counts["failed"] += 1
            print(f"✗ the guest promised {self.promised} checks and {done} were seen: {CONSOLE}")
        print("\n" + ", ".join(f"{count} {name}" for name, count in self.counts.items()))
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
            print(f"✗ the guest was ended: not done after {limits[0]} s")
    print(f"\nguest ran {time.monotonic() - began:.0f} s; its console is in {CONSOLE}")


def main():
    began = time.monotonic()
    parts = image.make()
    print(f"disk made in {time.monotonic() - began:.0f} s", flush=True)
    table = Table()
    process = subprocess.Popen(machine(*parts), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        watch(process, table)
    finally:
        process.kill()
        process.wait()
        os.unlink(image.DISK)
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
