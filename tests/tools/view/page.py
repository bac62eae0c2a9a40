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
    browser.wait_for("document.documentElement.dataset.ready === 'yes'")
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


CTRL, SHIFT = 2, 8


def drag(browser, x, y, right, down, **more):
    browser.mouse("mousePressed", x, y, button="left", clickCount=1, **more)
    for part in (0.3, 1):
        browser.mouse("mouseMoved", x + right * part, y + down * part,
                      button="left", buttons=1, **more)
    browser.mouse("mouseReleased", x + right, y + down, button="left",
                  clickCount=1, **more)
    browser.settle()


def wheel(browser, x, y, across, down, **more):
    browser.mouse("mouseWheel", x, y, deltaX=across, deltaY=down, **more)
    browser.settle()


def check_moves(browser, x, y, zoomed):
    """Dragging and Shift-wheel move, Ctrl-wheel zooms, a plain wheel scrolls
    the page; the curves follow; no tip stays."""
    wide = zoomed["t1"] - zoomed["t0"]
    drag(browser, x, y, -100, -40)
    moved = browser.run("bitfit_report.showing()")
    assert moved["t0"] > zoomed["t0"] and moved["a0"] < zoomed["a0"], moved
    assert abs(moved["t1"] - moved["t0"] - wide) < 1e-3 * wide, moved
    wheel(browser, x, y, 0, 120, modifiers=SHIFT)
    further = browser.run("bitfit_report.showing()")
    assert further["t0"] > moved["t0"], further
    wheel(browser, x, y, 0, 120, modifiers=CTRL)
    wider = browser.run("bitfit_report.showing()")
    assert wider["t1"] - wider["t0"] > 1.2 * wide, wider
    curves = browser.run("bitfit_report.charts.map(c =>"
                         " [c.plot.scales.x.min, c.plot.scales.x.max])")
    for low, high in curves:
        assert abs(low - wider["t0"]) <= 1 and high - wider["t1"] <= 1, curves
    browser.mouse("mouseMoved", x, y)
    browser.settle()
    assert not browser.run("document.getElementById('tip').hidden")
    wheel(browser, x, y, 0, 60)
    browser.wait_for("scrollY > 0")
    browser.wait_for("document.getElementById('tip').hidden")
    assert browser.run("bitfit_report.showing()") == wider
    browser.run("scrollTo(0, 0)")
    browser.come_to_rest()


def table(browser):
    """The rows of who holds the memory."""
    return browser.run("[...document.querySelectorAll('#who tbody tr')].map("
                       "r => [...r.cells].map(c => c.textContent))")


def click(browser, selector):
    browser.run("document.querySelector(%s).click()" % json.dumps(selector))
    browser.settle()
    browser.settle()


def choose(browser, name, value):
    browser.run("(() => { const b = document.getElementById('%s'); b.value ="
                " '%s'; b.dispatchEvent(new Event('%s')) })()" % (
                    name, value, "input" if name == "search" else "change"))
    browser.settle()
    browser.settle()


def check_who(browser, trace):
    """The table, the flame graph and the map say the same of each other."""
    browser.run("bitfit_report.go(bitfit_report.figures.peak_event)")
    browser.settle()
    browser.settle()
    peak = browser.run("bitfit_report.figures.peak_live")
    groups = browser.run("bitfit_report.groups()")
    assert sum(g["now"] for g in groups) == peak
    assert sum(g["peak"] for g in groups) == peak
    told = moment(trace, "end")
    assert sum(g["kept"] for g in groups) == told["live"]
    flame = browser.run("bitfit_report.flame().map(f => [f.node.name,"
                        " f.node.depth, f.value])")
    assert flame[0] == ["everything", 0, peak], flame[0]
    assert sum(f[2] for f in flame if f[1] == 1) <= peak
    # Sorted, the other way round, searched.
    assert [g["now"] for g in groups] == sorted(
        (g["now"] for g in groups), reverse=True)
    click(browser, "#who th:nth-child(5) button")
    calls = browser.run("bitfit_report.groups().map(g => g.calls)")
    assert calls == sorted(calls, reverse=True) and calls[0] > 1, calls[:3]
    click(browser, "#who th:nth-child(5) button")
    assert browser.run("document.querySelector('#who th:nth-child(5)')"
                       ".ariaSort") == "ascending"
    choose(browser, "group", "function")
    word = table(browser)[0][-1].split("+")[-1]
    choose(browser, "search", word.upper())
    assert table(browser) and all(
        word.lower() in row[-1].lower() for row in table(browser)), word
    check_picking(browser, word)
    choose(browser, "search", "")
    for by in ("size", "stack"):
        choose(browser, "group", by)
        groups = browser.run("bitfit_report.groups()")
        assert sum(g["now"] for g in groups) == peak, by
    check_finding(browser)
    check_light(browser)


