#!/usr/bin/python3
"""An MCP server (legacy era) that misbehaves on demand; standard library only.

    faulty_server.py [normal|traceback|silent|noisy]

`traceback` dies before it reads anything, `silent` never answers, `noisy` writes lines that are no
JSON between its answers. The tools do the rest, each by its name.
"""

import json
import os
import signal
import socket
import sys
import time

MODE = sys.argv[1] if len(sys.argv) > 1 else "normal"
LONG_SECONDS = 600


def echo(arguments):
    return arguments.get("text", "")


def hang(_):
    time.sleep(LONG_SECONDS)
    return "awake"


def die(_):
    raise RuntimeError("dying in a call, as asked")


def garbage(_):
    sys.stdout.write('{"jsonrpc":"2.0","id":\n')
    return "after garbage"


def invalid_result(_):
    return None


def flood(arguments):
    return "x" * int(arguments.get("bytes", 12 << 20))


def fork(_):
    """Leaves processes behind that want to outlive the server."""
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            time.sleep(LONG_SECONDS)
            os._exit(0)
    return "forked"


def burn(arguments):
    """Uses processor time."""
    end = time.process_time() + arguments["seconds"]
    while time.process_time() < end:
        pass
    return "burnt"


def hold(arguments):
    """Holds memory for a moment."""
    held = b"x" * arguments["bytes"]
    return f"held {len(held)}"


def crash(_):
    os.kill(os.getpid(), signal.SIGSEGV)
    return "alive"


def nap(arguments):
    time.sleep(arguments["seconds"])
    return "awake"


def dial(arguments):
    """Connects to an address and waits for the first byte."""
    with socket.create_connection((arguments["host"], arguments["port"]), timeout=20) as one:
        one.recv(1)
    return "reached"


TOOLS = {tool.__name__: tool for tool in (
    echo, hang, die, garbage, invalid_result, flood, fork, burn, hold, nap,
    crash, dial)}


def result(method, parameters):
    if method == "initialize":
        return {"protocolVersion": "2025-06-18",
                "capabilities": {"tools": {}, "prompts": {}, "resources": {}, "completions": {}},
                "serverInfo": {"name": "faulty", "version": "1"}}
    if method == "prompts/list":
        return {"prompts": [{"name": "greet", "arguments": [{"name": "who", "required": True}]}]}
    if method == "prompts/get":
        text = f"Greet {parameters['arguments']['who']}"
        return {"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}
    if method == "resources/list":
        return {"resources": [{"uri": "memo://notes/1?a=b#c", "name": "first"}]}
    if method == "resources/templates/list":
        return {"resourceTemplates": [{"uriTemplate": "memo://notes/{id}", "name": "any"}]}
    if method == "resources/read":
        return {"contents": [{"uri": parameters["uri"], "text": "of " + parameters["uri"]}]}
    if method == "completion/complete":
        return {"completion": {"values": [parameters["ref"]["name"]]}}
    if method == "tools/list":
        return {"tools": [{"name": name, "description": name, "inputSchema": {"type": "object"}}
                          for name in TOOLS]}
    if method == "tools/call":
        try:
            text = TOOLS[parameters["name"]](parameters.get("arguments") or {})
        except OSError as error:
            return {"content": [{"type": "text", "text": str(error)}], "isError": True}
        if text is None:
            return "this is no tool result"
        return {"content": [{"type": "text", "text": text}], "isError": False}
    return {} if method == "ping" else None


def main():
    if MODE == "traceback":
        raise RuntimeError("cannot find my configuration")
    for line in sys.stdin:
        if MODE == "silent":
            continue
        if MODE == "noisy":
            sys.stdout.write("npm WARN something\n\n42\n")
        message = json.loads(line)
        if "id" not in message:
            continue
        found = result(message["method"], message.get("params") or {})
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        if found is None:
            reply["error"] = {"code": -32601, "message": "method not found"}
        else:
            reply["result"] = found
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
