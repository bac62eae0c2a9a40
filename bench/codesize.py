#!/usr/bin/env python3
"""How much code a program takes that makes a heap, allocates and frees.

Compiles with -Os and a section for each function, links with --gc-sections from
the three functions on, and adds up what is left of code and constants. Calls
into the C library (memset and the like) are named but not counted.

    codesize.py                                   bitfit, every variant
    codesize.py --peer tlsf "a.c" "init alloc free" [flags]   another allocator
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SYMBOLS = "bitfit_init bitfit_alloc bitfit_free"
TARGETS = {
    "cortex-m4": ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb",
                  "-ffreestanding"],
    "x86-64": ["gcc"],
}
VARIANTS = {
    "bitfit": [],
    "bitfit, -flto": ["-flto"],
    "bitfit, no index": ["-DBITFIT_NO_INDEX"],
    "bitfit, no index, -flto": ["-DBITFIT_NO_INDEX", "-flto"],
}


def c_library(compiler):
    """Where picolibc's headers are, for peers that include some."""
    asked = subprocess.run([compiler, "--specs=picolibc.specs", "-xc", "-E",
                            "-v", "/dev/null"], capture_output=True, text=True)
    return re.findall(r"^ (\S*picolibc\S*)$", asked.stderr, re.M)[:1]


def tool(compiler, name):
    """The binutils that go with a compiler."""
    return compiler.removesuffix("gcc") + name


def link(target, sources, symbols, flags, folder):
    command = list(TARGETS[target])
    if target == "cortex-m4":
        command += [f"-isystem{path}" for path in c_library(command[0])]
    out = folder / "linked"
    first, *rest = symbols.split()
    roots = [f"-Wl,-u,{symbol}" for symbol in rest]
    subprocess.run(
        command + ["-std=gnu11", "-Os", "-DNDEBUG", "-w", "-ffunction-sections",
                   "-fdata-sections", "-fno-asynchronous-unwind-tables",
                   "-fno-pic", "-no-pie", "-nostdlib", "-static",
                   "-Wl,--gc-sections", "-Wl,--unresolved-symbols=ignore-all",
                   f"-Wl,-e,{first}", f"-Wl,-u,{first}",
                   *roots, *flags, *map(str, sources), "-o", str(out)],
        check=True)
    return command[0], out


def measure(target, sources, symbols, flags):
    with tempfile.TemporaryDirectory() as folder:
        compiler, out = link(target, sources, symbols, flags,
                             pathlib.Path(folder))
        table = subprocess.run([tool(compiler, "size"), "-A", str(out)],
                               check=True, capture_output=True, text=True)
        names = subprocess.run([tool(compiler, "nm"), "-u", str(out)],
                               check=True, capture_output=True, text=True)
    sizes = {"text": 0, "constants": 0, "data": 0}
    for name, size in re.findall(r"^(\.\S+)\s+(\d+)", table.stdout, re.M):
        if name.startswith((".text", ".init", ".fini")):
            sizes["text"] += int(size)
        elif name.startswith((".rodata", ".ARM")):
            sizes["constants"] += int(size)
        elif name.startswith((".data", ".bss")):
            sizes["data"] += int(size)
    sizes["total"] = sum(sizes.values())
    sizes["library_calls"] = names.stdout.split()[1::2]
    return sizes


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--peer", nargs=4, action="append", default=[],
                        metavar=("NAME", "SOURCES", "SYMBOLS", "FLAGS"))
    given = parser.parse_args()
    jobs = [(name, sorted((ROOT / "src").glob("*.c")), SYMBOLS,
             flags + [f"-I{ROOT / 'include'}"])
            for name, flags in VARIANTS.items()]
    jobs += [(name, sources.split(), symbols, flags.split())
             for name, sources, symbols, flags in given.peer]
    rows = []
    for target in TARGETS:
        if not shutil.which(TARGETS[target][0]):
            print(f"{TARGETS[target][0]} is missing: no figures for {target}",
                  file=sys.stderr)
            continue
        for name, sources, symbols, flags in jobs:
            row = {"peer": name, "target": target}
            row.update(measure(target, sources, symbols, flags))
            rows.append(row)
            print(f"{target:10} {name:23} {row['total']:6} bytes  "
                  f"(code {row['text']}, constants {row['constants']}, "
                  f"data {row['data']}; needs "
                  f"{' '.join(row['library_calls']) or 'nothing'})")
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps({"code": rows}, indent=1)
                                            + "\n")


if __name__ == "__main__":
    main()
