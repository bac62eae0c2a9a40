"""
usage: verbs.py BITFIT CHURNER
What `bitfit map` and `bitfit report` say: in the terminal, as JSON, to bad
input, by their exit codes.
"""
import json
import os
import pty
import re
import subprocess
import sys
import tempfile

BITFIT, CHURNER = sys.argv[1:3]
os.environ["LC_ALL"] = "C.UTF-8"
VERBS = ("run", "record", "replay", "fit", "map", "report", "diff", "top",
         "check", "repair", "export")

#   "AA......"  "AABBB..."  "..BBB..."  "..BBBCCCC"
REP = "0\n3\n4\n1\na 0 32\na 1 40\nf 0\na 2 64\n"


def run(*arguments, code=0, word="", **more):
    done = subprocess.run([BITFIT, *arguments], capture_output=True, text=True,
                          **more)
    assert done.returncode == code, (arguments, done)
    assert word in done.stderr, (arguments, done)
    assert code == 0 or done.stderr, done
    assert code != 3 or len(done.stderr.strip().split("\n")) == 1, done
    return done.stdout


def refused(*arguments, word):
    """Exit code 2, and one line that no terminal takes for orders."""
    done = subprocess.run([BITFIT, *arguments], capture_output=True, text=True)
    assert done.returncode == 2 and not done.stdout, (arguments, done)
    assert done.stderr.count("\n") == 1 and "\x1b" not in done.stderr, done
    assert done.stderr.startswith("bitfit %s: " % arguments[0]), done
    assert word in done.stderr, (arguments, done)


def in_terminal(*arguments, **variables):
    """What the command prints on a terminal of 80 columns."""
    master, slave = pty.openpty()
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("NO_COLOR", "COLORTERM", "COLUMNS")}
    process = subprocess.Popen([BITFIT, *arguments], stdout=slave,
                               env=dict(environment, **variables))
    os.close(slave)
    text = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(master)
    assert process.wait() == 0
    return text.decode()


def check_terminal(trace):
    text = run("map", trace).split("\n")
    assert text[0] == "small: the heap after event 3, its peak", text
    assert text[1] == "the largest request that would succeed now: 32 bytes"
    assert text[2] == "112 bytes of 144 bytes live in 2 blocks, 32 bytes free"
    # No colour: braille. Two granules are free, then seven are in use, one
    # granule a row of dots.
    assert "\x1b" not in "".join(text)
    rows = [line[11:] for line in text if line and line[11:12] >= "\u2800"]
    assert rows == ["\u28e4" * 68, "\u28ff" * 68, "\u2809" * 68], rows
    coloured = in_terminal("map", trace)
    assert "\x1b[38;5;" in coloured and "\u2580" in coloured, coloured
    assert "\x1b[38;2;" in in_terminal("map", trace, COLORTERM="truecolor")
    assert "\x1b" not in in_terminal("map", trace, NO_COLOR="1")


