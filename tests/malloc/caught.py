#!/usr/bin/env python3
"""What each malloc sees of what a program does wrong, as a table.

    caught.py --program FILE... --library libbitfit-malloc.so
              [--peer NAME=FILE]... [--write PAGE | --check PAGE]

Runs every misuse in a process of its own under every malloc, and prints a table
in Markdown. --write puts it between the page's marks; --check fails unless the
page's columns of bitfit are what comes out now.
"""
import argparse
import concurrent.futures
import pathlib
import resource
import signal
import subprocess
import sys

BEGIN, END = "<!-- begin caught -->", "<!-- end caught -->"
OURS = ["bitfit", "hardened"]
SIZES = ["small", "middle", "large"]
CAUGHT = {"stopped", "fault", "harmless"}
PEERS = {"glibc": "libc.so.6", "jemalloc": "libjemalloc.so.2",
         "mimalloc": "libmimalloc.so.2", "gperftools": "libtcmalloc.so.4"}


def environment(name, arguments):
    fixed = {"PATH": "/usr/bin:/bin", "BITFIT_POOL": "256M"}
    if name in OURS:
        hardened = {"BITFIT_HARDENED": "1"} if name == "hardened" else {}
        return {**fixed, **hardened, "LD_PRELOAD": arguments.ours}
    return {**fixed, "LD_PRELOAD": arguments.peers[name]}


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def verdict(arguments, name, program, misuse):
    """stopped: by the malloc; fault: by the processor; harmless: nothing can
    come of it; at exit: seen only there; missed."""
    done = subprocess.run([program, misuse], capture_output=True,
                          env=environment(name, arguments), timeout=120,
                          check=False, preexec_fn=no_core)
    faults = (-signal.SIGSEGV, -signal.SIGBUS)
    if b"went on" in done.stdout:
        return "missed" if done.returncode == 0 else "at exit"
    if done.returncode == 0:
        return "harmless"
    return "fault" if done.returncode in faults else "stopped"


def loads(library, program):
    """Whether the system has that library."""
    told = subprocess.run([program], env={"LD_PRELOAD": library},
                          capture_output=True, check=False)
    return told.returncode == 0 and b"cannot be preloaded" not in told.stderr


def measure(arguments, names):
    """{name: {misuse: verdict}}, the misuses in order."""
    runs = []
    for program in arguments.program:
        misuses = subprocess.run([program], capture_output=True, text=True,
                                 check=True).stdout.splitlines()
        runs += [(name, program, misuse)
                 for misuse in misuses for name in names]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        seen = pool.map(lambda run: verdict(arguments, *run), runs)
    found = {name: {} for name in names}
    for (name, _, misuse), what in zip(runs, seen):
        found[name][misuse] = what
    return found


def kinds_of(misuses):
    """Each kind with its misuses: of three sizes, or alone."""
    kinds = {}
    for misuse in misuses:
        kind, _, size = misuse.rpartition(", ")
        if size in SIZES:
            kinds.setdefault(kind, []).append(misuse)
        else:
            kinds[misuse] = [misuse]
    return kinds


def cell(verdicts):
    """One word if all are the same, else one for each size."""
    return verdicts[0] if len(set(verdicts)) == 1 else ", ".join(verdicts)


def table(found):
    names = list(found)
    rows = ["| misuse (small, middle, large) | " + " | ".join(names) + " |",
            "|---" * (len(names) + 1) + "|"]
    for kind, misuses in kinds_of(found[names[0]]).items():
        cells = [cell([found[name][misuse] for misuse in misuses])
                 for name in names]
        rows.append(f"| {kind} | " + " | ".join(cells) + " |")
    counts = []
    for name in names:
        seen = [what in CAUGHT for what in found[name].values()]
        counts.append(f"**{sum(seen)} of {len(seen)}**")
    rows.append("| caught | " + " | ".join(counts) + " |")
    return rows


def columns(rows, names):
    """The rows with the first column and those of these names only."""
    split = [[cell.strip() for cell in row.strip("|").split("|")]
             for row in rows]
    wanted = [0] + [split[0].index(name) for name in names]
    return [[row[at] for at in wanted] for row in split if "---" not in row]


def parts(page):
    before, _, rest = page.read_text().partition(BEGIN)
    inside, _, after = rest.partition(END)
    return before, inside.strip().splitlines(), after


def check(page, rows):
    wanted, seen = (columns(lines, OURS) for lines in (parts(page)[1], rows))
    wrong = [(a, b) for a, b in zip(wanted, seen) if a != b]
    for a, b in wrong:
        print(f"{page}: {' | '.join(a)}\n   now: {' | '.join(b)}")
    if wrong or len(wanted) != len(seen):
        sys.exit(f"{page} does not say what is seen: --write renews it")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--program", required=True, nargs="+")
    parser.add_argument("--library", required=True, dest="ours")
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("--check", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.peers = {**PEERS, **dict(peer.split("=", 1)
                                       for peer in arguments.peer)}
    peers = [] if arguments.check else [
        name for name, library in arguments.peers.items()
        if loads(library, arguments.program[0])]
    rows = table(measure(arguments, OURS + peers))
    if arguments.check:
        check(arguments.check, rows)
        return
    print("\n".join(rows))
    if arguments.write:
        before, _, after = parts(arguments.write)
        arguments.write.write_text("\n".join(
            [before + BEGIN, *rows, END + after]))


if __name__ == "__main__":
    main()
