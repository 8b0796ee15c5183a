"""Socket families and types outside TCP and UDP. H9."""

import os
import socket

from attack import Stopped, attack, named

STREAM, DGRAM, RAW, SEQPACKET = 1, 2, 3, 5
# A family that the kernel was built without refuses in the same way.
REFUSALS = ("EPERM", "EACCES", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ENOSYS")


def none_of(*kinds):
    """Evidence of the first (family, type, protocol) that makes a socket, else Stopped."""
    refusals = {}
    for family, kind, protocol in kinds:
        try:
            socket.socket(family, kind, protocol).close()
            return f"made a socket of family {family}, type {kind}, protocol {protocol}"
        except OSError as error:
            if named(error) not in REFUSALS + ("ESOCKTNOSUPPORT", "EINVAL"):
                return f"family {family}, protocol {protocol} was let in: {named(error)}"
            refusals.setdefault(named(error), []).append(f"{family}/{kind}/{protocol}")
    raise Stopped("; ".join(f"{why} at {' '.join(who[:4])}" for why, who in refusals.items()))


@attack("H9", "talks to the hypervisor (AF_VSOCK)")
def vsock(_):
    return none_of((40, STREAM, 0), (40, DGRAM, 0), (40, SEQPACKET, 0))


@attack("H9", "talks to nftables, audit, and generic netlink")
def netlink(_):
    return none_of(*[(16, kind, protocol) for kind in (RAW, DGRAM) for protocol in range(1, 23)])


@attack("H9", "listens to and forges packets (AF_PACKET)")
def packet(_):
    return none_of((17, RAW, 0x0300), (17, DGRAM, 0x0300), (17, SEQPACKET, 0))


@attack("H9", "uses the kernel's cryptography (AF_ALG)")
def kernel_crypto(_):
    return none_of((38, SEQPACKET, 0))


@attack("H9", "talks to radios and buses: Bluetooth, NFC, CAN, 802.15.4, phonet")
def radios(_):
    return none_of((31, RAW, 1), (31, STREAM, 3), (39, SEQPACKET, 0), (39, RAW, 0), (29, RAW, 1),
                   (36, DGRAM, 0), (35, DGRAM, 1))


@attack("H9", "talks to clusters and fabrics: TIPC, RDS, SMC, InfiniBand, XDP, QIPCRTR")
def fabrics(_):
    return none_of((30, STREAM, 0), (30, DGRAM, 0), (21, SEQPACKET, 0), (43, STREAM, 0),
                   (27, RAW, 0), (44, RAW, 0), (42, DGRAM, 0), (41, SEQPACKET, 0))


@attack("H9", "talks to old networks: AX.25, IPX, AppleTalk, X.25, DECnet, ROSE, LLC, key")
def old_networks(_):
    return none_of(*[(family, kind, 0) for family in (3, 4, 5, 6, 8, 9, 11, 12, 15, 19, 23, 24, 26)
                     for kind in (STREAM, DGRAM, SEQPACKET, RAW)])


@attack("H9", "tries every family there may be")
def every_family(_):
    kinds = [(family, kind, 0) for family in range(3, 64) if family not in (10, 16)
             for kind in (STREAM, DGRAM, RAW, SEQPACKET)]
    return none_of(*kinds)


@attack("H9", "forges IP packets (raw sockets)")
def raw_ip(_):
    return none_of(*[(family, RAW, protocol) for family in (2, 10) for protocol in (1, 6, 58, 255)])


@attack("H9", "uses other protocols over IP: ICMP, SCTP, DCCP, MPTCP, UDP-Lite, L2TP")
def other_protocols(_):
    return none_of((2, DGRAM, 1), (10, DGRAM, 58), (2, STREAM, 132), (2, SEQPACKET, 132),
                   (2, 6, 33), (2, STREAM, 262), (2, DGRAM, 136), (2, DGRAM, 115))


@attack("H9", "makes pairs of other families (TIPC)")
def socket_pairs(_):
    refusals = set()
    for family in (2, 16, 30, 40):
        try:
            socket.socketpair(family, STREAM)
            return f"made a pair of family {family}"
        except OSError as error:
            refusals.add(named(error))
    raise Stopped(" ".join(sorted(refusals)))


@attack("H9", "hears other processes by netlink's user sockets")
def netlink_users(_):
    # Unicast between any two processes of a network namespace, whoever they are.
    with socket.socket(16, RAW, 2) as channel:
        channel.bind((os.getpid(), 0))
        return "bound a netlink user socket"
