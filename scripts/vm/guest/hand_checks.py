"""corrald without its unit: by hand, from the shell of somebody who logged in."""

import json
import os
import pty
import re
import select
import time

from report import Failure, expect

HERE = os.path.dirname(os.path.abspath(__file__))
RESULT = "/run/by-hand.json"
SECONDS = 300


def log_in_and_run(line):
    """Logs root in on a terminal, as a person would be, and types one line."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv("/bin/login", ["login", "-f", "root"])
    told, deadline, typed = "", time.monotonic() + SECONDS, False
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            told += os.read(terminal, 4096).decode(errors="replace")
        except OSError:
            break
        if not typed and re.search(r"[#$] $", told):
            os.write(terminal, f"{line}; exit\n".encode())
            typed = True
    else:
        os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(terminal)
    return told


def by_hand():
    told = log_in_and_run(f"/usr/bin/python3 -B {HERE}/by_hand.py {RESULT}")
    if not os.path.exists(RESULT):
        raise Failure(f"nothing came of it: {told[-900:]}")
    with open(RESULT, encoding="utf-8") as file:
        found = json.load(file)
    session = r"/user\.slice/user-0\.slice/session-.*\.scope"
    expect(re.fullmatch(session, found["shell"]), str(found))
    refused = found["refused"]
    expect(refused["status"] and "delegate: its cgroup" in refused["told"]
           and "systemd-run --scope --property=Delegate=yes" in refused["told"], str(refused))
    expect(re.fullmatch(r"/system\.slice/run-.*\.scope/supervisor", found["corrald"]), str(found))
    good = ("by hand" in found["answer"] and found["posture"] == 0 and found["sandboxes"]
            and found["unchanged"] and found["still"] == found["shell"] and found["gone"])
    expect(good, str(found))
    return f"{found['shell']}: refused aloud; corrald in {found['corrald']}; nothing else changed"
