#!/usr/bin/env python3
"""Whether programs run on bitfit, on the system's malloc and on a peer from a
shared object, and what is said of a peer that cannot serve them.

    inside_test.py BITFIT_INSIDE TOY_PEER.so
"""
import json
import pathlib
import subprocess
import sys
import tempfile


def run(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          timeout=300)


def check(truth, text):
    if not truth:
        sys.exit(f"inside: {text}")


def all_is_measured(inside, report, folder):
    out = pathlib.Path(folder, "inside.json")
    page = pathlib.Path(folder, "page.html")
    done = run(inside, "--rounds", "1", "--times", "1", "--core", "-1",
               "--json", out)
    check(done.returncode == 0, done.stderr)
    programs = json.loads(out.read_text())["inside"]
    check([one["program"] for one in programs] == ["SQLite", "Lua", "zstd"],
          "a program is missing")
    for one in programs:
        check([row["peer"] for row in one["peers"]] == ["bitfit", "glibc"],
              f"{one['program']}: a peer is missing")
        check(all(row["ns"] > 0 and row["ratio"] > 0 and
                  row["resident"] > 2 ** 20 for row in one["peers"]),
              f"{one['program']}: a figure is missing")
    done = run(sys.executable, report, out, "--html", page)
    check(done.returncode == 0 and "SQLite" in page.read_text(),
          f"no page: {done.stderr}")


def what_fails_is_said(inside, toy):
    """The toy never reuses a block, so a program runs out of memory."""
    done = run(inside, "--peers", "none", "--peer", toy, "--rounds", "1",
               "--core", "-1")
    check(done.returncode == 1 and " on toy: failed" in done.stderr,
          f"a program that ran out of memory: {done.stderr}")
    done = run(inside, "--baseline", "nobody")
    check(done.returncode == 1 and "no peer is called nobody" in done.stderr,
          f"an unknown baseline: {done.stderr}")


def main():
    inside, toy = sys.argv[1:]
    report = pathlib.Path(__file__).resolve().parent / "report.py"
    with tempfile.TemporaryDirectory() as folder:
        all_is_measured(inside, report, folder)
    what_fails_is_said(inside, toy)


if __name__ == "__main__":
    main()
