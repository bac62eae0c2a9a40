#!/usr/bin/env python3
"""usage: ordinary.py COMPILER [FLAG...]

What shared pools and pools of offsets cost the others: callgrind counts the
instructions of a program with an ordinary pool, over the core as it is and over
a copy without these rooms. Fails if the first are more by above 0.1 %.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST = 0.001
PROGRAM = r"""
#include "bitfit.h"

static _Alignas(16) unsigned char memory[1 << 20];
static void *blocks[2000];

int main(void)
{
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, 0);
    uint32_t dice = 1;
    for (int i = 0; i < 100000; i++) {
        dice = dice * 1664525u + 1013904223u;
        void **block = &blocks[(dice >> 8) % 2000];
        if (i % 8 == 0) {
            *block = bitfit_realloc(pool, *block, 16 + (dice >> 20) % 480);
            continue;
        }
        bitfit_free(pool, *block);
        *block = bitfit_alloc(pool, 16 + (dice >> 20) % 480);
    }
    return (int)bitfit_check(pool);
}
"""

# In the copy no pool is shared, and no call looks for one.
ASKS = """    return BF_HAS_SHARED_MUTEX && pool->lock_kind == (uint8_t)BF_LOCK_SHARED;
"""
NEVER = """    (void)pool;
    return false;
"""
ROOMS = ["offsets.c", "shared.c", "recover.c"]


def without_the_rooms(folder):
    shutil.copytree(ROOT / "src", folder)
    intent = folder / "intent.h"
    text = intent.read_text()
    if text.count(ASKS) != 1:
        sys.exit("intent.h asks for a shared pool in another way now")
    intent.write_text(text.replace(ASKS, NEVER))
    for room in ROOMS:
        (folder / room).unlink()
    return folder


def build(compile_command, sources, program, source_file):
    files = [path for path in sorted(sources.glob("*.c"))]
    subprocess.run([*compile_command, f"-I{ROOT}/include", source_file, *files,
                    "-pthread", "-o", program], check=True)


def instructions(program):
    ran = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         program], check=True, capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", ran.stderr)[1])


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        source = folder / "program.c"
        source.write_text(PROGRAM)
        taken = []
        for kind, sources in (("with", ROOT / "src"),
                              ("without", without_the_rooms(folder / "src"))):
            program = folder / kind
            build(sys.argv[1:], sources, program, source)
            taken.append(instructions(program))
            print(f"{kind:8} {taken[-1]:12,} instructions")
    more = taken[0] / taken[1] - 1
    print(f"{100 * more:+.4f} %")
    sys.exit(more > MOST)


if __name__ == "__main__":
    main()
