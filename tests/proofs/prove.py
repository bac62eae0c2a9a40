#!/usr/bin/env python3
"""Proves the core, or says which proof fails.

    prove.py [-j JOBS] [--quick] [--src ROOT] [--out FOLDER] [--tools FOLDER]
             [--record PAGE] [NAME...]

Runs the proofs of proofs.toml whose names begin so (all without a NAME; with
--quick those that take seconds) on the sources in ROOT. CBMC 6 is taken from
the PATH or from the folder of tools, where `make prove` unpacks it. Without
it: one line, and exit code 77. Exit code 1 if a proof fails. The seconds are
those of the processor. --record writes them into the table of PAGE: the rows of
the proofs that were run, with the day.

A proof holds if each of its claims holds, every loop ends within its bound,
and the one claim that must fail does fail: else nothing was proved.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build" / "proofs"
NO_TOOL = 77
PROPERTY = re.compile(r"^\[(\S+)\] (?:file \S+ )?line \d+ (.*): "
                      r"(SUCCESS|FAILURE|UNKNOWN|ERROR)$", re.M)
MUST_FAIL = "must fail"


def tools_in(folder):
    """The folder with CBMC 6, on the PATH or this one; or None."""
    path = os.pathsep.join([os.environ["PATH"], str(folder)])
    cbmc = shutil.which("cbmc", path=path)
    if cbmc is None or shutil.which("goto-cc", path=path) is None:
        return None
    version = subprocess.run([cbmc, "--version"], capture_output=True,
                             text=True, check=False).stdout
    if int((re.match(r"\d+", version) or ["0"])[0]) < 6:
        return None
    return pathlib.Path(cbmc).parent


class Proof:
    def __init__(self, table, entry):
        self.name = entry["name"]
        self.says = entry["says"]
        self.sizes = entry["sizes"]
        self.quick = entry.get("quick", False)
        self.limit = entry.get("limit", table["limit"])
        self.file = entry["file"]
        self.function = entry["function"]
        self.compile = [*table["compile"],
                        *table["build"][entry["build"]].split(),
                        *entry.get("define", "").split()]
        self.replace = entry.get("replace", "").split()
        self.prove = ["--unwind", str(entry.get("unwind", 9)),
                      "--unwinding-assertions", "--slice-formula"]
        if "unwindset" in entry:
            self.prove += ["--unwindset", ",".join(entry["unwindset"].split())]
        self.prove += table["checks"][entry.get("checks", "none")].split()

    def build(self, run):
        """Compiles the harness with the sources that it includes."""
        binary = run.out / (self.name.replace("/", "-") + ".gb")
        includes = [f"-I{HERE}", f"-I{run.src}/src", f"-I{run.src}/include"]
        flags = [flag.replace("@", str(HERE)) for flag in self.compile]
        run.call([run.tools / "goto-cc", *includes, *flags, HERE / self.file,
                  "-o", binary, "--function", self.function])
        for pair in self.replace:
            run.call([run.tools / "goto-instrument", "--replace-calls", pair,
                      binary, binary])
        return binary

    def check(self, run):
        """What is wrong with the proof, or None."""
        try:
            binary = self.build(run)
            report = binary.with_suffix(".xml")
            done = run.call([run.tools / "cbmc", binary, *self.prove,
                             "--symex-coverage-report", report],
                            self.limit, codes=(0, 10))
        except RuntimeError as error:
            return str(error)
        binary.with_suffix(".log").write_text(done)
        binary.unlink()
        return verdict(PROPERTY.findall(done))


def verdict(properties):
    falls = [f"{name}: {text}" for name, text, result in properties
             if result != "SUCCESS" and text != MUST_FAIL]
    if falls:
        return falls[0]
    if not any(text == MUST_FAIL for _, text, _ in properties):
        return "it has no claim that must fail"
    if not any(text == MUST_FAIL and result == "FAILURE"
               for _, text, result in properties):
        return "its assumptions never hold: nothing was proved"
    return None


class Run:
    def __init__(self, src, out, tools):
        self.src = src
        self.out = out
        self.tools = tools

    def call(self, command, limit=60, codes=(0,)):
        """What the command printed, within so many seconds of processor
        time: the machine may have other work."""
        bounded = ["sh", "-c", 'ulimit -t "$0"; exec "$@"', limit, *command]
        done = subprocess.run([str(word) for word in bounded], text=True,
                              capture_output=True, check=False)
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            raise RuntimeError(f"no answer in {limit} s")
        if done.returncode not in codes:
            lines = (done.stderr + done.stdout).strip().splitlines()
            raise RuntimeError(lines[-1] if lines else
                               f"{command[0]} ended with {done.returncode}")
        return done.stdout


def covered(run):
    """Lines of the core that the proofs went through, of all that they have
    in them: {file: (reached, all)}."""
    hits = {}
    for report in run.out.glob("*.xml"):
        tree = xml.etree.ElementTree.parse(report)
        for part in tree.iter("class"):
            name = pathlib.Path(part.get("filename"))
            if name.parent.name != "src":
                continue
            lines = hits.setdefault(name.name, {})
            for line in part.iter("line"):
                number = line.get("number")
                lines[number] = max(lines.get(number, 0), int(line.get("hits")))
    return {name: (sum(1 for hit in lines.values() if hit), len(lines))
            for name, lines in sorted(hits.items())}


def processor_time():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(proof, run):
    """In a process of its own, whose children are this proof's alone."""
    begin = processor_time()
    wrong = proof.check(run)
    return proof, wrong, processor_time() - begin