def check_picking(browser, word):
    """A row picks its blocks in the map, and Escape lets them go."""
    click(browser, "#who tbody tr")
    legend = browser.run("document.getElementById('legend').innerText")
    assert "the others" in legend and word in legend, legend
    browser.key("Escape")
    browser.settle()
    assert "the others" not in browser.run(
        "document.getElementById('legend').innerText")


def check_finding(browser):
    """A click on a block finds its row; blocks are at some of these places."""
    box = browser.run("(() => { const r = document.getElementById('ribbon');"
                      "r.scrollIntoView(); const b = "
                      "r.getBoundingClientRect(); return [b.left, b.top,"
                      " b.width] })()")
    browser.come_to_rest()
    for part in range(3, 20):
        for kind in ("mousePressed", "mouseReleased"):
            browser.mouse(kind, box[0] + box[2] * part / 20, box[1] + 5,
                          button="left", clickCount=1)
        browser.settle()
        if browser.run("document.querySelectorAll('#who .found').length"):
            break
    assert browser.run("document.querySelectorAll('#who .found').length") == 1
    assert browser.run("document.getElementById('largest').parentElement"
                       ".ariaLive") == "polite"


def hover(browser, box):
    """The pointer goes to a place in an element, named as left, top."""
    x, y = browser.run("(() => { %s; e.scrollIntoView({ block: 'center' });"
                       "const b = e.getBoundingClientRect();"
                       "return [b.left + dx, b.top + dy] })()" % box)
    browser.come_to_rest()
    browser.mouse("mouseMoved", x, y)
    browser.settle()
    browser.settle()


def light(browser):
    """How many rows are lit, and whether map and ribbon are dimmed."""
    return browser.run("[document.querySelectorAll('#who .lit').length]"
                       ) + [colours_of(browser, canvas) > 1
                            for canvas in ("map-light", "ribbon-light")]


def check_light(browser):
    """What the pointer is on is marked in table, flame graph and map."""
    hover(browser, "const e = document.querySelector('#who tbody tr'),"
                   " dx = 200, dy = 8")
    assert light(browser) == [1, True, True], light(browser)
    hover(browser, "const f = bitfit_report.flame()[1],"
                   " e = document.querySelector('.tall'),"
                   " dx = f.x + f.width / 2, dy = f.y + 5 - e.scrollTop")
    assert light(browser) == [0, True, True], light(browser)
    hover(browser, "const e = document.getElementById('ribbon'),"
                   " dx = 100, dy = 5")
    assert light(browser) == [1, False, False], light(browser)
    hover(browser, "const e = document.getElementById('title'),"
                   " dx = 1, dy = 1")
    assert light(browser) == [0, False, False], light(browser)


def touch(browser, kind, *points):
    browser.call("Input.dispatchTouchEvent", type=kind,
                 touchPoints=[dict(x=x, y=y, id=i)
                              for i, (x, y) in enumerate(points)])
    browser.settle()


def check_touch(browser):
    """Two fingers zoom, one moves."""
    browser.run("scrollTo(0, 0)")
    left, top, width, height = browser.run(
        "(() => { const b = document.getElementById('map')"
        ".getBoundingClientRect();"
        "return [b.left, b.top, b.width, b.height] })()")
    x, y = left + width / 2, top + height / 2
    browser.call("Emulation.setTouchEmulationEnabled", enabled=True,
                 maxTouchPoints=2)
    whole = browser.run("bitfit_report.showing()")
    touch(browser, "touchStart", (x - 50, y), (x + 50, y))
    for apart in (80, 150, 200):
        touch(browser, "touchMove", (x - apart, y), (x + apart, y))
    touch(browser, "touchEnd")
    zoomed = browser.run("bitfit_report.showing()")
    wide = zoomed["t1"] - zoomed["t0"]
    assert 0.15 < wide / (whole["t1"] - whole["t0"]) < 0.4, zoomed
    touch(browser, "touchStart", (x, y))
    for moved in (10, 60, 100):
        touch(browser, "touchMove", (x - moved, y))
    touch(browser, "touchEnd")
    panned = browser.run("bitfit_report.showing()")
    assert panned["t0"] > zoomed["t0"], (zoomed, panned)
    assert abs(panned["t1"] - panned["t0"] - wide) < 1e-3 * wide, panned
    browser.call("Emulation.setTouchEmulationEnabled", enabled=False)
    browser.run("document.getElementById('reset').click()")
    browser.settle()


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
    drag(browser, x, y, 120, -90, modifiers=SHIFT)
    zoomed = browser.run("bitfit_report.showing()")
    assert zoomed["t1"] - zoomed["t0"] < 0.2 * events, zoomed
    assert zoomed["a1"] < browser.run("bitfit_report.figures.capacity")
    check_moves(browser, x, y, zoomed)
    browser.run("document.getElementById('reset').click()")
    browser.settle()
    assert browser.run("bitfit_report.showing().t0") == 0


