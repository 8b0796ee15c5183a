"""Files by which a kernel is steered or tells too much. H19."""

import os

from attack import Stopped, attack, named
from files import first_that, read_some


def write_back(path):
    """Opens a file for writing, which is the whole permission; writes nothing."""
    os.close(os.open(path, os.O_WRONLY))
    return f"opened {path} for writing"


def put(path, value):
    """Writes to a file as it is: to truncate it first is another permission, which may be lacking
    where this one is not."""
    file = os.open(path, os.O_WRONLY)
    try:
        os.write(file, value)
    finally:
        os.close(file)
    return f"wrote {path}"


@attack("H19", "sets the host's handler of core dumps")
def core_pattern(_):
    return first_that(write_back, ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
                                   "/proc/sys/kernel/hotplug", "/proc/sys/vm/panic_on_oom",
                                   "/proc/sys/fs/binfmt_misc/register",
                                   "/proc/sys/kernel/ns_last_pid", "/proc/sys/fs/suid_dumpable"])


@attack("H19", "presses the host's emergency keys")
def sysrq(_):
    return first_that(write_back, ["/proc/sysrq-trigger", "/proc/sys/kernel/sysrq"])


@attack("H19", "reads the kernel's memory, symbols, keys and timers")
def kernel_secrets(_):
    return first_that(read_some, ["/proc/kcore", "/proc/kallsyms", "/proc/keys", "/proc/timer_list",
                                  "/proc/kmsg", "/proc/config.gz", "/proc/slabinfo",
                                  "/proc/vmallocinfo", "/proc/iomem", "/proc/modules"])


@attack("H19", "reads what /proc tells of the host: command line, load, mounts, interrupts")
def host_facts(_):
    return first_that(read_some, ["/proc/cmdline", "/proc/loadavg", "/proc/version",
                                  "/proc/interrupts", "/proc/diskstats", "/proc/partitions",
                                  "/proc/swaps", "/proc/sched_debug", "/proc/key-users",
                                  "/proc/scsi/scsi", "/proc/acpi"])


@attack("H19", "steers devices and firmware by /sys")
def sysfs(_):
    def look(path):
        return f"lists {path}: {len(os.listdir(path))} entries"

    return first_that(look, ["/sys", "/sys/kernel", "/sys/firmware", "/sys/class/net",
                             "/sys/kernel/debug", "/sys/kernel/security", "/sys/fs/bpf"])


@attack("H19", "makes the host's memory killer spare it")
def oom_score(_):
    for path, value in (("/proc/self/oom_score_adj", b"-1000"), ("/proc/1/oom_score_adj", b"-999"),
                        ("/proc/self/oom_adj", b"-17")):
        try:
            put(path, value)
        except OSError as error:
            wall = error
            continue
        with open(path, "rb") as file:
            if file.read().strip() == value:
                return f"{path} is {value.decode()}"
    raise wall


@attack("H19", "maps more users into its user namespace")
def user_map(_):
    def write(path):
        return put(path, b"0 0 4294967295" if path.endswith("map") else b"allow")

    return first_that(write, [f"/proc/self/{name}" for name in ("uid_map", "gid_map", "setgroups",
                                                                "projid_map")])


@attack("H19", "changes its security label and login user")
def own_attributes(_):
    refusals = set()
    for path, value in (("/proc/self/attr/current", b"unconfined"), ("/proc/self/loginuid", b"0"),
                        ("/proc/self/attr/exec", b"unconfined")):
        try:
            return put(path, value)
        except OSError as error:
            refusals.add(named(error))
    raise Stopped(" ".join(sorted(refusals)))


@attack("H1", "finds the environment and arguments of what started it")
def inherited_environment(_):
    allowed = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "LC_CTYPE", "SHELL", "PWD",
               "TERM", "SHLVL", "_", "HOSTNAME"}
    own = {name for name in os.environ if name not in allowed}
    if own:
        return f"was given {', '.join(sorted(own))}"
    return first_that(read_some, ["/proc/1/environ", f"/proc/{os.getppid()}/environ"])
