"""
usage: diff.py BITFIT ...
bitfit diff, of traces made here, in text and as a page: what it says of each is what replay, fit and
map say of it alone, what grew is what a count of the events finds, and call
stacks are one wherever their lines are.
"""
import collections
import json
import os
import random
import subprocess
import sys
import tempfile

from browser import Browser

BITFIT = sys.argv[1]

BEFORE = ["main (app.c:10);load (app.c:4)", "main (app.c:12);parse",
          "main (app.c:14);old"]
AFTER = ["main (app.c:11);load (app.c:5)", "main (app.c:22);parse",
         "main (app.c:14);load_all (x.c:7)"]


def run(*arguments, code=0, word=""):
    done = subprocess.run([BITFIT, *arguments], text=True, capture_output=True)
    assert done.returncode == code, (arguments, done)
    assert word in done.stdout + done.stderr, (arguments, word, done)
    if code != 0:
        assert len(done.stderr.splitlines()) == 1, done
        assert "Sanitizer" not in done.stderr, done
    return done.stdout


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def write_trace(path, stacks, events):
    """Events are (size, stack) of an allocation or the number of a block to be
    freed."""
    body, blocks = bytearray(), 0
    for text in stacks:
        body += b"S" + varint(len(text)) + text.encode()
    for event in events:
        if isinstance(event, tuple):
            body += b"s" + varint(event[1] + 1) if stacks else b""
            body += b"a" + varint(event[0])
            blocks += 1
        else:
            body += b"f" + varint(blocks - 1 - event)
    body += b"e"
    head = varint(0) + varint(0)
    size = 16 + len(head) + len(body)
    with open(path, "wb") as file:
        file.write(b"bitfit\0\1" + size.to_bytes(8, "little") + head + body)