def large_trace(path, rounds):
    """Some blocks stay; most live for a few events."""
    lines, blocks = [], 0
    for step in range(rounds):
        lines.append("a %d %d\na %d %d\nf %d" % (
            blocks, 40 + step % 500, blocks + 1, 24, blocks))
        if step % 50:
            lines.append("f %d" % (blocks + 1))
        blocks += 2
    events = sum(line.count("\n") + 1 for line in lines)
    with open(path, "w") as file:
        file.write("0\n%d\n%d\n1\n%s\n" % (blocks, events, "\n".join(lines)))
    return blocks, events


def check_large(browser, trace, page):
    """Of very many events the short stays are crowds: the page is small, what
    it counts is right, and at the peak all is there."""
    blocks, events = large_trace(trace, 400000)
    report(trace, page)
    assert os.path.getsize(page) < 2 << 20, os.path.getsize(page)
    open_page(browser, page)
    figures = browser.run("bitfit_report.figures")
    assert figures["blur"] > 100 and figures["crowds"] > 1000, figures["blur"]
    assert figures["events"] == events
    for by in ("size", "stack"):
        choose(browser, "group", by)
        groups = browser.run("bitfit_report.groups()")
        assert sum(g["calls"] for g in groups) == blocks, by
        assert sum(g["now"] for g in groups) == figures["peak_live"], by
    browser.run("bitfit_report.go(%d)" % (events // 2))
    browser.settle()
    text = browser.run("document.body.innerText")
    assert "lived for less than %s events" % format(figures["blur"], ",") in (
        text), text
    # The pointer over a crowd, where no block stays, says what it is.
    x, y = browser.run(
        "(() => { scrollTo(0, 0); const { crowds: c, figures: f } ="
        " bitfit_report, i = c.N >> 1, b = document.getElementById('map')"
        ".getBoundingClientRect();"
        "const t = (c.born[i] + c.died[i]) / 2,"
        " a = (c.start[i] + c.count[i] - 0.5) * f.granule;"
        "return [b.left + 76 + (b.width - 82) * t / f.events,"
        " b.top + 6 + (b.height - 30) * (1 - a / f.capacity)] })()")
    browser.mouse("mouseMoved", x, y)
    browser.settle()
    tip = browser.run("document.getElementById('tip').innerText")
    assert "blocks that lived for less than" in tip, tip
    quiet(browser)


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
    choose(browser, "clock", "events")
    choose(browser, "by", "size")
    check_who(browser, trace)
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


def check_hostile(browser, hostile, page):
    random_trace(hostile, 40)
    report(hostile, page)
    open_page(browser, page)
    title = browser.run("document.getElementById('title').textContent")
    assert title.startswith("<b>&\"'"), title


def check_small(browser, hostile, page):
    """The only event has a length, and its curves are drawn."""
    with open(hostile, "w") as file:
        file.write("0\n1\n1\n1\na 0 100\n")
    report(hostile, page)
    open_page(browser, page)
    quiet(browser)
    text = browser.run("document.body.innerText")
    assert "112 bytes live in 1 block," in text, text
    colours = browser.run(
        "(() => { const c = document.querySelector('#use canvas'),"
        "d = c.getContext('2d').getImageData(0, c.height / 3,"
        " c.width, 1).data, all = new Set();"
        "for (let i = 0; i < d.length; i += 4)"
        " all.add(d.slice(i, i + 4).join()); return all.size })()")
    assert colours > 2, colours


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
            check_touch(browser)
            check_looks(browser)
            quiet(browser)

            random_trace(trace, 1000000)
            report(trace, page)
            browser.resize(1280, 900)
            open_page(browser, page)
            check_keys(browser, 1000000)
            check_mouse(browser, 1000000)
            quiet(browser)

            check_large(browser, trace, page)
            check_recording(browser, folder)

            os.rename(trace, hostile)
            check_hostile(browser, hostile, page)
            check_small(browser, hostile, page)
    print("the page shows what its traces say")


main()
