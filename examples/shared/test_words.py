#!/usr/bin/env python3
"""
usage: test_words.py WORDS LIBBITFIT.SO
words and words.py by turns, on one file; then some are killed while they add.
The list then has whole words, in their order, and nothing else is allocated.
"""
import pathlib
import random
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
CXX = [sys.argv[1]]
PYTHON = [sys.executable, str(HERE / "words.py"), sys.argv[2]]
KILLS = 8


def run(program, path, *words):
    return subprocess.run([*program, path, *words], check=True, text=True,
                          capture_output=True).stdout.split()


def content(path):
    return pathlib.Path(path).read_bytes()


def kill_while_adding(program, path, words, dice):
    process = subprocess.Popen([*program, path, *words], text=True,
                               stdout=subprocess.DEVNULL)
    while process.poll() is None and words[0].encode() not in content(path):
        time.sleep(0.001)
    time.sleep(dice.random() * 0.005)
    process.kill()
    process.wait()


def main():
    dice = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/words.pool"
        assert run(CXX, path, "one", "two") == ["one", "two"]
        assert run(PYTHON, path, "three") == ["one", "two", "three"]
        assert run(CXX, path, "four") == ["one", "two", "three", "four"]
        seen = run(PYTHON, path)
        for i in range(KILLS):
            words = [f"{i}-{k}." for k in range(1000)]
            kill_while_adding((CXX, PYTHON)[i % 2], path, words, dice)
            now = run((PYTHON, CXX)[i % 2], path)
            assert now[:len(seen)] == seen, (seen, now)
            assert now[len(seen):] == words[:len(now) - len(seen)], now
            seen = now
        assert run(CXX, path) == seen  # which says if a block is lost
        print(f"{len(seen)} words, {KILLS} kills")


main()
