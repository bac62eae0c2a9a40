"""The k-th request for memory fails, for every k.

    oom.py LIBRARY PROGRAM

PROGRAM does its work with a real library, once more if memory was lacking, and
prints a digest of its results and how often it tried. Whichever request fails:
it never crashes, and the digest is the one of a run without failures. The
counting ends with the first k that no request reaches.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def once(library, program, report, fail_at):
    """The digest, the tries, and how many requests were refused."""
    environment = {"PATH": os.environ["PATH"], "LD_PRELOAD": library,
                   "BITFIT_POOL": "16M", "BITFIT_REPORT": str(report)}
    if fail_at:
        environment["BITFIT_FAIL_AT"] = str(fail_at)
    done = subprocess.run([program], env=environment, capture_output=True,
                          timeout=60, check=False)
    assert done.returncode == 0, (fail_at, done)
    digest, tries = done.stdout.split()
    failures = re.search("^bitfit: failures: ([0-9]+)$", report.read_text(),
                         re.MULTILINE)
    report.unlink()
    return digest, int(tries), int(failures[1])


def main():
    library, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.json")
        expected, tries, failures = once(library, program, report, None)
        assert (tries, failures) == (1, 0)
        seen = collections.Counter()
        for k in range(1, 1_000_000):
            digest, tries, failures = once(library, program, report, k)
            assert digest == expected, f"request {k}: another result"
            if failures == 0:
                break
            assert failures == 1, f"request {k}: {failures} failures"
            seen[tries] += 1
    print(f"{k - 1} requests failed in turn: {seen[1]} were got over, after "
          f"{seen[2]} the work was done again")
    assert seen[2] > 0, "no failure ever reached the program"


if __name__ == "__main__":
    main()
