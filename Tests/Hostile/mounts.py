"""Changing the tree of mounts: by the old calls, the new ones, and file handles. H5, H19, H20."""

import ctypes
import os
import stat
import subprocess

from attack import LET_IN, Stopped, attack, named
from files import fresh
from kernel import all_refused, call, evidence_of, in_child

MS_RDONLY, MS_NOSUID, MS_REMOUNT, MS_BIND = 1, 2, 32, 4096
AT_FDCWD = -100
OPEN_TREE_CLONE = 1


def mounted(source, target, kind, flags, options=None):
    """Mounts in a child and looks whether it is there."""
    def act():
        call("mount", source, target, kind, ctypes.c_ulong(flags), options or 0)
        with open("/proc/self/mountinfo", "rb") as table:
            lines = [line for line in table if line.split()[4] == target]
        return f"mounted {target.decode()}, {len(lines)} mounts there"

    return evidence_of(in_child(act), "mount")


@attack("H5", "mounts a tmpfs")
def mount_tmpfs(_):
    return mounted(b"x", b"/tmp", b"tmpfs", 0)


@attack("H5", "mounts a proc of its own, unmasked")
def mount_proc(_):
    return mounted(b"proc", b"/proc", b"proc", 0)


@attack("H5", "remounts /usr writable")
def remount_usr(_):
    return mounted(b"none", b"/usr", b"none", MS_REMOUNT | MS_BIND | MS_NOSUID)


@attack("H5", "binds one directory over another")
def bind_mount(_):
    return mounted(b"/usr", b"/home/tool", b"none", MS_BIND)


@attack("H5", "takes mounts away to see what is under them")
def unmount(_):
    return all_refused([("umount2", b"/proc", 2), ("umount2", b"/tmp", 2), ("umount2", b"/", 2)])


@attack("H5", "uses the new mount calls")
def new_mount_calls(_):
    attributes = (ctypes.c_uint64 * 4)()
    return all_refused([
        ("fsopen", b"tmpfs", 0), ("fspick", AT_FDCWD, b"/", 0), ("fsmount", -1, 0, 0),
        ("fsconfig", -1, 6, 0, 0, 0), ("move_mount", -1, b"", AT_FDCWD, b"/tmp", 4),
        ("mount_setattr", AT_FDCWD, b"/tmp", 0, ctypes.byref(attributes), 32)])


@attack("H5", "clones a tree of mounts into a descriptor")
def open_tree_clone(_):
    return f"open_tree gave descriptor {call('open_tree', AT_FDCWD, b'/', OPEN_TREE_CLONE)}"


@attack("H1", "changes its root, the classic way out of a chroot")
def chroot_escape(host):
    def act():
        inner = fresh("jail")
        os.mkdir(inner)
        call("chroot", inner.encode())
        for _ in range(64):
            os.chdir("..")
        call("chroot", b".")
        return f"changed its root; above it lie {os.listdir('/')}"

    return evidence_of(in_child(act), "chroot")


@attack("H5", "pivots to another root")
def pivot_root(_):
    return evidence_of(
        in_child(lambda: f"answered {call('pivot_root', b'/tmp', b'/tmp')}"), "pivot_root")


@attack("H5", "opens a file by its handle, past every mount (the shocker escape)")
def open_by_handle(_):
    # struct file_handle: bytes, type, and the inode number of a root directory on ext4 and xfs.
    handle = ctypes.create_string_buffer(
        (8).to_bytes(4, "little") + (1).to_bytes(4, "little") + (2).to_bytes(8, "little"))
    got = ctypes.create_string_buffer((128).to_bytes(4, "little"), 136)
    mount = ctypes.c_int()
    return all_refused([
        ("open_by_handle_at", os.open("/usr", os.O_RDONLY | os.O_CLOEXEC), ctypes.byref(handle), 0),
        ("name_to_handle_at", AT_FDCWD, b"/usr", ctypes.byref(got), ctypes.byref(mount), 0)])


@attack("H19", "makes device files and opens them")
def make_device(_):
    refusals = []
    for kind, major, minor in ((stat.S_IFCHR, 1, 1), (stat.S_IFBLK, 8, 0), (stat.S_IFBLK, 254, 0),
                               (stat.S_IFCHR, 5, 1)):
        path = fresh("device")
        try:
            os.mknod(path, kind | 0o600, os.makedev(major, minor))
            os.close(os.open(path, os.O_RDONLY))
            return f"opened device {major}:{minor}"
        except OSError as error:
            refusals.append(named(error))
    raise Stopped(" ".join(sorted(set(refusals))))


@attack("H19", "opens devices of the host: memory, disks, kernel log, kvm, fuse, tun, loop")
def open_devices(_):
    names = ["mem", "kmem", "port", "kmsg", "sda", "vda", "nvme0n1", "kvm", "fuse", "net/tun",
             "loop-control", "loop0", "mapper/control", "vhost-vsock", "snapshot", "console"]
    for name in names:
        try:
            os.close(os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK))
            return f"opened /dev/{name}"
        except OSError as error:
            if named(error) in LET_IN and named(error) != "ENOENT":
                return f"/dev/{name} was let in: {named(error)}"
    raise Stopped(f"none of {len(names)} is there")


@attack("H19", "finds a device of /dev that is not what it seems (CVE-2025-31133)")
def replaced_null(_):
    for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
        found = os.lstat(f"/dev/{name}")
        if not stat.S_ISCHR(found.st_mode) or found.st_rdev != os.makedev(1, minor):
            return f"/dev/{name} is {found.st_rdev:#x}"
    # Could it be replaced from inside, for the next sandbox of the same tree to find?
    os.unlink("/dev/null")
    return "removed /dev/null"


def output(*words):
    """What a program says, which may be that it cannot run."""
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False).stdout


@attack("H20", "runs a set-uid program of the host and one it was given")
def set_uid_program(host):
    programs = [host["set_uid"]] if "set_uid" in host else []
    gained = []
    for program in programs:
        said = output(program, "-u")
        if said.strip() == "0" and os.getuid() != 0:
            gained.append(program)
    if gained:
        return f"root by {gained[0]}"
    if output("/usr/bin/su", "-c", "id -u").strip() == "0":
        return "root by su"
    raise Stopped(f"{len(programs) + 1} programs ran as user {os.getuid()}, as before")


@attack("H20", "runs a program with file capabilities")
def file_capabilities(host):
    program = host.get("with_capabilities", "/usr/bin/ping")
    said = output(program, "/proc/self/status")
    effective = [line for line in said.splitlines() if line.startswith("CapEff")]
    if not effective:
        raise Stopped("it did not run: " + said[:80].strip())
    if int(effective[0].split()[1], 16):
        return effective[0]
    raise Stopped("it ran without them")


@attack("H20", "makes a set-uid program of its own for somebody else to run", where="shared")
def leave_set_uid(host):
    path = f"{host['shared']}/gift-{os.getpid()}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o755))
    try:
        os.chown(path, 0, 0)
        os.chmod(path, 0o4755)
        return "made a set-uid program of another user"
    finally:
        os.unlink(path)
