"""The whole programs that the malloc benchmark runs, and how they are run.

Each is a program of the distribution with work of some megabytes, made from
bench/workloads, whose output is the same in every run.
"""
import ctypes
import os
import pathlib
import resource
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ADDR_NO_RANDOMIZE = 0x0040000

FIXED = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "PYTHONMALLOC": "malloc",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PERL_HASH_SEED": "0",
}


class Outcome:
    """What a program printed, its exit code, and what it used."""

    def __init__(self, output, code, usage, seconds):
        self.output = output
        self.code = code
        self.cpu = usage.ru_utime + usage.ru_stime
        self.resident = usage.ru_maxrss * 1024
        self.wall = seconds

    def same_as(self, other):
        return self.code == other.code and self.output == other.output


def _prepare():
    """Addresses are not random, so that a run repeats; no core files."""
    ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(argv, environment=None, limit=120, cwd=None):
    """Runs to the end; one that takes longer than the limit is killed."""
    with tempfile.TemporaryFile() as output:
        start = time.monotonic()
        child = subprocess.Popen(
            argv, env={**FIXED, **(environment or {})}, cwd=cwd,
            stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.DEVNULL, preexec_fn=_prepare)
        timer = threading.Timer(limit, child.kill)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return Outcome(output.read(), child.returncode, usage,
                       time.monotonic() - start)


def _changed(name, *changes):
    text = (HERE / "workloads" / name).read_text()
    for old, new in changes:
        if old not in text:
            raise SystemExit(f"{name} has no {old!r}")
        text = text.replace(old, new)
    return text


def _compiler_input(folder):
    """The library in one file, preprocessed: a real file of this project."""
    subprocess.run([HERE.parent / "scripts" / "amalgamate", folder],
                   check=True)
    subprocess.run(["gcc", "-E", "-P", f"-I{folder}", f"{folder}/bitfit.c",
                    "-o", f"{folder}/bitfit.i"], check=True)
    return f"{folder}/bitfit.i"


# Are there two factors of N that are greater than 1, in bit vectors?
FACTORS = """(set-logic QF_BV)
(declare-const a (_ BitVec 32))
(declare-const b (_ BitVec 32))
(assert (bvult a #x00010000))
(assert (bvult b #x00010000))
(assert (bvugt a #x00000001))
(assert (bvuge b a))
(assert (= (bvmul a b) #x{:08x}))
(check-sat)
(get-model)
"""


def all_programs(folder):
    """Their command lines by name; the files they read are in the folder."""
    files = {
        "words.lua": _changed("words.lua", ("1, 4000", "1, 120000")),
        "orders.sql": _changed("orders.sql", ("i < 2000", "i < 60000"),
                               ("i < 300", "i < 3000")),
        "records.pl": _changed("records.pl", ("1 .. 1500", "1 .. 20000")),
        "report.py": _changed("report.py", ("entries(1500)",
                                            "entries(20000)")),
        "factors.smt2": FACTORS.format(8387 * 9973),
    }
    for name, text in files.items():
        pathlib.Path(folder, name).write_text(text)
    cc1 = subprocess.run(["gcc", "-print-prog-name=cc1"], check=True,
                         capture_output=True, text=True).stdout.strip()
    source = _compiler_input(folder)
    return {
        "lua": ["lua5.4", f"{folder}/words.lua"],
        "sqlite3": ["sqlite3", ":memory:", f".read {folder}/orders.sql"],
        "perl": ["perl", f"{folder}/records.pl"],
        "python3": ["/usr/bin/python3", "-S", f"{folder}/report.py"],
        "cc1": [cc1, "-quiet", "-O2", "-fpreprocessed", source, "-o",
                "/dev/stdout"],
        "z3": ["z3", f"{folder}/factors.smt2"],
    }
