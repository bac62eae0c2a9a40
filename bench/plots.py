"""Plots of the figures of a run, as plain SVG."""
import html
import math
import statistics

from figures import US, percent, size_name

COLOURS = ["#d1495b", "#edae49", "#00798c", "#66a182", "#2e4057", "#8d96a3",
           "#7b4173", "#a55194", "#6b6ecf", "#b5cf6b", "#8c6d31", "#17becf"]


def tag(name, content="", **attributes):
    text = " ".join(f'{key.replace("_", "-")}="{value}"'
                    for key, value in attributes.items())
    return f"<{name} {text}>{content}</{name}>"


def label(x, y, text, anchor="start", size=11):
    return tag("text", html.escape(str(text)), x=f"{x:.1f}", y=f"{y:.1f}",
               text_anchor=anchor, font_size=size)


def bars(title, rows):
    """rows: (label, value, colour, note). One bar each, from zero; a bar that
    would flatten all the others is cut, and its note says so."""
    width, left, room, step = 760, 190, 190, 16
    height = 30 + step * len(rows)
    if not rows:
        return ""
    most = min(max(row[1] for row in rows),
               6 * statistics.median(row[1] for row in rows)) or 1
    parts = [label(4, 14, title, size=13)]
    for i, (name, value, colour, note) in enumerate(rows):
        y = 24 + i * step
        length = (width - left - room) * min(value / most, 1)
        note = f"» {note}" if value > most else note
        parts.append(label(left - 6, y + 11, name, "end"))
        parts.append(tag("rect", x=left, y=y, width=f"{length:.1f}",
                         height=step - 4, fill=colour))
        parts.append(label(left + length + 4, y + 11, note))
    return tag("svg", "".join(parts), viewBox=f"0 0 {width} {height}",
               width=width, height=height, role="img", aria_label=title)


def ticks(low, high, base):
    value = base ** math.floor(math.log(low, base))
    while value <= high * 1.001:
        if value >= low * 0.999:
            yield value
        value *= base


def curves(title, series, x_name, y_name):
    """series: {name: [(x, y)]}; both axes are logarithmic."""
    width, height, left, right, top, bottom = 760, 380, 60, 130, 30, 40
    points = [p for line in series.values() for p in line if p[1] > 0]
    if not points:
        return ""
    x_low, x_high = min(p[0] for p in points), max(p[0] for p in points)
    y_low = 10 ** math.floor(math.log10(min(p[1] for p in points)))
    y_high = 10 ** math.ceil(math.log10(max(p[1] for p in points) * 1.01))

    def at(x, y):
        across = math.log(x / x_low) / max(math.log(x_high / x_low), 1e-9)
        up = math.log(y / y_low) / math.log(y_high / y_low)
        return (left + across * (width - left - right),
                height - bottom - up * (height - top - bottom))

    parts = [label(4, 16, f"{title}, {y_name}", size=13),
             label(width - right, height - 6, x_name, "end")]
    for value in ticks(y_low, y_high, 10):
        _, y = at(x_low, value)
        parts.append(tag("line", x1=left, x2=width - right, y1=f"{y:.1f}",
                         y2=f"{y:.1f}", stroke="#ddd"))
        parts.append(label(left - 4, y + 4, f"{value:g}", "end"))
    for value in ticks(x_low, x_high, 32):
        x, _ = at(value, y_low)
        parts.append(label(x, height - bottom + 16, size_name(value),
                           "middle"))
    for i, (name, line) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        places = [at(x, y) for x, y in line if y > 0]
        if not places:
            continue
        parts.append(tag("polyline", fill="none", stroke=colour,
                         stroke_width=2.5 if name.startswith(US) else 1.3,
                         points=" ".join(f"{x:.1f},{y:.1f}"
                                         for x, y in places)))
        parts.append(tag("text", html.escape(name), x=width - right + 8,
                         y=top + 14 + 15 * i, fill=colour, font_size=11))
    return tag("svg", "".join(parts), viewBox=f"0 0 {width} {height}",
               width=width, height=height, role="img", aria_label=title)


def colour_of(figures, peer):
    return COLOURS[figures.peers.index(peer) % len(COLOURS)]


def case_plot(figures, case):
    rows = []
    for peer in figures.peers:
        found = figures.of(case["name"], peer)
        if found and "ns" in found and found["state"] == "done":
            failed = figures.failed(case["name"], peer)
            note = f"{found['ns']['median']:.1f}"
            note += f", fails {percent(failed)}" if failed else ""
            rows.append((peer, found["ns"]["median"], colour_of(figures, peer),
                         note))
    return bars(f"{case['name']}, ns for each {case['unit']}", rows)


def growth_plot(figures, prefix, title):
    series = {}
    for peer in figures.peers:
        line = []
        for case in figures.group("growth"):
            found = figures.of(case["name"], peer)
            if case["name"].startswith(prefix) and found and "ns" in found:
                line.append((case["pool"], found["ns"]["median"]))
        if line:
            series[peer] = line
    return curves(title, series, "pool", "ns")


def words_plot(figures, verb):
    series = {}
    for row in figures.all["words"]:
        series.setdefault(row["peer"], []).append(
            (row["pool"], row[verb]["words"]))
        series.setdefault(row["peer"] + ", most", []).append(
            (row["pool"], row[verb]["most_words"]))
    return curves(f"touched by {verb}", series, "pool", "words of 8 bytes")


def latency_plot(figures, case):
    rows = []
    for peer in figures.peers:
        found = figures.of(case["name"], peer)
        if found and "alloc" in found:
            for verb in ("alloc", "free"):
                rows.append((f"{peer} {verb}", found[verb]["max"],
                             colour_of(figures, peer),
                             f"{found[verb]['max']:.0f} "
                             f"(p50 {found[verb]['p50']:.0f}, "
                             f"p99 {found[verb]['p99']:.0f})"))
    return bars(f"{case['name']}, worst ns of a call", rows)


def space_plot(figures):
    rows = [(row["peer"], row["ratio"] - 1, COLOURS[0 if row["peer"].startswith(
        US) else 5], f"{row['ratio']:.4f}")
        for row in figures.all["space"]["geometric_means"]]
    return bars("smallest pool over peak requested, geometric mean "
                "(bars start at 1)", rows)


def all_plots(figures):
    for case in figures.cases.values():
        if case["group"] == "latency":
            yield latency_plot(figures, case)
        elif case["group"] != "growth":
            yield case_plot(figures, case)
    if figures.group("growth"):
        yield growth_plot(figures, "growth-", "pair of alloc and free, sizes "
                                              "growing with the pool")
        yield growth_plot(figures, "init-", "making a pool of zeroed memory")
    if "words" in figures.all:
        yield words_plot(figures, "alloc")
        yield words_plot(figures, "free")
    if figures.all.get("space", {}).get("geometric_means"):
        yield space_plot(figures)
