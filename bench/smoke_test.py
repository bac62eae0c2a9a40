#!/usr/bin/env python3
"""Whether the benchmark is alive: runs it for seconds, and checks that its
figures are all there. It looks at no time.

    smoke_test.py BITFIT_BENCH TOY_PEER.so [BITFIT_WORDS]
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
NO_SPACE = {"empty", "glibc", "libc"}


def check(truth, text):
    if not truth:
        sys.exit(f"smoke test: {text}")


def expected_cases(bench):
    listed = subprocess.run([bench, "--list"], check=True, capture_output=True,
                            text=True).stdout
    return {line.split()[0] for line in listed.splitlines()
            if line.endswith(" smoke")}


def check_numbers(value, where):
    """No figure is infinite, not a number or negative."""
    if isinstance(value, dict):
        for key, inner in value.items():
            check_numbers(inner, f"{where}.{key}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            check_numbers(inner, f"{where}[{i}]")
    elif isinstance(value, float):
        check(math.isfinite(value) and value >= 0, f"{where} is {value}")
    check(value is not None, f"{where} is missing")


def check_speed(figures, wanted):
    peers = {peer["name"] for peer in figures["peers"]}
    check("toy" in peers, "the toy peer was not loaded")
    check({case["name"] for case in figures["speed"]} == wanted,
          "the cases are not those that were listed")
    for case in figures["speed"]:
        check({row["peer"] for row in case["peers"]} == peers,
              f"{case['name']}: a peer is missing")
        for row in case["peers"]:
            where = f"{case['name']}, {row['peer']}"
            if row["state"] == "done":
                keys = ({"alloc", "free"} if case["group"] == "latency"
                        else {"ns", "rounds"})
                check(keys | {"allocs", "failures"} <= row.keys(), where)
            if row["peer"] == "bitfit":
                check(row["state"] == "done", f"{where}: {row['state']}")


def check_space(figures):
    space = figures["space"]
    peers = {peer["name"] for peer in figures["peers"]} - NO_SPACE
    check(space["traces"] and space["geometric_means"], "no traces")
    for trace in space["traces"]:
        for row in trace["peers"]:
            if row["peer"] == "bitfit":
                check(row["high_water"] == trace["bound_16"],
                      f"{trace['trace']}: not the first fit: {row}")
                check(row["high_water_serves"],
                      f"{trace['trace']}: the high-water mark does not serve")
    check(all(set(row["blocks"]) == peers for row in space["capacity"]),
          "a peer without capacity")
    check(space["bookkeeping"], "no bookkeeping")


def report(folder, *files):
    """The page of these figures."""
    page = pathlib.Path(folder, "page.html")
    subprocess.run([sys.executable, HERE / "report.py", *files, "--html", page],
                   check=True)
    return page.read_text()


def check_words(folder):
    """A peer that was too slow to be timed, and one that refused all."""
    out = pathlib.Path(folder, "made.json")
    done = {"peer": "none", "state": "done", "allocs": 7, "failures": 7,
            "ns": {"median": 1.0}, "rounds": [1.0]}
    slow = {"peer": "slow", "state": "slow", "allocs": 0, "failures": 0}
    out.write_text(json.dumps({
        "peers": [{"name": "none"}, {"name": "slow"}], "baseline": "none",
        "speed": [{"name": "made", "group": "made", "unit": "pair",
                   "peers": [done, slow]}]}))
    page = report(folder, out)
    check(">too slow<" in page, "a slow peer has a figure")
    check(">1.0 (100 %)<" in page, "all that failed is not 100 %")


def main():
    bench, toy, *words = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "figures.json")
        subprocess.run([bench, "--smoke", "--core", "-1", "--peer", toy,
                        "--json", out], check=True, stdout=subprocess.DEVNULL)
        figures = json.loads(out.read_text())
        check_numbers(figures, "figures")
        check_speed(figures, expected_cases(bench))
        check_space(figures)
        files = [out]
        if words:
            files.append(pathlib.Path(folder, "words.json"))
            files[1].write_bytes(subprocess.run(
                words, check=True, capture_output=True).stdout)
            check_numbers(json.loads(files[1].read_text()), "words")
        check("<svg" in report(folder, *files), "the page has no plots")
        check_words(folder)


if __name__ == "__main__":
    main()
