"""Programs in ever larger pools, from far too small to large enough.

    squeeze.py LIBRARY SOURCES

Each either gives the output of a run without a limit, or says by its exit code
or on standard error that something went wrong; none is ended by a signal, and
the library accuses none of misuse.
"""
import os
import pathlib
import subprocess
import sys

KIB = 1024


def run(argv, **variables):
    return subprocess.run(
        argv, capture_output=True, timeout=60, check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C",
             "PERL_HASH_SEED": "0", **variables})


def squeeze(name, argv, library):
    expected = run(argv)
    assert expected.returncode == 0, expected
    pool, refused = 32 * KIB, 0
    while True:
        done = run(argv, LD_PRELOAD=library, BITFIT_POOL=str(pool))
        assert done.returncode >= 0, f"{name} in {pool}: {done}"
        assert b"bitfit:" not in done.stderr, f"{name} in {pool}: {done}"
        if done.returncode == 0 and not done.stderr:
            assert done.stdout == expected.stdout, f"{name} in {pool}: {done}"
            break
        refused += 1
        pool += pool // 7 // 16 * 16
        assert pool < 64 << 20, done
    assert refused > 5
    print(f"{name}: went on in {refused} pools that were too small; "
          f"{pool / KIB:.0f} KiB are enough")


def main():
    library, sources = sys.argv[1], pathlib.Path(sys.argv[2])
    work = sources / "bench" / "workloads"
    squeeze("lua", ["lua5.4", work / "words.lua"], library)
    squeeze("sqlite3", ["sqlite3", ":memory:",
                        f".read {work / 'orders.sql'}"], library)


if __name__ == "__main__":
    main()
