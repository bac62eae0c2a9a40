"""
usage: top.py BITFIT CHURNER HOLDER
`bitfit top` in a terminal multiplexer, beside a process that keeps changing its
pool: it draws, follows a resize, pauses and ends; what it cannot read it says.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

BITFIT, CHURNER, HOLDER = sys.argv[1:4]


class Churner:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([CHURNER, *arguments],
                                        stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"
        self.pid = str(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait() == 0
        self.process.stdout.close()


class Holder:
    """The holder in a pool, recorded; `pid` is that of `bitfit run`."""

    def __init__(self, folder, *options, record=True):
        self.report = folder + "/report.json"
        recorder = [BITFIT, "record", "-o", folder + "/holder.trace",
                    *options, "--"]
        self.process = subprocess.Popen(
            [BITFIT, "run", "--pool=16M", "--json", "--report", self.report,
             "--", *(recorder if record else []), HOLDER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.pid = str(self.process.pid)
        self.wait()

    def wait(self):
        assert self.process.stdout.readline() == b"ready\n"

    def step(self):
        """Lets the holder do its second part."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.wait()

    def sites(self):
        figures = json.loads(run("top", self.pid, "--json"))
        assert 15 << 20 < figures["capacity"] < 16 << 20
        assert not figures["torn"], figures
        assert figures["live"] <= figures["high_water"], figures
        assert figures["top"] <= figures["high_water"], figures
        return [(site["requested"], site["blocks"],
                 site["stack"].split(";")[-1]) for site in figures["sites"]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate(timeout=30)
        assert self.process.returncode == 0


class Screen:
    """A terminal of its own, on a server of its own: a server that was told
    to end still answers for a while, and takes a newcomer with it."""

    def __init__(self, folder, command, columns, lines):
        self.socket = tempfile.mkdtemp(dir=folder) + "/tmux"
        environment = dict(os.environ, COLORTERM="", LC_ALL="C.UTF-8")
        subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null",
                        "new-session", "-d", "-x", str(columns), "-y",
                        str(lines), command], check=True, env=environment)

    def tmux(self, *arguments, check=True):
        return subprocess.run(["tmux", "-S", self.socket, *arguments],
                              check=check, capture_output=True,
                              text=True).stdout

    def text(self, colours=False):
        return self.tmux("capture-pane", "-p", *(["-e"] if colours else []))

    def wait_for(self, what, seconds=60):
        end = time.time() + seconds
        while not what(text := self.text()):
            assert time.time() < end, text
            time.sleep(0.05)
        return text

    def close(self):
        self.tmux("kill-server", check=False)


def map_rows(text):
    return [line for line in text.split("\n") if "\u2580" in line]


def shows_all(columns, lines):
    def look(text):
        rows = map_rows(text)
        return ("largest request that would succeed now" in text and
                " live " in text and "high-water" in text and
                "holes" in text and rows and
                max(map(len, rows)) <= columns and
                len(text.rstrip("\n").split("\n")) <= lines)
    return look


def stays(screen, text):
    """Whether the screen stays as it is for five steps."""
    time.sleep(0.5)
    return screen.text() == text


def check_screen(folder):
    with Churner("4000000") as churner:
        screen = Screen(folder, "%s top %s -i 0.1; echo code $?; sleep 60" %
                        (BITFIT, churner.pid), 100, 30)
        try:
            text = screen.wait_for(shows_all(100, 30))
            wide = max(map(len, map_rows(text)))
            assert wide > 80
            assert "\x1b[" in screen.text(colours=True)
            # The sparklines grow.
            screen.wait_for(lambda text: re.search("live [\u2581-\u2588]{5}",
                                                   text))
            screen.tmux("resize-window", "-x", "50", "-y", "18")
            text = screen.wait_for(shows_all(50, 18))
            assert max(map(len, map_rows(text))) < wide
            screen.tmux("send-keys", " ")
            screen.wait_for(lambda text: "paused" in text)
            # At each of its steps the process has another picture.
            screen.wait_for(lambda text: stays(screen, text))
            screen.tmux("send-keys", " ")
            screen.wait_for(lambda text: "paused" not in text)
            screen.tmux("send-keys", "q")
            screen.wait_for(lambda text: "largest" not in text)
            screen.wait_for(lambda text: "code 0" in text)
        finally:
            screen.close()


def check_end_of_process(folder):
    """When the process is gone, so is the view, with a word."""
    with Churner("100000") as churner:
        screen = Screen(folder, "%s top %s -i 0.1; echo code $?; sleep 60" %
                        (BITFIT, churner.pid), 80, 24)
        screen.wait_for(lambda text: "largest" in text)
    try:
        text = screen.wait_for(lambda text: "code 3" in text)
        assert "no such process" in text, text
    finally:
        screen.close()


