#!/usr/bin/env python3
"""Turns the figures of a run into tables for docs/BENCHMARKS.md and a page.

    report.py FIGURES.json... --html page.html --doc docs/BENCHMARKS.md

The files are what bitfit_bench, bitfit_inside, bitfit_words and codesize.py
wrote; together they are one set of figures. In the document, what stands between
<!-- begin NAME --> and <!-- end NAME --> is written anew.
"""
import argparse
import html
import pathlib
import re
import statistics
import sys

sys.dont_write_bytecode = True  # no caches in the source folder

from figures import US, Figures, geometric_mean, percent, size_name
from plots import all_plots, tag


# -------------------------------------------------------------------- tables

def table(head, rows):
    lines = ["| " + " | ".join(head) + " |",
             "|---" + "|---:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines)


def time_cell(figures, case, peer):
    """Net of the harness; of `empty`, what was taken off the others."""
    its, rounds = figures.of(case, peer), figures.net(case, peer)
    if not its:
        return "–"
    if not rounds:
        return "too slow"
    ns = statistics.median(rounds)
    text = f"{ns:.0f}" if ns >= 100 else f"{ns:.1f}"
    if its["state"] == "slow":
        return "> " + text
    failed = 100 * its["failures"] / max(its["allocs"], 1)
    return text if failed == 0 else f"{text} ({percent(failed)})"


def count_cell(count):
    return "–" if count is None else f"{count:.0f}"


def ratio_cell(ratio):
    return "–" if ratio is None else f"{ratio:.2f}"


def speed_table(figures, group):
    """Times and, where they were counted, instructions of bitfit and of what
    the ratio refers to."""
    base = figures.baseline
    names = [case["name"] for case in figures.group(group)]
    counted = [peer for peer in (US, base)
               if any(figures.instructions(name, peer) for name in names)]
    head = (["case"] + figures.peers + [f"{US} / {base}"] +
            [f"instructions, {peer}" for peer in counted])
    rows = [[name] + [time_cell(figures, name, peer)
                      for peer in figures.peers] +
            [ratio_cell(figures.ratio(name, US, base))] +
            [count_cell(figures.instructions(name, peer)) for peer in counted]
            for name in names]
    return table(head, rows)


def latency_table(figures):
    marks = ["p50", "p99", "p99_99", "max"]
    rows = []
    for case in figures.group("latency"):
        for peer in figures.peers:
            found = figures.of(case["name"], peer)
            if not found or "alloc" not in found:
                continue
            cells = [f"{found[verb][mark]:.0f}" for verb in ("alloc", "free")
                     for mark in marks]
            rows.append([case["name"], peer] + cells +
                        [percent(figures.failed(case["name"], peer))])
    return table(["case", "peer"] +
                 [f"{verb} {mark.replace('_', '.').replace('max', 'worst')}"
                  for verb in ("alloc", "free") for mark in marks] +
                 ["failed"], rows)


def trace_table(figures):
    rows = [[t["trace"], t["about"], t["calls"], t["mean_size"], t["largest"],
             t["peak_requested"]] for t in figures.all["space"]["traces"]]
    return table(["trace", "program", "calls", "mean size", "largest",
                  "peak requested"], rows)


def space_table(figures):
    space = figures.all["space"]
    means = {row["peer"]: row["ratio"] for row in space["geometric_means"]}
    names = list(dict.fromkeys(p["peer"] for t in space["traces"]
                               for p in t["peers"]))
    rows = []
    for bound in ("bound_8", "bound_16"):
        rows.append([f"no bookkeeping, granule {bound[6:]}"] +
                    [f"{t[bound] / t['peak_requested']:.3f}"
                     for t in space["traces"]] + [f"{means[bound]:.4f}"])
    for name in names:
        cells = []
        for trace in space["traces"]:
            found = [p for p in trace["peers"] if p["peer"] == name]
            ratio = found[0].get("ratio") if found else None
            cells.append(f"{ratio:.3f}" if ratio else "–")
        mean = means.get(name)
        rows.append([name] + cells + [f"{mean:.4f}" if mean else "–"])
    return table(["smallest pool / peak requested"] +
                 [t["trace"] for t in space["traces"]] + ["geometric mean"],
                 rows)


def capacity_table(figures):
    rows = figures.all["space"]["capacity"]
    names = list(rows[0]["blocks"])
    return table(["blocks of", "in"] + names,
                 [[f"{row['size']:.0f} B", size_name(row["pool"])] +
                  [row["blocks"][name] for name in names] for row in rows])


def bookkeeping_table(figures):
    rows = figures.all["space"]["bookkeeping"]
    granules = list(dict.fromkeys(row["granule"] for row in rows))
    by_size = {}
    for row in rows:
        by_size.setdefault(row["payload"], {})[row["granule"]] = row["percent"]
    return table(["payload"] + [f"granule {g}" for g in granules],
                 [[size_name(size)] + [f"{cells[g]:.3f} %" for g in granules]
                  for size, cells in by_size.items()])


def code_table(figures):
    return table(["target", "peer", "code", "constants", "data", "total"],
                 [[row["target"], row["peer"], row["text"], row["constants"],
                   row["data"], row["total"]] for row in figures.all["code"]])


def words_table(figures):
    rows = []
    for row in figures.all["words"]:
        rows.append([size_name(row["pool"]), row["peer"]] +
                    [f"{row[verb][what]:.{digits}f}"
                     for verb in ("alloc", "free")
                     for what, digits in (("words", 1), ("most_words", 0),
                                          ("lines", 1), ("most_lines", 0))])
    return table(["pool", "peer", "alloc words", "most", "lines", "most",
                  "free words", "most", "lines", "most"], rows)


# --------------------------------------------------------------------- goals

def highest(values):
    values = [value for value in values if value is not None]
    return max(values) if values else None


def ratios(figures, pattern, base):
    return [figures.ratio(name, US, base) for name in figures.cases
            if re.fullmatch(pattern, name)]


def speed_goals(figures):
    """Rows of: case, must, goal, the measured ratio, over whom."""
    replays = ratios(figures, r"replay-.*", "tlsf")

    def worst(pattern, base="tlsf"):
        return highest(ratios(figures, pattern, base))

    yield "replays, geometric mean", 1.0, 0.85, geometric_mean(replays)
    yield "replays, highest", 1.3, 1.0, highest(replays)
    yield ("replays over dlmalloc, geometric mean", 1.5, 1.2,
           geometric_mean(ratios(figures, r"replay-.*", "dlmalloc")))
    for size, must, goal in (("64K", 1.35, 1.1), ("256K", 1.8, 1.3),
                             ("1M", 1.6, 1.2), ("4M", 1.4, 1.0)):
        yield (f"churn {size}, 16..512 B", must, goal,
               worst(f"churn-{size}-small"))
    yield "churn 1M, 16 B..32 KiB", 1.5, 1.2, worst(r"churn-1M-wide")
    yield "churn 64M, 16..512 B", 0.65, 0.5, worst(r"churn-64M-small")
    yield "churn 64M, 16 B..32 KiB", 1.0, 0.8, worst(r"churn-64M-wide")
    yield "LIFO pair, highest", 0.25, 0.2, worst(r"lifo-.*")
    yield "bursts of 3, highest", 1.3, 1.0, worst(r"lifo3-.*")
    yield "bursts of 16, highest", 1.3, 1.0, worst(r"lifo16-.*")
    for case in figures.group("latency"):
        ours = figures.worst(case["name"], US)
        theirs = figures.worst(case["name"], "tlsf")
        yield (f"worst operation, {case['name']}", 1.3, 1.0,
               ours / theirs if ours and theirs else None)
    yield "one thread, mutex, churn, highest", 1.1, 0.9, worst(r"mutex-churn.*")
    yield ("1 KiB and 4 KiB over o1heap where both serve", 1.0, 0.8,
           worst(r"(lifo-[14]K-.*|churn-4K-tiny-40)", "o1heap"))


def space_goals(figures):
    means = {row["peer"]: row["ratio"] for row in
             figures.all.get("space", {}).get("geometric_means", [])}
    ours = [value for name, value in means.items() if name.startswith(US)]
    theirs = [value for name, value in means.items()
              if not name.startswith((US, "bound"))]
    if US in means:
        yield ("smallest pools: best of bitfit over the best peer", 1.0, None,
               min(ours) / min(theirs) if theirs else None)
        yield ("smallest pools over the bound at granule 16", None, 1.018,
               means[US] / means["bound_16"])
    percents = [row["percent"] for row in
                figures.all.get("space", {}).get("bookkeeping", [])
                if row["granule"] == 16 and row["payload"] >= 1 << 20]
    if percents:
        yield ("bookkeeping from 1 MiB, percent, highest", 1.75, 1.70,
               max(percents))
    for row in figures.all.get("code", []):
        if row["target"] == "cortex-m4" and row["peer"].startswith(US):
            tiny = "no index" in row["peer"]
            yield (f"code size, Cortex-M4, {row['peer']}, KiB",
                   None if tiny else 4.2, None if tiny else 3.0,
                   row["total"] / 1024)


def goals_table(figures):
    rows = []
    for name, must, goal, value in (*speed_goals(figures),
                                    *space_goals(figures)):
        if value is None:
            continue
        verdict = "met"
        if must is not None and value > must:
            verdict = "**missed**"
        elif goal is not None and value > goal:
            verdict = "must met, goal missed" if must else "goal missed"
        rows.append([name, "–" if must is None else f"<= {must:g}",
                     "–" if goal is None else f"<= {goal:g}",
                     f"{value:.4g}", verdict])
    return table(["case (over TLSF unless said)", "must", "goal", "measured",
                  ""], rows)


def machine_table(figures):
    rows = [(name, f"{value:.4g}" if isinstance(value, float) else value)
            for name, value in figures.all["machine"].items()]
    rows += [("effort", f"{figures.all['effort']}, {figures.all['rounds']} "
                        "rounds"), ("command", figures.all["command"])]
    return table(["", "value"], [[name.replace("_", " "), value]
                                 for name, value in rows])


def peer_table(figures):
    return table(["peer", "version"], [[peer["name"], peer["version"]]
                                       for peer in figures.all["peers"]])


def inside_table(figures):
    """Processor time of whole programs, its ratio, and resident memory."""
    programs = figures.all["inside"]
    names = [row["peer"] for row in programs[0]["peers"]]
    base = next((row["peer"] for row in programs[0]["peers"]
                 if row["ratio"] == 1), names[0])
    counted = [key for key in ("instructions", "cache_misses")
               if key in programs[0]["peers"][0]]
    rows = [[f"{one['program']} {one['version']}", row["peer"],
             f"{row['ns'] / 1e6:.1f} ms", f"{row['ratio']:.3f}",
             f"{row['resident'] / 2 ** 20:.2f} MiB"] +
            [f"{row[key]:.3g}" for key in counted]
            for one in programs for row in one["peers"]]
    return table(["program", "on", "processor time", f"over {base}",
                  "resident"] + [key.replace("_", " ") for key in counted],
                 rows)


def tools_table(figures):
    """Whole numbers count things, the others are seconds."""
    return table(["the bitfit command", "measured"],
                 [[name, f"{value:,} " if isinstance(value, int)
                   else f"{value:.3f} s"]
                  for name, value in figures.all["tools"].items()])


def all_tables(figures):
    """By the names that the document uses; only those that can be made."""
    tables = {}
    if "machine" in figures.all:
        tables["machine"] = machine_table(figures)
        tables["peers"] = peer_table(figures)
    if figures.cases:
        for group in dict.fromkeys(c["group"] for c in figures.cases.values()):
            if group != "latency":
                tables[group] = speed_table(figures, group)
        if figures.group("latency"):
            tables["latency"] = latency_table(figures)
        tables["goals"] = goals_table(figures)
    if figures.all.get("space"):
        if figures.all["space"].get("traces"):
            tables["traces"] = trace_table(figures)
            tables["space"] = space_table(figures)
        tables["capacity"] = capacity_table(figures)
        tables["bookkeeping"] = bookkeeping_table(figures)
    if figures.all.get("inside"):
        tables["inside"] = inside_table(figures)
    if "words" in figures.all:
        tables["words"] = words_table(figures)
    if "code" in figures.all:
        tables["code"] = code_table(figures)
    if "tools" in figures.all:
        tables["tools"] = tools_table(figures)
    return tables


def write_document(path, tables):
    text = path.read_text()
    for name, content in tables.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        if begin in text:
            before, rest = text.split(begin, 1)
            after = rest.split(end, 1)[1]
            text = f"{before}{begin}\n{content}\n{end}{after}"
    path.write_text(text)


# ---------------------------------------------------------------------- page

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:1100px;margin:2em auto;
padding:0 1em;color:#222}
table{border-collapse:collapse;font-size:12px;display:block;overflow-x:auto}
td,th{border:1px solid #ddd;padding:2px 7px;text-align:right;
white-space:nowrap}
td:first-child,th:first-child{text-align:left}
h2::first-letter{text-transform:uppercase}
svg{display:block;margin:1.2em 0;max-width:100%;height:auto}
"""


def html_table(text):
    rows = [[html.escape(cell.strip()).replace("**", "")
             for cell in line.strip("|").split(" | ")]
            for line in text.splitlines()]
    del rows[1]
    head, *body = [tag("tr", "".join(tag("th" if i == 0 else "td", cell)
                                     for cell in row))
                   for i, row in enumerate(rows)]
    return tag("table", head + "".join(body))


def page(figures, tables):
    parts = ["<!doctype html><html lang=en><meta charset=utf-8>"
             "<meta name=viewport content='width=device-width'>"
             f"<title>bitfit beside its peers</title><style>{STYLE}</style>"
             "<h1>bitfit beside its peers</h1>"
             "<p>Median nanoseconds, without what the harness takes "
             "(<code>empty</code>); in brackets the share of requests that "
             "failed: an allocator that refuses requests is not faster.</p>"]
    parts += [f"<h2>{html.escape(name)}</h2>" + html_table(text)
              for name, text in tables.items()]
    parts += ["<h2>plots</h2>", *all_plots(figures)]
    return "\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("figures", nargs="+")
    parser.add_argument("--html", help="write one self-contained page")
    parser.add_argument("--doc", help="renew the tables of this document")
    parser.add_argument("--suffix", default="", help="of the tables' names in "
                        "the document, such as -v3 for another build")
    given = parser.parse_args()
    figures = Figures(given.figures)
    tables = all_tables(figures)
    if given.html:
        pathlib.Path(given.html).write_text(page(figures, tables))
    if given.doc:
        write_document(pathlib.Path(given.doc), {
            name + given.suffix: text for name, text in tables.items()})
    if not given.html and not given.doc:
        for name, text in tables.items():
            print(f"## {name}\n\n{text}\n")


if __name__ == "__main__":
    main()
