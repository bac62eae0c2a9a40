#!/usr/bin/env python3
"""Counts the instructions of a pair of calls, which time of day and neighbours
do not change: callgrind runs the benchmark, and what the harness takes itself
(the peer `empty`) is subtracted.

    instructions.py BITFIT_BENCH [--only PATTERNS] [--peer x.so]... --json FILE
    instructions.py BITFIT_BENCH --record FILE --compiler NAME [--renew]

The first counts what report.py shows. The second compares bitfit with the
committed record of this compiler and fails where a workload has grown by more
than 3 %; --renew writes the record.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# Those whose timed part is one function of run.c.
COUNTED = "lifo*,churn*,replay*,checker*,mutex*"
RECORDED = ["lifo-1M-64", "lifo3-1M-64", "lifo16-1M-64", "lifo16-1M-1K",
            "churn-4K-small", "churn-64K-small", "churn-256K-small",
            "churn-1M-small", "churn-4M-small", "churn-1M-wide",
            "checker-1M-65", "mutex-churn-1M-small"]
TOLERANCE = 1.03


# Each run is one call of one of them, and its profile is written at its end.
RUNS = ["run_script", "run_lifo", "run_checker"]


def profiles(prefix):
    """What the timed part of each run took, in order."""
    parts = {}
    for path in prefix.parent.glob(prefix.name + ".*"):
        text = path.read_text()
        part, total = (re.search(rf"^{name}: (\d+)", text, re.M)
                       for name in ("part", "totals"))
        parts[int(part[1])] = int(total[1])
    return [parts[part] for part in sorted(parts)]


def count(bench, only, built_in, shared):
    """The net instructions of a pair, by case and peer."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "profile")
        figures = pathlib.Path(folder, "figures.json")
        subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
             "--collect-atstart=no", "--toggle-collect=timed_*",
             *[f"--dump-after={run}" for run in RUNS], bench, "--full", "--speed", "--rounds",
             "1", "--core", "-1", "--peers", built_in, "--only", only,
             *[f"--peer={path}" for path in shared], "--json", figures],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        cases = json.loads(figures.read_text())["speed"]
        taken = profiles(out)
    ran = [(case["name"], peer["peer"], peer["state"] == "done" and
            peer["allocs"]) for case in cases for peer in case["peers"]]
    if len(ran) != len(taken):
        sys.exit(f"{len(ran)} runs, but {len(taken)} profiles")
    by_case = {}
    for (case, peer, pairs), instructions in zip(ran, taken):
        if pairs:  # else the peer refused the pool, or was too slow
            by_case.setdefault(case, {})[peer] = instructions / pairs
    return {case: {peer: value - peers["empty"]
                   for peer, value in peers.items() if peer != "empty"}
            for case, peers in by_case.items() if "empty" in peers}


def compare(counted, recorded):
    """What grew, as text; also says what may be renewed."""
    grown = []
    for case, now in counted.items():
        before = recorded.get(case)
        print(f"{case:24} {now:8.1f}" + (f"  recorded {before:8.1f} "
              f"{100 * (now / before - 1):+6.1f} %" if before else
              "  not recorded"))
        if before is None or now > before * TOLERANCE:
            grown.append(case)
        elif now < before / TOLERANCE:
            print(f"{'':24} less than recorded: renew the record")
    return grown


def keep_record(path, compiler, counted, renew):
    everything = json.loads(path.read_text()) if path.exists() else {}
    if renew:
        everything[compiler] = {case: round(value, 1)
                                for case, value in counted.items()}
        path.write_text(json.dumps(everything, indent=1, sort_keys=True) +
                        "\n")
        return
    if compiler not in everything:
        sys.exit(f"{path} has no figures of {compiler}: renew the record")
    grown = compare(counted, everything[compiler])
    missing = sorted(everything[compiler].keys() - counted.keys())
    if grown or missing:
        sys.exit(f"more than {100 * (TOLERANCE - 1):.0f} % above the record, "
                 f"or in one of them only: {grown + missing}")


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", help="bitfit_bench")
    parser.add_argument("--only", default=COUNTED, help="case patterns")
    parser.add_argument("--peers", default="bitfit", help="built-in peers")
    parser.add_argument("--peer", action="append", default=[],
                        help="a shared object")
    parser.add_argument("--json", help="write the counts here")
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("--compiler", help="the record's name for this build")
    parser.add_argument("--renew", action="store_true")
    return parser.parse_args()


def main():
    given = parse()
    if given.record:
        only = ",".join(f"={case}" for case in RECORDED) + ",replay"
        counted = count(given.bench, only, "bitfit", [])
        keep_record(given.record, given.compiler,
                    {case: peers["bitfit"] for case, peers in counted.items()},
                    given.renew)
        return
    counted = count(given.bench, given.only, given.peers, given.peer)
    text = json.dumps({"instructions": counted}, indent=1)
    if given.json:
        pathlib.Path(given.json).write_text(text + "\n")
    else:
        print(text)


if __name__ == "__main__":
    main()