def run(*arguments, code=0, word=""):
    done = subprocess.run([BITFIT, *arguments], capture_output=True, text=True)
    assert done.returncode == code, (arguments, done)
    assert word in done.stderr, (arguments, done)
    assert code == 0 or len(done.stderr.strip().split("\n")) == 1, done
    return done.stdout


def check_once():
    with Churner("1000000", "quiet") as churner:
        text = run("top", churner.pid, "--once")
        assert text.startswith("the largest request that would succeed now: ")
        figures = json.loads(run("top", churner.pid, "--json"))
        assert figures["live"] + figures["free"] == figures["capacity"]
        assert figures["largest_request"] == figures["holes"][0]["size"]
        assert not figures["torn"]
        # The same by `map`, run by run.
        whole = json.loads(run("map", churner.pid, "--json"))
        assert sum(size for _, size, live in whole["runs"] if live) == \
            figures["live"]
        assert sum(1 for run_ in whole["runs"] if run_[2]) == figures["blocks"]


def check_torn():
    """A pool that never rests can be read, too, and it is said if torn."""
    with Churner("64000000") as churner:
        for _ in range(10):
            figures = json.loads(run("top", churner.pid, "--json"))
            assert figures["live"] + figures["free"] == figures["capacity"]
            assert 0 < figures["live"] < 4000000


def check_huge():
    """Of 64 GiB, only what was written is read."""
    with Churner(str(64 << 30), "quiet") as churner:
        figures = json.loads(run("top", churner.pid, "--json"))
        assert figures["capacity"] > 60 << 30
        assert not figures["torn"]


def check_sites(folder):
    """A recording tells who holds what, as it grows."""
    with Holder(folder, "--sites") as holder:
        sites = holder.sites()
        assert sites[:2] == [(300000, 300, "hold_most"),
                             (50000, 100, "hold_some")], sites
        holder.step()
        sites = holder.sites()
        assert sites[:2] == [(3000000, 1, "grow"),
                             (50000, 100, "hold_some")], sites
        text = run("top", holder.pid, "--once")
        assert re.search(r"sites +2\.9 MiB in +1 block +grow < main\b", text)
        assert " 48.8 KiB in       100 blocks  hold_some < main" in text, text
        check_sites_on_screen(folder, holder)
    with open(holder.report) as file:
        (process,) = json.load(file)["processes"]
    assert process["program"].endswith("holder"), process


def check_sites_on_screen(folder, holder):
    screen = Screen(folder, "%s top %s -i 0.1" % (BITFIT, holder.pid), 80, 24)
    try:
        text = screen.wait_for(lambda text: "hold_some" in text)
        assert shows_all(80, 24)(text), text
        screen.tmux("resize-window", "-x", "60", "-y", "12")
        screen.wait_for(shows_all(60, 12))
    finally:
        screen.close()


def check_no_sites(folder):
    with Holder(folder, record=False) as holder:
        assert holder.sites() == []
    with Holder(folder) as holder:  # without --sites
        assert holder.sites() == []
    with Holder(folder, "--sites", "--events", "20") as holder:
        assert holder.sites() == []  # the recording has ended
    run("record", "--", BITFIT, "run", HOLDER, code=2, word="other order")


def check_refusals():
    run("top", "nobody", code=2, word="not a process number")
    run("top", str(os.getpid()), code=3, word="no pool")
    run("top", "4194300", code=3, word="no such process")
    for word, answer in (("version", "another version"), ("magic", "no pool"),
                         ("short", "no pool"), ("huge", "no pool"),
                         ("nowhere", "")):
        with Churner("100000", word) as churner:
            run("top", churner.pid, "--json", code=3, word=answer)
            run("map", churner.pid, code=3, word=answer)
    check_forbidden()


def check_forbidden():
    """What another user, or a process that forbids it, does not show."""
    with Churner("100000", "forbidden") as churner:
        command = [BITFIT, "top", churner.pid, "--json"]
        if os.geteuid() == 0:
            # Root may read it all the same, without that right it may not.
            drop = shutil.which("setpriv")
            command = [drop, "--bounding-set=-sys_ptrace",
                       "--inh-caps=-sys_ptrace", *command]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 3, done
        assert "forbids reading" in done.stderr, done


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_once()
        check_torn()
        check_huge()
        check_sites(folder)
        check_no_sites(folder)
        check_refusals()
        check_screen(folder)
        check_end_of_process(folder)
    print("top shows what is there")


main()
