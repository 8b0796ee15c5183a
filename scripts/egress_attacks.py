"""Checks of what is denied: every range, every way, every spelling, and names that change."""

import collections
import json
import subprocess
import sys

from testbed import TOP, Failure
from world import (HOST4, HOST6, HOST_PRIVATE4, HOST_PRIVATE6, PRIVATE4, PRIVATE6, PUBLIC4,
                   PUBLIC6)

sys.path.insert(0, f"{TOP}/Tests/Hostile")
import network  # noqa: E402  (the corpus is no package)

# The gateway answers so many questions of one sandbox in a second that several have to ask.
ASKERS = 50
FACTS = {"denied_name": "denied.world.org", "resolvers": ["10.255.0.53"],
         "target_ports": [80, 1, 22]}
# Attacks of the corpus that show on an open host that they would get through.
PROVEN = ["connect_denied", "fast_open_denied", "multipath_denied", "odd_options", "sendto_denied",
          "sendmsg_denied", "send_connected", "sendmmsg_denied", "send_public", "odd_spellings",
          "own_resolver", "encrypted_resolver"]
OTHERS = ["send_icmp", "send_raw", "tunnel_names", "gateway_ports", "bind_gateway_ports",
          "change_network"]
CONTROL = [f"{PUBLIC4}:80", f"[{PUBLIC6}]:80", "web.world.test:80"]


def must_answer(said):
    silent = {where: words for where, words in said.items() if "200 OK" not in words}
    if silent:
        raise Failure(f"not reached: {silent}")


def must_not_answer(said, evidence="HTTP/"):
    loud = {where: words for where, words in said.items() if evidence in words}
    if loud:
        raise Failure(f"reached: {loud}")


def control(stage):
    stage.world.forget()
    must_answer(stage.inside("open", "reach", *CONTROL))
    must_not_answer(stage.inside("none", "reach", *CONTROL))
    must_not_answer(stage.inside("loopback", "reach", *CONTROL))
    return f"{len(CONTROL)} ways to the control host; none of them without entries"


def proof(stage):
    """The same attacks from the open host of the same world: each must get through."""
    stage.world.forget()
    for name in PROVEN:
        # What is asked for by name there has no policy to deny it.
        facts = {**FACTS, "target_ports": [80], "denied_name": "web.world.test"}
        said = json.loads(stage.outside(*stage.attack_words(name, facts)))
        if said["outcome"] != "succeeded":
            raise Failure(f"{name} is stopped where nothing stops it: {said['by']}")
    seen = {address for address, _ in stage.world.seen(stage.world.host)}
    reached = [target for target in network.TARGETS if target in seen]
    if len(reached) < 60:
        raise Failure(f"only {len(reached)} of {len(network.TARGETS)} targets were counted")
    return (f"{len(PROVEN)} attacks get through from the host; packets to {len(reached)} of "
            f"{len(network.TARGETS)} denied addresses were counted")


def matrix(stage):
    """Everything is allowed but the six sets; nothing may arrive but at public resolvers."""
    stage.world.forget()
    # Public resolvers are not denied, so that a policy has to name no addresses to stop them.
    tries = [("open", name) for name in PROVEN + OTHERS if name != "encrypted_resolver"]
    tries += [("own", name) for name in ("connect_denied", "sendto_denied", "gateway_ports",
                                         "bind_gateway_ports")]
    for policy, name in [*tries, ("names", "encrypted_resolver")]:
        said = stage.attack(policy, name, FACTS)
        if said["outcome"] != "stopped":
            raise Failure(f"{name}: {said['outcome']}: {said['by'][:400]}")
    strangers = stage.strangers({HOST4, HOST6, HOST_PRIVATE4, HOST_PRIVATE6})
    if strangers:
        raise Failure(f"packets left for {'; '.join(strangers[:12])}")
    must_answer(stage.inside("open", "reach", *CONTROL))
    return (f"{len(tries) + 1} attacks on {len(network.TARGETS)} addresses and "
            f"{len(network.SPELLINGS)} spellings: 0 packets left the host")


def spellings(stage):
    """Names: what an entry matches is reached in each spelling a resolver takes for the same."""
    same = ["web.world.test:80", "WEB.World.TEST:80", "web.world.test.:80", "x.wide.world.test:80"]
    must_answer(stage.inside("names", "reach", *same))
    stage.world.forget()
    other = ["evil-web.world.test", "web.world.test.evil.org", "a.web.world.test",
             "wide.world.test", "evilwide.world.test", "world.test", "web.world.test@evil.org",
             "web.world.test\\.evil.org", "web.world.test#", "web.world.test/", "web.world.test%00",
             "wеb.world.test", "ｗeb.world.test", "web。world。test", "web.world.test..",
             ".web.world.test", "web..world.test", "-web.world.test", "web_.world.test",
             "xn--web-.world.test", "denied.world.org"]
    # Fullwidth forms that libc makes the allowed name of are the allowed name.
    said = stage.inside("names", "reach", *[f"{name}:80" for name in other])
    loud = {where: words for where, words in said.items() if "200 OK" in words}
    if set(loud) - {"ｗeb.world.test:80", "web。world。test:80"}:
        raise Failure(f"reached: {loud}")
    # The address of an allowed name, by somebody who was not given it for that name.
    numbers = [f"{text}:80" for text in (PUBLIC4, "0x5db8d822", "1572395042", "93.14211106")]
    must_not_answer(stage.inside("names", "reach", *numbers))
    strangers = stage.strangers({PUBLIC4, PUBLIC6, HOST4, HOST6} if loud else {HOST4, HOST6})
    if strangers:
        raise Failure(f"packets left for {strangers}")
    return f"{len(same)} spellings of allowed names reached, {len(other + numbers)} others not"


