"""Keyrings, which are in no namespace. H5."""

import ctypes

from attack import Stopped, attack, named
from kernel import all_refused, call, evidence_of, in_child

DESCRIBE, SEARCH, READ, SESSION_TO_PARENT, JOIN_SESSION = 6, 10, 11, 18, 1
SESSION, USER, USER_SESSION, PROCESS = -3, -4, -5, -2


@attack("H5", "finds a key in the keyring of what started it")
def find_key(host):
    """A key that the runner or the test put into the session it started the gateway from."""
    name = host.get("key", "corral-hostile").encode()
    refusals = set()
    for ring in (SESSION, USER, USER_SESSION):
        try:
            key = call("keyctl", SEARCH, ring, b"user", name, 0)
            room = ctypes.create_string_buffer(64)
            call("keyctl", READ, key, ctypes.byref(room), 64)
            return f"read {room.value!r} from keyring {ring}"
        except OSError as error:
            refusals.add(named(error))
    raise Stopped(f"{' '.join(sorted(refusals))} at keyctl")


@attack("H5", "leaves keys for others, and reads keyrings")
def use_keyrings(_):
    room = ctypes.create_string_buffer(256)
    return all_refused([
        ("add_key", b"user", b"corral", b"x", 1, PROCESS),
        ("keyctl", DESCRIBE, USER, ctypes.byref(room), 256, 0),
        ("keyctl", READ, SESSION, ctypes.byref(room), 256, 0)])


@attack("H5", "has a program of the host run for it by request_key")
def request_key(_):
    return all_refused([("request_key", b"user", b"corral-no-such-key", b"info", PROCESS)])


@attack("H5", "takes its credentials back by keyctl (CVE-2024-42318)")
def session_to_parent(_):
    def act():
        call("keyctl", JOIN_SESSION, 0)
        return f"answered {call('keyctl', SESSION_TO_PARENT)}"

    return evidence_of(in_child(act), "keyctl")
