#!/usr/bin/env python3
"""usage: page.py PAGE

Measures the pool on emulated boards and writes docs/BOARDS.md, or another PAGE:
what a call costs, what the code weighs, what a small pool holds, and how much
memory never fails. QEMU counts instructions, so that every run gives the same.
"""

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

    def build(self, program, output, *options):
        flash, ram = self.memory
        command = [
            self.compiler, *self.flags.split(), "-std=gnu11", *options,
            "-DBITFIT_FREESTANDING=1", "-ffunction-sections",
            "-fdata-sections", "-Wl,--gc-sections",
            "-I" + os.path.join(ROOT, "include"),
            os.path.join(HERE, program), *SOURCES, "-o", output,
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


def measured(folder, board, *options):
    """The lines that measure.c prints, as lists of words."""
    program = os.path.join(folder, "measure.elf")
    board.build("measure.c", program, "-O2", *options)
    return [line.split() for line in board.run(program).splitlines()]


def costs(folder):
    rows = []
    for board in BOARDS:
        for words in measured(folder, board):
            if words[0] == "calls" and words[1] != "2048":
                size = f"{int(words[1]) // 1024} KiB"
                rows.append([board.name, size, *words[3:6], *words[7:10]])
    return table(
        ["", "Pool", "alloc, least", "mean", "worst", "free, least", "mean",
         "worst"], rows)


def weights(folder):
    rows = []
    for board in BOARDS:
        row = [board.name]
        for options in ([], ["-DBITFIT_NO_INDEX"]):
            program = os.path.join(folder, "least.elf")
            board.build("least.c", program, "-Os", "-nostartfiles",
                        "-Wl,-e,main", *options)
            row.append(f"{board.code_size(program):,}")
        rows.append(row)
    return table(["", "with the index", "`BITFIT_NO_INDEX`"], rows)


def usable(folder):
    """The bytes that small pools hand out, on each board."""
    found = {}
    for board in BOARDS[1:]:
        for options in ([], ["-DBITFIT_NO_INDEX"]):
            for words in measured(folder, board, *options):
                if words[0] == "usable":
                    found.setdefault(int(words[1]), []).append(words[2])
    head = ["Pool"]
    for board in BOARDS[1:]:
        head += [board.name, "`BITFIT_NO_INDEX`"]
    return table(head, [[f"{size:,}", *row] for size, row in found.items()])


def worst_cases():
    """Granules that always suffice, for blocks of up to n granules of which M
    are live: by first fit, and by halving powers of two."""
    rows = []
    for n in (2, 4, 8, 16, 32, 64):
        harmonic = sum(1 / i for i in range(1, n + 1))
        first_fit = harmonic / math.log(2)
        halving = 2 * (1 + math.ceil(math.log2(n)))
        rows.append([n, f"{first_fit:.2f} M", f"{halving:.2f} M",
                     "█" * round(first_fit * 2), "░" * round(halving * 2)])
    return table(["n", "bitfit", "o1heap", "bitfit", "o1heap"], rows)


PAGE = """\
# bitfit on boards

`make boards-page` writes this page. QEMU counts the instructions, so that every run gives the same
figures. `make boards` runs the pool's tests on all of its platforms: Cortex-M0, M3, M4, M7, M33 and
M55, RISC-V with 32 and 64 bits, i386, ARM, AArch64, s390x (whose bytes have the other order), POWER
and WebAssembly. They are built without a system where the platform has none. On each of them, in
each build, a script of 40,000 calls puts every block at the same place.

## Instructions for a call

A pool without a lock, its bookkeeping inside, three quarters full. One block in 16 has up to an
eighth of the pool, the others up to 96 bytes. `gcc -O2`; 4,000 calls after 4,000 to warm up.

{costs}
## Code

What a program links that makes a pool, takes a block and gives it back: code and constants in
bytes, the compiler's helpers included. `gcc -Os -Wl,--gc-sections`.

{weights}
## What a small pool holds

Bytes that are handed out, at a granule of 16. With the bookkeeping elsewhere it is all of them.

{usable}
## Memory that never fails

M bytes are live at most, in blocks of up to n granules. With so much memory no request fails,
whatever the order of calls. The formula of bitfit is that of first fit, `M H(n) / ln 2`;
[`bitfit_bytes_for()`](../include/bitfit.h) calculates it. That of o1heap, which rounds sizes up to
powers of two, is `2 M (1 + ceil(log2 n))` by its documentation.

{worst}
## Where bitfit is run, and where only compiled

The tests run it on the platforms named above, and the Rust crate on a Cortex-M3. The heap of FreeRTOS
runs on the machine that builds it, against a stand-in for the kernel, and is compiled for a
Cortex-M4. The files for Zephyr, ESP-IDF and PlatformIO are built by stand-ins for these systems'
builds; they were not run under the systems themselves.
"""


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    with tempfile.TemporaryDirectory() as folder:
        page = PAGE.format(
            costs=costs(folder), weights=weights(folder),
            usable=usable(folder), worst=worst_cases(),
        )
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
