"""Becoming somebody else, and getting capabilities back. H5, H20."""

import ctypes
import os

from attack import Stopped, attack, facts_of, named
from kernel import all_refused, call, libc

CAPABILITIES = 41
NOT_ROOT = 12345
PR_GET_KEEPCAPS, PR_CAPBSET_READ, PR_SET_SECUREBITS, PR_GET_NO_NEW_PRIVS = 7, 23, 28, 39
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_SET_DUMPABLE = 38, 47, 4


@attack("H20", "becomes root, or any other user")
def change_user(_):
    refusals = set()
    for change in (os.setuid, os.setgid, os.seteuid, os.setegid):
        for wanted in (0, NOT_ROOT):
            try:
                change(wanted)
                return f"{change.__name__}({wanted}) worked"
            except OSError as error:
                refusals.add(named(error))
    raise Stopped(" ".join(sorted(refusals)))


@attack("H20", "joins groups")
def join_groups(_):
    groups = (ctypes.c_uint32 * 2)(0, 42)
    if facts_of().get("Groups"):
        return f"is in groups {facts_of()['Groups']}"
    return all_refused([("setgroups", 2, ctypes.byref(groups))])


@attack("H20", "has a capability")
def has_capability(_):
    facts = facts_of()
    held = [f"{name} {facts[name]}" for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")
            if int(facts[name], 16)]
    if held:
        return ", ".join(held)
    raise Stopped("all sets are empty")


@attack("H20", "could get a capability back by a program that has it")
def bounding_set(_):
    left = [number for number in range(CAPABILITIES)
            if libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1]
    if left:
        return f"{len(left)} capabilities are within its bounds"
    raise Stopped("the bounding set is empty")


@attack("H20", "raises capabilities")
def raise_capability(_):
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)(1 << 21, 1 << 21, 1 << 21)
    refusals = []
    for way in (lambda: call("capset", ctypes.byref(header), ctypes.byref(data)),
                lambda: call("prctl", PR_CAP_AMBIENT, 2, 21, 0, 0)):
        try:
            way()
            return "raised CAP_SYS_ADMIN"
        except OSError as error:
            refusals.append(named(error))
    raise Stopped(" ".join(refusals))


@attack("H20", "takes back that it may not gain privileges")
def allow_new_privileges(_):
    try:
        call("prctl", PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)
    except OSError as error:
        refusal = named(error)
    else:
        refusal = "0"
    if libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1:
        return "it may gain privileges"
    raise Stopped(f"{refusal} at prctl, and it stays")


@attack("H20", "loosens the securebits that keep root from meaning anything")
def loosen_securebits(_):
    return f"prctl answered {call('prctl', PR_SET_SECUREBITS, 0, 0, 0, 0)}"
