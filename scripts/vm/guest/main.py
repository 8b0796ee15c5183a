"""What the guest runs once it has booted; the host's side is scripts/vm/test_vm.py."""

import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = f"{HERE}/../.."
BUNDLE = "/usr/lib/corral-tests"
sys.path.append(SCRIPTS)

import call_checks as calls  # noqa: E402  (the demo's tables are beside, not below, this file)
import hand_checks as hand  # noqa: E402
import unit_checks as unit  # noqa: E402
from demo import ATTACKS  # noqa: E402
from report import Failure, Report, expect, read, run  # noqa: E402

# The targets whose tests meet the kernel.
SUITES = ("SandboxTests", "KernelTests", "SupervisorTests", "IntegrationTests")
# They run the corpus of attacks, which `make hostile` does here with time enough.
SKIPPED = "HostileTests"
SUITE_SECONDS = 1800
UP_SECONDS = 180
# An emulated processor beside a real one.
SLOWNESS = "6"


def suite(name):
    """Runs the tests of one target in the debug build's test program."""
    def check():
        done = run(f"{SCRIPTS}/delegated.sh", f"{BUNDLE}/corralPackageTests.xctest",
                   "--testing-library", "swift-testing", "--filter", f"^{name}\\.",
                   "--skip", SKIPPED, seconds=SUITE_SECONDS, cwd=BUNDLE)
        told = done.stdout + done.stderr
        if done.returncode:
            lines = [line.strip() for line in told.splitlines() if re.search("✘|rror", line)]
            raise Failure(f"status {done.returncode}: " + " / ".join(lines or [told[-800:]]))
        count = re.search(r"Test run with (\d+) tests?", told)
        expect(count and int(count[1]) > 0, f"no test ran: {told[-400:]}")
        return f"{count[1]} tests passed"
    return check


def script(name, seconds, needs=lambda: None):
    """Runs a program of this project as it is; its last line is told, and all when it failed."""
    def check():
        needs()
        done = run("/usr/bin/python3", "-B", f"{SCRIPTS}/{name}.py", seconds=seconds,
                   env={**os.environ, "CORRAL_SLOWNESS": SLOWNESS})
        lines = done.stdout.strip().splitlines() or [""]
        bad = [line.strip() for line in lines if line.startswith(("✗", "FAIL"))]
        if done.returncode:
            raise Failure(" / ".join(bad + lines[-1:]) + done.stderr[-600:])
        return lines[-1]
    return check


def the_unit(report):
    report.check("sysusers, tmpfiles, users", unit.users)
    report.check("configuration", unit.configure)
    report.check("systemd-analyze verify", unit.verify)
    report.check("a mistake in a file", unit.mistake)
    family = unit.UnitFamily()
    if not report.check("systemctl start corrald", unit.start):
        return None
    report.check("corral doctor", unit.doctor)
    report.check("systemd-analyze security", unit.security)
    report.check("the broker has no privilege", unit.privileges)
    report.check("the control socket", unit.socket_mode)
    return family


def the_calls(report):
    report.section("Users, sandboxes, limits, directories, under the unit")
    report.check("connect custom", calls.custom)
    report.check("a user of the group", calls.member)
    report.check("a user outside the group", calls.stranger)
    report.check("a command nobody allowed", calls.refused_command)
    report.check("another user's connection", calls.others_connection)
    report.check("limits read back", calls.limits)
    report.check("confinement read back", calls.confinement)
    report.check("clocks", calls.clocks)
    report.check("corral posture", calls.posture("ann", "probe"))
    report.check("the host's core handler", calls.core_handler)
    report.check("a directory of the user's", calls.own_directory)
    report.check("corral posture with a directory", calls.posture("ann", "papers"))
    report.check("a directory to write", calls.written_directory)
    report.check("a directory of another's", calls.others_directory)
    report.check("a hostile server", calls.hostile)
    for row in ATTACKS:
        report.check(row[1], calls.attack(row))
    report.check("neighbours of the attacks", calls.undisturbed)
    report.check("connect time", calls.time_card)


def the_end(report, family):
    report.section("Restart, kill -9, stop")
    report.check("systemctl restart", unit.restart)
    report.check("kill -9 of corrald", unit.killed)
    report.check("kill -9 of the broker", unit.broker_killed)
    report.check("systemctl stop", lambda: unit.stop(family))
    report.check("the unit's journal", unit.journal)


def the_programs(report, parts):
    # Attacks take a clock that is two minutes from the host's for another one.
    time.sleep(max(0, UP_SECONDS - time.clock_gettime(time.CLOCK_BOOTTIME)))
    report.section("The test program, the demo and the attacks, without the unit")
    for name in SUITES if "tests" in parts else ():
        report.check(f"tests: {name}", suite(name))
    if "demo" in parts:
        report.check("make demo", script("demo", 2400, calls.require_registry))
    if "hostile" in parts:
        report.check("make hostile", script("hostile", 2400))


def main():
    report = Report()
    parts = re.search(r"corral\.parts=(\S*)", read("/proc/cmdline"))[1].split(",")
    report.section("Debian 12, systemd, cgroup v2")
    report.check("the machine", unit.machine)
    report.check("the network of qemu", unit.network)
    if "unit" in parts:
        family = the_unit(report)
        if family:
            the_calls(report)
            the_end(report, family)
            report.check("corrald from a login shell", hand.by_hand)
        unit.console(["journalctl", "--no-pager", "--output=short-monotonic", "--unit=corrald",
                      "--lines=300"])
    the_programs(report, parts)
    report.end()


if __name__ == "__main__":
    main()
