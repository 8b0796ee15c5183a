"""What tells one host from another, and setting it. H24."""

import ctypes
import os
import socket
import time

from attack import Stopped, attack
from files import first_that
from kernel import all_refused, call

# How near two clocks are that count from the same boot.
SAME_SECONDS = 120
HARDWARE = 1 << 4


@attack("H24", "reads the name of the host")
def host_name(host):
    seen = {os.uname().nodename, socket.gethostname()}
    if host.get("hostname") in seen:
        return f"the host is {host['hostname']}"
    raise Stopped(f"it is called {' '.join(sorted(seen))} here")


@attack("H24", "reads the number of the machine")
def machine_id(_):
    def look(path):
        with open(path, encoding="ascii") as file:
            text = file.read().strip()
        if not text.strip("0"):
            raise FileNotFoundError(2, "masked", path)
        return f"{path} says {text}"

    return first_that(look, ["/etc/machine-id", "/var/lib/dbus/machine-id",
                             "/proc/sys/kernel/random/boot_id", "/sys/class/dmi/id/product_uuid",
                             "/etc/hostid"])


@attack("H24", "reads the addresses of network cards")
def card_addresses(_):
    found = []
    for index, name in socket.if_nameindex():
        try:
            with open(f"/sys/class/net/{name}/address", encoding="ascii") as file:
                found.append(f"{name} {file.read().strip()}")
        except OSError:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
                found += hardware_address(channel, name)
    real = [one for one in found if not one.endswith("00:00:00:00:00:00")]
    if real:
        return ", ".join(real)
    raise Stopped(f"{len(found)} interfaces, none with an address")


def hardware_address(channel, name):
    """SIOCGIFHWADDR, as a list of none or one."""
    import fcntl
    try:
        said = fcntl.ioctl(channel.fileno(), 0x8927, name.encode().ljust(40, b"\0"))
    except OSError:
        return []
    return [f"{name} " + ":".join(f"{byte:02x}" for byte in said[18:24])]


@attack("H24", "learns when the host was started, which tells hosts apart")
def boot_time(host):
    since = time.clock_gettime(time.CLOCK_BOOTTIME)
    # The time of day is the same inside: how long ago the host's clock was noted.
    passed = time.time() - host.get("noted", time.time())
    if "boottime" in host and abs(since - host["boottime"] - passed) < SAME_SECONDS:
        return f"the host has run for {since:.0f} s"
    raise Stopped(f"its clock says {since:.0f} s")


@attack("H24", "sets the clocks of the host")
def set_clocks(_):
    now = (ctypes.c_long * 2)(int(time.time()), 0)
    unchanged = ctypes.create_string_buffer(256)
    unchanged[0:4] = (0x4000).to_bytes(4, "little")  # ADJ_TICK, to the same value
    unchanged[88:96] = (10000).to_bytes(8, "little")
    return all_refused([
        ("settimeofday", ctypes.byref(now), 0), ("clock_settime", 0, ctypes.byref(now)),
        ("adjtimex", ctypes.byref(unchanged)), ("clock_adjtime", 0, ctypes.byref(unchanged))])


@attack("H24", "renames the host")
def rename_host(_):
    name = os.uname().nodename.encode()
    return all_refused([("sethostname", name, len(name)), ("setdomainname", b"x", 1)])


@attack("H24", "learns the real user behind its own")
def real_user(_):
    with open("/proc/self/uid_map", encoding="ascii") as table:
        rows = [line.split() for line in table]
    if rows == [["0", "0", "4294967295"]]:
        return "its users are the host's"
    if any(row[1] == "0" for row in rows):
        return f"root of the host is user {rows[0][0]} here"
    call("getcwd", ctypes.create_string_buffer(64), 64)
    raise Stopped(f"user {os.getuid()} here, {rows[0][1]} outside, nobody else")
