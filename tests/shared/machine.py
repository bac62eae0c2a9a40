#!/usr/bin/env python3
"""usage: machine.py KERNEL COMPILER EMULATOR... -- KILLS [SIZE]

kills.c on another machine, emulated whole with a Linux kernel of its own: a
robust lock is the kernel's work, and the emulators of single programs leave it
out. KERNEL is an image for that machine, such as Debian's linux-image-cloud-arm64
has in /boot; COMPILER is a gcc for it; EMULATOR is what runs a kernel, as in

    machine.py vmlinuz aarch64-linux-gnu-gcc \\
        qemu-system-aarch64 -M virt -cpu cortex-a57 -smp 2 -- 1000

The test is the machine's only process, and its files are in memory.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = sorted(ROOT.glob("src/*.c")) + [ROOT / "tests/shared/kills.c"]
PASSED = "0 lost, 0 leaked"
# At the end it says that its first process is gone.
KERNEL_SAYS = re.compile(r"\[ *\d+\.\d+\]")


def compile_test(compiler, path):
    subprocess.run([compiler, "-std=gnu11", "-O2", "-DNDEBUG", "-static",
                    f"-I{ROOT}/include", *SOURCES, "-pthread", "-o", path],
                   check=True)


def padded(data):
    return data + bytes(-len(data) % 4)


def archive_entry(name, mode, data):
    """One file of a cpio archive, in the form that kernels unpack."""
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = "070701" + "".join(f"{field:08X}" for field in fields)
    return padded(head.encode() + name.encode() + b"\0") + padded(data)


def write_files(path, program):
    path.write_bytes(archive_entry("kills", 0o100755, program.read_bytes()) +
                     archive_entry("TRAILER!!!", 0, b""))


def run(kernel, compiler, emulator, arguments):
    with tempfile.TemporaryDirectory() as folder:
        program, files = (pathlib.Path(folder, name)
                          for name in ("kills", "files.cpio"))
        compile_test(compiler, program)
        write_files(files, program)
        machine = subprocess.Popen(
            [*emulator, "-nographic", "-no-reboot", "-nic", "none", "-m", "256", "-kernel",
             kernel, "-initrd", files, "-append",
             "quiet panic=-1 rdinit=/kills -- " + " ".join(arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            errors="replace")
        passed = False
        for line in map(str.rstrip, machine.stdout):
            if not KERNEL_SAYS.match(line):
                print(line, flush=True)
            passed = passed or line.endswith(PASSED)
        machine.wait()
    return passed


def main():
    given = sys.argv[1:]
    if "--" not in given[3:]:
        sys.exit(__doc__)
    split = given.index("--")
    kills, *size = given[split + 1:]
    sys.exit(0 if run(given[0], given[1], given[2:split],
                      [kills, "/pool", *size]) else 1)


if __name__ == "__main__":
    main()
