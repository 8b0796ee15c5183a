"""What a loud sandbox does for as long as somebody asks: not attacks that a wall stops, but work
that its own limits bound and that nobody else may notice."""

import os
import sys

from mcp_stdio import Tool

SIZES = {"type": "object", "properties": {"mib": {"type": "integer"}, "host": {"type": "object"}}}
LINE = b"x" * 65535 + b"\n"
# Below the largest file that the runner's policy allows.
FILE_BYTES = 4 << 20


def write_lines(number, mib):
    """Lines that are no messages, straight to a stream."""
    left = mib << 20
    while left > 0:
        left -= os.write(number, LINE)


def noise_on_output(arguments):
    sys.stdout.flush()
    write_lines(1, arguments.get("mib", 1))
    # The last line may be half one: what follows must begin a line.
    os.write(1, b"\n")
    return "wrote noise", False


def noise_on_errors(arguments):
    write_lines(2, arguments.get("mib", 1))
    return "wrote noise", False


def fill_directory(arguments):
    """As much as was asked for in the directory that it may write, removed again."""
    block, paths = os.urandom(1 << 20), []
    try:
        for number in range((arguments.get("mib", 1) << 20) // FILE_BYTES):
            paths.append(f"{arguments['host']['shared']}/noise-{number}")
            with open(paths[-1], "wb", buffering=0) as file:
                for _ in range(FILE_BYTES // len(block)):
                    file.write(block)
    finally:
        for path in paths:
            os.unlink(path)
    return "wrote files", False


TOOLS = {one.__name__: Tool(one.__name__, "Makes noise", SIZES, one)
         for one in (noise_on_output, noise_on_errors, fill_directory)}
