#!/usr/bin/python3
"""A small MCP server (legacy era, standard library only) whose tools tell what a sandbox may do."""

import json
import os
import resource
import signal
import sys
import time


def echo(arguments):
    return arguments["text"]


def read_file(arguments):
    with open(arguments["path"], encoding="utf-8") as file:
        return file.read()


def write_file(arguments):
    with open(arguments["path"], "w", encoding="utf-8") as file:
        return str(file.write("written by a tool"))


def identity(_):
    return f"uid {os.getuid()}, gid {os.getgid()}, groups {os.getgroups()}"


def crash(_):
    """A crash that asks for the host's handler: a limit of 0 forbids files alone."""
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        except (OSError, ValueError):
            pass
        os.kill(os.getpid(), signal.SIGSEGV)
    _, status = os.waitpid(child, 0)
    return f"signal {os.WTERMSIG(status)}, core {os.WCOREDUMP(status)}"


def uptime(_):
    return str(time.clock_gettime(time.CLOCK_BOOTTIME))


TOOLS = {tool.__name__: tool
         for tool in (echo, read_file, write_file, identity, crash, uptime)}


def call(parameters):
    try:
        text, failed = TOOLS[parameters["name"]](parameters.get("arguments") or {}), False
    except OSError as error:
        text, failed = f"{type(error).__name__}: {error.strerror}", True
    return {"content": [{"type": "text", "text": text}], "isError": failed}


def result(method, parameters):
    if method == "initialize":
        return {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                "serverInfo": {"name": "probe", "version": "1"}}
    if method == "tools/list":
        return {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]}
    return call(parameters) if method == "tools/call" else {}


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    reply = {"jsonrpc": "2.0", "id": message["id"]}
    if message["method"] in ("initialize", "tools/list", "tools/call", "ping"):
        reply["result"] = result(message["method"], message.get("params") or {})
    else:
        reply["error"] = {"code": -32601, "message": "method not found"}
    print(json.dumps(reply), flush=True)
