#!/usr/bin/env python3
"""The smallest budget in which whole programs still give identical output.

    malloc_budget.py --library libbitfit-malloc.so --bitfit bitfit
                     [--quick] [--json FILE] [PROGRAM...]

For bitfit it bisects over BITFIT_POOL, for gperftools over its heap limit, for
mimalloc over the arena that it reserves: the two peers whose options offer a
budget at all. A budget serves if the exit code and every byte of output are
those of a run without a limit; that every larger one then serves, too, is
assumed. Beside them stand the most bytes that the program requests at one time
and the high-water mark of exact first fit at 16 bytes, by `bitfit fit`.
"""
import argparse
import json
import pathlib
import tempfile

import malloc_programs as programs

KIB, MIB = 1024, 1024 * 1024
PAGE = 4096


def recorded_need(argv, bitfit):
    """The most bytes requested at one time, and first fit's mark."""
    outcome = programs.run(
        [bitfit, "fit", "--json", "--granules=16", "--", *argv])
    told = json.loads(outcome.output)
    return told["trace"]["peak_requested"], told["granules"][0]["high_water"]


def smallest(serves, step, guess):
    """The least multiple of step that serves, bisected around the guess."""
    high = max(1, guess // step)
    while not serves(high * step):
        high *= 2
        if high * step > 1 << 33:
            return None
    low = high // 2
    while low > 0 and serves(low * step):
        low, high = low // 2, low
    while low + 1 < high:
        middle = (low + high) // 2
        if serves(middle * step):
            high = middle
        else:
            low = middle
    return high * step


def budget_of(argv, expected, environment, step, guess):
    return smallest(
        lambda size: programs.run(argv, environment(size)).same_as(expected),
        step, guess)


def bitfit_budget(argv, expected, library, step, guess):
    return budget_of(
        argv, expected,
        lambda size: {"LD_PRELOAD": library, "BITFIT_POOL": str(size),
                      "BITFIT_REPORT": "none"},
        step, guess)


def gperftools_budget(argv, expected, guess):
    """Its limit is a whole number of MiB; its options as tight as they go."""
    return budget_of(
        argv, expected,
        lambda size: {"LD_PRELOAD": "libtcmalloc.so.4",
                      "TCMALLOC_HEAP_LIMIT_MB": str(size // MIB),
                      "TCMALLOC_AGGRESSIVE_DECOMMIT": "1",
                      "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES": "65536"},
        MIB, guess)


def mimalloc_budget(argv, expected, guess):
    """Its arenas are multiples of 32 MiB. The option that forbids other memory
    is called limit_os_alloc in version 2.0, disallow_os_alloc later."""
    return budget_of(
        argv, expected,
        lambda size: {"LD_PRELOAD": "libmimalloc.so.2",
                      "MIMALLOC_RESERVE_OS_MEMORY": f"{size // KIB}KiB",
                      "MIMALLOC_LIMIT_OS_ALLOC": "1",
                      "MIMALLOC_DISALLOW_OS_ALLOC": "1"},
        32 * MIB, guess)


def measure(argv, arguments):
    expected = programs.run(argv)
    peak, mark = recorded_need(argv, arguments.bitfit)
    step = PAGE
    if arguments.quick:
        step = max(PAGE, mark // 400 // PAGE * PAGE)
    return {
        "peak": peak,
        "mark": mark,
        "step": step,
        "bitfit": bitfit_budget(argv, expected, arguments.preload, step,
                                mark + mark // 32),
        "gperftools": gperftools_budget(argv, expected, mark),
        "mimalloc": mimalloc_budget(argv, expected, mark),
    }


def verdict(figures):
    """What was promised and is not kept; empty where all is."""
    budget, mark, peak = (figures[key] for key in ("bitfit", "mark", "peak"))
    if budget is None:
        return ["no budget serves"]
    missed = []
    if budget > 1.03 * mark:
        missed.append("over 1.03 marks")
    if mark * 1.03 <= 1.10 * peak < budget:
        missed.append("over 1.10 peaks")
    for peer in ("gperftools", "mimalloc"):
        if figures[peer] is None:
            continue
        if mark < figures[peer] <= budget:
            missed.append(f"not below {peer}")
    return missed


def cell(size, base):
    if size is None:
        return f"{'-':>16}"
    return f"{size / KIB:>8.0f} {size / base:>6.3f}x"


HEADINGS = ["peak", "mark", "bitfit", "gperftools", "mimalloc"]


def print_row(name, figures):
    peak = figures["peak"]
    row = f"{name:8} {peak / KIB:>8.0f}"
    for column in HEADINGS[1:]:
        row += "  " + cell(figures[column], peak)
    if figures["bitfit"]:
        row += f"  {100 * figures['bitfit'] / figures['mark'] - 100:>+6.2f} %"
    print(f"{row}  {', '.join(verdict(figures)) or 'met'}", flush=True)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", dest="preload", required=True)
    parser.add_argument("--bitfit", required=True, help="the command")
    parser.add_argument("--quick", action="store_true",
                        help="to a quarter of a percent, not to the page")
    parser.add_argument("--json")
    parser.add_argument("programs", nargs="*")
    return parser.parse_args()


def main():
    arguments = parse()
    figures = {}
    print("The smallest budget in which the output is identical: KiB, and "
          "over the peak")
    print(f"{'':8} {'peak':>8}" + "".join(
        f"  {name:>16}" for name in HEADINGS[1:]) + f"  {'on mark':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, argv in programs.all_programs(folder).items():
            if not arguments.programs or name in arguments.programs:
                figures[name] = measure(argv, arguments)
                print_row(name, figures[name])
    if arguments.json:
        pathlib.Path(arguments.json).write_text(
            json.dumps({"budgets": figures}, indent=1))


if __name__ == "__main__":
    main()