def some_events(seed, more):
    """What lives grows and shrinks; `more` blocks of the last stack stay."""
    dice = random.Random(seed)
    events, live, blocks = [], [], 0
    for step in range(4000):
        if live and dice.random() < (0.4 if step < 2000 else 0.6):
            events.append(live.pop(dice.randrange(len(live))))
            continue
        stays = step % (4000 // more) == 0
        events.append((dice.choice([24, 100, 5000]), 2 if stays
                       else dice.randrange(2)))
        if not stays:
            live.append(blocks)
        blocks += 1
    return events


def names(stack):
    """Without lines."""
    return [frame.split(" (")[0] for frame in stack.split(";")]


def counted(events, done, stacks):
    """By functions and by size: bytes in granules of 16, bytes, blocks."""
    blocks, live = [], {}
    for event in events[:done]:
        if isinstance(event, tuple):
            live[len(blocks)] = event
            blocks.append(event)
        else:
            del live[event]
    sites, sizes = collections.Counter(), collections.Counter()
    for size, stack in live.values():
        for to, key in ((sites, tuple(names(stacks[stack]))), (sizes, size)):
            to[key, "live"] += (size + 15) // 16 * 16
            to[key, "requested"] += size
            to[key, "blocks"] += 1
    return sites, sizes


def check_changes(told, before, after, key_of):
    changes = [row["change"] for row in told]
    assert changes == sorted(changes, reverse=True)
    seen = set()
    for row in told:
        key = key_of(row)
        assert key not in seen, key
        seen.add(key)
        for side, counts in (("before", before), ("after", after)):
            for what in ("live", "requested", "blocks"):
                assert row[side][what] == counts[key, what], (row, what)
        assert row["change"] == row["after"]["live"] - row["before"]["live"]
    assert seen == {key for key, _ in before} | {key for key, _ in after}


def check_sides(told, paths):
    for side, path in zip(("before", "after"), paths):
        replay = json.loads(run("replay", "--json", path))
        fit = json.loads(run("fit", "-g", "16", "--json", path))
        assert told[side]["pool"] == fit["granules"][0]["pool"]
        for name in ("peak_requested", "peak_live", "high_water",
                     "internal_fragmentation", "external_fragmentation"):
            assert told[side][name] == replay[name], name


def check_at(paths, pair, at):
    told = json.loads(run("diff", "--json", *at, *paths))
    counts = [counted(events, told[side]["compared_after"], stacks)
              for side, events, stacks in zip(("before", "after"), pair,
                                              (BEFORE, AFTER))]
    check_changes(told["sites"], counts[0][0], counts[1][0],
                  lambda row: tuple(names(row["site"])))
    check_changes(told["sizes"], counts[0][1], counts[1][1],
                  lambda row: row["size"])
    return told


def check_text(paths, told):
    text = run("diff", *paths)
    for side in ("before", "after"):
        assert "{:,}".format(told[side]["pool"]) in text
    new = next(row for row in told["sites"] if "load_all" in row["site"])
    assert "{:+,}".format(new["change"]) in text, text
    assert "load_all (x.c:7) < main (app.c:14)" in text, text
    # The later lines are shown, of call stacks that both have.
    assert "load (app.c:5) < main (app.c:11)" in text, text
    assert "What shrank" in text and "old < main" in text, text
    same = run("diff", paths[0], paths[0])
    assert "What grew" not in same and "What shrank" not in same, same
    assert run("diff", "--at=end", *paths) != text


def check_without_stacks(folder, paths, events):
    bare = folder + "/bare.trace"
    write_trace(bare, [], events)
    told = json.loads(run("diff", "--json", bare, paths[1]))
    assert told["sites"] is None and told["sizes"]
    text = run("diff", bare, paths[1], word="bitfit record --sites")
    assert "size requested" in text and "call stack\n" not in text


def held(side):
    """What the page's stays of a row hold at the moment compared."""
    return ("(() => { const d = bitfit_diff, s = d.sides[%d], h = s.heap,"
            " t = s.told.compared_after - 1; let sum = 0;"
            "for (let i = 0; i < h.N; i++)"
            " if (h.born[i] <= t && t < h.died[i] && d.is_picked(s, i))"
            " sum += h.size_of(i); return sum })()" % side)


def check_page(browser, paths, told, page):
    """A picked row's blocks in the maps are what it says; the page sorts,
    searches, and is quiet."""
    run("diff", "-o", page, *paths)
    browser.open(page)
    browser.wait_for("document.documentElement.dataset.ready === 'yes'")
    rows = browser.run("bitfit_diff.rows().map(r => [r.change, r.name])")
    assert [r[0] for r in rows] == [r["change"] for r in told["sites"]]
    for at, row in enumerate(told["sites"]):
        browser.run("document.querySelectorAll('#changes tbody tr')[%d].click()"
                    % at)
        browser.settle()
        browser.settle()
        for side, name in enumerate(("before", "after")):
            shown = browser.run(held(side))
            assert shown == row[name]["live"], (row, shown)
        assert "the others" in browser.run(
            "document.getElementById('legend').innerText")
    browser.key("Escape")
    browser.settle()
    browser.run("document.querySelector('#changes th:nth-child(5) button')"
                ".click()")
    names_shown = browser.run("bitfit_diff.rows().map(r => r.name)")
    assert names_shown == sorted(names_shown), names_shown
    browser.run("(() => { const s = document.getElementById('search');"
                "s.value = 'LOAD_ALL'; s.dispatchEvent(new Event('input')) })()")
    browser.settle()
    assert len(browser.run("bitfit_diff.rows()")) == 1
    text = browser.run("document.body.innerText")
    assert "load_all (x.c:7) < main (app.c:14)" in text, text
    for name, value in (("by", "site"), ("group", "sizes")):
        browser.run("(() => { const b = document.getElementById('%s'); b.value"
                    " = '%s'; b.dispatchEvent(new Event('change')) })()"
                    % (name, value))
        browser.settle()
    assert not browser.complaints, browser.complaints


def check_mistakes(folder, paths):
    run("diff", code=2, word="which traces")
    run("diff", paths[0], code=2, word="two traces")
    run("diff", *paths, paths[0], code=2, word="two traces")
    run("diff", "-g", "48", *paths, code=2, word="power of two")
    run("diff", "--at=noon", *paths, code=2, word="--at must be")
    run("diff", "--at=9999999", *paths, code=2, word="--at must be")
    run("diff", folder + "/none", paths[0], code=3, word="none")
    run("diff", paths[0], folder, code=3)
    run("diff", "-o", folder + "/x.png", *paths, code=2, word=".html")
    run("diff", "-o", folder + "/x.html", "--json", *paths, code=2,
        word="--json")
    run("diff", "-o", folder + "/no/x.html", *paths, code=3)
    run("diff", "--jsn", *paths, code=2, word="did you mean --json?")


def main():
    with tempfile.TemporaryDirectory() as folder:
        paths = [folder + "/before.trace", folder + "/after.trace"]
        pair = [some_events(1, 20), some_events(2, 50)]
        for path, stacks, events in zip(paths, (BEFORE, AFTER), pair):
            write_trace(path, stacks, events)
        told = check_at(paths, pair, [])
        check_sides(told, paths)
        check_text(paths, told)
        assert check_at(paths, pair, ["--at=end"]) != told
        check_at(paths, pair, ["--at=1234"])
        check_without_stacks(folder, paths, pair[0])
        check_mistakes(folder, paths)
        with Browser() as browser:
            check_page(browser, paths, told, folder + "/page.html")
        if os.path.exists("/dev/full"):
            with open("/dev/full", "w") as full:
                done = subprocess.run([BITFIT, "diff", *paths], stdout=full)
            assert done.returncode == 3, done
    print("diff says what the traces hold")


main()
