#!/usr/bin/env python3
"""Changes the core in many small ways; each change must make a test fail.

    mutate.py [-j JOBS] [--every N] [--only FILE] [--list] [--src ROOT]
              [--again FILE] [--tools FOLDER]

A mutant is the core with one operator, constant or condition replaced or one
statement dropped. Each is compiled by tcc with trial.c, which compares the pool
with the model, in the builds of BUILDS, one after the other, until a trial
fails: then the mutant is killed. A mutant that gives every answer right is
killed, too, if it takes more steps than the core in a part of pace.c, by more
than 0.1 %; a step is a basic block, as gcc counts them. So it is if something
undefined happens there, which UBSan tells, or if a quick proof fails of it,
where CBMC is (prove.py says where it looks). What gcc -O2 makes the same code of
as of the core, in every build, is no mutant. What survives stands in
survivors.txt with the reason why it does no harm, or the run fails.

--every N tries one mutant of N: by its text, so that a change of the core
changes the choice only where it changes the core. --again FILE tries those that
FILE names, one a line, as --list writes them behind the line's number. The
bytes of a trial are the same each time. Exit code 77 without tcc and gcc, 1 if
a survivor is not explained.
"""
import argparse
import concurrent.futures
import functools
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import zlib

HERE = pathlib.Path(__file__).resolve().parent
SURVIVORS = HERE / "survivors.txt"
ROOT = HERE.parents[1]
FILES = ("bits.h", "map.h", "tree.h", "fit.h", "aligned.h", "pool.h", "short.h")
SOURCES = ("bitfit", "create", "misuse", "platform", "snapshot", "recover", "shared")
COMPILER = ["tcc", "-w", "-Dmax_align_t=long double", "-DBITFIT_FREESTANDING=0",
            "-DBITFIT_EXPECT",
            "-D__builtin_trap()=abort(),(void)0"]
BUILDS = {
    "64 bits": [],
    "8 bits": ["-DBITFIT_WORD_BITS=8", "-DFUZZ_MEMORY=8192"],
    "without a tree": ["-DBITFIT_NO_INDEX"],
    "general paths": ["-DBITFIT_NO_SHORT"],
}
# How many inputs: short ones, long ones, churn, and those at the edge.
INPUTS = {"64 bits": (800, 2, 1, 1), "8 bits": (800, 2, 0, 0),
          "without a tree": (500, 1, 0, 0), "general paths": (500, 1, 1, 1)}
# What no trial calls in every way has quick proofs.
PROOFS = {"bits.h": ["bits/"], "map.h": ["map/"], "pool.h": ["bytes/"],
          "tree.h": ["tree/", "layout/sizes"], "fit.h": ["layout/sizes"]}
# Where the compiler counts basic blocks: in the sources that are COUNTED.
# What is undefined ends the program.
STEPS = ["gcc", "-w", "-O0"]
SEEN = ["-fsanitize-coverage=trace-pc", "-fsanitize=undefined",
        "-fsanitize-undefined-trap-on-error", "-fno-sanitize=alignment"]
COUNTED = ("bitfit", "shared", "create")
STEPS_BUILDS = ("64 bits", "general paths")
MOST_STEPS_MORE = 0.1
SECONDS = 8
NO_TOOL = 77

