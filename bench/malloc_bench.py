#!/usr/bin/env python3
"""bitfit as a program's malloc beside the distribution's allocators.

    malloc_bench.py --library libbitfit-malloc.so --micro malloc_micro
                    [--quick] [--calls] [--pool SIZE] [--json FILE]
                    [--peer NAME=FILE]...
    malloc_bench.py --read FILE

Every allocator is preloaded into the same programs. In each round all of them
run once, one right after the other; a figure is the median over the rounds, a
ratio the median of the rounds' ratios. Ratios of calls are net: what the loop
takes by itself ("empty") is subtracted on both sides. --peer adds an allocator,
such as a newer version than the distribution's. Prints tables in Markdown.
"""
import argparse
import json
import math
import os
import pathlib
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import malloc_programs as programs

PEERS = {
    "glibc": "libc.so.6",
    "jemalloc": "libjemalloc.so.2",
    "mimalloc": "libmimalloc.so.2",
    "gperftools": "libtcmalloc.so.4",
}

CASES = [
    "pair-16", "pair-64", "pair-256", "pair-1024", "pair-4K", "pair-32K",
    "pair-256K", "pair-1M", "churn-1000", "churn-100000", "batch-1000",
    "hand-over-64", "hand-over-512", "churn-10000-p9999",
]

# What is promised: the cases (the highest of their ratios counts), the peers
# that "must" and "goal" refer to, and the bounds. "fastest" is the lowest of
# all peers in each case.
SMALL = ["pair-16", "pair-64", "pair-256", "pair-1024"]
GOALS = [
    ("pair 16..1024 B", SMALL, ("mimalloc", 1.0), ("mimalloc", 0.8)),
    ("pair 16..1024 B", SMALL, ("glibc", 0.75), None),
    ("pair 4 KiB, 32 KiB", ["pair-4K", "pair-32K"], ("glibc", 0.6),
     None),
    ("pair 256 KiB, 1 MiB", ["pair-256K", "pair-1M"], ("glibc", 0.8),
     None),
    ("churn of 1,000 slots", ["churn-1000"], ("mimalloc", 1.0),
     ("mimalloc", 0.9)),
    ("churn of 100,000 slots", ["churn-100000"], ("mimalloc", 1.2),
     ("mimalloc", 0.9)),
    ("1,000, freed in random order", ["batch-1000"], ("mimalloc", 1.0),
     None),
    ("from thread to thread", ["hand-over-64", "hand-over-512"],
     ("mimalloc", 1.3), ("mimalloc", 1.0)),
    ("p99.99 under churn", ["churn-10000-p9999"], ("mimalloc", 2.0),
     ("mimalloc", 1.0)),
]


# ------------------------------------------------------------------ measuring

def environment(peer, arguments):
    if peer != "bitfit":
        return {"LD_PRELOAD": PEERS[peer]}
    pool = {"BITFIT_POOL": arguments.pool} if arguments.pool else {}
    return {"LD_PRELOAD": arguments.preload, **pool}


def rotated(names, by):
    return names[by % len(names):] + names[:by % len(names)]


def micro_once(arguments, peer, case):
    argv = [arguments.micro, case] + ["--quick"] * arguments.quick
    preload = {}
    if peer == "empty":
        argv.append("--empty")
    else:
        preload = environment(peer, arguments)
    outcome = programs.run(argv, preload)
    if outcome.code != 0:
        raise SystemExit(f"{case} with {peer}: exit code {outcome.code}")
    return float(outcome.output.split()[1])


def measure_micro(arguments, rounds):
    peers = ["empty", *PEERS, "bitfit"]
    figures = {case: {peer: [] for peer in peers} for case in CASES}
    for turn in range(rounds):
        for case in CASES:
            for peer in rotated(peers, turn):
                figures[case][peer].append(micro_once(arguments, peer, case))
        progress("calls", turn + 1, rounds)
    return figures


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_server(port, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit("redis-server does not answer")


def redis_once(preload, requests):
    """The server's processor time and resident memory under a fixed load."""
    port = str(free_port())
    server = subprocess.Popen(
        ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
         "--appendonly", "no", "--daemonize", "no", "--dir", "/tmp"],
        # Under this name it is the server, without the service's package.
        executable=shutil.which("redis-check-rdb"),
        env={**programs.FIXED, **preload}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        wait_for_server(int(port))
        subprocess.run(
            ["redis-benchmark", "-p", port, "-q", "-n", str(requests), "-r",
             "20000", "-d", "200", "-P", "16", "-t",
             "set,get,lpush,hset,zadd,lpop"],
            stdout=subprocess.DEVNULL, timeout=120, check=True)
    finally:
        server.terminate()
        _, _, usage = os.wait4(server.pid, 0)
        server.returncode = 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def program_once(name, argv, preload, expected):
    outcome = programs.run(argv, preload)
    if not outcome.same_as(expected):
        raise SystemExit(f"{name} gave another output with {preload}")
    return outcome.cpu, outcome.resident


def measure_programs(arguments, rounds):
    if arguments.calls:
        return {}
    peers = [*PEERS, "bitfit"]
    requests = 50000 if arguments.quick else 200000
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        runs = programs.all_programs(folder)
        expected = {name: programs.run(argv) for name, argv in runs.items()}
        for name in [*runs, "redis"]:
            figures[name] = {peer: {"cpu": [], "resident": []}
                             for peer in peers}
        for turn in range(rounds):
            for name in figures:
                for peer in rotated(peers, turn):
                    preload = environment(peer, arguments)
                    cpu, resident = (
                        redis_once(preload, requests) if name == "redis" else
                        program_once(name, runs[name], preload,
                                     expected[name]))
                    figures[name][peer]["cpu"].append(cpu)
                    figures[name][peer]["resident"].append(resident)
            progress("programs", turn + 1, rounds)
    return figures


def progress(what, done, total):
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{what}: round {done} of {total}", end=end, file=sys.stderr)


def machine():
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"processor": model, "processors": os.cpu_count(),
            "system": f"{platform.system()} {platform.release()}",
            "libc": " ".join(platform.libc_ver())}


