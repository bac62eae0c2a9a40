"""
usage: pictures.py BITFIT ...
The files that `bitfit map` writes: known blocks have their colours where they
should be, SVG is well-formed and says what it shows, sizes are as asked for.
"""
import os
import subprocess
import sys
import tempfile
import xml.dom.minidom

import png

BITFIT = sys.argv[1]

#   0  alloc 4096   "A..."          a granule of 1024
#   1  alloc 8192   "AAAABBBBBBBB"
#   2  free A       "....BBBBBBBB"
#   3  alloc 1025   "CC..BBBBBBBB"  all but a byte of its second granule is waste
TRACE = "0\n3\n4\n1\na 0 4096\na 1 8192\nf 0\na 2 1025\n"

SIZES = ["f2d300", "a7c23d", "6dae86", "2f93a0", "2c6fb3", "3c5482", "372f79"]
KIB_4, KIB_64 = 4, 5
WASTE, FREE, PAPER = "e0203a", "f1f2f5", "ffffff"

# The plot, as canvas.c lays it out.
LEFT, TOP, RIGHT = 88, 112, 24


def rgb(text):
    return tuple(bytes.fromhex(text))


def run(*arguments, code=0):
    done = subprocess.run([BITFIT, *arguments], capture_output=True, text=True)
    assert done.returncode == code, (arguments, done)
    return done


def plot_of(rows, paper):
    """Its box: where the paper ends, on lines that cross no text."""
    width = len(rows[0])
    bottom = TOP
    while rows[bottom][width - RIGHT - 1] != paper:
        bottom += 1
    return LEFT, TOP, width - RIGHT, bottom


def pixel(rows, box, x, y):
    """At a part of the plot's width, and of its height from below."""
    left, top, right, bottom = box
    return rows[int(bottom - 1 - y * (bottom - top - 1))][
        int(left + x * (right - left - 1))]


def over_time(folder, trace):
    path = folder + "/time.png"
    run("map", trace, "-g", "1024", "-o", path)
    width, height, rows = png.read(path)
    assert (width, height) == (1280, 720)
    box = plot_of(rows, rgb(PAPER))
    # Four events, twelve granules: the middle of an event and a granule.
    expected = {
        (0, 1): SIZES[KIB_4], (0, 6): FREE,
        (1, 1): SIZES[KIB_4], (1, 6): SIZES[KIB_64], (1, 11): SIZES[KIB_64],
        (2, 1): FREE, (2, 6): SIZES[KIB_64],
        (3, 0): SIZES[KIB_4], (3, 1): WASTE, (3, 2): FREE,
        (3, 6): SIZES[KIB_64],
    }
    for (event, granule), colour in expected.items():
        got = pixel(rows, box, (event + 0.5) / 4, (granule + 0.5) / 12)
        assert got == rgb(colour), (event, granule, got, colour)


def peak(folder, trace):
    """A line of dashes where most was live, in both themes."""
    for theme, colour in (("light", "111827"), ("dark", "ffffff")):
        picture = folder + "/peak.png"
        run("map", trace, "-o", picture, "--theme", theme)
        rows = png.read(picture)[2]
        # Of four events the first after which most is live is the second.
        x = LEFT + (len(rows[0]) - LEFT - RIGHT) // 4
        line = [row[x] for row in rows[TOP + 30:TOP + 230]]
        dashes = sum(1 for at in line if at == rgb(colour))
        assert 60 <= dashes <= 140, (theme, dashes)
        for other in (x - 2, x + 2):
            assert rgb(colour) not in [
                row[other] for row in rows[TOP + 30:TOP + 230]], theme
        os.remove(picture)


def one_moment(folder, trace):
    path = folder + "/moment.png"
    run("map", trace, "-g", "1024", "--at", "3", "-o", path, "--theme", "dark",
        "--size", "900x500")
    width, height, rows = png.read(path)
    assert (width, height) == (900, 500)
    # A row is a granule: "CC..BBBBBBBB", the second C nearly all waste.
    pitch = 22
    colours = [rows[TOP + i * pitch + 8][LEFT + 400] for i in range(12)]
    dark = {"block": "3a92af", "large": "4e71e0", "free": "14171c",
            "waste": "ff4d5e"}
    assert colours[0] == rgb(dark["block"]), colours
    assert colours[1] == rgb(dark["waste"]), colours
    assert colours[2:4] == [rgb(dark["free"])] * 2, colours
    assert colours[4:] == [rgb(dark["large"])] * 8, colours


def any_name(folder, trace):
    """Neither a file's name nor a cut in a character spoils the picture."""
    accents = "\u00e9".encode() * 100
    for name in (b"\xff\033", accents, b"x" + accents):
        named = os.path.join(folder.encode(), name + b".rep")
        os.rename(trace, named)
        for more in ([], ["--size", "320x320"]):
            run("map", named, "-g", "1024", "-o", folder + "/any.png", *more)
            rows = png.read(folder + "/any.png")[2]
            assert rows[TOP][LEFT] != rgb(PAPER), (name, more)
        os.rename(named, trace)


def vectors(folder, trace):
    for name, more in [("a", []), ("b", ["--at", "peak"])]:
        path = folder + "/" + name + ".svg"
        run("map", trace, "-g", "1024", "-o", path, *more)
        document = xml.dom.minidom.parse(path)
        root = document.documentElement
        assert root.tagName == "svg"
        assert root.getAttribute("viewBox") == "0 0 1280 720"
        assert document.getElementsByTagName("image")


def every_colour(folder, trace):
    """Whatever can be asked of a trace without call stacks has a picture."""
    for by in ("size", "age"):
        for theme in ("light", "dark"):
            path = folder + "/any.png"
            run("map", trace, "-o", path, "--by", by, "--theme", theme)
            _, _, rows = png.read(path)
            assert len({colour for row in rows for colour in row}) > 8


def main():
    with tempfile.TemporaryDirectory() as folder:
        trace = folder + "/small.rep"
        with open(trace, "w") as file:
            file.write(TRACE)
        over_time(folder, trace)
        peak(folder, trace)
        one_moment(folder, trace)
        any_name(folder, trace)
        vectors(folder, trace)
        every_colour(folder, trace)
        assert sorted(os.listdir(folder)) == [
            "a.svg", "any.png", "b.svg", "moment.png", "small.rep", "time.png"]
    print("pictures are as their traces say")


main()
