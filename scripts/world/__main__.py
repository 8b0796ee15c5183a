"""A shell on the host of a world of its own."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from world import World, stop_at_signals  # noqa: E402

stop_at_signals()
with World("shell") as world:
    world.resolve({"web.world.test": {"A": ["93.184.216.34"], "AAAA": ["2606:2800:220:1::34"]}})
    print(f"{world.directory}; web.world.test answers; its certificates are by "
          f"{world.public}/ca.pem", flush=True)
    sys.exit(subprocess.run([*world.words, *(sys.argv[1:] or ["/bin/sh"])], check=False).returncode)
