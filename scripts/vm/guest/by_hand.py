"""corrald started by hand from a login shell, on cgroup v2: it gets a group of its own and leaves
everybody else's as they are. Runs in that shell; prints one line of JSON.
"""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(f"{HERE}/../..")

from report import eventually  # noqa: E402
from testbed import TOP, Testbed  # noqa: E402

GROUPS = "/sys/fs/cgroup"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def group_of(pid):
    return read(f"/proc/{pid}/cgroup").partition("0::")[2]


def controls():
    """What this shell's group and those above it pass on, and what is in it. The top is left to
    systemd, which gives a scope what it asks for.
    """
    own = path = group_of("self")
    found = {"own": sorted(os.listdir(f"{GROUPS}{own}"))}
    while path != "/":
        found[path] = sorted(read(f"{GROUPS}{path}/cgroup.subtree_control").split())
        path = os.path.dirname(path)
    return found


def refusal(testbed):
    """Without the way out of systemd-run, corrald moves nobody and says what to do."""
    done = subprocess.run(
        [f"{testbed.directory}/usr/libexec/corral/corrald", "--config",
         f"{testbed.etc}/corrald.yaml"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env={"PATH": "/usr/sbin:/usr/bin", "CORRAL_SCOPE": "1"}, timeout=120)
    return {"status": done.returncode, "told": done.stderr.strip()}


def main():
    before, found = controls(), {"shell": group_of("self")}
    testbed = Testbed(f"{TOP}/.build/release", "by-hand")
    try:
        testbed.install()
        found["refused"] = refusal(testbed)
        testbed.start()
        main_pid = testbed.supervisor.pid
        found["corrald"] = group_of(main_pid)
        scope = f"{GROUPS}{os.path.dirname(found['corrald'])}"
        testbed.must("connect", "custom", "--name", "own", "--", "/usr/bin/python3", "-B",
                     f"{TOP}/scripts/vm/guest/probe_server.py")
        found["answer"] = testbed.must("call", "own__echo", json.dumps({"text": "by hand"})).text
        found["posture"] = testbed.corral("posture", "own").status
        found["sandboxes"] = [path for path, _, _ in os.walk(scope) if "/sandbox-" in path]
        found["unchanged"] = controls() == before
        found["still"] = group_of("self")
        testbed.stop()
        found["gone"] = eventually(lambda: not os.path.exists(scope), 30)
    finally:
        if testbed.supervisor:
            testbed.supervisor.kill()
        testbed.remove()
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
