#!/usr/bin/env python3
"""usage: site/build.py FOLDER

Writes the project's site into the folder: static pages that need no network.
The manuals, the header as reference, the documents, and the playground, which is
the core as WebAssembly. Needs clang and lld, mandoc, and cmark-gfm.
"""
import base64
import glob
import html
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SITE = os.path.join(ROOT, "site")

# Name of the page, document, title, and what it is for.
DOCUMENTS = [
    ("about", "README.md", "About", "What bitfit is, in one page."),
    ("cookbook", "docs/COOKBOOK.md", "Cookbook",
     "Recipes to copy; each of them runs in the tests."),
    ("coming-from", "docs/COMING-FROM.md", "Coming from",
     "malloc, TLSF, dlmalloc, littlefs and others: what is different."),
    ("design", "docs/DESIGN.md", "Design", "How it works, and why so."),
    ("benchmarks", "docs/BENCHMARKS.md", "Benchmarks",
     "Speed, latency and space beside peers, with the losses."),
    ("benchmarks-malloc", "docs/BENCHMARKS-malloc.md", "Benchmarks of the malloc",
     "Whole programs on it."),
    ("boards", "docs/BOARDS.md", "Boards",
     "Instructions, code and usable bytes on microcontrollers."),
    ("security", "SECURITY.md", "Security", "What is protected, and what is not."),
    ("contributing", "CONTRIBUTING.md", "Contributing", "How to change it."),
    ("changelog", "CHANGELOG.md", "Changelog", "What is new."),
]

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>bitfit: {title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{up}style.css">
</head>
<body>
<header class="top"><nav><a class="home" href="{up}index.html">bitfit</a>\
<a href="{up}playground/index.html">Playground</a>\
<a href="{up}reference.html">Reference</a>\
<a href="{up}cookbook.html">Cookbook</a>\
<a href="{up}man/index.html">Manuals</a></nav>
<button id="theme" type="button">Dark</button></header>
<main>
{body}
</main>
<script src="{up}theme.js"></script>
</body>
</html>
"""

THEME = """'use strict';
function setTheme(name) {
  document.documentElement.dataset.theme = name;
  document.getElementById('theme').textContent = name === 'dark' ? 'Light' : 'Dark';
}
setTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
document.getElementById('theme').addEventListener('click', () => setTheme(
  document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
"""


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def write(out, path, text):
    path = os.path.join(out, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def run(*command, text=None):
    return subprocess.run(command, input=text, cwd=ROOT, check=True,
                          stdout=subprocess.PIPE, encoding="utf-8").stdout


def page(out, path, title, body):
    up = "../" * path.count("/")
    write(out, path, PAGE.format(title=html.escape(title), up=up, body=body))


# ------------------------------------------------------------------ documents


def anchor_of(heading):
    """As GitHub names it, since the documents link to each other so."""
    text = html.unescape(re.sub(r"<[^>]*>", "", heading)).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def with_anchors(body):
    return re.sub(
        r"<h([1-6])>(.*?)</h\1>",
        lambda m: '<h%s id="%s">%s</h%s>' % (m[1], anchor_of(m[2]), m[2], m[1]),
        body, flags=re.S)


def link_inside(target, folder, pages):
    """Where a link of a document leads, on the site; None if it has no page."""
    path, hash_mark, anchor = target.partition("#")
    if re.match(r"[a-z]+:", target) or not path:
        return target
    path = os.path.normpath(os.path.join(folder, path))
    if path in pages:
        return pages[path] + hash_mark + anchor
    return None


def with_links(body, out, folder, pages):
    """Leads links to the site's pages, takes pictures along, and leaves those
    that lead elsewhere in the tree as text."""
    def picture(match):
        path = os.path.normpath(os.path.join(folder, match[1]))
        if re.match(r"[a-z]+:", match[1]):
            return match[0]
        os.makedirs(os.path.join(out, "pictures"), exist_ok=True)
        shutil.copy(os.path.join(ROOT, path), os.path.join(out, "pictures"))
        return 'src="pictures/%s"' % os.path.basename(path)

    def link(match):
        target = link_inside(html.unescape(match[1]), folder, pages)
        if target is None:
            return "<span>%s</span>" % match[2]
        return '<a href="%s">%s</a>' % (html.escape(target), match[2])

    body = re.sub(r'src="([^"]*)"', picture, body)
    return re.sub(r'<a href="([^"]*)">(.*?)</a>', link, body, flags=re.S)


def documents(out, pages):
    for name, path, title, _ in DOCUMENTS:
        body = run("cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink",
                   text=read(path))
        body = with_links(with_anchors(body), out, os.path.dirname(path), pages)
        page(out, name + ".html", title, body)


# ------------------------------------------------------------------- manuals


def names_of(path):
    """The names under which other pages refer to a manual page."""
    section = path.rsplit(".", 1)[1]
    title = re.search(r"(?ms)^\.Sh NAME\n(.*?)^\.Nd", read(path))[1]
    return ["%s.%s" % (name, section)
            for name in re.findall(r"(?m)^\.Nm (\S+)", title)]


def manuals(out):
    rows = []
    pages = sorted(glob.glob(os.path.join(ROOT, "docs/man/*.[1-9]")))
    page_of = {name: os.path.basename(path)
               for path in pages for name in names_of(path)}

    def link(match):
        """To the page that describes the name; the system's have none here."""
        if match[1] in page_of:
            return '<a class="Xr" href="%s.html"' % page_of[match[1]]
        return '<a class="Xr"'

    for path in pages:
        name = os.path.basename(path)
        body = run("mandoc", "-T", "html", "-O", "fragment,man=%N.%S.html", path)
        body = re.sub(r'<a class="Xr" href="([^"]*)\.html"', link, body)
        page(out, "man/%s.html" % name, name, body)
        what = re.search(r"(?m)^\.Nd (.*)", read(path))[1].replace("\\(", "")
        rows.append('<li><a href="%s.html">%s</a><p>%s</p></li>'
                    % (name, name, html.escape(what)))
    page(out, "man/index.html", "Manuals",
         '<h1>Manuals</h1>\n<ul class="cards">%s</ul>' % "\n".join(rows))


# ------------------------------------------------------------------ reference


def reference(out):
    """The headers as they are, each public name with an anchor."""
    parts = ["<h1>Reference</h1>",
             '<p class="lead">The headers are the contract. This is all of them; '
             "the list leads to each function.</p>"]
    for path in sorted(glob.glob(os.path.join(ROOT, "include/*.h"))):
        text = html.escape(read(path), quote=False)
        names = re.findall(r"(?m)^BITFIT_API[^;]*?\b(bitfit_\w+)\(", text)
        parts.append("<h2>%s</h2>" % os.path.basename(path))
        parts.append("<p>%s</p>" % ", ".join(
            '<a href="#%s"><code>%s</code></a>' % (n, n) for n in names))
        for name in names:
            text = re.sub(
                r"(?m)^(BITFIT_API[^;]*?\b)(%s)(?=\()" % name,
                r'\1<b id="\2">\2</b>', text, count=1)
        parts.append("<pre>%s</pre>" % text)
    page(out, "reference.html", "Reference", "\n".join(parts))


# ----------------------------------------------------------------- playground


def playground(out):
    folder = os.path.join(out, "playground")
    os.makedirs(folder, exist_ok=True)
    program = os.path.join(folder, "core.wasm")
    subprocess.run(
        ["clang", "--target=wasm32", "-Os", "-std=c11", "-ffreestanding",
         "-fno-builtin", "-nostdlib", "-DBITFIT_FREESTANDING=1", "-Iinclude",
         "-Isrc", *sorted(glob.glob(os.path.join(ROOT, "src/*.c"))),
         "site/playground/core.c", "-Wl,--no-entry", "-Wl,--strip-all",
         "-o", program], cwd=ROOT, check=True)
    # A page that was opened from a file may not fetch one.
    with open(program, "rb") as file:
        code = base64.b64encode(file.read()).decode()
    os.remove(program)
    write(out, "playground/core.js", "'use strict';\nconst CORE = '%s';\n" % code)
    for name in ["index.html", "playground.css", "playground.js", "others.js",
                 "programs.js"]:
        shutil.copy(os.path.join(SITE, "playground", name), folder)


def front(out):
    cards = [("playground/index.html", "Playground",
              "The real core in your browser: allocate, free, and look inside."),
             ("reference.html", "Reference", "The headers: the whole contract."),
             ("man/index.html", "Manuals", "A page for each call and command.")]
    cards += [(name + ".html", title, what) for name, _, title, what in DOCUMENTS]
    body = ("<h1>bitfit</h1>\n<p class=\"lead\">Exact first fit in one fixed block "
            "of memory, with the bookkeeping in bitmaps apart from the data.</p>\n"
            '<ul class="cards">%s</ul>' % "\n".join(
                '<li><a href="%s">%s</a><p>%s</p></li>'
                % (target, title, html.escape(what))
                for target, title, what in cards))
    page(out, "index.html", "exact first fit", body)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    out = os.path.abspath(sys.argv[1])
    os.makedirs(out, exist_ok=True)
    pages = {path: name + ".html" for name, path, _, _ in DOCUMENTS}
    pages.update({os.path.relpath(path, ROOT): "man/%s.html"
                  % os.path.basename(path)
                  for path in glob.glob(os.path.join(ROOT, "docs/man/*.[1-9]"))})
    pages.update({os.path.relpath(path, ROOT): "reference.html"
                  for path in glob.glob(os.path.join(ROOT, "include/*.h"))})
    pages["docs"] = pages["docs/man"] = "man/index.html"
    shutil.copy(os.path.join(SITE, "style.css"), out)
    write(out, "theme.js", THEME)
    documents(out, pages)
    manuals(out)
    reference(out)
    playground(out)
    front(out)
    print(os.path.join(out, "index.html"))


main()