def hosts_own(stage):
    """The host's interface addresses only with host_addresses; its loopback never."""
    script = ("import http.server, os, socket, sys\nos.chdir(sys.argv[1])\n"
              "class S(http.server.ThreadingHTTPServer): address_family = socket.AF_INET6\n"
              "s = S(('::', 8080), http.server.SimpleHTTPRequestHandler)\n"
              "print('ready', flush=True)\ns.serve_forever()\n")
    bait = stage.world.child([*stage.world.words, "/usr/bin/python3", "-c", script,
                              f"{stage.world.directory}/www"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    bait.stdout.readline()
    own = [f"{HOST4}:8080", f"[{HOST6}]:8080", f"{HOST_PRIVATE4}:8080", f"[{HOST_PRIVATE6}]:8080"]
    loopback = ["127.0.0.1:8080", "[::1]:8080", "127.0.0.2:8080", "0.0.0.0:8080", "[::]:8080",
                "[::ffff:127.0.0.1]:8080"]
    try:
        outside = json.loads(stage.outside(*stage.inside_words("reach", *own, *loopback)))
        must_answer(outside)
        for policy in ("open", "own"):
            must_not_answer(stage.inside(policy, "reach", *own, *loopback))
        must_answer(stage.inside("host", "reach", *own))
        must_not_answer(stage.inside("host", "reach", *loopback, f"{HOST4}:22"))
    finally:
        bait.kill()
        bait.wait()
    return f"{len(own)} addresses denied, open with host_addresses; {len(loopback)} never"


def private(stage):
    """`private: true` opens one name and one address, and nothing beside them."""
    stage.world.forget()
    must_answer(stage.inside("private", "reach", "db.internal:80", "10.1.2.4:80"))
    must_not_answer(stage.inside("private", "reach", "web.internal:80", f"{PRIVATE4}:81",
                                 "10.1.2.5:80", "10.1.2.4:81", "db.internal:81",
                                 "metadata.google.internal:80"))
    strangers = stage.strangers({PRIVATE4, PRIVATE6, "10.1.2.4", HOST4, HOST6, HOST_PRIVATE4,
                                 HOST_PRIVATE6})
    if strangers:
        raise Failure(f"packets left for {strangers}")
    return "one name and one address; other names, addresses and ports stay closed"


def redirect(stage):
    """A page that sends its reader to the metadata service."""
    stage.world.forget()
    said = stage.run("names", "/usr/bin/curl", "-sL", "--max-time", "5",
                     "http://moved.world.test/moved", status=None)
    if "credentials" in said or "169.254.169.254" in str(stage.strangers([])):
        raise Failure(f"the redirect was followed: {said!r}")
    return "302 to 169.254.169.254 leads nowhere"


def rebinding(stage):
    stage.world.forget()
    askers = [stage.start("flip", *stage.inside_words("flip", f"{number}.flip.world.test", 13,
                                                      stage.flips // ASKERS))
              for number in range(ASKERS)]
    counts = collections.Counter()
    for asker in askers:
        said, told = asker.communicate(timeout=120)
        if asker.returncode:
            raise Failure(f"an asker ended: {told[-300:]}")
        counts.update(json.loads(said))
    mixed = stage.inside("flip", "flip", "mixed.world.test", 13, 200)
    alias = stage.inside("flip", "flip", "alias.world.test", 13, 50)
    answered = sum(counts.get(one, 0) for one in (PUBLIC4, PUBLIC6))
    strangers = stage.strangers({PUBLIC4, PUBLIC6, HOST4, HOST6})
    if strangers:
        raise Failure(f"packets left for {strangers}")
    if not answered or not mixed.get(PUBLIC4):
        raise Failure(f"the public address was not reached: {counts} {mixed}")
    if set(alias) - {"no address", "refused", "closed"}:
        raise Failure(f"an alias of an internal name was reached: {alias}")
    asked = stage.world.asked()
    flips = sum(many for key, many in asked.items() if ".flip." in key)
    if flips < stage.flips:
        raise Failure(f"the resolver was asked {flips} times only")
    return (f"{stage.flips} times resolved and connected in {ASKERS} sandboxes, {flips} flips, "
            f"{answered} public connects, 0 private ones")


CHECKS = {"control": control, "proof": proof, "matrix": matrix, "spellings": spellings,
          "hosts_own": hosts_own, "private": private, "redirect": redirect,
          "rebinding": rebinding}
