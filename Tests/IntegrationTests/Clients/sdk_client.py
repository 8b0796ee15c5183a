"""A client made with the official SDK: lists the tools, calls one, calls one that does not exist.

    sdk_client.py ERA unix SOCKET TOOL ARGUMENTS
    sdk_client.py ERA stdio CORRAL SOCKET TOOL ARGUMENTS

ERA is `legacy` (initialize) or `auto` (server/discover first, SDK 2.x only). Runs under SDK 1.x and
2.x. Prints one line of JSON: {"version", "tools", "text", "isError", "unknown"}, and what the
tool's connection offers beside it: {"prompt", "resource", "template", "contents", "completion"}.
"""

import json
import sys
from contextlib import asynccontextmanager

import anyio
import mcp
from mcp import StdioServerParameters, stdio_client
from mcp.shared.message import SessionMessage

TIMEOUT_SECONDS = 60
UNKNOWN_TOOL = "nobody__nothing"


def parse(line):
    if hasattr(mcp.types, "jsonrpc_message_adapter"):
        return mcp.types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    return mcp.types.JSONRPCMessage.model_validate_json(line)


@asynccontextmanager
async def unix_client(path):
    """The SDK's stdio transport over a Unix socket: the framing is the same."""
    incoming, read = anyio.create_memory_object_stream(0)
    write, outgoing = anyio.create_memory_object_stream(0)

    async def receive(stream):
        held = b""
        async with incoming:
            try:
                async for chunk in stream:
                    *lines, held = (held + chunk).split(b"\n")
                    for line in lines:
                        await incoming.send(SessionMessage(parse(line)))
            except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                return

    async def send(stream):
        async for message in outgoing:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            await stream.send(text.encode() + b"\n")

    async with await anyio.connect_unix(path) as stream, anyio.create_task_group() as tasks:
        tasks.start_soon(receive, stream)
        tasks.start_soon(send, stream)
        yield read, write
        tasks.cancel_scope.cancel()


def told(error):
    """The code and data of a JSON-RPC error, whatever this SDK calls it."""
    return {"code": error.error.code, "data": error.error.data}


async def exercise(session, version, tool, arguments):
    tools = (await session.list_tools()).tools
    result = await session.call_tool(tool, arguments)
    try:
        await session.call_tool(UNKNOWN_TOOL, {})
        unknown = None
    except getattr(mcp, "MCPError", None) or mcp.McpError as error:
        unknown = told(error)
    failed = result.is_error if hasattr(result, "is_error") else result.isError
    others = await exercise_others(session, tool.split("__")[0])
    return others | {
        "version": version,
        "tools": [found.name for found in tools],
        "text": " ".join(part.text for part in result.content if part.type == "text"),
        "isError": bool(failed),
        "unknown": unknown,
    }


async def exercise_others(session, connection):
    """A prompt, a resource and a completion of the same connection."""
    prompts = (await session.list_prompts()).prompts
    prompt = next(p.name for p in prompts if p.name.startswith(connection + "__"))
    got = await session.get_prompt(prompt, {"who": "you"})
    resources = (await session.list_resources()).resources
    uri = next(r.uri for r in resources if str(r.uri).startswith(f"corral://{connection}/"))
    templates = await session.list_resource_templates()
    templates = getattr(templates, "resource_templates", None) or templates.resourceTemplates
    read = await session.read_resource(uri)
    completed = await session.complete(
        mcp.types.PromptReference(type="ref/prompt", name=prompt), {"name": "who", "value": ""})
    return {
        "prompt": got.messages[0].content.text,
        "resource": str(read.contents[0].uri),
        "template": getattr(templates[0], "uri_template", None) or templates[0].uriTemplate,
        "contents": read.contents[0].text,
        "completion": completed.completion.values,
    }


async def run(era, transport, tool, arguments):
    if hasattr(mcp, "Client"):
        async with mcp.Client(transport, mode=era) as client:
            return await exercise(client, client.protocol_version, tool, arguments)
    async with transport as (read, write), mcp.ClientSession(read, write) as session:
        version = (await session.initialize()).protocolVersion
        return await exercise(session, version, tool, arguments)


async def main():
    era, kind, *rest, tool, arguments = sys.argv[1:]
    if kind == "unix":
        transport = unix_client(rest[0])
    else:
        program, path = rest
        transport = stdio_client(
            StdioServerParameters(command=program, args=["--socket", path, "mcp"]))
    with anyio.fail_after(TIMEOUT_SECONDS):
        print(json.dumps(await run(era, transport, tool, json.loads(arguments))))


anyio.run(main)
