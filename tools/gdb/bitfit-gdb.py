"""bitfit's pools in gdb, in a live process and in a core file.

    bitfit pools            every pool that can be found, with its figures
    bitfit map [POOL]       its picture
    bitfit walk [POOL]      its blocks and holes
    bitfit check [POOL]     whether its bookkeeping is whole
    bitfit owner ADDRESS    which block or hole an address lies in

POOL is an expression; without one, the only pool there is. Pools are found where
variables of type `bitfit_pool *` point, and in a program under `bitfit run`.

Nothing runs in the process: its bookkeeping is copied and given to the command
`bitfit map`, of the same version as the library. BITFIT_COMMAND names another
one than that of the PATH.
"""
import bisect
import functools
import json
import os
import re
import struct
import subprocess
import tempfile

import gdb

PAGE = 4096
# As much bookkeeping is tried to be read, where nobody says how much there is.
SIZES = [1 << shift for shift in (13, 16, 19, 22, 25, 28)]
FRAMES_MAX = 200
# malloc/published.h
PUBLISHED_NAME = "memfd:bitfit-pool"
PUBLISHED = struct.Struct("<Q16sQQ")
PUBLISHED_MAGIC = 0x3150746966746962


def command():
    return os.environ.get("BITFIT_COMMAND", "bitfit")


# ------------------------------------------------------------------ the memory


def read(address, size):
    """As many of the bytes as there are, in whole pages behind the first."""
    inferior = gdb.selected_inferior()
    try:
        return bytes(inferior.read_memory(address, size))
    except (gdb.MemoryError, OverflowError):
        pass
    pieces = []
    end = address + size
    while address < end:
        length = min(PAGE - address % PAGE, end - address)
        try:
            pieces.append(bytes(inferior.read_memory(address, length)))
        except (gdb.MemoryError, OverflowError):
            break
        address += length
    return b"".join(pieces)


class Pool:
    """A pool as it was when it was read."""

    def __init__(self, address, size=0):
        self.address = address
        self.error = "there is no memory at 0x%x" % address
        self.figures = None
        for room in [size] if size else SIZES:
            books = read(address, room)
            if books and self.parse(books):
                break
            if len(books) < room:
                break

    def parse(self, books):
        """By the command, which trusts nothing in it."""
        try:
            self.figures = json.loads(ask(books, "--json"))
        except gdb.GdbError:
            self.error = "0x%x: no pool, or another version's" % self.address
            return False
        self.books = books
        return True

    def found(self):
        if self.figures is None:
            raise gdb.GdbError("bitfit: " + self.error)
        return self

    def picture(self):
        lines = ask(self.books).split("\n")
        return "\n".join(["the pool at 0x%x" % self.address] + lines[1:])

    @property
    def payload(self):
        return self.figures["payload"]

    def runs(self):
        """(address, size, live), in order."""
        return [(self.payload + offset, size, live)
                for offset, size, live in self.figures["runs"]]

    def has(self, address):
        return 0 <= address - self.payload < self.figures["capacity"]

    def line(self):
        f = self.figures
        return ("%d of %d bytes in %d blocks, the largest hole %d, used up to %d%s"
                % (f["live"], f["capacity"], f["blocks"], f["largest_request"],
                   f["high_water"], ", torn" if f["torn"] else ""))


