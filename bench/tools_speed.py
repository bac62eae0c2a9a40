#!/usr/bin/env python3
"""How long the bitfit command takes for traces of a million and of 15 million
events, reading and writing included; how much memory it needs; how soon a page
can be used in Chromium; and how much recording costs a program. Prints seconds,
KiB and bytes, and writes them as JSON.

    tools_speed.py BITFIT [--json FILE]
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests/tools/view"))
from browser import NAMES, Browser

ROUNDS = 3
MILLION = 1000000
LARGE = 15 * MILLION

# More than ten events a step, of blocks of mixed sizes.
WORK = r"""
import random
random.seed(1)
live = [b""] * 20000
for i in range(%d):
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


def program(events):
    return ["env", "PYTHONMALLOC=malloc", sys.executable, "-S", "-c",
            WORK % (events // 10)]


def record(bitfit, trace, *options, events=MILLION):
    return [bitfit, "record", *options, "-o", trace, "--", *program(events)]


def costs(command):
    """Of one run: how long, the processor's time, the most memory at once."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command}: status {status}")
    return (time.perf_counter() - start, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss)


def seconds_until_ready(page):
    """From opening the page until all of it is drawn."""
    best = float("inf")
    with Browser() as browser:
        for _ in range(ROUNDS):
            start = time.perf_counter()
            browser.open(page)
            while browser.run("document.documentElement.dataset.ready") != "yes":
                time.sleep(0.01)
            browser.settle()
            best = min(best, time.perf_counter() - start)
    return best


def measure_page(name, page):
    figures = {f"{name}page bytes": pathlib.Path(page).stat().st_size}
    if any(map(shutil.which, NAMES)):
        figures[f"{name}page ready"] = seconds_until_ready(page)
    return figures


def measure_large(bitfit, folder):
    trace = str(pathlib.Path(folder) / "large.trace")
    page = str(pathlib.Path(folder) / "large.html")
    picture = str(pathlib.Path(folder) / "large.png")
    subprocess.run(record(bitfit, trace, "--events", str(LARGE), events=LARGE),
                   check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    figures = {}
    for verb, output in ("map", picture), ("report", page):
        name = f"15 million: {verb}"
        keys = name, name + ", processor", name + " KiB"
        figures |= zip(keys, costs([bitfit, verb, trace, "-o", output]))
    return figures | measure_page("15 million: ", page)


def measure(bitfit, folder):
    trace = str(pathlib.Path(folder) / "million.trace")
    figures = {"program alone": seconds(program(MILLION)),
               "program under record --sites":
                   seconds(record(bitfit, trace, "--sites")),
               "program under record": seconds(record(bitfit, trace))}
    subprocess.run(record(bitfit, trace, "--events", str(MILLION)), check=True)
    replayed = subprocess.run([bitfit, "replay", "--json", trace], check=True,
                              capture_output=True, text=True).stdout
    figures["events"] = json.loads(replayed)["trace"]["events"]
    figures["trace bytes"] = pathlib.Path(trace).stat().st_size
    for verb in ["replay"], ["fit"], ["export", "-f", "chrome"]:
        figures[" ".join(verb)] = seconds([bitfit, *verb, trace])
    for verb in ["map"], ["map", "--by", "age"], ["report"]:
        output = str(pathlib.Path(folder) / "drawn")
        figures[" ".join(verb)] = seconds([bitfit, *verb, trace, "-o", output])
    page = output + ".html"
    os.rename(output, page)
    return figures | measure_page("", page) | measure_large(bitfit, folder)


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
