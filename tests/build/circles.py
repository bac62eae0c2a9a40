#!/usr/bin/env python3
"""No room leads back to itself, and no folder does.

    circles.py ROOT FOLDER...

A room is NAME.h and NAME.c together, or a Rust module; it leads to the rooms
that it includes or uses. A folder leads to the folders of those rooms. Every
circle that is found is printed with the line that each of its steps stands in.
"""
import os
import pathlib
import re
import sys

C_ENDINGS = {".h", ".c", ".hpp", ".cpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
CRATE = re.compile(r"\bcrate::(?:(\w+)|\{([^}]*)\})")
REEXPORT = re.compile(r"^pub(?:\([a-z]+\))? use (\w+)::([^;]*);", re.M)
COMMENT = re.compile(r"//[^\n]*")


def room_of(path):
    return str(path.with_suffix(""))


def included(files, path, quote, name):
    """The file meant: beside this one, else the one whose path ends so. <NAME>
    is ours only in a folder of headers: <limits.h> is not malloc/limits.h."""
    beside = pathlib.Path(os.path.normpath(path.parent / name))
    if quote == '"' and beside in files:
        return beside
    ending = ("/" if quote == '"' else "/include/") + name.lstrip("./")
    found = [file for file in files if ("/" + str(file)).endswith(ending)]
    return found[0] if len(found) == 1 else None


def c_steps(root, files):
    """Each step as (from, to, where)."""
    for path in files:
        lines = (root / path).read_text().splitlines()
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            target = match and included(files, path, *match.groups())
            if target:
                yield path, target, f"{path}:{number}"


def reexports(text):
    """The module that each name at the root of a crate comes from."""
    return {name: module for module, names in REEXPORT.findall(text)
            for name in re.findall(r"\w+", names)}


def rust_steps(root, files):
    for lib in (path for path in files if path.name == "lib.rs"):
        modules = {path.stem: path for path in files
                   if path.parent == lib.parent}
        names = reexports(COMMENT.sub("", (root / lib).read_text()))
        for path in modules.values():
            text = COMMENT.sub("", (root / path).read_text())
            for match in CRATE.finditer(text):
                used = [match[1]] if match[1] else re.findall(
                    r"(?:^|,)\s*(\w+)", match[2])
                number = text.count("\n", 0, match.start()) + 1
                for name in used:
                    target = modules.get(names.get(name, name), lib)
                    yield path, target, f"{path}:{number}"


def circle_in(steps):
    """The steps of one circle, or an empty list."""
    done = set()

    def search(at, trail):
        for target in steps.get(at, {}):
            if target in (step[0] for step in trail) or target == at:
                whole = trail + [(at, target)]
                first = [step[0] for step in whole].index(target)
                return whole[first:]
            if target not in done:
                found = search(target, trail + [(at, target)])
                if found:
                    return found
        done.add(at)
        return []

    for start in sorted(steps):
        found = search(start, []) if start not in done else []
        if found:
            return found
    return []


def complain(what, steps):
    found = circle_in(steps)
    if found:
        print(f"a circle of {what}:")
        for at, target in found:
            print(f"  {at} leads to {target}: {steps[at][target]}")
    return bool(found)


def main():
    root = pathlib.Path(sys.argv[1])
    files = [path.relative_to(root) for folder in sys.argv[2:]
             for path in sorted((root / folder).rglob("*")) if path.is_file()
             and "target" not in path.relative_to(root).parts]
    c_files = [path for path in files if path.suffix in C_ENDINGS]
    rust_files = [path for path in files if path.suffix == ".rs"]
    rooms, folders = {}, {}
    for at, target, where in [*c_steps(root, c_files),
                              *rust_steps(root, rust_files)]:
        if room_of(at) != room_of(target):
            rooms.setdefault(room_of(at), {})[room_of(target)] = where
        if at.parent != target.parent:
            folders.setdefault(str(at.parent), {})[str(target.parent)] = where
    count = sum(map(len, rooms.values()))
    print(f"{len(files)} files, {count} steps between rooms")
    if count == 0:
        sys.exit("nothing leads anywhere: the folders are wrong")
    bad = [complain("rooms", rooms), complain("folders", folders)]
    sys.exit(any(bad))


if __name__ == "__main__":
    main()
