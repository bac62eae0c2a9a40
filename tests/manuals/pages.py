#!/usr/bin/env python3
"""usage: pages.py functions|links|verbs|lint [ARGUMENT...]

Checks of the manual, run in the source tree:

functions COMPILER  every public function has a page with its present signature,
                    every public constant and field is described, and nothing is
                    described or used that the header does not have
links               every relative link, anchor and reference leads somewhere
verbs COMMAND       bitfit(1) and `bitfit --help` have the same verbs, each with
                    a page of its own and the same options
lint                mandoc finds nothing to say about a page
"""

import glob
import os
import re
import subprocess
import sys

complaints = {}  # in the order in which they came, each once


def complain(what):
    complaints[what] = True


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def output_of(*command):
    return subprocess.run(
        command, stdout=subprocess.PIPE, encoding="utf-8", check=True
    ).stdout


PAGES = {
    os.path.basename(path): read(path)
    for path in sorted(glob.glob("docs/man/*.[1-9]"))
}
TEXTS = [
    path
    for path in sorted(glob.glob("**/*.md", recursive=True))
    if not path.startswith("build")
]


# -------------------------------------------------------------- the functions


def squeezed(declaration):
    """A declaration in one spelling: "void *f(int a, char *b)"."""
    text = " ".join(declaration.split())
    text = re.sub(r" ?\* ?", " *", text)
    return re.sub(r"\* \*", "**", re.sub(r" ?([(),]) ?", r"\1", text))


def declared(compiler):
    """Name to signature of what the headers declare as functions."""
    everything = "".join(
        f'#include "{path}"\n' for path in sorted(glob.glob("include/*.h"))
    )
    header = subprocess.run(
        [compiler, "-E", "-P", "-DBITFIT_API=", "-I.", "-Iinclude"]
        + ["-x", "c", "-"],
        input=everything,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    ).stdout.replace("_Bool", "bool")
    found = {}
    function = r"((?:typedef )?[\w\s*]*?\b(bitfit_\w+)\([^;{}()]*\));"
    for match in re.finditer(r"(?:^|(?<=[;}]))\s*" + function, header):
        found[match.group(2)] = squeezed(match.group(1))
    return found, header


def documented(page):
    """Name to signature of what a page's SYNOPSIS shows."""
    synopsis = re.search(r"(?ms)^\.Sh SYNOPSIS\n(.*?)^\.Sh ", page)
    found = {}
    for result, name, arguments in re.findall(
        r"(?m)^\.Ft (.*)\n\.Fn (\w+)(.*)", synopsis.group(1) if synopsis else ""
    ):
        arguments = re.findall(r'"([^"]*)"|(\S+)', arguments)
        arguments = ",".join(quoted or word for quoted, word in arguments)
        found[name] = squeezed(f"{result} {name}({arguments})")
    return found


def check_functions(compiler):
    header, text = declared(compiler)
    pages = {}
    for page, source in PAGES.items():
        named = re.findall(r"(?m)^\.Nm (bitfit_\w+)", source)
        for name, signature in documented(source).items():
            pages[name] = page
            if name not in header:
                complain(f"docs/man/{page}: the header has no {name}()")
            elif signature != header[name]:
                complain(
                    f"docs/man/{page}: stale: {signature}\n"
                    f"    the header says: {header[name]}"
                )
            if name not in named and "typedef" not in signature:
                complain(
                    f"docs/man/{page}: {name}() is not in its NAME section, so"
                    f" `man {name}` will not find it"
                )
    for name in sorted(header.keys() - pages.keys()):
        complain(
            f"{name}() has no manual: add it to the page of its family in"
            " docs/man/bitfit_*.3, as .Nm under NAME, as .Ft and .Fn under"
            " SYNOPSIS, and to the text; a new family gets a page and a line"
            " in bitfit.3"
        )
    check_words(text)


def check_words(header):
    """Constants and fields are described, and no text uses unknown calls."""
    manual = "\n".join(
        source for page, source in PAGES.items() if page.endswith(".3")
    )
    for body, name in re.findall(
        r"typedef (?:enum|struct) \w+ \{([^}]*)\} (\w+);", header
    ):
        for member in body.split("," if "BITFIT_" in body else ";"):
            word = re.search(r"(\w+)\)?(?: *=.*|\(.*)?$", member.strip())
            if word and not re.search(rf"\b{word.group(1)}\b", manual):
                complain(
                    f"{word.group(1)} of {name} is described in no page of"
                    " docs/man/*.3"
                )
    known = set(re.findall(r"\bbitfit_\w+", header))
    for path in ["README.md"] + glob.glob("docs/*.md"):
        for name in sorted(set(re.findall(r"\b(bitfit_\w+)\(", read(path)))):
            if name not in known:
                complain(f"{path}: the header has no {name}()")


