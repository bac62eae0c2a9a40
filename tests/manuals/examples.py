#!/usr/bin/env python3
"""usage: examples.py ROOT PREFIX COMPILER PAGE

Compiles and runs what a page shows, as its reader would. ROOT is the source
tree, PREFIX where it is installed. A page is Markdown, or mdoc with the blocks
of its EXAMPLES. In it

- a block of C is a program if it has main(); else it has to compile by itself
  after <bitfit.h>. Programs are saved in one folder, under the name behind the
  fence's language, or else under the first name of a .c file in the session
  that follows, which every program has;
- blocks of other languages are saved too, if they have a name;
- a block that begins with "$ " is a session: each "$ " line is run by bash in
  that folder, where include/, src/, scripts/ and examples/ are those of ROOT,
  and the lines behind it are all that it prints. Addresses may differ; an ellipsis
  (one character) stands for anything, alone on a line for any lines. A command
  succeeds, unless it ends "Aborted";
- a block of sh is not run here: it installs or packages, which tests/packages
  does.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

BY_HAND = re.compile(
    r"(sudo )?(apt-get|scripts/install-tools|make|cp|dpkg-buildpackage)\b"
)


class Block:
    """A piece of code: its first line's number, language, name and text."""

    def __init__(self, line, info, text):
        words = info.split() + ["", ""]
        self.line, self.language, self.name = line, words[0], words[1]
        self.text = text
        if text.startswith("$ "):
            self.language = "session"


def markdown_blocks(lines):
    """Fenced blocks, and indented ones (which can only be sessions)."""
    begun, info, indent = None, "", False
    for number, line in enumerate(lines + [""], 1):
        if begun is None:
            if line.startswith("```"):
                begun, info, indent = number + 1, line[3:], False
            elif line.startswith("    $ ") and lines[number - 2] == "":
                begun, info, indent = number, "", True
        elif line[:3] == "```" or indent and line and line[:4] != "    ":
            skip = 4 if indent else 0
            code = [text[skip:] for text in lines[begun - 1 : number - 1]]
            yield Block(begun, info, "\n".join(code).rstrip() + "\n")
            begun = None


def mdoc_blocks(lines):
    """The displays of the section EXAMPLES."""
    inside, begun = False, None
    for number, line in enumerate(lines, 1):
        if line.startswith(".Sh "):
            inside = line == ".Sh EXAMPLES"
        elif inside and line.startswith(".Bd -literal"):
            begun, code = number + 1, []
        elif inside and line == ".Ed":
            text = "\n".join(code) + "\n"
            yield Block(begun, "" if text.startswith("$ ") else "c", text)
            begun = None
        elif begun is not None:
            assert line[:1] != ".", f"line {number}: a macro inside an example"
            line = line.replace("\\e", "\\").replace("\\(aq", "'")
            code.append(line.replace("\\&", ""))


def normal(text):
    """The same for outputs that differ in addresses and process numbers."""
    text = re.sub(r"0x[0-9a-f]+", "0x...", text)
    text = re.sub(r"(?m)^bash: line 1: +\d+ (Aborted) .*$", r"\1", text)
    return [line.rstrip() for line in text.rstrip("\n").split("\n")]


def agrees(expected, got):
    pattern = "".join(
        r"(?:.*\n)*"
        if line == "\u2026"
        else re.escape(line).replace("\u2026", ".*") + "\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(line + "\n" for line in got))


class Page:
    """Runs the blocks of one page, in a folder of its own."""

    def __init__(self, path, root, prefix, compiler, folder):
        self.path, self.root = path, root
        self.compiler, self.folder = compiler, folder
        self.waiting = None  # a program that no session has named yet
        self.sessions = self.failures = 0
        found = glob.glob(f"{prefix}/**/bitfit.pc", recursive=True)
        if not found:
            sys.exit(f"nothing is installed in {prefix}")
        package = os.path.dirname(found[0])
        self.environment = dict(
            os.environ,
            LC_ALL="C.UTF-8",
            PATH=f"{prefix}/bin:{os.environ['PATH']}",
            LD_LIBRARY_PATH=os.path.dirname(package),
            PKG_CONFIG_PATH=package,
            CMAKE_PREFIX_PATH=prefix,
            NO_COLOR="1",
        )
        for name in ("include", "src", "scripts", "examples"):
            os.symlink(os.path.join(root, name), os.path.join(folder, name))

    def complain(self, block, what):
        print(f"{self.path}:{block.line}: {what}")
        self.failures += 1

    def save(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def run(self, command):
        done = subprocess.run(
            ["bash", "-c", command + "\nexit"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            encoding="utf-8",
            errors="replace",
        )
        return done.returncode, done.stdout

    def fragment(self, block):
        self.save("fragment.c", "#include <bitfit.h>\n" + block.text)
        code, output = self.run(
            f"{self.compiler} -std=c11 -Wall -Wextra -Werror -Iinclude "
            "-c fragment.c"
        )
        if code != 0:
            self.complain(block, "does not compile:\n" + output)

    def program(self, block):
        if self.waiting is not None:
            self.complain(self.waiting, "no session runs this program")
        self.waiting = None if block.name else block
        if block.name:
            self.save(block.name, block.text)

    def session(self, block):
        self.sessions += 1
        if self.waiting is not None:
            name = re.search(r"(?m)^\$ .*?([\w-]+\.c)\b", block.text)
            if name is None:
                return self.complain(block, "names no program")
            self.save(name.group(1), self.waiting.text)
            self.waiting = None
        steps = re.split(r"(?m)^\$ ", block.text)[1:]
        for step in steps:
            command, _, expected = step.partition("\n")
            while command.endswith("\\"):
                more, _, expected = expected.partition("\n")
                command += "\n" + more
            code, output = self.run(command)
            expected, got = normal(expected), normal(output)
            if not agrees(expected, got):
                shown = "\n".join(["    " + line for line in got])
                self.complain(block, f"$ {command}\n  prints\n{shown}")
            elif code != 0 and got[-1] != "Aborted":
                self.complain(block, f"$ {command}\n  fails: {code}")
        return None

    def by_hand(self, block):
        for line in block.text.splitlines():
            if not BY_HAND.match(line):
                self.complain(block, f"is in no session, so not run: {line}")

    def block(self, block):
        if block.language == "session":
            self.session(block)
        elif block.language == "sh":
            self.by_hand(block)
        elif block.language == "c" and re.search(r"\bmain\(", block.text):
            self.program(block)
        elif block.language == "c" and not block.name:
            self.fragment(block)
        elif block.name:
            self.save(block.name, block.text)


def main():
    root, prefix, compiler, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    blocks = markdown_blocks if path.endswith(".md") else mdoc_blocks
    with tempfile.TemporaryDirectory() as folder:
        page = Page(path, root, prefix, compiler, folder)
        for block in blocks(lines):
            page.block(block)
        if page.waiting is not None:
            page.complain(page.waiting, "no session runs this program")
    print(f"{page.sessions} sessions, {page.failures} failures")
    return 1 if page.failures or not page.sessions else 0


sys.exit(main())
