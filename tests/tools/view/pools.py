"""
usage: pools.py BITFIT SHARER
`bitfit check` and `bitfit repair`, and what `map` and `top` show of a shared
pool's file: whole, broken off, held, in use, damaged, or no pool at all.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

BITFIT, SHARER = sys.argv[1:3]
os.environ["LC_ALL"] = "C.UTF-8"
os.environ["COLUMNS"] = "80"
ALL = {"live": 112 + 208 + 304, "blocks": 3}


def run(*arguments, code=0, word="", said=""):
    done = subprocess.run([BITFIT, *arguments], capture_output=True, text=True)
    assert done.returncode == code, (arguments, done)
    assert word in done.stderr and said in done.stdout, (arguments, done)
    assert code != 3 or done.stdout or done.stderr.count("\n") == 1, done
    return done.stdout


def share(path, *words, code=0):
    done = subprocess.run([SHARER, path, *words])
    assert done.returncode == code, (words, done)


def content(path):
    with open(path, "rb") as file:
        return file.read()


class Sharer:
    """One who holds or changes the pool for as long as it is wanted."""

    def __init__(self, path, word):
        self.process = subprocess.Popen(
            [SHARER, path, word], stdin=subprocess.PIPE, text=True,
            stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()
        assert self.process.returncode == 0


def figures(verb, path, code=0):
    return json.loads(run(verb, "--json", path, code=code))


def assert_has(found, **expected):
    for name, value in expected.items():
        assert found[name] == value, (name, value, found)


def check_whole(path):
    text = run("check", path).split("\n")
    assert text[0] == path + ": whole: no change is broken off", text
    assert text[1] == "0 changes broken off and repaired so far", text
    assert run("report", path).split("\n") == text
    assert text[3].startswith("624 bytes of "), text
    assert text[3].split(", ")[0].endswith("live in 3 blocks"), text
    roots = [line for line in text if line.startswith("root ")]
    assert [line.split(" at ")[0] for line in roots] == [
        "root 0 leads to 112 bytes", "root 1 leads to 208 bytes",
        "root 2 leads to 304 bytes"], text
    for verb in ("check", "map", "top"):
        assert_has(figures(verb, path), torn=False, **ALL)
    whole = figures("check", path)
    assert_has(whole, state="whole", repairs=0)
    first = whole["payload"]
    assert whole["roots"] == [first, first + 112, first + 320, 0], whole
    assert [run_ for run_ in figures("map", path)["runs"]][:3] == [
        [0, 112, True], [112, 208, True], [320, 304, True]]
    assert run("map", path).startswith("pool %s: the heap now\n" % path)
    assert "0 changes repaired so far, 0 requests" in run("top", path)
    run("repair", path, said=": whole: no change was broken off\n")


def check_broken(folder, alignment):
    """Killed while it frees the block of root 1; while it fills root 3."""
    for word, live, blocks, roots in (("free", 416, 2, [1, 0, 1, 0]),
                                      ("root", 640, 4, [1, 1, 1, 1])):
        path = folder + "/broken.pool"
        share(path, "make", "65536", alignment)
        share(path, word, code=-9)
        before = content(path)
        run("check", path, code=1,
            said=": broken off: a change was begun, and nobody")
        for verb, code in (("check", 1), ("map", 0), ("top", 0)):
            assert_has(figures(verb, path, code), live=live, blocks=blocks,
                       torn=False)
        seen = figures("check", path, 1)
        assert_has(seen, state="broken off", repairs=0)
        assert [int(root != 0) for root in seen["roots"]] == roots, seen
        assert "one is broken off now" in run("top", path)
        assert content(path) == before, "looking wrote something"
        # A copy, as after a restart of the machine: the lock is not believed.
        shutil.copy(path, path + ".alone")
        run("repair", "--alone", path + ".alone", said=": repaired: 1 change ")
        run("repair", path, said=": repaired: 1 change had been broken off\n")
        for each in (path, path + ".alone"):
            assert_has(figures("check", each), state="whole", repairs=1,
                       live=live, blocks=blocks)
            run("repair", each, said=": whole: no change was broken off")
        os.unlink(path)


def check_live(path):
    """Nobody is stopped, and whoever works does so beside the repair."""
    with Sharer(path, "churn"):
        for _ in range(10):
            seen = figures("check", path)
            assert_has(seen, state="whole", torn=False)
            assert seen["blocks"] in (3, 4), seen
        run("repair", path, said=": whole")
    assert_has(figures("check", path), state="whole", **ALL)


def check_held(path):
    """A lock that is not given back is not waited for without end."""
    with Sharer(path, "hold"):
        run("check", path)
        run("repair", path, code=3, word="its lock is held")
    run("repair", path, said=": whole")
    with open(path) as file:
        subprocess.run(["flock", "--shared", "%d" % file.fileno()], check=True,
                       pass_fds=[file.fileno()])
        run("repair", "--alone", path, code=3, word="others have it open")
        run("repair", path)


def check_spoilt_lock(path):
    """All but the lock is whole."""
    share(path, "lock")
    run("check", path, said=": whole: ")
    run("repair", path, code=3, word="its lock is damaged; --alone")
    run("repair", "--alone", path, said=": whole: ")
    run("repair", path, said=": whole: ")


def check_damaged(path):
    """Two holes that touch, in a map that nobody changes."""
    bytes_ = bytearray(content(path))
    payload = figures("check", path)["payload"]
    # The first word of the run map: free bits, start bits.
    at = bytes_.find((1 | 1 << 7 | 1 << 20 | 1 << 39).to_bytes(8, "little"))
    assert 0 < at < payload, at
    bytes_[at + 7] ^= 0x80
    spoilt = path + ".spoilt"
    with open(spoilt, "wb") as file:
        file.write(bytes_)
    run("check", spoilt, code=1, said=": damaged: the bookkeeping contradicts")
    assert_has(figures("check", spoilt, 1), state="damaged")
    for more in ([], ["--alone"]):
        run("repair", *more, spoilt, code=1, word="nothing was repaired")
    assert content(spoilt) == bytes(bytes_)


def check_refusals(path, folder):
    cut = folder + "/cut.pool"
    for name, bytes_ in (("cut", content(path)[:-4096]), ("empty", b""),
                         ("short", content(path)[:100]), ("text", b"hello\n"),
                         ("more", content(path) + b"0")):
        cut = folder + "/" + name
        with open(cut, "wb") as file:
            file.write(bytes_)
        for verb in ("check", "repair"):
            run(verb, cut, code=3, word="this is no shared pool")
        run("top", cut, code=3, word="this is no shared pool")
        run("map", cut, code=3)
    for verb in ("check", "repair"):
        run(verb, folder + "/none", code=3, word="No such file")
        run(verb, folder, code=3, word="Is a directory")
        run(verb, "/dev/null", code=3, word="this is no shared pool")
    run("report", "-o", "page.html", path, code=2, word="take no options")
    run("map", "--at", "end", path, code=2, word="need a trace")
    run("top", "nobody", code=2, word="not a process number, nor a file")
    order = folder + "/\x1b[31m"
    shutil.copy(path, order)
    for arguments in (["check"], ["repair"], ["map"]):
        assert "\x1b" not in run(*arguments, order)


def check_image(folder):
    """A saved image is whole, or is not."""
    image = folder + "/pool.image"
    with open(image, "wb") as file:
        file.write(b"bitfit image 9.9.9\n")
    run("check", image, code=3, word="another version")


def main():
    with tempfile.TemporaryDirectory() as folder:
        for alignment in ("16", "262144"):
            path = folder + "/%s.pool" % alignment
            share(path, "make", "1000000", alignment)
            check_whole(path)
        check_broken(folder, "64")
        check_live(path)
        check_held(path)
        check_spoilt_lock(path)
        check_damaged(path)
        check_refusals(path, folder)
        check_image(folder)
    print("what a crash left is told, and repaired")


main()
