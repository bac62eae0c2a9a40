#!/usr/bin/env python3
"""Functions are short, and every file says what it is for.

    functions.py ROOT

The lines between a function's braces, or of a Python function's body, are at
most 40, in the core at most 30; functions inside it count apart. A function
around a whole script is none. A file begins with a comment; a source beside a
header of its name need not.
"""
import ast
import bisect
import pathlib
import re
import sys

LIMIT, CORE_LIMIT = 40, 30
CORE = {f"src/{name}" for name in (
    "bitfit.c", "door.h", "pool.h", "fit.h", "tree.h", "map.h", "bits.h",
    "short.h", "check.h", "see.h", "aligned.h")}
FOLDERS = ("include", "src", "kernel", "malloc", "tools", "bindings", "ports",
           "zephyr", "examples", "bench", "scripts", "tests", "cmake",
           "packaging")
BRACES = {".c", ".h", ".cpp", ".hpp", ".rs", ".js"}
# Others' work, and sources that are made.
OTHERS = ("tools/report/uplot/", "target/", "build/")

# What has no braces that count: comments, texts, characters. (In Rust one quote
# may stand alone.)
SILENT = r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'"
SILENT_JS = SILENT + r"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"
# What stands in front of the brace of a function.
HEAD = re.compile(
    r"(?:\)\s*(?:const|noexcept|override|final|mutable|\s)*"
    r"(?:->\s*[^;{}=]+)?|=>\s*)$")
# (() => { ... })(): keeps a script's names to itself.
SCRIPT = re.compile(r"^\s*\((?:async )?\(\) =>\s*$")
BLOCK = re.compile(r"\b(?:if|for|while|switch|catch|match|loop|else|do)\b")


def blanked(text, silent):
    """The same lines, without what could hide or feign a brace."""
    return re.sub(silent, lambda found: re.sub(r"[^\n]", " ", found[0]), text,
                  flags=re.S)


def head_before(text, brace):
    """From the end of what came before, up to the brace."""
    depth = 0
    at = brace
    while at > 0 and depth >= 0:
        before = text[at - 1]
        if depth == 0 and before in ";{}":
            break
        depth += (before in ")]") - (before in "([")
        at -= 1
    return text[at:brace]


def is_function(head):
    plain = re.sub(r"#[^\n]*", "", head).strip()
    first = re.sub(r"\([^()]*\)", "", plain)
    return bool(HEAD.search(plain)) and not BLOCK.search(first)


def braced_functions(text, silent):
    """Each function's name, line and number of lines."""
    text = blanked(text, silent)
    starts = [found.start() + 1 for found in re.finditer("\n", text)]
    open_ones = []
    for found in re.finditer(r"[{}]", text):
        at = found.start()
        line = bisect.bisect(starts, at) + 1
        if found[0] == "{":
            head = head_before(text, at)
            open_ones.append([head, line, 0] if is_function(head) else None)
        elif open_ones and (function := open_ones.pop()):
            head, first, inside = function
            for around in filter(None, reversed(open_ones)):
                around[2] += line - first + 1
                break
            if not SCRIPT.search(head) or text.count("\n", at) > 2:
                name = " ".join(head.split())[:60]
                yield name, first, line - first - 1 - inside


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0].lineno
            yield node.name, node.lineno, node.end_lineno - first + 1


def has_purpose(path, text):
    begins = re.sub(r"\A(?:#!.*\n|'use strict';\n)", "", text).lstrip()
    return (begins.startswith(("/*", "//", '"""', "#"))
            and not begins.startswith("#include")) or (
                path.suffix == ".c" and path.with_suffix(".h").exists())


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = str(path.relative_to(root))
            if path.is_file() and not path.is_symlink() and not any(
                    other in name for other in OTHERS):
                yield path, name


def check(path, name):
    """What is wrong with a file, a line each; None if it is no source."""
    python = path.suffix == ".py"
    if not python and path.suffix not in BRACES | {".sh"}:
        return None
    text = path.read_text()
    wrong = []
    if text.strip() and not has_purpose(path, text):
        wrong.append(f"{name}: it does not say what it is for")
    limit = CORE_LIMIT if name in CORE else LIMIT
    silent = SILENT_JS if path.suffix == ".js" else SILENT
    found = (python_functions(text) if python else
             braced_functions(text, silent) if path.suffix in BRACES else [])
    wrong += [f"{name}:{line}: {lines} lines of at most {limit}: {function}"
              for function, line, lines in found if lines > limit]
    return wrong


def main():
    root = pathlib.Path(sys.argv[1])
    checked = [check(path, name) for path, name in sources(root)]
    checked = [wrong for wrong in checked if wrong is not None]
    print(f"{len(checked)} files")
    if not checked:
        sys.exit("there are no sources: the folder is wrong")
    for line in sum(checked, []):
        print(line)
    sys.exit(any(checked))


if __name__ == "__main__":
    main()