# -------------------------------------------------------------------- figures

def net(series, peer):
    """The rounds without what the loop took in the same round."""
    if "empty" not in series:
        return series[peer]
    return [max(a - b, 0) for a, b in zip(series[peer], series["empty"])]


def ratio(ours, theirs):
    """The median of the rounds' ratios; a round in which the other took no
    longer than the loop tells nothing."""
    ratios = [a / b for a, b in zip(ours, theirs) if b > 0]
    return statistics.median(ratios) if ratios else math.inf


def against(figures, base):
    """bitfit over a peer, or over the best of them ("fastest")."""
    if base == "fastest":
        peers = figures.keys() - {"bitfit", "empty"}
        base = min(sorted(peers),
                   key=lambda peer: statistics.median(figures[peer]))
    return ratio(net(figures, "bitfit"), net(figures, base))


def goal_rows(figures):
    """Each promise as (what, measured cases, must, goal)."""
    micro = figures["micro"]
    for case in micro:
        if case.endswith("p9999"):  # a percentile has no share to subtract
            micro = {**micro, case: {peer: series for peer, series
                                     in micro[case].items()
                                     if peer != "empty"}}
    rows = [(what, [micro[case] for case in cases], must, goal)
            for what, cases, must, goal in GOALS]
    whole = figures["programs"]
    for kind, what, must, goal in (
            ("cpu", "processor time", ("glibc", 1.0), ("fastest", 1.0)),
            ("resident", "resident memory", ("glibc", 1.02), ("glibc", 1.0))):
        for name in whole:
            series = {peer: whole[name][peer][kind] for peer in whole[name]}
            rows.append((f"{name}, {what}", [series], must, goal))
    return rows


def bound_text(cases, bound):
    """The bound, the highest ratio measured, and whether it is within."""
    if bound is None:
        return "–", "–", True
    base, limit = bound
    measured = max(against(series, base) for series in cases)
    return f"<= {limit:g}x {base}", f"{measured:.2f}", measured <= limit


def print_goals(figures):
    print("| case | must | measured | goal | measured | |")
    print("|---|---|---:|---|---:|---|")
    for what, cases, must, goal in goal_rows(figures):
        must_text, must_is, must_met = bound_text(cases, must)
        goal_text, goal_is, goal_met = bound_text(cases, goal)
        verdict = ("**missed**" if not must_met else
                   "met" if goal_met else "must met, goal missed")
        print(f"| {what} | {must_text} | {must_is} | {goal_text} | {goal_is} "
              f"| {verdict} |")


def print_micro(figures):
    peers = list(next(iter(figures["micro"].values())))
    print("\n| ns | " + " | ".join(peers) + " |")
    print("|---|" + "---:|" * len(peers))
    for case, series in figures["micro"].items():
        cells = [f"{statistics.median(series[peer]):.1f}" for peer in peers]
        print(f"| `{case}` | " + " | ".join(cells) + " |")


def print_programs(figures, kind, title, scale, digits):
    peers = list(next(iter(figures["programs"].values())))
    print(f"\n| {title} | " + " | ".join(peers) + " |")
    print("|---|" + "---:|" * len(peers))
    for name, series in figures["programs"].items():
        cells = [f"{statistics.median(series[peer][kind]) / scale:.{digits}f}"
                 for peer in peers]
        print(f"| {name} | " + " | ".join(cells) + " |")


def print_all(figures):
    about = figures["machine"]
    print(f"{about['processor']}, {about['processors']} processors, "
          f"{about['system']}, {about['libc']}; {figures['rounds']} rounds; "
          f"bitfit's pool: {figures['pool']}\n")
    print_goals(figures)
    print_micro(figures)
    if not figures["programs"]:
        return
    print_programs(figures, "cpu", "processor time, ms", 1e-3, 0)
    print_programs(figures, "resident", "resident memory, MiB", 1 << 20, 1)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", dest="preload", help="libbitfit-malloc.so")
    parser.add_argument("--micro", help="malloc_micro")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--calls", action="store_true",
                        help="no whole programs")
    parser.add_argument("--pool", help="for bitfit (its default: half of the "
                                       "memory)")
    parser.add_argument("--rounds", type=int, help="5 if quick, else 15")
    parser.add_argument("--peer", action="append", default=[],
                        metavar="NAME=FILE", help="another allocator")
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument("--read", help="print figures that were written")
    arguments = parser.parse_args()
    if not arguments.read and not (arguments.preload and arguments.micro):
        parser.error("--library and --micro are needed")
    return arguments


def main():
    arguments = parse()
    if arguments.read:
        print_all(json.loads(pathlib.Path(arguments.read).read_text()))
        return
    PEERS.update(peer.split("=", 1) for peer in arguments.peer)
    rounds = arguments.rounds or (5 if arguments.quick else 15)
    figures = {"machine": machine(), "rounds": rounds,
               "pool": arguments.pool or "the default, half of the memory",
               "micro": measure_micro(arguments, rounds),
               "programs": measure_programs(arguments, rounds)}
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(figures, indent=1))
    print_all(figures)


if __name__ == "__main__":
    main()
