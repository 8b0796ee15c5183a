#!/usr/bin/python3
"""A hostile MCP server: each tool is one attack and answers honestly how it ended.

    server.py                       serves MCP over stdio
    server.py --attack NAME [JSON]  runs one attack and prints its answer; JSON is what the runner
                                    would tell of the host
    server.py --list                prints what there is, a line of JSON each; attacks nothing

It refuses to attack unless something confines it: docs/hostile.md says how to use it.
"""

import json
import sys

import attack
import cgroups  # noqa: F401 — each module declares its attacks
import datagrams  # noqa: F401
import descriptors  # noqa: F401
import families  # noqa: F401
import files  # noqa: F401
import foreign_abi  # noqa: F401
import identity  # noqa: F401
import ipc
import keyrings  # noqa: F401
import lifetime  # noqa: F401
import limits  # noqa: F401
import mounts  # noqa: F401
import namespaces  # noqa: F401
import network  # noqa: F401
import noise
import privileges  # noqa: F401
import processes  # noqa: F401
import procfs  # noqa: F401
import sockets  # noqa: F401
import system_calls  # noqa: F401
import terminal  # noqa: F401
from attack import ATTACKS
from mcp_stdio import Tool, serve

LISTED = ("name", "row", "facility", "tries", "expect", "where", "leaves")
SCHEMA = {"type": "object", "properties": {"host": {"type": "object"}}}


def tool(name):
    def run(arguments):
        answer = attack.run(name, arguments.get("host") or {})
        return json.dumps(answer), answer["outcome"] != "succeeded"

    chosen = ATTACKS[name]
    return Tool(name, f"{chosen.row}: {chosen.tries}", SCHEMA, run)


def helpers():
    """Tools of peaceful neighbours and of loud ones, which runners need beside the attacks."""
    return {
        **noise.TOOLS,
        "plant": Tool("plant", "Leaves what another sandbox might find", SCHEMA, ipc.plant),
        "echo": Tool("echo", "Says what it is told", {"type": "object"},
                     lambda arguments: (str(arguments.get("text", "")), False)),
    }


def main():
    words = sys.argv[1:]
    if words == ["--list"]:
        for chosen in ATTACKS.values():
            print(json.dumps({name: getattr(chosen, name) for name in LISTED}))
        return
    danger = attack.danger()
    if danger:
        sys.exit(f"hostile server: refusing to attack: {danger}")
    if words[:1] == ["--attack"]:
        print(json.dumps(attack.run(words[1], json.loads(words[2]) if words[2:] else {})))
        return
    serve("hostile", {**{name: tool(name) for name in ATTACKS}, **helpers()})


if __name__ == "__main__":
    main()