def luminance(colour):
    parts = [part / 255 for part in colour]
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
             for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def colour_of(order):
    """What "2;R;G;B" or "5;N" of xterm's cube looks like."""
    kind, *numbers = map(int, order.split(";"))
    if kind == 2:
        return numbers
    levels = (0, 95, 135, 175, 215, 255)
    cube = numbers[0] - 16
    return levels[cube // 36], levels[cube // 6 % 6], levels[cube % 6]


def check_contrast(folder):
    """Every name in the legend can be read on its colour."""
    trace, names = folder + "/sites.mtrace", []
    with open(trace, "w") as file:
        file.write("= Start\n" + "".join(
            "@ /bin/app:[0x%x] + 0x%x000 0x%x\n" % (i, i, 1000 - i)
            for i in range(1, 20)) + "= End\n")
    for depth in ("truecolor", ""):
        for theme in ("dark", "light"):
            for by in ("size", "age", "site"):
                text = in_terminal("map", trace, "--by", by, "--theme", theme,
                                   COLORTERM=depth)
                legend = text.split("holes")[-1]
                entries = re.findall("\x1b\\[48;([0-9;]*)m\x1b\\[38;([0-9;]*)m"
                                     " ([^\x1b]+) \x1b", legend)
                assert len(entries) >= 6, (by, legend)
                for ground, ink, name in entries:
                    lights = sorted(luminance(colour_of(order))
                                    for order in (ground, ink))
                    seen = (lights[1] + 0.05) / (lights[0] + 0.05)
                    assert seen >= 4.5, (by, theme, depth, name, seen)
                names.append([name for _, _, name in entries])
    assert len(set(map(tuple, names))) == 3, names


def check_ascii(trace):
    """A locale without Unicode gets none."""
    plain = {"LC_ALL": "C"}
    for verb in (["map"], ["replay"], ["map", "--by", "age"]):
        text = run(*verb, trace, env=dict(os.environ, **plain))
        assert text.isascii(), text
    rows = [line[11:] for line in run("map", trace, env=dict(
        os.environ, **plain)).split("\n") if line[11:] and set(line[11:]) <= set(".#:")]
    # A granule a row: two are free, seven in use.
    assert "".join(rows) == "." * 68 * 2 + "#" * 68 * 7, rows
    coloured = in_terminal("map", trace, **plain)
    assert "\x1b[38;5;" in coloured and coloured.isascii(), coloured


def check_help(trace, folder):
    """Asking for help in every way, and what was nearly right."""
    version = "bitfit " + run("--version").split()[1] + "\n"
    assert run("-V") == run("--version") == version
    assert run("help") == run("--help") == run("-h")
    for verb in VERBS:
        assert run("help", verb) == run(verb, "--help"), verb
        assert run(verb, "-V") == run(verb, "--version") == version, verb
        assert run("help").count("  " + verb + " "), verb
    run("help", "mapp", code=2, word="did you mean 'map'?")
    for wrong, right in (("reprot", "report"), ("maps", "map"),
                         ("recrod", "record"), ("exprot", "export")):
        run(wrong, code=2, word="did you mean '%s'?" % right)
    run("--hlep", code=2, word="did you mean '--help'?")
    run("zzzzzz", code=2, word="`bitfit help` lists the verbs")


def check_refusals(trace, folder):
    """What is wrong with options is said by every verb in the same words."""
    for verb in VERBS:
        assert run(verb, "-h") == run(verb, "-?") == run(verb, "--help")
        assert run(verb, "--usage").startswith("Usage: bitfit " + verb)
        refused(verb, "--nonsense", trace, word="there is no option --nonsense")
        refused(verb, "-Z", trace, word="there is no option -Z; see --help")
        refused(verb, "--hlep", word="did you mean --help?")
        refused(verb, "--hel=1", word="--help takes no value")
        refused(verb, word="which ")
    for verb, name in (("map", "output"), ("map", "granule"), ("run", "pool"),
                       ("record", "events"), ("fit", "output")):
        refused(verb, "--" + name, word="--%s needs " % name)
    refused("run", "-pool", "8M", "true", word="did you mean --pool?")
    refused("run", "--granule=\x1b[31m", "true", word="not '?[31m'")
    refused("run", "--h", "true", word="--h may be --")
    refused("record", "--no-time=1", "true", word="--no-times takes no value")
    refused("map", trace, "--", trace, word="one trace")
    refused("fit", trace, "--", "true", word="put -- before a program")
    run("fit", "--gran", "16", trace)
    for verb, wrong, right in (("run", "--pol=1M", "--pool"),
                               ("record", "--evnets", "--events"),
                               ("top", "--jsno", "--json"),
                               ("map", "--colck=time", "--clock"),
                               ("map", "--granul3", "--granule"),
                               ("fit", "--ganule", "--granule"),
                               ("replay", "--jsno", "--json"),
                               ("export", "--fromat", "--format")):
        run(verb, wrong, trace, code=2, word="did you mean %s?" % right)
    run("map", "--\x1b[31m", trace, code=2, word="there is no option --?[31m")
    # An option's argument may look like one, and names may be cut short.
    run("map", "--at", "--nonsense", trace, code=2, word="--at must be")
    run("map", "--js", "--gran", "64", trace)


def check_hints(trace, folder):
    for name in ("x.jpg", "x.html", "x.png.txt"):
        run("map", trace, "-o", folder + "/" + name, code=2,
            word=".png or .svg")
        assert not os.path.exists(folder + "/" + name)
    for name in ("x.PNG", "x.Svg", "x"):
        run("map", trace, "-o", folder + "/" + name)
        with open(folder + "/" + name, "rb") as file:
            start = file.read(5)
        assert start == (b"<?xml" if "v" in name else b"\x89PNG\r"), name
    for name in ("x.png", "x.SVG", "x.json"):
        run("report", trace, "-o", folder + "/" + name, code=2, word=".html")
    run("map", "--by=site", trace, code=2, word="bitfit record --sites")
    for verb in ("map", "report", "replay", "fit"):
        output = ["-o", folder + "/hint.html"] if verb == "report" else []
        for spelling in (["-g", "32"], ["--granule", "32"], ["--granule=32"]):
            run(verb, trace, *output, *spelling)
    run("fit", trace, "--granules", "8,32")


def check_dots(folder):
    """A dot stands for more than half of its bytes: 16 of a MiB are not."""
    path = folder + "/dots.rep"
    with open(path, "w") as file:
        file.write("0\n2\n3\n1\na 0 16\na 1 1000000\nf 1\n")
    dots = "".join(line[11:] for line in run("map", path).split("\n")
                   if line[11:12] >= "\u2800")
    assert dots.count("\u28ff") > 900, dots
    dots = "".join(line[11:] for line in
                   run("map", path, "--at", "end").split("\n")
                   if line[11:12] >= "\u2800")
    assert set(dots) == {"\u2800"}, dots


def check_moments(trace):
    def runs(*arguments):
        return json.loads(run("map", trace, "--json", *arguments))["runs"]
    assert runs("--at", "0") == [[0, 32, True], [32, 112, False]]
    assert runs("--at", "2") == [[0, 32, False], [32, 48, True],
                                 [80, 64, False]]
    last = [[0, 32, False], [32, 48, True], [80, 64, True]]
    assert runs("--at", "end") == runs("--at", "peak") == runs() == last
    assert runs("-g", "64", "--at", "end") == [
        [0, 64, True], [64, 64, True]], runs("-g", "64")
    run("map", trace, "--at", "4", code=2, word="from 0 to 3")
    run("map", trace, "--at", "1s", code=2, word="no times")
    run("map", trace, "--at", "noon", code=2, word="noon")
    run("map", trace, "--clock", "time", code=2, word="no times")


def check_small_pool(trace):
    figures = json.loads(run("map", trace, "--pool", "300", "--json"))
    assert figures["failures"] == 1, figures


def check_mistakes(trace, folder):
    for verb in ("map", "report", "top"):
        run(verb, code=2)
        run(verb, "a", "b", code=2)
        run(verb, "--nonsense", code=2)
        assert run(verb, "--help").startswith("Usage: bitfit " + verb)
    for wrong in (["--by", "shape"], ["--size", "9x9"], ["--size", "1x2x3"],
                  ["-g", "many"], ["--theme", "blue"]):
        run("map", trace, *wrong, code=2)
    run("map", trace, "-g", "48", code=2, word="48")
    run("map", trace, "--json", "-o", folder + "/x.png", code=2, word="--json")
    run("report", trace, "-g", "48", code=2, word="48")
    run("map", trace, "--pool", "10", code=3, word="granule")
    run("map", folder + "/none", code=3, word="none")
    run("map", folder, code=3)
    run("map", trace, "-o", folder + "/no/x.png", code=3, word="No such file")
    run("map", trace, "-o", folder + "/no/x.svg", code=3)
    run("report", trace, "-o", folder + "/no/x.html", code=3,
        word="No such file")
    run("report", folder + "/none", "-o", folder + "/x.html", code=3)
    empty = folder + "/empty.rep"
    with open(empty, "w") as file:
        file.write("0\n0\n0\n1\n")
    run("map", empty, code=3, word="no events")
    run("report", empty, "-o", folder + "/x.html", code=3, word="no events")
    assert not os.path.exists(folder + "/x.html")
    if os.path.exists("/dev/full"):
        run("report", trace, "-o", "/dev/full", code=3, word="No space left")
        run("map", trace, "-o", "/dev/full", code=3, word="No space left")
    run("map", trace, "-o", "/dev/full", "--at", "1", code=3)
    for verb in "map", "report", "record", "fit":
        run(verb, "-o", "", "--", trace, code=2, word="--output must be a ")
    run("export", "-f", "dhat", "-o", "", trace, code=2, word="a file's name")
    for verb in "map", "report", "replay", "fit", "top":
        run(verb, "", code=2, word="an empty name: which ")
    for program in ("run", ""), ("record", ""), ("fit", "--", ""):
        run(*program, code=127, word="no such program")
    run("diff", trace, "", code=2, word="an empty name: which ")
    run("diff", "-", "-", code=2, word="only one of the traces can be ")


def check_full_disk(folder, trace):
    """What cannot be printed is no success."""
    long = folder + "/long.rep" # what it prints is more than a buffer
    with open(long, "w") as file:
        file.write("0\n0\n0\n0\n" + "".join(
            f"a {2 * i} 16\na {2 * i + 1} 32\nf {2 * i}\n"
            for i in range(500)))
    for arguments in (["--help"], ["map", "--json", long], ["map", "--help"], ["map", trace],
                      ["map", "--json", trace], ["report", trace],
                      ["replay", trace], ["replay", "--json", trace],
                      ["fit", trace], ["fit", "--json", trace],
                      ["export", "-f", "dhat", trace]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BITFIT, *arguments], stdout=full, text=True,
                                  stderr=subprocess.PIPE)
        assert done.returncode == 3, (arguments, done)
        assert done.stderr == ("bitfit: standard output: No space left on "
                               "device\n"), (arguments, done)