# What is found, and what stands there instead. Operators stand between spaces,
# as clang-format has them.
SWAPS = [
    (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " + "),
    (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "),
    (r" == ", " != "), (r" != ", " == "),
    (r" && ", " || "), (r" \|\| ", " && "),
    (r" & ", " | "), (r" \| ", " & "), (r" << ", " >> "), (r" >> ", " << "),
    (r" \+= ", " -= "), (r" -= ", " += "), (r" &= ", " |= "),
    (r" \|= ", " &= "), (r" <<= ", " >>= "), (r" >>= ", " <<= "),
    (r"\+\+", "--"), (r"--", "++"), (r"(?<=[ (])~", ""), (r"(?<=[ (])!(?!=)", ""),
    (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
    (r"\b0\b(?!x)", "1"), (r"\b1\b", "0"), (r"\b([2-9]|[1-9]\d+)\b", r"(\1 + 1)"),
    (r"\bBF_NONE\b", "0"), (r"\bBF_ALL\b", "BF_ONE"),
]
STATEMENT = re.compile(r"^\s+(?!return\b|break\b|continue\b|case\b|default\b|"
                       r"goto\b|const\b|static\b|#|\}|\{)(?![\w *]+ \*?\w+( =|;|\[))"
                       r"\S.*;(\s*/\*.*\*/)?$")
CONDITION = re.compile(r"\b(if|while) \((.*)\) \{$")


def blanked(text):
    """The text without comments and preprocessor lines, places kept."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match[0])
    text = re.sub(r"/\*.*?\*/", spaces, text, flags=re.S)
    return re.sub(r"^#(.*\\\n)*.*$", spaces, text, flags=re.M)


def in_functions(lines):
    """The numbers of the lines inside a function's body that are its own work,
    not what it expects of its caller."""
    inside = False
    for number, line in enumerate(lines):
        if line == "{":
            inside = True
        elif line == "}":
            inside = False
        elif inside and "BF_EXPECT" not in line:
            yield number


class Mutant:
    def __init__(self, file, number, old, new):
        self.file = file
        self.number = number
        self.old = old
        self.new = new
        self.killer = None

    def key(self):
        return f"{self.file} | {self.old.strip()} | {self.new.strip()}"


def changes(line):
    """Every line that one change makes of this one."""
    for found, instead in SWAPS:
        for match in re.finditer(found, line):
            yield line[:match.start()] + match.expand(instead) + line[match.end():]
    match = CONDITION.search(line)
    if match:
        for value in ("0", "1"):
            yield line[:match.start(2)] + value + line[match.end(2):]
    if STATEMENT.match(line):
        yield ";"


def mutants(src, names):
    for name in names:
        text = (src / name).read_text()
        lines = text.split("\n")
        code = blanked(text).split("\n")
        for number in in_functions(code):
            seen = {code[number]}
            for new in changes(code[number]):
                if new not in seen:
                    seen.add(new)
                    yield Mutant(name, number, lines[number], new.rstrip())


def limits():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(program, *inputs):
    """What it prints; None if it fails."""
    done = subprocess.run([program, *map(str, inputs)], capture_output=True,
                          preexec_fn=limits, check=False)
    return None if done.returncode else done.stdout


def dies(src, build, folder):
    """What kills this core in this build, or None."""
    trial = folder / "trial"
    sources = [src / f"{name}.c" for name in SOURCES]
    made = subprocess.run([*COMPILER, *BUILDS[build], f"-I{src}",
                           f"-I{src}/../include", HERE / "trial.c", *sources,
                           "-o", trial, "-lpthread"], capture_output=True,
                          check=False)
    if made.returncode != 0:
        return "the compiler"
    if run(trial, *INPUTS[build]) is None:
        return f"the model, {build}"
    return None


class Steps:
    """How many steps a core takes. What is not counted is compiled once, when
    the first core is asked for."""
    def __init__(self, root, folder):
        self.root = root
        self.folder = folder
        self.rest = []
        self.lock = threading.Lock()

    def compiled_rest(self):
        with self.lock:
            if not self.rest:
                files = [HERE / "pace.c"]
                files += [self.root / "src" / f"{name}.c" for name in SOURCES
                          if name not in COUNTED]
                subprocess.run([*STEPS, f"-I{self.root}/src", "-c", *files,
                                f"-I{self.root}/include"], cwd=self.folder,
                               check=True)
                self.rest = [self.folder / f"{file.stem}.o" for file in files]
        return self.rest

    def of(self, src, folder, build):
        """Those of each part; None if the program fails."""
        pace = folder / "pace"
        counted = [src / f"{name}.c" for name in COUNTED]
        subprocess.run([*STEPS, *SEEN, *BUILDS[build], f"-I{src}",
                        f"-I{self.root}/include", *counted,
                        *self.compiled_rest(), "-o", pace, "-lpthread"],
                       check=True)
        parts = run(pace)
        return None if parts is None else [int(part) for part in parts.split()]


def takes_more(steps, before):
    """Whether any part takes more steps, by more than is allowed."""
    return any(100 * (now - then) > MOST_STEPS_MORE * then
               for now, then in zip(steps, before))


def code_of(src, folder, flags, name):
    """What gcc -O2 makes of a source. The name it is compiled by is in there."""
    subprocess.run(["gcc", "-w", "-O2", *flags, "-I../include", "-c", name,
                    "-o", folder / "code.o"], cwd=src, check=True)
    return (folder / "code.o").read_bytes()


def fails_a_proof(file, folder, tools):
    """Whether one of the quick proofs fails of this core, where CBMC is."""
    if file not in PROOFS:
        return False
    prove = [sys.executable, ROOT / "tests/proofs/prove.py", "--quick", "--src",
             folder, "--out", folder / "proofs", "--tools", tools, *PROOFS[file]]
    return subprocess.run(prove, capture_output=True, check=False).returncode == 1


class Core:
    """The core as it is: what its mutants are compared with. It passes."""
    def __init__(self, root, folder, tools):
        self.root = root
        self.tools = tools
        for build in BUILDS:
            wrong = dies(root / "src", build, folder)
            if wrong is not None:
                sys.exit(f"the core itself fails: {wrong}")
        self.folder = folder
        self.counter = Steps(root, folder)

    @functools.cached_property
    def steps(self):
        return {build: self.counter.of(self.root / "src", self.folder, build)
                for build in STEPS_BUILDS}

    @functools.cached_property
    def code(self):
        return {(build, name): code_of(self.root / "src", self.folder,
                                       BUILDS[build], f"{name}.c")
                for build in BUILDS for name in SOURCES}

    def has_the_code(self, src, folder):
        """Whether it is that of the core, each source in each build."""
        return all(code_of(src, folder, BUILDS[build], f"{name}.c") == code
                   for (build, name), code in self.code.items())

    def killer_of(self, file, folder):
        """What kills the mutant in the folder, or says that it is none; None if
        nothing does."""
        src = folder / "src"
        for build in BUILDS:
            killer = dies(src, build, folder)
            if killer is not None:
                return killer
        for build in STEPS_BUILDS:
            steps = self.counter.of(src, folder, build)
            if steps is None:
                return "undefined"
            if takes_more(steps, self.steps[build]):
                return "steps"
        if self.has_the_code(src, folder):
            return "the same code"
        return "proof" if fails_a_proof(file, folder, self.tools) else None


def trial_of(mutant, core):
    """The mutant, with what killed it."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        src = folder / "src"
        shutil.copytree(core.root / "src", src)
        shutil.copytree(core.root / "include", folder / "include")
        lines = (src / mutant.file).read_text().split("\n")
        lines[mutant.number] = mutant.new
        (src / mutant.file).write_text("\n".join(lines))
        mutant.killer = core.killer_of(mutant.file, folder)
    return mutant


def explained():
    """The survivors that have a reason: each a line of survivors.txt."""
    rows = [line.rsplit(" | ", 1) for line in SURVIVORS.read_text().splitlines()
            if line and not line.startswith("#")]
    return {key: reason for key, reason in rows}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-j", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--src", type=pathlib.Path, default=ROOT)
    parser.add_argument("--again", type=pathlib.Path)
    parser.add_argument("--tools", type=pathlib.Path,
                        default=ROOT / "build" / "proofs" / "tools" / "bin")
    return parser.parse_args()


def chosen(asked):
    """The mutants that were asked for."""
    names = [asked.only] if asked.only else FILES
    all_of_them = list(mutants(asked.src / "src", names))
    if asked.again:
        named = set(asked.again.read_text().splitlines())
        return [mutant for mutant in all_of_them if mutant.key() in named]
    return [mutant for mutant in all_of_them
            if zlib.crc32(mutant.key().encode()) % asked.every == 0]


NO_MUTANT = ("the compiler", "the same code")
KILLERS = ("the model", "undefined", "steps", "proof")


class Tally:
    """How many mutants of each file, and what killed them."""
    def __init__(self):
        self.rows = {}
        self.unexplained = 0

    def add(self, mutant, reasons):
        row = self.rows.setdefault(mutant.file, [0] * (len(KILLERS) + 2))
        row[0] += 1
        if mutant.killer is None:
            row[-1] += 1
            reason = reasons.get(mutant.key())
            self.unexplained += reason is None
            print(f"survives: {mutant.number + 1:4} {mutant.key()}"
                  f"{'' if reason is None else ' | ' + reason}", flush=True)
        else:
            row[1 + KILLERS.index(mutant.killer.split(",")[0])] += 1

    def tell(self):
        """The score in percent, after a table."""
        titles = ("mutants", *KILLERS, "survive")
        print(f"{'':12}", *(f"{title:>13}" for title in titles))
        rows = [*self.rows.items(), ("all", [sum(column) for column in
                                             zip(*self.rows.values())])]
        for name, row in rows:
            print(f"{name:12}", *(f"{number:13}" for number in row))
        total, *killed, _ = rows[-1][1]
        return 100 * sum(killed) / total


def main():
    asked = arguments()
    wanted = chosen(asked)
    if not wanted:
        print("there is no such mutant")
        return 1
    if asked.list:
        for mutant in wanted:
            print(f"{mutant.number + 1:4} {mutant.key()}")
        print(len(wanted))
        return 0
    if shutil.which("tcc") is None or shutil.which("gcc") is None:
        print("bitfit: tcc or gcc is missing, so no mutant can be tried")
        return NO_TOOL
    reasons = explained()
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(asked.j) as pool:
        core = Core(asked.src, pathlib.Path(folder), asked.tools)
        for mutant in pool.map(lambda mutant: trial_of(mutant, core), wanted):
            if mutant.killer not in NO_MUTANT:
                tally.add(mutant, reasons)
    score = tally.tell()
    print(f"{score:.1f} % killed; of the survivors {tally.unexplained} are not "
          f"explained in {SURVIVORS.name}")
    return 1 if tally.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
