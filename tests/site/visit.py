#!/usr/bin/env python3
"""usage: visit.py FOLDER

Visits the site that site/build.py wrote: every page opens without a complaint,
every link leads somewhere, and the playground does what it says, by mouse and
by keys, dark and light, on a desk and on a phone. Leaves playground.png,
playground-dark.png and playground-phone.png in the folder.
"""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "tools", "view"))
from browser import Browser  # noqa: E402

SITE = os.path.abspath(sys.argv[1])
PLAYGROUND = os.path.join(SITE, "playground", "index.html")


def expect(got, wanted, what):
    if got != wanted:
        sys.exit("%s: %r, not %r" % (what, got, wanted))


def expect_text(browser, pattern, what):
    text = browser.run("document.getElementById('say').textContent")
    if not re.search(pattern, text):
        sys.exit("%s: the page says %r" % (what, text))


# ---------------------------------------------------------------------- pages


def ids_of(path):
    with open(path, encoding="utf-8") as file:
        return set(re.findall(r'\bid="([^"]*)"', file.read()))


def links_lead_somewhere():
    bad = []
    for path in glob.glob(os.path.join(SITE, "**/*.html"), recursive=True):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for target in re.findall(r'(?:href|src)="([^"]*)"', text):
            file_name, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                if 'src="%s"' % target in text:
                    bad.append((path, target))  # it would need the network
                continue
            to = path if not file_name else os.path.normpath(
                os.path.join(os.path.dirname(path), file_name))
            if not os.path.exists(to) or (anchor and anchor not in ids_of(to)):
                bad.append((os.path.relpath(path, SITE), target))
    expect(bad, [], "links that lead nowhere")


def every_page_opens(browser):
    for path in sorted(glob.glob(os.path.join(SITE, "**/*.html"),
                                 recursive=True)):
        browser.open(path)
        expect(browser.complaints, [], path)
        expect(browser.run("document.querySelectorAll('h1').length > 0"), True,
               path + " has a heading")


# ----------------------------------------------------------------- playground


def granule(n):
    return "document.querySelectorAll('.cell')[%d]" % n


def label(browser, n):
    return browser.run(granule(n) + ".getAttribute('aria-label')")


def allocate(browser, size):
    browser.run("document.getElementById('size').value = '%d';"
                "document.getElementById('by-hand').requestSubmit()" % size)


def click(browser, expression):
    x, y = browser.run(
        "(r => [r.x + r.width / 2, r.y + 5])(%s.getBoundingClientRect())"
        % expression)
    for kind in ("mousePressed", "mouseReleased"):
        browser.mouse(kind, x, y, button="left", clickCount=1)


def word(browser, n, part):
    return browser.run("core.word_%s(%d) >>> 0" % (part, n))


def by_mouse(browser):
    browser.open(PLAYGROUND)
    for size in (100, 40, 1000):
        allocate(browser, size)
    expect(label(browser, 8), "block of 40 bytes at 7, 3 granules", "a block")
    expect(word(browser, 0, "start"), 1 << 0 | 1 << 7 | 1 << 10, "start bits")
    click(browser, granule(9))
    expect_text(browser, "free 40: granules 7 to 9 are free", "a click")
    expect(label(browser, 9), "hole at 7, 3 granules", "a hole")
    expect(word(browser, 0, "free") >> 7 & 7, 7, "free bits")
    expect(browser.run("document.querySelector('.entry').textContent"), "3",
           "the tree's entry of word 0")
    allocate(browser, 48)
    expect(label(browser, 7), "block of 48 bytes at 7, 3 granules",
           "the lowest place")
    allocate(browser, 8000)
    expect_text(browser, "NULL", "what fits nowhere")


def by_keys(browser):
    browser.open(PLAYGROUND)
    browser.run("document.body.focus()")
    browser.key("a")
    expect_text(browser, "alloc 100: 7 granules at 0", "the key A")
    browser.run(granule(0) + ".focus()")
    browser.key("ArrowRight")
    expect(browser.run("document.activeElement.dataset.granule"), "1",
           "the arrow")
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="Enter",
                 code="Enter", windowsVirtualKeyCode=13, text="\r")
    expect_text(browser, "free 100", "Enter on a block")
    for _ in range(12):
        browser.key("s")
    expect(browser.run("state.at"), 12, "the key S")
    browser.key("e")
    expect(label(browser, 0), "hole at 0, 512 granules", "the key E")


def mistakes(browser):
    browser.open(PLAYGROUND)
    for kind, says in (("double", "double free"),
                       ("interior", "interior pointer"),
                       ("misaligned", "misaligned pointer"),
                       ("foreign", "foreign pointer")):
        browser.run("document.getElementById('mistake').value = '%s';"
                    "document.getElementById('bad').click()" % kind)
        expect_text(browser, says + r"\. Caught before .* returns 0", kind)


def programs(browser):
    """To the end of each, with bitfit's map checked against the page's own."""
    browser.open(PLAYGROUND)
    for i in range(4):
        calls = browser.run(
            "(() => { byId('program').value = %d; load(); let calls = 0;"
            " while (step()) calls++; draw(); return calls; })()" % i)
        expect(calls == browser.run("PROGRAMS[%d][1]().length" % i), True,
               "program %d ends" % i)
        expect(browser.run("core.check()"), 0, "program %d: the check" % i)
        expect(browser.run(
            "runsOfPool().filter(r => r.live).every(r => blockAt(r.start)"
            " && blockAt(r.start).count === r.count)"), True, "the same blocks")
        for other in ("good", "next"):
            expect(browser.run(
                "state.blocks.every((b) => b.places[%d] < 0 ||"
                " state.%s.count[b.places[%d]] === b.count)"
                % (1 + (other == "next"), other, 1 + (other == "next"))), True,
                other)
    expect(browser.run(
        "byId('program').value = 0; load(); while (step()); draw();"
        "core.high_water() < state.next.top"), True,
        "next fit spreads further than first fit")


def pictures(browser, name, width, dark):
    browser.resize(width, 900)
    browser.theme(dark)
    browser.open(PLAYGROUND)
    browser.run("byId('program').value = 0; load();"
                "for (let i = 0; i < 230; i++) step(); draw()")
    browser.run("document.getElementById('bad').click()")
    browser.settle()
    expect(browser.run("document.documentElement.scrollWidth <= %d" % width),
           True, "nothing beyond %d pixels" % width)
    expect(browser.run("document.documentElement.dataset.theme"),
           "dark" if dark else "light", "the theme")
    browser.screenshot(os.path.join(SITE, name))


def main():
    links_lead_somewhere()
    with Browser() as browser:
        every_page_opens(browser)
        by_mouse(browser)
        by_keys(browser)
        mistakes(browser)
        programs(browser)
        pictures(browser, "playground.png", 1180, False)
        pictures(browser, "playground-dark.png", 1180, True)
        pictures(browser, "playground-phone.png", 380, True)
        expect(browser.complaints, [], "the console")


main()