def check_pipes(folder, trace):
    """A pipe has a name, too, and is read once."""
    path = folder + "/pipe"
    os.mkfifo(path)
    whole = run("map", trace, "--json")
    for verb in (["map", "--json"], ["replay", "--json"], ["report"]):
        with subprocess.Popen(["cp", trace, path]) as writer:
            told = run(*verb, path, timeout=60)
        assert writer.returncode == 0
        assert verb[0] != "map" or told == whole.replace("trace", "pipe"), told


def check_image(folder):
    """What a program saved as the manual says."""
    path, picture = folder + "/pool.image", folder + "/pool.png"
    live = subprocess.run([CHURNER, "1000000", "image", path], check=True,
                          capture_output=True, text=True).stdout
    figures = json.loads(run("map", path, "--json"))
    assert figures["live"] == int(live) and not figures["torn"], figures
    assert run("map", path).startswith("image " + path + ": the heap now\n")
    run("map", path, "-o", picture)
    assert os.path.getsize(picture) > 1000
    assert run("check", path).startswith(path + ": whole: an image\n")


def check_escapes(folder):
    """No name from outside gives orders to the terminal."""
    order = "\x1b[31m\x9b1m"
    path = folder + "/a" + order
    for content in ("", "hello\n", REP, REP[:6]):
        with open(path, "w") as file:
            file.write(content)
        for verb in ("map", "replay", "fit", "report"):
            done = subprocess.run([BITFIT, verb, path], text=True,
                                  capture_output=True)
            said = done.stderr + (done.stdout if verb != "report" else "")
            assert "?[31m" in said or not said, (verb, content, said)
            for character in order[0], order[5]:
                assert character not in said, (verb, content, said)
    done = subprocess.run([BITFIT, order], capture_output=True, text=True)
    assert "\x1b" not in done.stderr, done


