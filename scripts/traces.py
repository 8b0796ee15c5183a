"""What a running Corral has on a machine: processes, cgroups, namespaces, mounts, files.

Used by the demo to prove that nothing is left, and as a program by `make test`:
    traces.py --save FILE      remembers what is there before the tests
    traces.py --compare FILE   names what is there now and was not then; status 1 if anything is
"""

import argparse
import glob
import json
import os
import sys
import time

CGROUPS = "/sys/fs/cgroup"
KINDS = ("processes", "cgroups", "namespaces", "mounts", "files")
# Where programs leave files that they should not.
SHARED = ("/tmp", "/var/tmp", "/run", "/dev/shm", "/var/lib", "/var/log")
# How long a stopped sandbox's last cgroup or namespace may take to go: the kernel frees them late.
SETTLE_SECONDS = 5


def read(path):
    """A small file's text; empty when the process or file is gone, which is no error here."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def numbers():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def status(pid):
    lines = (line.partition(":") for line in read(f"/proc/{pid}/status").splitlines())
    return {name: value.strip() for name, _, value in lines}


def is_living(pid):
    """A zombie has ended; only its parent has not asked yet."""
    return status(pid).get("State", "Z")[0] not in "ZX"


def corral_processes():
    """Every living process that is one of Corral's programs."""
    return {f"{pid} {read(f'/proc/{pid}/comm').strip()}" for pid in numbers()
            if read(f"/proc/{pid}/comm").startswith("corral") and is_living(pid)}


def cgroup_directories():
    return {where for where, _, _ in os.walk(CGROUPS)}


def top_group(path):
    """The part of a cgroup's path that ends with the supervisor's own group, corral-…; or all."""
    parts = path.split("/")
    tops = [index for index, part in enumerate(parts) if part.startswith("corral")]
    return "/".join(parts[:tops[0] + 1]) if tops else path


def corral_mounts():
    """Mount points of this namespace that name Corral."""
    rows = (line.split() for line in read("/proc/self/mountinfo").splitlines())
    return {row[4] for row in rows if "corral" in " ".join(row[3:5] + row[-2:])}


def shared_files():
    return {os.path.join(place, name) for place in SHARED if os.path.isdir(place)
            for name in os.listdir(place)}


def owner(path):
    try:
        return os.lstat(path).st_uid
    except OSError:
        return -1


def corral_files():
    places = ("/tmp/corral*", "/run/corral*", "/run/netns/*corral*", "/dev/shm/*corral*")
    return {path for place in places for path in glob.glob(place)}


class Family:
    """The processes below one process, and those whose program or user belongs to one test bed."""

    def __init__(self, directory, uids):
        self.directory = directory
        self.uids = uids
        self.cgroups_before = cgroup_directories()
        self.shared_before = shared_files()
        self.cgroups_seen = set()
        self.namespaces_seen = set()

    def members(self):
        """Pids whose program lies in the directory or whose user is from the range, and below."""
        parents, ours = {}, set()
        for pid in numbers():
            facts = status(pid)
            if not facts or facts["State"][0] in "ZX":
                continue
            parents[pid] = int(facts["PPid"])
            if (link(f"/proc/{pid}/exe").startswith(self.directory + "/")
                    or int(facts["Uid"].split()[0]) in self.uids):
                ours.add(pid)
        grown = True
        while grown:
            below = {pid for pid, parent in parents.items() if parent in ours} - ours
            ours |= below
            grown = bool(below)
        return ours - {os.getpid()}

    def cgroups(self, members):
        """New cgroups below each group of ours, which is one that a member has been seen in."""
        new = cgroup_directories() - self.cgroups_before
        for where in new:
            inside = {int(word) for word in read(f"{where}/cgroup.procs").split()}
            if inside & members:
                self.cgroups_seen.add(top_group(where))
        return {where for where in new if top_group(where) in self.cgroups_seen}

    def namespaces(self, members):
        """Namespaces in which a member lives or lived and this process does not, held still by
        a member or by name. A stranger in one means that its number was given out again: members
        hand none on, so nobody else gets in."""
        own = {link(path) for path in glob.glob("/proc/self/ns/*")}
        for pid in members:
            self.namespaces_seen |= {link(p) for p in glob.glob(f"/proc/{pid}/ns/*")} - own - {""}
        held = set()
        for pid in members:
            for path in glob.glob(f"/proc/{pid}/ns/*") + glob.glob(f"/proc/{pid}/fd/*"):
                held.add(link(path))
        held |= {f"net:[{os.stat(path).st_ino}]" for path in glob.glob("/run/netns/*")}
        return self.namespaces_seen & held

    def mounts(self, members):
        """Mount points below the directory, in this mount namespace and in those of members."""
        found = set()
        for pid in members | {"self"}:
            for line in read(f"/proc/{pid}/mountinfo").splitlines():
                row = line.split()
                if self.directory in row[3] or self.directory in row[4] or pid != "self":
                    found.add(f"{link(f'/proc/{pid}/ns/mnt')} {row[4]}")
        own = link("/proc/self/ns/mnt")
        return {row for row in found if not row.startswith(own) or self.directory in row}

    def files(self):
        """What lies in the directory, and what is new in a shared place and belongs to ours."""
        own = {os.path.join(where, name) for where, directories, names in os.walk(self.directory)
               for name in directories + names}
        return own | self.strays()

    def strays(self):
        """What is new in a shared place and belongs to ours."""
        return {path for path in shared_files() - self.shared_before
                if owner(path) in self.uids} - {self.directory}

    def count(self):
        """How many of each kind there are now."""
        members = self.members()
        return {
            "processes": len(members),
            "cgroups": len(self.cgroups(members)),
            "namespaces": len(self.namespaces(members)),
            "mounts": len(self.mounts(members)),
            "files": len(self.files()),
        }

    def settled(self):
        """The counts once all are zero, or as they are after the time a kernel may take."""
        deadline = time.monotonic() + SETTLE_SECONDS
        counts = self.count()
        while any(counts.values()) and time.monotonic() < deadline:
            time.sleep(0.05)
            counts = self.count()
        return counts


def snapshot():
    return {
        "processes": sorted(corral_processes()),
        "cgroups": sorted(path for path in cgroup_directories() if "corral" in path),
        "mounts": sorted(corral_mounts()),
        "files": sorted(corral_files()),
    }


def difference(before):
    now = snapshot()
    return {kind: sorted(set(now[kind]) - set(before[kind])) for kind in now}


def compare(before):
    deadline = time.monotonic() + SETTLE_SECONDS
    left = difference(before)
    while any(left.values()) and time.monotonic() < deadline:
        time.sleep(0.1)
        left = difference(before)
    for kind, names in left.items():
        for name in names:
            print(f"left behind by the tests: {kind}: {name}", file=sys.stderr)
    if any(left.values()):
        return 1
    print("left behind by the tests: no process, cgroup, mount or file")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", metavar="FILE")
    parser.add_argument("--compare", metavar="FILE")
    chosen = parser.parse_args()
    if chosen.save:
        os.makedirs(os.path.dirname(chosen.save), exist_ok=True)
        with open(chosen.save, "w", encoding="utf-8") as file:
            json.dump(snapshot(), file)
        return 0
    with open(chosen.compare, encoding="utf-8") as file:
        return compare(json.load(file))


if __name__ == "__main__":
    sys.exit(main())
