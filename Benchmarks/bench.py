"""make bench: runs the benchmarks, prints a table, writes one line of JSON for each comparison.

    bench.py --only start,call,idle,egress --output .build/bench.jsonl

Ours and its peers always take turns in one run, so that whatever else the machine does hits all.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, f"{TOP}/scripts")
from testbed import UIDS, Failure, Testbed  # noqa: E402  (the path must be set first)
from traces import Family, read  # noqa: E402

import ways_out  # noqa: E402

RELEASE = f"{TOP}/.build/release"
MADE = f"{TOP}/.build/bench"
CALLS_PER_SIZE = 4000
# Connections beside the first, for what one sandbox more costs.
MORE = [f"echo{number}" for number in range(2, 10)]
# Name, kind, runs, sandboxes that wait; None leaves the policy as it is shipped.
STARTS = [("start", "true", 300, None), ("start_cold", "true", 300, 0),
          ("start_warm", "true", 300, 2), ("start_python", "python", 100, None),
          ("start_rate", "rate", 9, None)]
# The longest a measuring program may take; the calls take about twenty seconds.
MEASURE_SECONDS = 180
SIZES = {200: "200B", 4096: "4KiB", 65536: "64KiB"}


class Report:
    def __init__(self, path):
        self.path = path
        self.rows = []
        self.skipped = []

    def add(self, name, value, unit, p99, peer, peer_value, n):
        ratio = round(value / peer_value, 3) if peer_value else None
        self.rows.append({"name": name, "value": round(value, 3), "unit": unit,
                          "p99": None if p99 is None else round(p99, 3), "peer": peer,
                          "ratio": ratio, "n": n})

    def skip(self, name, why):
        self.skipped.append(f"{name}: skipped: {why}")

    def write(self):
        with open(self.path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in self.rows)

    def print(self):
        print(f"{'name':<16}{'p50':>11}{'p99':>11}  {'unit':<6}{'peer':<13}{'ratio':>7}{'n':>7}")
        for row in self.rows:
            p99 = "" if row["p99"] is None else f"{row['p99']:.2f}"
            ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
            print(f"{row['name']:<16}{row['value']:>11.2f}{p99:>11}  {row['unit']:<6}"
                  f"{row['peer'] or '':<13}{ratio:>7}{row['n']:>7}")
        for line in self.skipped:
            print(line)


def run_program(words):
    """A measuring program's lines, by path and size."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=MEASURE_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failure(f"{os.path.basename(words[0])}: no result in {MEASURE_SECONDS} s") from None
    if done.returncode:
        raise Failure(f"{os.path.basename(words[0])}: {done.stderr.strip() or done.returncode}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {(row["path"], row["size"]): row for row in rows}


def measure_starts(kind, runs, warm):
    """corrald as it runs everywhere, with the starter where its broker would be."""
    bed = Testbed(RELEASE, "bench-start")
    try:
        bed.install()
        libexec = f"{bed.directory}/usr/libexec/corral"
        shutil.copy(f"{MADE}/starter", f"{libexec}/corral-broker")
        if warm is not None:
            bed.policy(warm=warm)
        serve = f"{bed.directory}/serve"
        with open(serve, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n"
                       f"exec {libexec}/corrald --config {bed.etc}/corrald.yaml 2>{bed.log}\n")
        os.chmod(serve, 0o755)
        return run_program([f"{MADE}/start", kind, str(runs), shutil.which("bwrap") or "-", serve])
    except Failure as failure:
        raise Failure(f"{failure}\n{bed.log_tail() if os.path.exists(bed.log) else ''}") from None
    finally:
        bed.remove()


def bench_start(report, chosen):
    for name, kind, runs, warm in STARTS:
        if "start" not in chosen and name not in chosen:
            continue
        rows = measure_starts(kind, runs, warm)
        mine = rows["corral", 0]
        unit, scale = ("1/s", 0.5) if kind == "rate" else ("ms", 1e6)
        p99 = None if kind == "rate" else mine["p99_ns"] / scale
        for peer in ("bwrap", "posix_spawn"):
            if (peer, 0) not in rows:
                report.skip(name, f"no {peer} here (make setup installs it)")
                continue
            report.add(name, mine["p50_ns"] / scale, unit, p99, peer,
                       rows[peer, 0]["p50_ns"] / scale, mine["n"])


def bench_call(report, bed):
    rows = run_program([f"{MADE}/call", f"{MADE}/echo", f"{MADE}/relay", bed.socket,
                        str(CALLS_PER_SIZE)])
    for size, name in SIZES.items():
        mine = rows["corral", size]
        for peer in ("floor", "pipe"):
            report.add(f"call_{name}", mine["p50_ns"] / 1e3, "us", mine["p99_ns"] / 1e3, peer,
                       rows[peer, size]["p50_ns"] / 1e3, mine["n"])


def pss_kib(pids):
    total = 0
    for pid in pids:
        for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def own_pids(family):
    """Our programs among the members, and the tools they run."""
    members = family.members()
    tools = {pid for pid in members if os.path.basename(
        read(f"/proc/{pid}/cmdline").split("\0")[0]) == "echo"}
    return members - tools, tools


def bench_idle(report, bed, family):
    ours, tools = own_pids(family)
    if tools:
        raise Failure("idle: a tool runs although none was called")
    alone = pss_kib(ours)
    bed.must("call", "echo__echo", '{"text":"hello"}')
    busy, tools = own_pids(family)
    if not tools:
        raise Failure("idle: cannot find the sandboxed tool that was just called")
    report.add("idle", alone, "KiB", None, None, None, 1)
    report.add("idle_first", pss_kib(busy) - alone, "KiB", None, "tool", pss_kib(tools), 1)
    # What the first needs, its template among it, the others share.
    for name in MORE:
        bed.must("call", f"{name}__echo", '{"text":"hello"}')
    all_of_us, all_tools = own_pids(family)
    if len(all_tools) != 1 + len(MORE):
        raise Failure(f"idle: {len(all_tools)} tools run after {1 + len(MORE)} were called")
    more = (pss_kib(all_of_us) - pss_kib(busy)) / len(MORE)
    tool = (pss_kib(all_tools) - pss_kib(tools)) / len(MORE)
    report.add("idle_sandbox", more, "KiB", None, "tool", tool, len(MORE))


def with_testbed(report, chosen):
    bed = Testbed(RELEASE, "bench")
    family = Family(bed.directory, UIDS)
    try:
        bed.install()
        tool = f"{bed.directory}/echo"
        os.mkdir(tool)
        shutil.copy(f"{MADE}/echo", tool)
        bed.start()
        for name in ["echo", *MORE]:
            bed.must("connect", "custom", "--name", name, "--set", f"files={tool}", "--",
                     f"{tool}/echo")
        if "idle" in chosen:
            bed.stop()
            bed.start()
            bench_idle(report, bed, family)
        if "call" in chosen:
            bench_call(report, bed)
    except Failure as failure:
        raise Failure(f"{failure}\n{bed.log_tail() if os.path.exists(bed.log) else ''}") from None
    finally:
        bed.stop()
        bed.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="start,call,idle,egress")
    parser.add_argument("--output", required=True)
    asked = parser.parse_args()
    chosen = set(asked.only.split(","))
    known = {"start", "call", "idle", "egress", *ways_out.KINDS,
             *(name for name, *_ in STARTS)}
    if chosen - known:
        parser.error(f"--only takes {', '.join(sorted(known))}, separated by commas")
    report = Report(asked.output)
    try:
        bench_start(report, chosen)
        if chosen & {"call", "idle"}:
            with_testbed(report, chosen)
        if chosen & {"egress", *ways_out.KINDS}:
            ways_out.measure(report, RELEASE, chosen)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    report.write()
    report.print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