def check_hostile_sizes(folder):
    """A few bytes may not take gigabytes: neither of a block that is said to be
    huge nor of a limit that is not looked at."""
    huge, blank = folder + "/huge.mtrace", folder + "/blank"
    with open(huge, "w") as file:
        file.write("= Start\n@ a + 0x10 0x64\n@ a + 0x20 0x4294967295\n"
                   "@ a - 0x20\n= End\n")
    for verb in (["replay"], ["fit"], ["map"], ["export", "-f", "chrome"]):
        process = subprocess.Popen([BITFIT, *verb, huge],
                                   stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        assert os.waitstatus_to_exitcode(status) in (0, 3), (verb, status)
        assert used.ru_maxrss < 100 << 10, (verb, used)
        assert used.ru_utime + used.ru_stime < 10, (verb, used)
    with open(blank, "wb") as file:
        file.truncate(200 << 20)
    done = subprocess.run(["prlimit", "--as=%d" % (128 << 20), BITFIT, "map",
                           blank], capture_output=True, text=True)
    assert done.returncode == 3, done
    assert done.stderr.endswith("this process may use 128 MiB\n"), done


def check_kinds(folder):
    """What is no trace is called by its name."""
    core = folder + "/core"
    with open(core, "wb") as file:
        file.write(b"\x7fELF\2\1\1" + bytes(9) + b"\4\0>\0" + bytes(99))
    for verb in "map", "report", "replay", "fit":
        output = ["-o", folder + "/x.html"] if verb == "report" else []
        run(verb, core, *output, code=3, word="a core file")
        run(verb, BITFIT, *output, code=3, word="a program or a library")
        run(verb, folder, *output, code=3, word="directory")


# Two memories of a device and an allocation of its own, as version 3 writes.
DUMP = """{"General": {"API": "Vulkan", "GPU": "made by hand"},
"Total": {"BlockCount": 2, "AllocationCount": 3},
"DefaultPools": {"Type 0": {"PreferredBlockSize": 4096, "Blocks": {
  "0": {"TotalBytes": 4096, "UnusedBytes": 3072, "Allocations": 2,
    "UnusedRanges": 2, "Suballocations": [
      {"Offset": 0, "Type": "BUFFER", "Size": 512, "Usage": 130},
      {"Offset": 512, "Type": "FREE", "Size": 1024},
      {"Offset": 1536, "Type": "IMAGE_OPTIMAL", "Size": 512}]},
  "1": {"TotalBytes": 8192, "UnusedBytes": 8192, "Allocations": 0,
    "UnusedRanges": 1, "Suballocations": [
      {"Offset": 0, "Type": "FREE", "Size": 8192}]}},
  "DedicatedAllocations": [
    {"Type": "IMAGE_OPTIMAL", "Size": 65536, "Usage": 7}]}},
"CustomPools": {"Type 1": [{"Name": "frames", "Blocks": {
  "0": {"TotalBytes": 256, "Suballocations": [
      {"Offset": 64, "Type": "BUFFER", "Size": 128}]}}}]}}
"""


def check_dump(folder):
    """The Vulkan Memory Allocator's JSON, and bitfit's own of that shape."""
    path, rep = folder + "/device.json", folder + "/dumped.rep"
    with open(path, "w") as file:
        file.write(DUMP)
    figures = json.loads(run("map", path, "--json"))
    assert figures["capacity"] == 4096 + 8192 + 65536 + 256, figures
    assert figures["live"] == 512 + 512 + 65536 + 128, figures
    assert figures["largest_request"] == 8192, figures
    assert figures["runs"] == [
        [0, 512, True], [512, 1024, False], [1536, 512, True],
        [2048, 2048, False], [4096, 8192, False], [12288, 65536, True],
        [77824, 64, False], [77888, 128, True], [78016, 64, False]], figures
    assert run("map", path).startswith("dump " + path + ": the heap then\n")
    run("map", path, "-o", folder + "/device.png")
    for old, new, word in (("1536", "256", "overlap"), ("65536", "-1", "sense"),
                           ("4096, \"Unused", "600, \"Unused", "overlap"),
                           ("8192, \"Unused", "1e9, \"Unused", "sense"),
                           ("}}}]}}", "", "line ")):
        with open(path, "w") as file:
            file.write(DUMP.replace(old, new))
        run("map", path, code=3, word=word)
    with open(rep, "w") as file:
        file.write("0\n2\n3\n1\na 0 100\na 1 200\nf 0\n")
    run("export", rep, "-f", "vma", "--at", "end", "-o", path)
    figures = json.loads(run("map", path, "--json"))
    assert (figures["live"], figures["requested"]) == (208, 200), figures


def check_bad_images(folder):
    """A file that says it is an image and is none."""
    path = folder + "/bad.image"
    version = run("--version").split()[1]
    for text, word in (("bitfit image %s\n" % version, "cut off"),
                       ("bitfit image %s\n%s" % (version, "x" * 999), "cut"),
                       ("bitfit image 0.0.0\n", "another version"),
                       ("bitfit image " + "x" * 99, "not the image")):
        with open(path, "w") as file:
            file.write(text)
        run("map", path, code=3, word=word)
        run("map", path, "--at", "1", code=2, word="trace")


def main():
    with tempfile.TemporaryDirectory() as folder:
        trace = folder + "/small.rep"
        with open(trace, "w") as file:
            file.write(REP)
        check_terminal(trace)
        check_contrast(folder)
        check_ascii(trace)
        check_help(trace, folder)
        check_refusals(trace, folder)
        check_hints(trace, folder)
        check_dots(folder)
        check_moments(trace)
        check_small_pool(trace)
        check_mistakes(trace, folder)
        check_full_disk(folder, trace)
        check_pipes(folder, trace)
        check_image(folder)
        check_bad_images(folder)
        check_dump(folder)
        check_escapes(folder)
        check_hostile_sizes(folder)
        check_kinds(folder)
        page = run("report", trace)
        assert page.startswith("<!doctype html>") and "</html>" in page
        with open(trace) as file:
            assert run("report", "-", stdin=file).startswith("<!doctype html>")
    print("the verbs say what they should")


main()
