"""Makes the disk of the test machine: Debian 12, Corral as `make install` leaves it, the tests.

Nothing is mounted on the host and no loop device is used: a directory becomes a file system by
`mke2fs -d`. Everything lies in .build/vm.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.abspath(f"{os.path.dirname(os.path.abspath(__file__))}/../..")
PLACE = f"{TOP}/.build/vm"
BASES = f"{PLACE}/base"
STAGE = f"{PLACE}/stage"
DISK = f"{PLACE}/disk.img"

SUITE = "bookworm"
# What Corral needs at run time, what the tests of its walls look with (git, procps, iproute2), and
# binutils, because `make install` strips.
PACKAGES = (
    "systemd systemd-sysv dbus udev kmod linux-image-cloud-amd64 "
    "python3 python3-venv git ca-certificates libseccomp2 libsqlite3-0 libyaml-0-2 "
    "procps util-linux login libpam-systemd iproute2 libstdc++6 binutils"
).split()
# Work of a machine that stays; this one lives for minutes.
MASKED = (
    "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer "
    "e2scrub_reap.service fstrim.timer getty@tty1.service serial-getty@ttyS0.service "
    "systemd-networkd-wait-online.service"
).split()

BASE_SECONDS = 1800
STEP_SECONDS = 600
FREE_BYTES = 1536 << 20

# Where things are in the guest.
SOURCES = "/usr/src/corral"
BUNDLE = "/usr/lib/corral-tests"
TESTS = "corralPackageTests.xctest"
UNIT = "vm-checks.service"


def run(words, seconds=STEP_SECONDS, **more):
    """Runs one step; its output is shown only when it fails."""
    done = subprocess.run(words, cwd=TOP, timeout=seconds, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        sys.exit(f"cannot make the test machine: {words[0]}: status {done.returncode}\n{tail}")
    return done.stdout


def base_tree():
    """Debian's packages, unpacked and configured; kept until the list of packages changes."""
    key = hashlib.sha256(" ".join([SUITE, *PACKAGES]).encode()).hexdigest()[:12]
    tree = f"{BASES}/{key}"
    if os.path.isdir(tree):
        return tree
    shutil.rmtree(BASES, ignore_errors=True)
    os.makedirs(BASES)
    # Whatever debootstrap mounts goes with the mount namespace, also when it is interrupted. The
    # mirror is Debian's own unless the environment names a nearer one.
    mirror = [os.environ["DEBIAN_MIRROR"]] if os.environ.get("DEBIAN_MIRROR") else []
    run(["unshare", "--mount", "debootstrap", "--variant=minbase",
         f"--include={','.join(PACKAGES)}", SUITE, f"{tree}.new", *mirror], BASE_SECONDS)
    # Downloaded packages are half of the tree's size.
    shutil.rmtree(f"{tree}.new/var/cache/apt/archives")
    os.rename(f"{tree}.new", tree)
    return tree


def write(path, text):
    os.makedirs(os.path.dirname(f"{STAGE}{path}"), exist_ok=True)
    # A link in the base, such as resolv.conf's, must not lead out of the stage.
    if os.path.islink(f"{STAGE}{path}"):
        os.unlink(f"{STAGE}{path}")
    with open(f"{STAGE}{path}", "w", encoding="utf-8") as file:
        file.write(text)


def install_corral():
    """`make install`, as a package would do it."""
    run([f"{TOP}/scripts/install.sh", f"{TOP}/.build/release"],
        env={**os.environ, "DESTDIR": STAGE, "PREFIX": "/usr", "SYSCONFDIR": "/etc",
             "LIBEXECDIR": "/usr/libexec/corral"})


def copy_sources():
    """What the demo and the tests in the guest are made of."""
    for name in ("scripts", "systemd", "policies", "runcards", "Tests/IntegrationTests",
                 "Tests/Hostile", "Tests/SandboxTests"):
        shutil.copytree(f"{TOP}/{name}", f"{STAGE}{SOURCES}/{name}",
                        ignore=shutil.ignore_patterns("__pycache__"))
    built = f"{STAGE}{SOURCES}/.build/release"
    os.makedirs(built)
    for program in ("corrald", "corral-launch", "corral-broker", "corral-egress"):
        shutil.copy(f"{STAGE}/usr/libexec/corral/{program}", built)
    shutil.copy(f"{STAGE}/usr/bin/corral", built)


def copy_tests():
    """The test program, the programs beside it, the Swift runtime and the files they look for."""
    debug = f"{TOP}/.build/debug"
    os.makedirs(f"{STAGE}{BUNDLE}")
    for program in (TESTS, "corrald", "corral-launch", "corral-broker", "corral-egress", "corral"):
        shutil.copy(f"{debug}/{program}", f"{STAGE}{BUNDLE}")
    linked = re.findall(r"=> (/\S*/swift/\S+\.so)", run(["ldd", f"{debug}/{TESTS}"]))
    if not linked:
        sys.exit(f"cannot make the test machine: {TESTS} is linked with no Swift library")
    # Where the programs look: the broker's environment is empty, so no variable can tell it.
    for library in linked:
        os.makedirs(f"{STAGE}{os.path.dirname(library)}", exist_ok=True)
        shutil.copy(library, f"{STAGE}{library}")
    # Tests know the tree that they were compiled from.
    os.makedirs(f"{STAGE}{os.path.dirname(TOP)}", exist_ok=True)
    os.symlink(SOURCES, f"{STAGE}{TOP}")


def configure():
    """An empty machine that trusts whom this host trusts and runs the tests when it has booted."""
    write("/etc/hostname", "corral-vm\n")
    write("/etc/hosts", "127.0.0.1 localhost corral-vm\n")
    # Of qemu's user network.
    write("/etc/resolv.conf", "nameserver 10.0.2.3\n")
    # With an id it is no first boot, in which systemd would enable every unit, ours too.
    write("/etc/machine-id", f"{'c0' * 16}\n")
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", f"{STAGE}/etc/ssl/certs/")
    units = "/etc/systemd/system"
    for name in MASKED:
        path = f"{STAGE}{units}/{name}"
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink("/dev/null", path)
    shutil.copy(f"{TOP}/scripts/vm/guest/{UNIT}", f"{STAGE}{units}/{UNIT}")
    wants = f"{STAGE}{units}/multi-user.target.wants"
    os.makedirs(wants, exist_ok=True)
    os.symlink(f"../{UNIT}", f"{wants}/{UNIT}")


def make_disk():
    used = int(run(["du", "-s", "--block-size=1", STAGE]).split()[0])
    if os.path.exists(DISK):
        os.unlink(DISK)
    # No journal: nobody needs this file system after a crash.
    run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-L", "corral", "-d", STAGE, DISK,
         f"{(used + FREE_BYTES) >> 10}k"])


def boot_file(tree, name):
    """The kernel or initial file system of the base."""
    found = sorted(file for file in os.listdir(f"{tree}/boot") if file.startswith(name))
    if not found:
        sys.exit(f"cannot make the test machine: {tree}/boot has no {name}")
    return f"{tree}/boot/{found[-1]}"


def make():
    """Returns the kernel, the initial file system and the disk."""
    if os.getuid() != 0:
        sys.exit("cannot make the test machine: debootstrap needs root: sudo make test-vm")
    tree = base_tree()
    shutil.rmtree(STAGE, ignore_errors=True)
    run(["cp", "-a", tree, STAGE])
    install_corral()
    copy_sources()
    copy_tests()
    configure()
    make_disk()
    shutil.rmtree(STAGE)
    return boot_file(tree, "vmlinuz"), boot_file(tree, "initrd.img"), DISK
