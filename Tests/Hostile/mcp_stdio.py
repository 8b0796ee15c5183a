"""The server's side of MCP over stdio, legacy era (initialize): enough for tools, nothing more.

A probe for the modern era (server/discover) gets "method not found". Standard library only, so that
it runs under any Python that a gateway offers.
"""

import json
import sys

PROTOCOL = "2025-06-18"


class Tool:
    """What a server offers: a function of its arguments that answers a text and isError."""

    def __init__(self, name, description, schema, run):
        self.name = name
        self.description = description
        self.schema = schema
        self.run = run


def call(tools, parameters):
    tool = tools.get(parameters.get("name"))
    if tool is None:
        return None, {"code": -32602, "message": f"unknown tool: {parameters.get('name')}"}
    text, is_error = tool.run(parameters.get("arguments") or {})
    return {"content": [{"type": "text", "text": text}], "isError": is_error}, None


def answer(name, tools, method, parameters):
    """The result and the error of one request, one of them None."""
    if method == "initialize":
        return {
            "protocolVersion": PROTOCOL,
            "capabilities": {"tools": {}},
            "serverInfo": {"name": name, "version": "1"},
        }, None
    if method == "tools/list":
        return {"tools": [
            {"name": tool.name, "description": tool.description, "inputSchema": tool.schema}
            for tool in tools.values()
        ]}, None
    if method == "tools/call":
        return call(tools, parameters)
    if method == "ping":
        return {}, None
    return None, {"code": -32601, "message": f"method not found: {method}"}


def serve(name, tools):
    """Answers until the end of the input. `tools` are by name."""
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        result, error = answer(name, tools, message["method"], message.get("params") or {})
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        reply.update({"error": error} if error else {"result": result})
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()
