"""Checks of what changes while a sandbox runs: rules, the gateway, and who tries to come in."""

import json
import os
import signal
import socket
import subprocess
import time

from egress_attacks import must_answer, must_not_answer
from testbed import Failure
from world import HOST4, HOST6, HOST_PRIVATE4, HOST_PRIVATE6, OTHER4, PUBLIC4, PUBLIC6

FLOOD_SECONDS = 170
DENIED4 = "93.184.216.99"
BACK_SECONDS = 20
PORT = 5077


class Control:
    """The control socket, spoken to directly: a command for each reload would take longer."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rb")
        self.number = 0

    def ask(self, method):
        self.number += 1
        text = json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": {}})
        self.socket.sendall(text.encode() + b"\n")
        while True:
            answer = json.loads(self.lines.readline())
            if answer.get("id") == self.number:
                break
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']}")
        return answer["result"]

    def close(self):
        self.lines.close()
        self.socket.close()


def reload(stage):
    """Connections without end while rules change without end: each policy allows one of two
    addresses, and none allows the third."""
    stage.policy("change", f'"{PUBLIC4}:13"')
    control = Control(stage.bed.socket)
    control.ask("corral/reload")
    stage.world.forget()
    flood = stage.start("change", *stage.inside_words(
        "flood", FLOOD_SECONDS, f"{PUBLIC4}:13", f"{OTHER4}:13", f"{DENIED4}:13"))
    began = time.monotonic()
    try:
        for number in range(stage.reloads):
            stage.policy("change", f'"{(OTHER4, PUBLIC4)[number % 2]}:13"')
            control.ask("corral/reload")
            if time.monotonic() - began > FLOOD_SECONDS - 10:
                raise Failure(f"only {number} reloads in {FLOOD_SECONDS} s")
        took = time.monotonic() - began
    finally:
        flood.terminate()
        flood.communicate(timeout=30)
        control.close()
    seen = stage.world.seen()
    both = [seen.get((address, "tcp"), 0) for address in (PUBLIC4, OTHER4)]
    strangers = stage.strangers({PUBLIC4, OTHER4, HOST4})
    if strangers:
        raise Failure(f"packets left for {strangers}")
    if not all(both):
        raise Failure(f"packets to what the policies allow: {both}")
    return (f"{stage.reloads} reloads in {took:.1f} s; {both[0]} and {both[1]} packets to what one "
            f"of two policies allows, 0 to what neither does")


def revoked(stage):
    """An open connection that new rules deny is closed; one that they allow goes on."""
    stage.policy("change", f'"{PUBLIC4}:7", "{OTHER4}:7"')
    stage.bed.must("reload")
    held = [stage.start("change", *stage.inside_words("hold", f"{address}:7", 60))
            for address in (PUBLIC4, OTHER4)]
    try:
        for one in held:
            if json.loads(one.stdout.readline()) != "up":
                raise Failure("a connection that is allowed is not made")
        stage.policy("change", f'"{PUBLIC4}:7"')
        stage.bed.must("reload")
        if json.loads(held[1].stdout.readline()) != "down":
            raise Failure("a connection that is denied now is not closed")
        stage.policy("change", f'"{PUBLIC4}:7", "{OTHER4}:7"')
        stage.bed.must("reload")
        if json.loads(held[1].stdout.readline()) != "up":
            raise Failure("a connection that is allowed again is not made")
        kept = held[0].poll() is None
    finally:
        for one in held:
            one.terminate()
        told = [one.communicate(timeout=30)[0] for one in held]
    if not kept or "down" in told[0]:
        raise Failure("a connection that was allowed all the while was closed")
    return "closed at the reload that denies it, open again at the next; the other never closed"


def inbound(stage):
    """What listens in a sandbox is reached from its own loopback and nowhere else."""
    listener = stage.start("own", *stage.inside_words("listen", PORT, 6))
    own = json.loads(listener.stdout.readline())
    if set(own.values()) != {"from inside"}:
        listener.kill()
        raise Failure(f"a sandbox does not reach its own loopback: {own}")
    places = [f"{where}:{PORT}" for where in ("127.0.0.1", "[::1]", HOST4, f"[{HOST6}]",
                                              HOST_PRIVATE4, f"[{HOST_PRIVATE6}]")]
    must_not_answer(json.loads(stage.outside(*stage.inside_words("reach", *places))), "inside")
    from_net = subprocess.run([*stage.world.in_net, *stage.inside_words("reach", *places[2:])],
                              capture_output=True, text=True, check=True).stdout
    must_not_answer(json.loads(from_net), "inside")
    for policy in ("own", "open", "loopback"):
        must_not_answer(stage.inside(policy, "reach", *places), "inside")
    came = json.loads(listener.communicate(timeout=30)[0].splitlines()[-1])
    if sorted(came) != ["127.0.0.1", "::1"]:
        raise Failure(f"somebody came in: {came}")
    return f"{len(places)} addresses tried from the host, the world and three other sandboxes"


def gateway_dies(stage):
    """kill -9 of the gateway: its sandboxes lose the network, and have it again with the next."""
    before = stage.gateways()
    if len(before) != 1:
        raise Failure(f"{len(before)} gateways run")
    held = stage.start("open", *stage.inside_words("hold", f"{PUBLIC4}:7", 3 * BACK_SECONDS))
    load = stage.start("open", *stage.inside_words("download", PUBLIC4, 19, 1 << 40))
    try:
        if json.loads(held.stdout.readline()) != "up":
            raise Failure("no connection before")
        if json.loads(load.stdout.readline()) != "began":
            raise Failure("no transfer before")
        began = time.monotonic()
        os.kill(before[0], signal.SIGKILL)
        if json.loads(held.stdout.readline()) != "down":
            raise Failure("the connection outlived its gateway")
        ended = load.communicate(timeout=BACK_SECONDS)[0]
        if "true" in ended:
            raise Failure("a transfer ended whole without its gateway")
        if json.loads(held.stdout.readline()) != "up":
            raise Failure("the sandbox has no network again")
        took = time.monotonic() - began
    finally:
        for one in (held, load):
            one.terminate()
            one.communicate(timeout=30)
    after = stage.gateways()
    if len(after) != 1 or after == before:
        raise Failure(f"gateways before {before}, after {after}")
    must_answer(stage.inside("open", "reach", f"{PUBLIC4}:80", f"[{PUBLIC6}]:80"))
    stage.world.forget()
    must_not_answer(stage.inside("open", "reach", "10.1.2.3:80", "169.254.169.254:80"))
    if stage.strangers({HOST4, HOST6}):
        raise Failure(f"packets left for {stage.strangers({HOST4, HOST6})}")
    return f"a transfer broken, the same sandbox connected again after {took:.2f} s"


CHECKS = {"reload": reload, "revoked": revoked, "inbound": inbound, "gateway_dies": gateway_dies}