# ------------------------------------------------------------------ the links


def without_code(text):
    text = re.sub(r"(?ms)^```.*?^```", "", text)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path):
    """The anchors that a page's headings get on the web."""
    found = set()
    text = re.sub(r"(?ms)^```.*?^```", "", read(path))
    for heading in re.findall(r"(?m)^#+ (.*)$", text):
        heading = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-")
        while slug in found:
            slug += "-1"
        found.add(slug)
    return found


def check_link(path, link):
    if re.match(r"[a-z]+:", link):
        web = r"(https?://[\w.-]+(:\d+)?(/\S*)?|mailto:\S+@\S+)"
        if not re.fullmatch(web, link):
            complain(f"{path}: no address: {link}")
        return
    target, _, anchor = link.partition("#")
    whole = os.path.normpath(os.path.join(os.path.dirname(path), target))
    whole = path if target == "" else whole
    if not os.path.exists(whole):
        complain(f"{path}: dead link: {link}")
    elif anchor and whole.endswith(".md") and anchor not in anchors(whole):
        complain(f"{path}: {target or path} has no heading for #{anchor}")


def check_links():
    for path in TEXTS:
        text = without_code(read(path))
        for link in re.findall(r"\]\(\s*<?([^)\s>]+)", text):
            check_link(path, link)
        for link in re.findall(r"(?m)^\[[^]]+\]: *(\S+)", text):
            check_link(path, link)
        page = r"\b(bitfit[-_a-z]*)\(([1-8])\)"
        for name, section in re.findall(page, read(path)):
            check_reference(path, name, section)
    for page, source in PAGES.items():
        reference = r"(?m)^\.(?:It )?Xr (\S+) (\S+)"
        for name, section in re.findall(reference, source):
            check_reference(f"docs/man/{page}", name, section)


def names():
    """What man(1) finds: the pages, and the functions that pages name."""
    found = set(PAGES)
    for page, source in PAGES.items():
        if page.endswith(".3"):
            found |= {n + ".3" for n in re.findall(r"(?m)^\.Nm (\w+)", source)}
    return found


def check_reference(path, name, section):
    if name.startswith("bitfit") and f"{name}.{section}" not in names():
        complain(f"{path}: there is no page {name}({section}) in docs/man")


# ------------------------------------------------------- the verbs, and style


def check_verbs(command):
    usage = output_of(command, "--help")
    verbs = set(re.findall(r"(?m)^  (\S+)  +\S", usage))
    listed = set(re.findall(r"(?m)^\.It Xr bitfit-(\w+) 1", PAGES["bitfit.1"]))
    for verb in sorted(verbs - listed):
        complain(
            f"the verb {verb} is not in docs/man/bitfit.1: add a line"
            f" `.It Xr bitfit-{verb} 1` to its list of verbs"
        )
    for verb in sorted(listed - verbs):
        complain(f"docs/man/bitfit.1: there is no verb {verb}")
    for verb in sorted(verbs):
        if f"bitfit-{verb}.1" not in PAGES:
            complain(f"the verb {verb} has no page docs/man/bitfit-{verb}.1")
        else:
            check_options(verb, output_of(command, verb, "--help"))


def check_options(verb, usage):
    """A verb and its page have the same long options."""
    all_have = {"help", "usage", "version"}
    option = r"(?m)^ +(?:-\w(?: \S+)?, )?--([a-z-]+)"
    has = set(re.findall(option, usage)) - all_have
    page = PAGES[f"bitfit-{verb}.1"]
    described = set(re.findall(r"Fl Fl ([a-z][a-z-]*)", page)) - all_have
    for name in sorted(has - described):
        complain(f"docs/man/bitfit-{verb}.1 does not describe --{name}")
    for name in sorted(described - has):
        complain(f"docs/man/bitfit-{verb}.1: there is no --{name}")


def check_lint():
    # Pages that are not installed are check_links()' matter; "--" on a command
    # line, sections of our own and long lines in the source are meant.
    fine = re.compile(
        'referenced manual not found|verbatim "--"|typo in section name'
        "|input text line longer"
    )
    for page in PAGES:
        done = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "style", f"docs/man/{page}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        for line in done.stdout.splitlines():
            if not fine.search(line):
                complain(line)


def main():
    checks = {
        "functions": check_functions,
        "links": check_links,
        "verbs": check_verbs,
        "lint": check_lint,
    }
    checks[sys.argv[1]](*sys.argv[2:])
    for complaint in complaints:
        print(complaint)
    print(f"{len(PAGES)} pages, {len(complaints)} complaints")
    return 1 if complaints or not PAGES else 0


sys.exit(main())
