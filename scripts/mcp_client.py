"""A client of MCP over the standard streams of any command, a server or a gateway, or a socket."""

import json
import queue
import socket
import subprocess
import threading

HANDSHAKE_SECONDS = 90
PROTOCOL = "2025-06-18"


class Gone(Exception):
    """The other side ended, or closed its output."""


class Silent(Exception):
    """No answer came in time."""


class Session:
    """One conversation over two streams; calls may come from several threads."""

    def __init__(self, reading, writing):
        self.reading, self.writing = reading, writing
        self.lock = threading.Lock()
        self.waiting = {}
        self.last = 0
        self.ended = False
        threading.Thread(target=self.read, daemon=True).start()
        self.request("initialize", {
            "protocolVersion": PROTOCOL, "capabilities": {},
            "clientInfo": {"name": "corral-hostile", "version": "1"}}, HANDSHAKE_SECONDS)
        self.write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def read(self):
        for line in self.lines():
            try:
                message = json.loads(line)
            except ValueError:
                continue  # noise, which a hostile server may well write
            box = self.waiting.get(message.get("id")) if isinstance(message, dict) else None
            if box and "method" not in message:
                box.put(message)
        with self.lock:
            self.ended = True
            for box in self.waiting.values():
                box.put(None)

    def lines(self):
        try:
            yield from self.reading
        except (OSError, ValueError):
            return  # closed while it was read

    def write(self, message):
        try:
            self.writing.write(json.dumps(message).encode() + b"\n")
            self.writing.flush()
        except (OSError, ValueError):
            raise Gone("it reads no more") from None

    def request(self, method, parameters, seconds):
        """The whole answer: an object with `result` or `error`."""
        box = queue.Queue()
        with self.lock:
            if self.ended:
                raise Gone("it has ended")
            self.last += 1
            number = self.last
            self.waiting[number] = box
            self.write({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters})
        try:
            answer = box.get(timeout=seconds)
        except queue.Empty:
            raise Silent(f"no answer to {method} in {seconds} s") from None
        finally:
            with self.lock:
                self.waiting.pop(number, None)
        if answer is None:
            raise Gone("it ended in the middle of a request")
        return answer

    def tools(self):
        answer = self.request("tools/list", {}, HANDSHAKE_SECONDS)
        return [tool["name"] for tool in answer.get("result", {}).get("tools", [])]

    def call(self, tool, arguments, seconds):
        return self.request("tools/call", {"name": tool, "arguments": arguments}, seconds)


class Client(Session):
    """One run of a command."""

    def __init__(self, words):
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        super().__init__(self.process.stdout, self.process.stdin)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class SocketClient(Session):
    """One connection to a control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        super().__init__(self.socket.makefile("rb"), self.socket.makefile("wb"))

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
