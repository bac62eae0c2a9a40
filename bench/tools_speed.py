#!/usr/bin/env python3
"""How long the bitfit command takes for a trace of a million events, reading
and writing included; and how much recording costs a program. Prints seconds, and writes
them as JSON.

    tools_speed.py BITFIT [--json FILE]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROUNDS = 3

# More than a million events, of blocks of mixed sizes.
WORK = r"""
import random
random.seed(1)
live = [b""] * 20000
for i in range(100000):
    live[random.randrange(len(live))] = bytes(random.randrange(16, 600))
"""


def seconds(command, **more):
    """The fastest of a few runs."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, **more)
        best = min(best, time.perf_counter() - start)
    return best


def record(bitfit, trace, *options):
    return [bitfit, "record", *options, "-o", trace, "--", "env",
            "PYTHONMALLOC=malloc", sys.executable, "-S", "-c", WORK]


def measure(bitfit, folder):
    trace = str(pathlib.Path(folder) / "million.trace")
    alone = ["env", "PYTHONMALLOC=malloc", sys.executable, "-S", "-c", WORK]
    figures = {"program alone": seconds(alone),
               "program under record --sites":
                   seconds(record(bitfit, trace, "--sites")),
               "program under record": seconds(record(bitfit, trace))}
    subprocess.run(record(bitfit, trace, "--events", "1000000"), check=True)
    replayed = subprocess.run([bitfit, "replay", "--json", trace], check=True,
                              capture_output=True, text=True).stdout
    figures["events"] = json.loads(replayed)["trace"]["events"]
    figures["trace bytes"] = pathlib.Path(trace).stat().st_size
    for verb in ["replay"], ["fit"], ["export", "-f", "chrome"]:
        figures[" ".join(verb)] = seconds([bitfit, *verb, trace])
    for verb in ["map"], ["map", "--by", "age"], ["report"]:
        output = str(pathlib.Path(folder) / "drawn.png")
        figures[" ".join(verb)] = seconds([bitfit, *verb, trace, "-o", output])
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bitfit")
    parser.add_argument("--json", type=pathlib.Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(str(pathlib.Path(given.bitfit).resolve()), folder)
    for name, value in figures.items():
        print(f"{name:30} {value:12,.3f} s" if isinstance(value, float)
              else f"{name:30} {value:12,}")
    if given.json:
        given.json.write_text(json.dumps({"tools": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
