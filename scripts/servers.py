"""make test-servers: servers of five languages under the shipped system call profile.

    servers.py --built .build/release

Node, Python, Go, Rust and Java, each in a sandbox of its own behind a broker of its own: its tools
are listed, and called many at a time. Python, Go and Rust are servers that people use; for node and
Java there are small ones in Tests/Servers that do what a runtime does: threads, garbage, compiling,
child processes.
"""

import argparse
import glob
import os
import shutil
import subprocess
import sys
import threading

from mcp_client import Gone, Silent, SocketClient
from testbed import SLOWNESS, TOP, Failure, Testbed

VENV = f"{TOP}/.build-venvs/servers"
SERVERS = f"{TOP}/Tests/Servers"
ANSWER_SECONDS = 60 * SLOWNESS
CALLS = 6
POLICY = """version: 1
name: {name}
limits: {{memory: {memory}, processes: 128}}
filesystem: {{read: [/usr, /etc/alternatives, /etc/ld.so.cache, /etc/ssl{more}]}}
syscalls: default
landlock: enforce
"""
CARD = """version: 1
name: {name}
title: {name}
description: A server of the tests
policy: {name}
command: [{command}]
environment:
  GITHUB_PERSONAL_ACCESS_TOKEN: none
  GIT_CONFIG_COUNT: "1"
  GIT_CONFIG_KEY_0: safe.directory
  GIT_CONFIG_VALUE_0: "*"
settings:
  - {{name: files, kind: directory, required: true}}
"""


class Language:
    """One server: how it is started, what it needs, and what its tools must answer."""

    def __init__(self, name, command, calls, memory="256MiB", more=""):
        self.name, self.command, self.calls = name, command, calls
        self.memory, self.more = memory, more


def java():
    """Debian's Java, whichever of its versions this is."""
    found = sorted(glob.glob("/usr/lib/jvm/java-*-openjdk-*/bin/javac"))
    if not found:
        raise Failure("no Java of Debian's is here (scripts/setup.sh installs it)")
    return os.path.dirname(found[-1]) + "/java"


def languages(files):
    """What a call of each is and what its answer holds. Those that want a network have none, and
    must say so themselves: a text of theirs, not an error of the gateway."""
    own = [("churn", {}, "threads"), ("run", {}, "from a child")]
    settings = ",".join([""] + glob.glob("/etc/java-*-openjdk"))
    return [
        Language("node", ["/usr/bin/node", f"{files}/server.mjs"], own, "512MiB"),
        # The JVM takes a quarter of the memory it is given for its heap, and the compiler of the
        # source is in the same process.
        Language("java", [java(), f"{files}/Server.java"], own, "512MiB", settings),
        Language("python", [f"{files}/venv/bin/python", "-B", "-m", "mcp_server_git",
                            "--repository", f"{files}/repository"],
                 [("git_status", {"repo_path": f"{files}/repository"}, "On branch")]),
        Language("go", [f"{files}/venv/bin/github-mcp-server", "stdio"],
                 [("get_me", {}, "api.github.com")]),
        Language("rust", [f"{files}/venv/bin/cnb-rs-mcp"],
                 [("cnb_get_build_logs", {"repo": "a/b"}, "cnb.cool")]),
    ]


def lay(bed):
    """What the servers see: their programs and a repository."""
    files = f"{bed.directory}/files"
    shutil.copytree(SERVERS, files)
    shutil.copytree(VENV, f"{files}/venv", symlinks=True)
    git = ["/usr/bin/git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-C",
           f"{files}/repository"]
    for words in (["/usr/bin/git", "init", "-q", f"{files}/repository"],
                  git + ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(words, check=True, cwd="/", env={"PATH": "/usr/bin", "HOME": "/"})
    return files


def text(answer):
    """All that a result says; an error of the gateway's is a failure."""
    if "error" in answer:
        raise Failure(f"{answer['error'].get('message')} {answer['error'].get('data')}")
    return "\n".join(part.get("text", "") for part in answer["result"]["content"])


def call_many(client, language):
    """Every call of a language, several at a time; the number of those that answered well."""
    failures = []

    def one(tool, arguments, expected):
        try:
            said = text(client.call(f"{language.name}__{tool}", arguments, ANSWER_SECONDS))
            if expected not in said:
                failures.append(f"{tool} said {said[:300]!r}")
        except (Failure, Gone, Silent) as failure:
            failures.append(f"{tool}: {failure}")

    threads = [threading.Thread(target=one, args=call) for call in language.calls
               for _ in range(CALLS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Failure(f"{language.name}: {len(failures)} of {len(threads)} calls failed, the first "
                      f"{failures[0]}")
    return len(threads)


def prove(bed, client, language, files):
    bed.must("connect", language.name, "--set", f"files={files}")
    tools = [name for name in client.tools() if name.startswith(language.name + "__")]
    wanted = {f"{language.name}__{tool}" for tool, _, _ in language.calls}
    if not wanted <= set(tools):
        raise Failure(f"{language.name}: lists {tools[:5]}, not {sorted(wanted)}")
    return f"{language.name} {len(tools)} tools, {call_many(client, language)} calls"


def run(bed):
    bed.install()
    files = lay(bed)
    chosen = languages(files)
    for one in chosen:
        command = ", ".join(f'"{word}"' for word in one.command)
        with open(f"{bed.etc}/policies/{one.name}.yaml", "w", encoding="utf-8") as policy:
            policy.write(POLICY.format(name=one.name, memory=one.memory, more=one.more))
        with open(f"{bed.etc}/runcards/{one.name}.yaml", "w", encoding="utf-8") as card:
            card.write(CARD.format(name=one.name, command=command))
    bed.start()
    client = SocketClient(bed.socket)
    told = [prove(bed, client, one, files) for one in chosen]
    client.close()
    print("servers: " + "; ".join(told))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--built", required=True)
    bed = Testbed(os.path.abspath(parser.parse_args().built), "servers")
    try:
        run(bed)
        return 0
    except (Failure, Gone, Silent) as failure:
        print(f"servers: {failure}\n{bed.log_tail() if os.path.exists(bed.log) else ''}",
              file=sys.stderr)
        return 1
    finally:
        bed.stop()
        bed.remove()


if __name__ == "__main__":
    sys.exit(main())