def run(*arguments):
    try:
        done = subprocess.run([command(), *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding="utf-8",
                              errors="replace", timeout=120)
    except OSError as error:
        raise gdb.GdbError("bitfit: %s: %s" % (command(), error.strerror))
    if done.returncode != 0:
        raise gdb.GdbError(done.stderr.strip())
    return done.stdout


@functools.lru_cache(maxsize=1)
def version_of(_):
    return run("-V").split()[-1]


@functools.lru_cache(maxsize=16)
def ask(books, *options):
    """What `bitfit map` says of a pool's bookkeeping."""
    version = version_of(command())
    with tempfile.NamedTemporaryFile(suffix=".image") as image:
        image.write(b"bitfit image %s\n" % version.encode() + books)
        image.flush()
        return run("map", *options, image.name)


# ------------------------------------------------------------------- finding


def published():
    """The pool of a program under `bitfit run`, and its bookkeeping's size."""
    try:
        mappings = gdb.execute("info proc mappings", to_string=True)
    except gdb.error:
        return
    for line in mappings.split("\n"):
        if PUBLISHED_NAME in line:
            page = read(int(line.split()[0], 16), PUBLISHED.size)
            if len(page) == PUBLISHED.size:
                magic, _, start, size = PUBLISHED.unpack(page)
                if magic == PUBLISHED_MAGIC and size:
                    yield "malloc", start, size


def is_pool_pointer(kind):
    kind = kind.strip_typedefs()
    return (kind.code == gdb.TYPE_CODE_PTR and
            kind.target().strip_typedefs().tag == "bitfit_pool")


@functools.lru_cache(maxsize=8)
def names_of_globals(_):
    """Reading all symbols takes a while: once for each set of files."""
    try:
        listed = gdb.execute("info variables -q -n -t bitfit_pool",
                             to_string=True)
    except gdb.error:
        return []
    return re.findall(r"(?m)\*\s*(?:const\s+)?(\w+);$", listed)


def global_variables():
    files = tuple(objfile.filename for objfile in gdb.objfiles())
    for name in names_of_globals(files):
        try:
            value = gdb.parse_and_eval(name)
            if is_pool_pointer(value.type):
                yield name, int(value), 0
        except gdb.error:
            continue


def locals_of(frame):
    try:
        block = frame.block()
    except RuntimeError:
        return
    while block is not None and not block.is_global and not block.is_static:
        for symbol in block:
            if (symbol.is_variable or symbol.is_argument) and \
                    is_pool_pointer(symbol.type):
                try:
                    yield symbol.name, int(symbol.value(frame)), 0
                except (gdb.error, gdb.MemoryError):
                    continue
        block = block.superblock


def local_variables():
    try:
        frame = gdb.newest_frame()
    except gdb.error:
        return
    for _ in range(FRAMES_MAX):
        if frame is None:
            return
        yield from locals_of(frame)
        frame = frame.older()


def pools():
    """(name, Pool), each pool once."""
    seen = set()
    for places in (published(), global_variables(), local_variables()):
        for name, address, size in places:
            if address and address not in seen:
                seen.add(address)
                pool = Pool(address, size)
                if pool.figures is not None:
                    yield name, pool


def address_of(expression):
    """Of what the user typed: gdb would print what is wrong as Python does."""
    try:
        return int(gdb.parse_and_eval(expression)) & 2 ** 64 - 1
    except (gdb.error, TypeError, ValueError) as error:
        raise gdb.GdbError("bitfit: %s is no address: %s"
                           % (expression, error)) from None


def chosen(argument):
    if argument.strip():
        return Pool(address_of(argument)).found()
    found = list(pools())
    if len(found) != 1:
        raise gdb.GdbError("bitfit: there are %d pools: name one, as in "
                           "`bitfit map POOL`" % len(found))
    return found[0][1]


# ------------------------------------------------------------------ commands


class Bitfit(gdb.Command):
    """See bitfit's pools: bitfit pools, map, walk, check, owner."""

    def __init__(self):
        super().__init__("bitfit", gdb.COMMAND_DATA, prefix=True)


class Command(gdb.Command):
    def __init__(self):
        super().__init__("bitfit " + type(self).__name__.lower(),
                         gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, _):
        for line in self.lines(argument):
            gdb.write(line + "\n")


class Pools(Command):
    """Lists every pool that can be found, with its figures."""

    def lines(self, _):
        found = list(pools())
        for name, pool in found:
            yield "%s = 0x%x: %s" % (name, pool.address, pool.line())
        if not found:
            yield "no pool was found: name one, as in `bitfit map EXPRESSION`"


class Map(Command):
    """Draws a pool: bitfit map [POOL]."""

    def lines(self, argument):
        yield chosen(argument).picture().rstrip("\n")


class Walk(Command):
    """Lists the blocks and holes of a pool: bitfit walk [POOL]."""

    def lines(self, argument):
        for address, size, live in chosen(argument).runs():
            yield "0x%x %s of %d bytes" % (address, "block" if live else "hole",
                                           size)


class Check(Command):
    """Says whether a pool's bookkeeping is whole: bitfit check [POOL]."""

    def lines(self, argument):
        pool = chosen(argument)
        if pool.figures["torn"]:
            yield ("0x%x: damaged, or a call was changing it: %s"
                   % (pool.address, pool.line()))
        else:
            yield "0x%x: whole: %s" % (pool.address, pool.line())


class Owner(Command):
    """Says in which block or hole an address lies: bitfit owner ADDRESS."""

    def lines(self, argument):
        if not argument.strip():
            raise gdb.GdbError("bitfit owner ADDRESS")
        address = address_of(argument)
        for name, pool in pools():
            if pool.has(address):
                yield self.place(name, pool, address)
                return
        yield "0x%x is in no pool" % address

    @staticmethod
    def place(name, pool, address):
        runs = pool.runs()
        at = bisect.bisect([start for start, _, _ in runs], address) - 1
        start, size, live = runs[at]
        if address >= start + size:
            return "0x%x: the guard of the block at 0x%x in %s" % (
                address, start, name)
        return "0x%x: byte %d of a %s of %d bytes at 0x%x in %s" % (
            address, address - start, "block" if live else "hole", size, start,
            name)


Bitfit()
for kind in (Pools, Map, Walk, Check, Owner):
    kind()
