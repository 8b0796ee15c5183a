"""The groups that hold the limits: seeing them, leaving them, using their handler. H19."""

import os

from attack import Stopped, attack
from files import first_that, fresh
from kernel import call, evidence_of, in_child


@attack("H19", "learns where in the host's tree of cgroups it is")
def cgroup_path(_):
    with open("/proc/self/cgroup", encoding="ascii") as table:
        rows = [line.strip().split(":", 2) for line in table]
    outside = [row for row in rows if row[2] != "/"]
    if outside:
        return f"it is in {outside[0][2]} of {outside[0][1] or 'version 2'}"
    raise Stopped(f"/ in all {len(rows)} hierarchies")


@attack("H19", "finds a tree of cgroups to write to")
def cgroup_files(_):
    def look(path):
        os.close(os.open(path, os.O_RDWR))
        return f"opened {path}"

    places = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids",
              "/sys/fs/cgroup/unified", "/dev/cgroup", "/cgroup"]
    names = ["cgroup.procs", "tasks", "release_agent", "memory.limit_in_bytes"]
    return first_that(look, [f"{place}/{name}" for place in places for name in names])


@attack("H19", "mounts a tree of cgroups, for its release_agent (CVE-2022-0492)")
def mount_cgroups(_):
    place = fresh("cgroup")
    os.mkdir(place)

    def act(kind, options):
        call("mount", b"x", place.encode(), kind, 0, options)
        return f"mounted {kind.decode()}: {os.listdir(place)[:3]}"

    refusals = []
    for kind, options in ((b"cgroup", b"memory"), (b"cgroup", b"rdma"), (b"cgroup2", b"")):
        ending = in_child(lambda: act(kind, options))
        if ending.exit == 0 and not ending.said.startswith("!"):
            return ending.said
        refusals.append(ending.said[1:])
    os.rmdir(place)
    raise Stopped("; ".join(sorted(set(refusals))))


@attack("H19", "leaves its cgroup in a namespace of cgroups of its own")
def cgroup_namespace(_):
    return evidence_of(in_child(lambda: f"answered {call('unshare', 0x2000000)}"), "unshare")
