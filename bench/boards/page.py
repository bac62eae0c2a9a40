#!/usr/bin/env python3
"""usage: page.py [--peer NAME VERSION FOLDER]... PAGE

Measures the pool on emulated boards and writes docs/BOARDS.md, or another PAGE:
what a call costs, what the code weighs, what a small pool holds, and how much
memory never fails. QEMU counts instructions, so that every run gives the same.

--peer measures another allocator, too, and keeps its figures in peers.json for
the next page. All of the FOLDER's C sources are compiled. One of them has to
define bench_peer_entry(), of which bench/boards/bitfit.c is an example.
"""

import argparse
import glob
import json
import math
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, "bench", "boards")
SOURCES = sorted(
    os.path.join(ROOT, "src", name)
    for name in os.listdir(os.path.join(ROOT, "src"))
    if name.endswith(".c")
)


class Board:
    """A processor: its compiler's words, and the machine that runs it."""

    def __init__(self, name, compiler, flags, memory, qemu):
        self.name, self.compiler, self.flags = name, compiler, flags
        self.memory, self.qemu = memory, qemu

    def build(self, program, sources, output, *options):
        flash, ram = self.memory
        command = [
            self.compiler, *self.flags.split(), "-std=gnu11", *options,
            "-DBITFIT_FREESTANDING=1", "-DNDEBUG", "-ffunction-sections",
            "-fdata-sections", "-Wl,--gc-sections",
            "-I" + os.path.join(ROOT, "include"),
            "-I" + os.path.join(ROOT, "bench"),
            os.path.join(HERE, program), *sources, "-o", output,
        ]
        if "-nostartfiles" not in options:
            command += [
                "--oslib=semihost", "--crt0=hosted",
                f"-Wl,--defsym=__flash={flash}",
                "-Wl,--defsym=__flash_size=0x400000",
                f"-Wl,--defsym=__ram={ram}",
                "-Wl,--defsym=__ram_size=0x400000",
            ]
        subprocess.run(command, check=True)

    def run(self, program):
        command = [
            *self.qemu.split(), "-nographic", "-monitor", "none",
            "-serial", "none",
            "-semihosting-config", "enable=on,target=native",
            "-kernel", program,
        ]
        return subprocess.run(
            command, check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=300,
        ).stdout

    def code_size(self, program):
        """Bytes of code and constants, and of data that flash holds."""
        size = self.compiler.replace("-gcc", "-size")
        words = subprocess.run(
            [size, program], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.splitlines()[1].split()
        return int(words[0]) + int(words[1])


ARM = "--specs=picolibc.specs -mthumb -mcpu="
BOARDS = [
    # The machine's processor runs the code of the smaller ones, too, and an
    # instruction counts as one on each.
    Board("Cortex-M0+", "arm-none-eabi-gcc", ARM + "cortex-m0plus",
          ("0", "0x20000000"),
          "qemu-system-arm -M mps2-an385 -icount shift=10"),
    Board("Cortex-M4", "arm-none-eabi-gcc", ARM + "cortex-m4",
          ("0", "0x20000000"),
          "qemu-system-arm -M mps2-an386 -icount shift=10"),
    Board("RISC-V, 32 bits", "riscv64-unknown-elf-gcc",
          "--specs=picolibc.specs -march=rv32imac -misa-spec=2.2 "
          "-mabi=ilp32 -mcmodel=medany", ("0x80000000", "0x80400000"),
          "qemu-system-riscv32 -M virt -bios none -icount shift=0"),
]


def table(head, rows):
    """A table of Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


BUILDS = {"bitfit": [], "small build": ["-DBITFIT_SMALL"]}
PEERS = os.path.join(HERE, "peers.json")


def lines_of(folder, board, program, sources, *options):
    """What a program of this folder prints on the board, as lists of words."""
    output = os.path.join(folder, "program.elf")
    board.build(program, sources, output, "-O2", *options)
    return [line.split() for line in board.run(output).splitlines()]


def costs_of(folder, board, sources, *options):
    """For each kind of load, the figures of each size: least, mean and worst of
    alloc and of free, and per cent refused."""
    found = {"calls": {}, "light": {}}
    for words in lines_of(folder, board, "measure.c", sources, *options):
        found[words[0]][words[1]] = words[3:6] + words[7:10] + [words[11]]
    return found


def weight_of(folder, board, program, sources, *options):
    output = os.path.join(folder, "least.elf")
    board.build(program, sources, output, "-Os", "-nostartfiles",
                "-Wl,-e,main", *options)
    return board.code_size(output)


def measure_peer(folder, name, version, sources_folder):
    """Adds a peer's figures to those that are kept."""
    sources = sorted(glob.glob(os.path.join(sources_folder, "*.c")))
    include = "-I" + sources_folder
    peers = kept_peers()
    peers[name] = {
        "version": version,
        "costs": {board.name: costs_of(folder, board, sources, include)
                  for board in BOARDS},
        "bytes": {board.name: weight_of(folder, board, "least_peer.c",
                                        sources, include)
                  for board in BOARDS},
    }
    with open(PEERS, "w", encoding="utf-8") as file:
        json.dump(peers, file, indent=1, sort_keys=True)
        file.write("\n")


def kept_peers():
    if not os.path.exists(PEERS):
        return {}
    with open(PEERS, encoding="utf-8") as file:
        return json.load(file)


def all_costs(folder):
    """What costs_of() finds, by board and allocator."""
    ours = os.path.join(HERE, "bitfit.c")
    found = {}
    for board in BOARDS:
        found[board.name] = {
            name: costs_of(folder, board, [ours, *SOURCES], *options)
            for name, options in BUILDS.items()
        }
        for name, peer in kept_peers().items():
            found[board.name][name] = peer["costs"][board.name]
    return found


NO_HEAP = ["–"] * 6 + ["100"]


def heap_rows(found, load):
    """Of one board: size, allocator and figures. No line is no heap."""
    for size in found["bitfit"][load]:
        for name, loads in found.items():
            figures = loads[load].get(size, NO_HEAP)
            if figures[6] == "100":
                figures = NO_HEAP
            yield f"{int(size) // 1024} KiB", name, figures


def costs(found):
    text = ""
    for board, allocators in found.items():
        rows = [
            [size, name, *row[:6], "" if row[6] == "0" else row[6] + " %"]
            for size, name, row in heap_rows(allocators, "calls")
        ]
        text += f"### {board}\n\n" + table(
            ["Pool", "", "alloc, least", "mean", "worst", "free, least",
             "mean", "worst", "refused"], rows) + "\n"
    return text


def light_costs(found):
    """The means of alloc and free on each board, where heaps are light."""
    rows = {}
    for allocators in found.values():
        for size, name, row in heap_rows(allocators, "light"):
            rows.setdefault((size, name), []).extend(
                [row[1], row[4], "" if row[6] == "0" else row[6] + " %"])
    head = ["Pool", ""]
    for board in found:
        head += [f"{board}: alloc", "free", "refused"]
    return table(head, [[*key, *row] for key, row in rows.items()])


def weights(folder):
    builds = {"bitfit": [], "without guards": ["-DBITFIT_NO_GUARD"],
              "without index": ["-DBITFIT_NO_INDEX"],
              "without both": ["-DBITFIT_NO_GUARD", "-DBITFIT_NO_INDEX"],
              "small build": ["-DBITFIT_SMALL"]}
    peers = kept_peers()
    rows = []
    for board in BOARDS:
        weighed = [weight_of(folder, board, "least.c", SOURCES, *options)
                   for options in builds.values()]
        weighed += [peer["bytes"][board.name] for peer in peers.values()]
        rows.append([board.name, *(f"{size:,}" for size in weighed)])
    return table(["", *builds, *peers], rows)


def usable(folder):
    """The bytes that small pools hand out, on each board."""
    found = {}
    for board in BOARDS[1:]:
        for options in BUILDS.values():
            for words in lines_of(folder, board, "usable.c", SOURCES,
                                  *options):
                found.setdefault(int(words[1]), []).append(f"{int(words[2]):,}")
    head = ["Pool"]
    for board in BOARDS[1:]:
        head += [board.name, "`BITFIT_SMALL`"]
    return table(head, [[f"{size:,}", *row] for size, row in found.items()])


def peers_named():
    """Which versions of the others were measured."""
    named = [f"{name} is {peer['version']}"
             for name, peer in kept_peers().items()]
    return "; ".join(named) + "." if named else ""


def worst_cases():
    """Granules that always suffice, for blocks of up to n granules of which M
    are live: by first fit, by the best that rounds up to powers of two, and by
    halving powers of two."""
    rows = []
    for n in (2, 4, 8, 16, 32, 64):
        harmonic = sum(1 / i for i in range(1, n + 1))
        factors = (harmonic / math.log(2), 2 + math.log2(n),
                   2 * (1 + math.ceil(math.log2(n))))
        rows.append([n, *(f"{factor:.2f} M" for factor in factors),
                     *(sign * round(factor * 2)
                       for sign, factor in zip("█▓░", factors))])
    names = ["bitfit", "powers of two", "o1heap"]
    return table(["n", *names, *names], rows)


PAGE = """\
# bitfit on boards

`make boards-page` writes this page. QEMU counts the instructions, so that every run gives the same
figures. `make boards` runs the pool's tests on all of its platforms: Cortex-M0, M3, M4, M7, M33 and
M55, a micro:bit, RISC-V with 32 and 64 bits, i386, ARM, AArch64, s390x (whose bytes have the other
order), POWER and WebAssembly. They are built without a system where the platform has none. On each of
them, in each build, a script of 40,000 calls puts every block at the same place, and so does a shorter
script in the [small build](../include/bitfit.h).

## Instructions for a call

A pool without a lock, its bookkeeping inside, three quarters full. One block in 16 has up to an
eighth of the pool, the others up to 96 bytes. `gcc -O2 -DNDEBUG`; 4,000 calls after 4,000 to warm up.
"Refused" are the requests that found no place. Refusing is quick, so a high share makes a mean small.

{peers}
Their code is not part of bitfit; `bench/boards/page.py --help` says how to measure another allocator.

{costs}### Light loads

Pools of which a quarter is in use, in blocks of up to 64 bytes, so that those that round sizes up can
serve, too. The figures are means.

{light}
## Code

What a program links that makes a pool, takes a block and gives it back: code and constants in
bytes, the compiler's helpers and the program itself included. `gcc -Os -Wl,--gc-sections`. The builds
are `BITFIT_NO_GUARD`, `BITFIT_NO_INDEX`, both, and `BITFIT_SMALL`. TLSF and o1heap are called through a
table of three functions.

{weights}
## What a small pool holds

Bytes that are handed out, at a granule of 16. With the bookkeeping elsewhere it is all of them.

{usable}
## Memory that never fails

M bytes are live at most, in blocks of up to n granules. With so much memory no request fails,
whatever the order of calls. For bitfit the formula is that of first fit, `M H(n) / ln 2`;
[`bitfit_bytes_for()`](../include/bitfit.h) calculates it. Whoever rounds blocks up to powers of two
has up to 2 M live; the least that can then suffice is `2 M (1 + log2(n) / 2)`, by Robson, whatever the
strategy. For o1heap, which rounds up and halves, it is `2 M (1 + ceil(log2 n))` by its documentation.

{worst}
## Where bitfit is run, and where only compiled

| System | What is done | By |
|---|---|---|
| no system | the pool's tests run on the platforms named above | `make boards` |
| FreeRTOS | the heap runs on the machine that builds it, against a stand-in for the kernel; it is compiled for a Cortex-M4 | `make test` |
| Zephyr | the module, the sample, the tests and the shell command run on the machine that builds them, against a stand-in for build and kernel; the module is compiled for a Cortex-M4 | `make test` |
| ESP-IDF | the component and its example are built by a stand-in for the build, and the example runs | `make test` |
| RIOT | the package is compiled for a Cortex-M4 by a stand-in for the build | `make test` |
| PlatformIO, Arduino | the library, and Arduino's sketch, are compiled for a Cortex-M4 | `make test` |
| Rust | the crate's example runs on an emulated Cortex-M3 | `make test` |

The heap of FreeRTOS has also run by hand under the kernel itself (FreeRTOS-Kernel 4269c69, its POSIX
port): four tasks made 10,000 blocks and freed all of them, and a double free failed one
`configASSERT()`. Under the builds and kernels of Zephyr, ESP-IDF and RIOT nothing has run yet.
"""


def main():
    parser = argparse.ArgumentParser(
        usage=__doc__.partition("\n")[0].removeprefix("usage: "),
        description=__doc__.partition("\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", nargs=3, action="append", default=[],
                        help=argparse.SUPPRESS)
    parser.add_argument("page")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, version, sources in arguments.peer:
            measure_peer(folder, name, version, os.path.abspath(sources))
        found = all_costs(folder)
        page = PAGE.format(
            costs=costs(found), light=light_costs(found), weights=weights(folder),
            usable=usable(folder), worst=worst_cases(), peers=peers_named(),
        )
    with open(arguments.page, "w", encoding="utf-8") as file:
        file.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
