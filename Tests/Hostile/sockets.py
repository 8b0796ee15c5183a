"""Services of the host and of the network. H10, H11, H22, N1, N2."""

import ctypes
import os
import socket
import struct
import threading
import time

from attack import Stopped, attack, named
from files import first_that
from kernel import libc

WAIT_SECONDS = 1.0
RACE_SECONDS = 1.0


def reach(*addresses):
    """Evidence of the first (host, port) that answers, else Stopped."""
    refusals = {}
    for host, port in addresses:
        try:
            socket.create_connection((host, port), timeout=WAIT_SECONDS).close()
            return f"connected to {host}:{port}"
        except OSError as error:
            refusals.setdefault(named(error), []).append(host)
    raise Stopped("; ".join(f"{why} at {' '.join(who)}" for why, who in refusals.items()))


@attack("N1", "connects to a service of the host on 127.0.0.1")
def reach_loopback(host):
    port = host.get("port", 22)
    return reach(("127.0.0.1", port), ("::1", port), ("::ffff:127.0.0.1", port), ("0.0.0.0", port))


@attack("N1", "connects to the host's own addresses")
def reach_host(host):
    return reach(*[(address, host.get("port", 22)) for address in host.get("addresses", [])],
                 ("10.0.2.2", 22))


@attack("N1", "connects to private networks")
def reach_private(_):
    return reach(("10.0.0.1", 80), ("172.16.0.1", 80), ("192.168.0.1", 80), ("100.64.0.1", 80))


@attack("N2", "connects to the cloud's metadata service")
def reach_metadata(_):
    return reach(("169.254.169.254", 80), ("fd00:ec2::254", 80), ("100.100.100.200", 80))


@attack("N1", "sends datagrams to the host and out")
def send_datagrams(host):
    def send(address):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            channel.sendto(b"corral", (address, host.get("udp_port", 53)))
        return f"sent a datagram to {address}"

    return first_that(send, ["127.0.0.1", "169.254.169.254", "8.8.8.8", "255.255.255.255",
                             "224.0.0.1"] + host.get("addresses", []))


@attack("N1", "switches its own interfaces on and gives them addresses")
def configure_interface(_):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        # SIOCSIFFLAGS with IFF_UP.
        request = struct.pack("16sh14x", b"lo", 1)
        if libc.ioctl(channel.fileno(), 0x8914, request) == 0:
            return "switched lo on"
        error = OSError(ctypes.get_errno(), "refused")
        error.call = "ioctl SIOCSIFFLAGS"
        raise error


def connect_unix(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(WAIT_SECONDS)
        channel.connect(path)
    return f"connected to {path!r}"


@attack("H10", "connects to an abstract socket of the host (CVE-2020-15257)")
def abstract_socket(host):
    return first_that(connect_unix, ["\0" + host.get("abstract", "corral-hostile"),
                                     "\0/containerd-shim/socket", "\0/tmp/.X11-unix/X0"])


@attack("H11", "connects to well-known sockets of a host")
def known_sockets(_):
    return first_that(connect_unix, [
        "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock",
        "/run/podman/podman.sock", "/run/dbus/system_bus_socket", "/run/systemd/private",
        "/run/systemd/journal/socket", "/run/snapd.socket", "/dev/log", "/tmp/.X11-unix/X0",
        f"/run/user/{os.getuid()}/bus", "/run/user/0/bus", "/run/nscd/socket",
        os.environ.get("SSH_AUTH_SOCK", "/tmp/ssh-agent"),
        os.environ.get("DBUS_SESSION_BUS_ADDRESS", "/run/user/1000/bus").split("path=")[-1]])


@attack("H11", "connects to the socket of the gateway that started it")
def control_socket(host):
    return connect_unix(host.get("control", "/run/corral/control.sock"))


@attack("H11", "asks the gateway, whose socket was mounted and opened to all by mistake",
        where="runtime")
def mounted_control_socket(host):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(3)
        channel.connect(host["control"])
        try:
            channel.sendall(b'{"jsonrpc":"2.0","id":1,"method":"corral/whoami","params":{}}\n')
            said = channel.recv(4096).decode(errors="replace")
        except (ConnectionError, BrokenPipeError) as error:
            raise Stopped(f"connected, then {named(error)}") from None
    if '"result"' in said:
        return f"the gateway answered: {said[:120]}"
    raise Stopped(f"connected, then heard {said[:90]!r}")


@attack("H22", "changes the address of a connection while it is being made")
def address_race(host):
    allowed = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(9), bytes([127, 0, 0, 1]))
    wanted = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(host.get("port", 22)),
                         bytes([127, 0, 0, 1]))
    address = ctypes.create_string_buffer(allowed, 16)
    going = True

    def swap():
        while going:
            ctypes.memmove(address, wanted, 16)
            ctypes.memmove(address, allowed, 16)

    racer = threading.Thread(target=swap, daemon=True)
    racer.start()
    tries, end = 0, time.monotonic() + RACE_SECONDS
    try:
        while time.monotonic() < end:
            tries += 1
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as channel:
                if libc.connect(channel.fileno(), address, 16) == 0:
                    return f"connected after {tries} tries"
    finally:
        going = False
        racer.join()
    raise Stopped(f"no connection in {tries} tries")
