#!/usr/bin/env python3
"""Whether functions.py finds what it is there for, in trees made for it."""
import pathlib
import subprocess
import sys
import tempfile

FUNCTIONS = pathlib.Path(__file__).with_name("functions.py")


def lines(count, line="    step();"):
    return "\n".join([line] * count)


def c(count, head="static int f(const int *a,\n             int b)\n"):
    return "/* A file. */\n%s{\n%s\n}\n" % (head, lines(count))


def python(count):
    return '"""A file."""\ndef f():\n%s\n' % lines(count, "    pass")


GOOD = {
    "src/pool.h": c(30), "src/create.c": c(40), "tools/a.c": c(40),
    "tools/b.h": "/* A file. */\n", "tools/b.c": "#include \"b.h\"\n",
    "tools/c.c": c(40) + "enum { A,\n" + lines(60, "B,") + "};\n"
                 "static int table[] = {\n" + lines(60, "1,") + "};\n",
    "tools/d.c": c(4, "static bool g(void)\n").replace(
        "step();", "say(\"{ }}\"); /* {{ */ c = '{';"),
    "tools/e.js": "'use strict';\n/* A file. */\n(async () => {\n"
                  "const a = '{{';\n" + lines(90) + "\n})();\n",
    "tools/k.js": "/* A file. */\nfunction f() {\n" + "\n".join(
        ["const g = a => {\n" + lines(9) + "\n};"] * 5) + "\n}\n",
    "tools/f.py": python(40),
    "tools/g.rs": c(40, "fn f(a: &Path) -> bool\n"),
    "tools/h.hpp": "// A file.\nnamespace x {\n" + lines(90, "int a();")
                   + "\n}\n",
    "scripts/i.sh": "#!/bin/sh\n# A file.\nset -eu\n",
}
BAD = {
    "a long function of the core": {"src/pool.h": c(31)},
    "a long function": {"tools/a.c": c(41)},
    "a long loop in a function": {"tools/a.c": c(50, "int f(void)\n").replace(
        "step();", "if (x) {\n}", 20)},
    "a long method": {"tools/h.hpp": "// A file.\nclass x {\n  int f() const\n"
                      "  {\n" + lines(41) + "\n  }\n};\n"},
    "a long function of Rust": {"tools/g.rs": c(41, "fn f() -> Box<A>\n")},
    "a long function of Python": {"tools/f.py": python(41)},
    "a long function in a script": {
        "tools/e.js": "/* A file. */\n(async () => {\nfunction f(a) {\n"
                      + lines(41) + "\n}\n})();\n"},
    "a header without a purpose": {"tools/b.h": "#include <a.h>\n"},
    "a source without a purpose": {"tools/a.c": "#include \"x.h\"\n"},
    "a program without a purpose": {"tools/f.py": "import sys\n"},
    "a script without a purpose": {"scripts/i.sh": "#!/bin/sh\nset -eu\n"},
}


def exit_code(files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, FUNCTIONS, root], check=False,
                              capture_output=True, text=True)
    if "Traceback" in done.stderr:
        sys.exit(done.stderr)
    return done.returncode, done.stdout


code, told = exit_code(GOOD)
failed = [told] if code != 0 else []
failed += [what for what, change in BAD.items()
           if exit_code({**GOOD, **change})[0] == 0]
failed += ["no files at all"] if exit_code({"a/b": ""})[0] == 0 else []
sys.exit(f"wrong about: {failed}" if failed else 0)
