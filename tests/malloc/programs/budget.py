"""The budget is real, and it is tight.

    budget.py LIBRARY PROGRAM

PROGRAM fills the pool with blocks of one size, after threads that stay alive
filled their caches. It must get nearly all of the budget, whatever the size,
and the process may not grow by more than the budget.
"""
import os
import subprocess
import sys

MIB = 1 << 20
# What the replacement needs for itself: bits for each granule, and some pages.
OWN_SHARE, OWN_FIXED = 0.04, 128 << 10
# What a process needs beside its heap: a little for each thread's stack.
OUTSIDE, OUTSIDE_THREAD = 256 << 10, 64 << 10


def fill(library, program, pool, block, threads):
    done = subprocess.run(
        [program, str(block), str(threads)], check=True, timeout=120,
        capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "LD_PRELOAD": library,
             "BITFIT_POOL": str(pool)})
    return [int(word) for word in done.stdout.split()]


def main():
    library, program = sys.argv[1:]
    for pool in (4 * MIB, 64 * MIB):
        for threads in (0, 6):
            for block in (16, 100, 1000, 30000, 200000):
                got, grown = fill(library, program, pool, block, threads)
                print(f"pool {pool}, {threads} threads, blocks of {block}: "
                      f"{100 * got / pool:.1f} % served, grown by {grown}")
                least = pool * (1 - OWN_SHARE) - OWN_FIXED - 3 * block
                # The threads' own blocks, such as their stacks' bookkeeping.
                assert got >= least - threads * 4096, "too little served"
                assert grown <= pool + OUTSIDE + threads * OUTSIDE_THREAD, (
                    "memory from elsewhere")


if __name__ == "__main__":
    main()