def tell(proof, wrong, seconds):
    print(f"{'holds' if wrong is None else 'FAILS'} {seconds:6.1f} s  "
          f"{proof.name:26} {proof.says} [{proof.sizes}]", flush=True)
    if wrong is not None:
        print(f"               {wrong}", flush=True)


ROW = re.compile(r"^\| `([^`]+)` \|.*\n", re.M)


def record(page, results, names):
    """Renews these proofs' rows in the page's table, whose order is that of
    proofs.toml. Rows of proofs that are no more go."""
    head = "| Proof | Sizes | Result | Seconds | Day |\n|---|---|---|---|---|\n"
    before, _, after = page.read_text().partition(head)
    rows = {match[1]: match[0] for match in ROW.finditer(after)}
    day = time.strftime("%Y-%m-%d")
    for proof, wrong, seconds in results:
        rows[proof.name] = (f"| `{proof.name}` | {proof.sizes} | "
                            f"{'holds' if wrong is None else wrong} | "
                            f"{seconds:.0f} | {day} |\n")
    page.write_text(before + head +
                    "".join(rows[name] for name in names if name in rows) +
                    ROW.sub("", after))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-j", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--src", type=pathlib.Path, default=HERE.parents[1])
    parser.add_argument("--out", type=pathlib.Path, default=BUILD)
    parser.add_argument("--tools", type=pathlib.Path,
                        default=BUILD / "tools" / "bin")
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    return parser.parse_args()


def main():
    asked = arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    tools = tools_in(asked.tools)
    if tools is None:
        print("bitfit: CBMC 6 is missing (cbmc and goto-cc), so nothing is "
              "proved here")
        return NO_TOOL
    table = tomllib.loads((HERE / "proofs.toml").read_text())
    every = [Proof(table, entry) for entry in table["proof"]]
    proofs = [proof for proof in every
              if (proof.quick or not asked.quick) and
              (not asked.names or proof.name.startswith(tuple(asked.names)))]
    run = Run(asked.src.resolve(), asked.out.resolve(), tools.resolve())
    for old in run.out.glob("*.xml"):
        old.unlink()

    begin = time.monotonic()
    failed = 0
    results = []
    with concurrent.futures.ProcessPoolExecutor(asked.j) as pool:
        for done in concurrent.futures.as_completed(
                [pool.submit(timed, proof, run) for proof in proofs]):
            proof, wrong, seconds = done.result()
            tell(proof, wrong, seconds)
            failed += wrong is not None
            results.append((proof, wrong, seconds))
            if asked.record:
                record(asked.record, results, [proof.name for proof in every])
    for name, (reached, lines) in covered(run).items():
        print(f"reached  {name:20} {reached:4} of {lines:4} lines")
    print(f"{len(proofs) - failed} of {len(proofs)} proofs hold, "
          f"{time.monotonic() - begin:.0f} s")
    return 1 if failed or not proofs else 0


if __name__ == "__main__":
    sys.exit(main())
