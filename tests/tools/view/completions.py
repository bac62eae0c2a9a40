"""
usage: completions.py BITFIT ...
The completions for bash, zsh and fish offer, in each of these shells, every
verb, every option of every verb that its --help lists, the values of a choice,
and files. What they should offer is read here from the help itself.
"""
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import time

BITFIT = pathlib.Path(sys.argv[1]).resolve()
FOLDER = pathlib.Path(__file__).resolve().parents[3] / "tools" / "completions"
ENVIRONMENT = dict(os.environ, LC_ALL="C.UTF-8", TERM="dumb",
                   PATH="%s:%s" % (BITFIT.parent, os.environ["PATH"]))


def output(*command, text=""):
    return subprocess.run(command, env=ENVIRONMENT, input=text, text=True,
                          capture_output=True, timeout=60).stdout


VERBS = re.findall("^  ([a-z]+) ", output(BITFIT, "--help"), re.M)
OPTIONS = {verb: re.findall("^ +(?:-.,)? *(--[a-z-]+=?)",
                            output(BITFIT, verb, "--help"), re.M)
           for verb in VERBS}


def bash(*words):
    """As readline calls it: '=' is a word of its own."""
    parts = [p for w in words for p in re.findall("=|[^=]+|^$", w)]
    if words[-1].endswith("="):
        parts[-1:] = ["="]
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1));' \
        ' _bitfit 2>/dev/null; printf "%s\\n" "${COMPREPLY[@]}"'
    return set(output("bash", "--norc", "-c", script, "bash",
                      FOLDER / "bitfit.bash", *parts).split())


def fish(*words):
    line = " ".join(words)
    script = "source %s; complete -C '%s'" % (FOLDER / "bitfit.fish", line)
    return {row.split("\t")[0]
            for row in output("fish", "--no-config", "-c", script).splitlines()}


def zsh(*words):
    """A shell of its own, in a terminal: compadd says what it was given."""
    main, side = pty.openpty()
    shell = subprocess.Popen(["zsh", "-f", "-i"], env=ENVIRONMENT, stdin=side,
                             stdout=side, stderr=side, start_new_session=True)
    os.close(side)
    order = (
        "PS1= PS2=; autoload -U compinit; fpath=(%s $fpath);"
        " compinit -D -u; compadd() { builtin compadd -O found \"$@\";"
        " print -rl -- '<'${^found}'>'; builtin compadd \"$@\"; };"
        " bindkey '^I' complete-word; print re''ady\n" % FOLDER)
    text = b""

    def wait_for(word, seconds):
        nonlocal text
        end = time.time() + seconds
        while time.time() < end and word not in text:
            if select.select([main], [], [], 0.1)[0]:
                text += os.read(main, 65536)
    os.write(main, order.encode())
    wait_for(b"\nready", 30)
    os.write(main, (" ".join(words) + "\t").encode())
    wait_for(b">", 20)
    wait_for(b"<never>", 1)
    shell.kill()
    shell.wait()
    os.close(main)
    return set(re.findall("<([^<>\r\n]+)>", text.decode(errors="replace")))


def check(shell, verbs):
    first = shell("bitfit", "")
    assert set(VERBS) <= first and "help" in first, (shell, first)
    assert set(VERBS) <= shell("bitfit", "help", ""), shell
    for verb in verbs:
        offered = {o.split("=")[0] for o in shell("bitfit", verb, "--")}
        assert {o.rstrip("=") for o in OPTIONS[verb]} <= offered, (
            shell, verb, offered)
    values = {v.split("=")[-1] for v in shell("bitfit", "map", "--by=")}
    assert {"size", "age", "site"} <= values, (shell, values)


def main():
    assert len(VERBS) >= 9 and "--by=" in OPTIONS["map"], (VERBS, OPTIONS)
    check(bash, VERBS)
    check(fish, VERBS)
    check(zsh, ["map", "run"]) # a terminal each
    os.chdir(FOLDER)
    assert "bitfit.fish" in bash("bitfit", "map", "bitfit.f")
    assert "bitfit.fish" in fish("bitfit", "map", "bitfit.f")
    print("three shells complete what the command has")


main()
