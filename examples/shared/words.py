#!/usr/bin/env python3
"""
usage: words.py LIBBITFIT.SO FILE [WORD...]
Adds words to a list in a file, and prints them all, as words.cpp does, which
says how. Python has no other part in it than to call: blocks are read and
written where they lie in the mapped file.
"""
import ctypes
import fcntl
import mmap
import os
import sys

SIZE = 1 << 20
LINK = ctypes.c_uint64
NO_POOL = 9  # BITFIT_NO_POOL


def load(path):
    """The calls that are used, with their types."""
    library = ctypes.CDLL(path)
    pool, slot = ctypes.c_void_p, ctypes.c_void_p
    for name, result, *arguments in (
            ("init_shared", pool, ctypes.c_void_p, ctypes.c_size_t,
             ctypes.c_void_p),
            ("attach", pool, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_bool,
             ctypes.POINTER(ctypes.c_int)),
            ("status_text", ctypes.c_char_p, ctypes.c_int),
            ("root", slot, pool, ctypes.c_uint),
            ("follow", ctypes.c_void_p, pool, LINK),
            ("calloc_into", ctypes.c_bool, pool, ctypes.c_size_t,
             ctypes.c_size_t, slot),
            ("free_from", None, pool, slot),
            ("swap", None, pool, slot, slot)):
        call = getattr(library, "bitfit_" + name)
        call.restype, call.argtypes = result, arguments
    return library


def open_pool(bitfit, path):
    """The pool in the file, or a new one if there is none."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX)
    os.ftruncate(file, SIZE)
    memory = mmap.mmap(file, SIZE)
    place = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    status = ctypes.c_int()
    pool = bitfit.bitfit_attach(place, SIZE, True, ctypes.byref(status))
    if status.value == NO_POOL:
        pool = bitfit.bitfit_init_shared(place, SIZE, None)
    if not pool:
        why = bitfit.bitfit_status_text(status.value).decode()
        sys.exit(f"{path}: {why}")
    return pool, memory, file


def words(bitfit, pool):
    """The slot that leads to each word, and the word's address; the last slot
    leads to none."""
    slot = bitfit.bitfit_root(pool, 0)
    while True:
        word = bitfit.bitfit_follow(pool, LINK.from_address(slot).value)
        yield slot, word
        if word is None:
            return
        slot = word  # a word begins with the link to the next


def add(bitfit, pool, text):
    hand = bitfit.bitfit_root(pool, 1)
    *_, (end, _) = words(bitfit, pool)
    room = ctypes.sizeof(LINK) + len(text) + 1
    if not bitfit.bitfit_calloc_into(pool, 1, room, hand):
        sys.exit("there is no room")
    word = bitfit.bitfit_follow(pool, LINK.from_address(hand).value)
    ctypes.memmove(word + ctypes.sizeof(LINK), text, len(text))
    bitfit.bitfit_swap(pool, hand, end)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    bitfit = load(sys.argv[1])
    pool, *kept = open_pool(bitfit, sys.argv[2])
    bitfit.bitfit_free_from(pool, bitfit.bitfit_root(pool, 1))
    for text in sys.argv[3:]:
        add(bitfit, pool, os.fsencode(text))
    for _, word in words(bitfit, pool):
        if word is not None:
            text = ctypes.string_at(word + ctypes.sizeof(LINK))
            print(os.fsdecode(text), flush=True)


main()
