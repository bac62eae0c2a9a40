#!/usr/bin/env python3
"""Whether circles.py finds what it is there for, in trees made for it."""
import pathlib
import subprocess
import sys
import tempfile

CIRCLES = pathlib.Path(__file__).with_name("circles.py")

GOOD = {"a/top.c": '#include "top.h"\n#include "b/low.h"\n', "a/top.h": "",
        "a/b/low.h": "#include <stddef.h>\n#include <top.h>\n",
        "a/lib.rs": "mod high;\nmod deep;\npub use deep::Thing;\n",
        "a/high.rs": "use crate::{deep, Thing}; // crate::high\n",
        "a/deep.rs": ""}
CIRCLES_IN = {
    "two headers": {"a/b/low.h": '#include "../side.h"\n',
                    "a/side.h": '#include "b/low.h"\n'},
    "a file and a header below it": {"a/top.h": '#include "side.h"\n',
                                     "a/side.c": '#include "top.h"\n',
                                     "a/side.h": ""},
    "a header of a folder of headers": {
        "a/include/own.h": '#include "../top.h"\n',
        "a/top.h": "#include <own.h>\n"},
    "folders": {"a/b/other.c": '#include "../side.h"\n', "a/side.h": ""},
    "modules": {"a/deep.rs": "use crate::high::x;\n"},
    "modules, by a name of the crate": {
        "a/lib.rs": "pub use high::Other;\n",
        "a/deep.rs": "use crate::Other;\n"},
    "modules, in a list": {"a/deep.rs": "use crate::{\n    high,\n};\n"},
}


def exit_code(files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return subprocess.run([sys.executable, CIRCLES, root, "a"],
                              check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode


failed = exit_code(GOOD) != 0 and ["no circle"] or []
failed += [what for what, change in CIRCLES_IN.items()
           if exit_code({**GOOD, **change}) == 0]
failed += exit_code({"a/alone.h": ""}) == 0 and ["no steps at all"] or []
sys.exit(f"wrong about: {failed}" if failed else 0)
