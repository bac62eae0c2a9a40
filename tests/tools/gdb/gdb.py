#!/usr/bin/env python3
"""usage: gdb.py SCRIPT COMMAND SUBJECT MALLOC

The script's commands in gdb, on a live process and on its core file: pools of
the program's own, the malloc's, damaged ones, and what is no pool.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

SCRIPT, COMMAND, SUBJECT, MALLOC = map(os.path.abspath, sys.argv[1:])


def gdb(*commands, core=None, preload=False):
    arguments = ["gdb", "-nx", "-q", "-batch", "-ex",
                 "set debuginfod enabled off", "-ex", "source " + SCRIPT]
    if core is None:
        if preload:
            # The core file holds all of the pool.
            arguments += ["-ex", "set environment LD_PRELOAD " + MALLOC,
                          "-ex", "set environment BITFIT_POOL 16M"]
        arguments += ["-ex", "break stop_here", "-ex", "run"]
    for command in commands:
        arguments += ["-ex", command]
    environment = dict(os.environ, BITFIT_COMMAND=COMMAND, LC_ALL="C.UTF-8")
    done = subprocess.run(arguments + [SUBJECT] + ([core] if core else []),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", env=environment, timeout=280)
    return done.stdout


def expect(text, *patterns):
    for pattern in patterns:
        if not re.search(pattern, text, re.M):
            sys.exit("%s\nlacks: %s" % (text, pattern))


LOOK = ["bitfit pools", "bitfit check messages", "bitfit walk messages",
        "bitfit map messages", "bitfit owner second + 5", "bitfit owner &memory",
        "bitfit owner (char *)messages + 4096"]

SEEN = [
    r"^messages = 0x[0-9a-f]+: 256 of \d+ bytes in 2 blocks",
    r"^frames = 0x[0-9a-f]+: 5008 of \d+ bytes in 1 blocks",
    r"^0x[0-9a-f]+: whole: 256 of",
    r"^0x[0-9a-f]+ hole of 112 bytes\n0x[0-9a-f]+ block of 48 bytes\n"
    r"0x[0-9a-f]+ block of 208 bytes\n0x[0-9a-f]+ hole of \d+ bytes$",
    r"^the pool at 0x",
    r": byte 5 of a block of 48 bytes at 0x[0-9a-f]+ in messages$",
    r"^0x[0-9a-f]+ is in no pool$",
]


def live_and_dead(folder):
    core = os.path.join(folder, "core")
    text = gdb(*LOOK, "generate-core-file " + core)
    expect(text, *SEEN)
    expect(gdb(*LOOK, core=core), *SEEN)
    map_of_core(core)


def command(*arguments):
    done = subprocess.run([COMMAND, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", timeout=100)
    assert done.returncode in (0, 3), done
    return done.stdout + done.stderr


def map_of_core(core):
    """The command draws the core file's pools, without gdb."""
    several = command("map", core)
    expect(several, "there are 2 pools: add one, as in FILE@0x")
    seen = [json.loads(command("map", "--json", core + "@" + address))
            for address in re.findall("0x[0-9a-f]+", several)]
    assert sorted(pool["live"] for pool in seen) == [256, 5008], seen
    assert not any(pool["torn"] for pool in seen), seen
    expect(command("map", core + "@0x8"), "no memory at that address")
    expect(command("map", core + "@x"), "no address")
    with open(core, "rb") as file:
        whole = file.read()
    cut = core + ".cut"
    for size in (64, 100, 500, 5000, len(whole) // 2, len(whole) - 4000):
        with open(cut, "wb") as file:
            file.write(whole[:size])
        assert "bitfit map: " in command("map", cut) or size > 5000
    os.unlink(cut)


def what_is_no_pool():
    """And, at the end, a pool whose map was written over."""
    text = gdb("bitfit check 8", "bitfit check &other_memory[100000]",
               "bitfit map", "bitfit check no_such_name", "bitfit owner",
               "bitfit owner no_such_name", "bitfit walk 12 13",
               "bitfit map 'text'", "bitfit owner -1",
               "python payload = Pool(int(gdb.parse_and_eval('messages'))).payload",
               "python gdb.selected_inferior().write_memory("
               "payload - 64, b'\\x55' * 64)",
               "bitfit check messages",
               "set var messages = (bitfit_pool *)77", "bitfit pools")
    expect(text, "there is no memory at 0x8", "no pool, or another",
           "there are 2 pools: name one", "^bitfit owner ADDRESS",
           "^bitfit: no_such_name is no address: No symbol",
           "^bitfit: 12 13 is no address: ", "^bitfit: 'text' is no address: ",
           "^0xffffffffffffffff is in no pool",
           "damaged, or a call was changing it|no pool, or another", r"^frames = ")
    if "Python Exception" in text:
        sys.exit("gdb is told in words, not in Python's:\n" + text)


def the_malloc(folder):
    core = os.path.join(folder, "malloc.core")
    text = gdb("bitfit pools", "generate-core-file " + core, preload=True)
    expect(text, r"^malloc = 0x[0-9a-f]+: \d+ of \d+ bytes", "^messages = ")
    expect(gdb("bitfit pools", core=core), r"^malloc = 0x", "^messages = ")
    figures = json.loads(command("map", "--json", core))
    shown = re.search(r"^malloc = 0x[0-9a-f]+: (\d+) of", text, re.M)
    assert 0 < figures["live"] <= int(shown.group(1)), (figures, text)


with tempfile.TemporaryDirectory() as work:
    live_and_dead(work)
    what_is_no_pool()
    the_malloc(work)
