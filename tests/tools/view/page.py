"""
usage: page.py BITFIT ...
The page of `bitfit report` in a headless Chromium: it loads without a word on
the console, needs no network, and scrubbing, stepping, zooming and hovering
show what the trace says, light and dark, wide and narrow, and at a million
events.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

from browser import Browser

BITFIT = sys.argv[1]


def random_trace(path, events, seed=3):
    dice = random.Random(seed)
    live, lines, blocks = [], [], 0
    while len(lines) < events:
        roll = dice.random()
        if not live or (roll < 0.5 and len(live) < 3000):
            lines.append("a %d %d" % (blocks, dice.choice([24, 100, 900, 9000])))
            live.append(blocks)
            blocks += 1
        elif roll < 0.6:
            lines.append("r %d %d" % (dice.choice(live), dice.randrange(4000)))
        else:
            at = dice.randrange(len(live))
            live[at], live[-1] = live[-1], live[at]
            lines.append("f %d" % live.pop())
    with open(path, "w") as file:
        file.write("0\n%d\n%d\n1\n%s\n" % (blocks, events, "\n".join(lines)))


def report(trace, page):
    subprocess.run([BITFIT, "report", trace, "-o", page], check=True)
    with open(page) as file:
        text = file.read()
    # All that it may name outside is what its comments thank.
    for word in ("<link", " src=", "@import", "url(", "fetch("):
        assert word not in text, word


def open_page(browser, page):
    browser.open(page)
    end = time.time() + 60
    ready = "document.documentElement.dataset.ready"
    while browser.run(ready) != "yes":
        assert time.time() < end, (browser.complaints, "never ready")
        time.sleep(0.05)
    browser.settle()
    quiet(browser)


def quiet(browser):
    assert not browser.complaints, browser.complaints


def moment(trace, event):
    """As the command itself says."""
    text = subprocess.run([BITFIT, "map", trace, "--at", str(event), "--json"],
                          check=True, capture_output=True).stdout
    return json.loads(text)


def event_of(browser):
    return browser.run("bitfit_report.state.event")


def check_moments(browser, trace, events):
    """Scrubbed to, the page shows what the command prints."""
    for event in (0, 1, events // 3, events // 2, events - 1):
        browser.run("(() => { const s = document.getElementById('scrubber');"
                    "s.value = %d; s.dispatchEvent(new Event('input')) })()"
                    % event)
        browser.settle()
        assert event_of(browser) == event
        shown = browser.run(
            "(() => { const live = bitfit_report.live_at(%d);"
            "const holes = bitfit_report.holes_between(live);"
            "return [live.length, holes.length, holes.length ? holes[0].size"
            " : 0] })()" % event)
        told = moment(trace, event)
        holes = sum(1 for run in told["runs"] if not run[2])
        assert shown == [told["blocks"], holes, told["largest_request"]], event
        title = browser.run(
            "document.getElementById('moment-title').textContent")
        assert title.startswith("After event " + format(event, ",")), title


def check_keys(browser, events):
    browser.key("Home")
    assert event_of(browser) == 0
    browser.key("ArrowRight")
    browser.key("ArrowRight", shift=True)
    assert event_of(browser) == 101
    browser.key("ArrowLeft")
    assert event_of(browser) == 100
    browser.key("End")
    assert event_of(browser) == events - 1
    browser.key("p")
    assert event_of(browser) == browser.run("bitfit_report.figures.peak_event")
    browser.key("+")
    browser.settle()
    zoomed = browser.run("bitfit_report.showing()")
    assert zoomed["t1"] - zoomed["t0"] < events * 0.6, zoomed
    browser.key("Escape")
    browser.settle()
    assert browser.run("bitfit_report.showing().t1") == events


def check_mouse(browser, events):
    box = browser.run("(() => { const b = document.getElementById('map')"
                      ".getBoundingClientRect();"
                      "return [b.left, b.top, b.width, b.height] })()")
    left, top, width, height = box
    # Near the lower left there is a block.
    x, y = left + width * 0.6, top + height * 0.9
    browser.mouse("mouseMoved", x, y)
    browser.settle()
    tip = browser.run("document.getElementById('tip').innerText")
    assert tip.startswith("block ") and "\nage " in tip, tip
    browser.mouse("mousePressed", x, y, button="left", clickCount=1)
    browser.mouse("mouseReleased", x, y, button="left", clickCount=1)
    browser.settle()
    assert 0.4 * events < event_of(browser) < 0.7 * events
    browser.mouse("mousePressed", x, y, button="left", clickCount=1)
    browser.mouse("mouseMoved", x + 120, y - 90)
    browser.mouse("mouseReleased", x + 120, y - 90, button="left",
                  clickCount=1)
    browser.settle()
    zoomed = browser.run("bitfit_report.showing()")
    assert zoomed["t1"] - zoomed["t0"] < 0.2 * events, zoomed
    assert zoomed["a1"] < browser.run("bitfit_report.figures.capacity")
    browser.run("document.getElementById('reset').click()")
    browser.settle()
    assert browser.run("bitfit_report.showing().t0") == 0


def check_recording(browser, folder):
    """A program recorded with times and call sites: both are to be seen."""
    trace, page = folder + "/recorded.trace", folder + "/recorded.html"
    work = "x = [bytes(range(i % 200)) * 3 for i in range(20000)]"
    subprocess.run([BITFIT, "record", "--sites", "-o", trace, "--", "env",
                    "PYTHONMALLOC=malloc", "/usr/bin/python3", "-S", "-c",
                    work], check=True, stderr=subprocess.DEVNULL)
    report(trace, page)
    open_page(browser, page)
    assert not browser.run("document.getElementById('clock-label').hidden")
    browser.run("(() => { const b = document.getElementById('by');"
                "b.value = 'site'; b.dispatchEvent(new Event('change'));"
                "const c = document.getElementById('clock'); c.value = 'time';"
                "c.dispatchEvent(new Event('change')) })()")
    browser.settle()
    legend = browser.run("document.getElementById('legend').innerText")
    assert "python3" in legend, legend
    assert browser.run("bitfit_report.showing().t1") > 1000 # microseconds
    assert browser.run(
        "(() => { const r = bitfit_report, e = r.figures.peak_event;"
        "const i = r.live_at(e)[0]; return r.site_of(i) })()").count(";") > 0
    quiet(browser)


def colours_of(browser, canvas):
    """How many colours a canvas has: a blank one has one."""
    return browser.run(
        "(() => { const c = document.getElementById('%s');"
        "const o = new OffscreenCanvas(c.width, c.height)"
        ".getContext('2d', { willReadFrequently: true });"
        "o.drawImage(c, 0, 0);"
        "const d = o.getImageData(0, 0, c.width, c.height).data;"
        "const s = new Set();"
        "for (let i = 0; i < d.length; i += 4)"
        " s.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);"
        "return s.size })()" % canvas)


def check_looks(browser):
    papers = set()
    for dark in (False, True):
        for width in (1280, 390):
            browser.theme(dark)
            browser.resize(width, 900)
            browser.settle()
            browser.settle()
            for canvas in ("map", "ribbon", "sizes", "lives"):
                assert colours_of(browser, canvas) > 5, (canvas, dark, width)
            papers.add(browser.run(
                "getComputedStyle(document.body).backgroundColor"))
            across = browser.run("document.documentElement.scrollWidth")
            assert across <= width, (across, width)
            assert browser.run("document.querySelectorAll('.uplot').length") == 2
    assert len(papers) == 2, papers
    for by in ("age", "site", "size"):
        browser.run("(() => { const b = document.getElementById('by');"
                    "b.value = '%s'; b.dispatchEvent(new Event('change'))"
                    "})()" % by)
        browser.settle()
        assert colours_of(browser, "map") > 3, by


def main():
    with tempfile.TemporaryDirectory() as folder:
        trace, page = folder + "/random.rep", folder + "/page.html"
        hostile = folder + "/<b>&\"'.rep"
        random_trace(trace, 20000)
        report(trace, page)
        with Browser() as browser:
            open_page(browser, page)
            check_moments(browser, trace, 20000)
            check_keys(browser, 20000)
            check_mouse(browser, 20000)
            check_looks(browser)
            quiet(browser)

            random_trace(trace, 1000000)
            report(trace, page)
            browser.resize(1280, 900)
            open_page(browser, page)
            check_keys(browser, 1000000)
            check_mouse(browser, 1000000)
            quiet(browser)

            check_recording(browser, folder)

            os.rename(trace, hostile)
            random_trace(hostile, 40)
            report(hostile, page)
            open_page(browser, page)
            title = browser.run("document.getElementById('title').textContent")
            assert title.startswith("<b>&\"'"), title

            with open(hostile, "w") as file:
                file.write("0\n1\n1\n1\na 0 100\n")
            report(hostile, page)
            open_page(browser, page)
            quiet(browser)
            text = browser.run("document.body.innerText")
            assert "112 bytes live in 1 block," in text, text
            # The only event has a length, and its curves are drawn.
            colours = browser.run(
                "(() => { const c = document.querySelector('#use canvas'),"
                "d = c.getContext('2d').getImageData(0, c.height / 3,"
                " c.width, 1).data, all = new Set();"
                "for (let i = 0; i < d.length; i += 4)"
                " all.add(d.slice(i, i + 4).join()); return all.size })()")
            assert colours > 2, colours
    print("the page shows what its traces say")


main()
