"""The figures of a run, and the look-ups that tables and plots share."""
import json
import math
import pathlib
import statistics

US = "bitfit"

class Figures:
    """One set of figures, from one or more files."""

    def __init__(self, paths):
        self.all = {}
        for path in paths:
            self.all.update(json.loads(pathlib.Path(path).read_text()))
        self.cases = {case["name"]: case for case in self.all.get("speed", [])}
        self.peers = [peer["name"] for peer in self.all.get("peers", [])]
        self.baseline = self.all.get("baseline")

    def group(self, name):
        return [case for case in self.cases.values() if case["group"] == name]

    def of(self, case, peer):
        """A peer's figures of a case, or None if it has none."""
        for figures in self.cases.get(case, {}).get("peers", []):
            if figures["peer"] == peer and figures["state"] != "refused":
                return figures
        return None

    def ratio(self, case, peer, base):
        """Pair by pair, the median; None unless both were done."""
        ours, theirs = self.of(case, peer), self.of(case, base)
        if not ours or not theirs or "rounds" not in ours:
            return None
        if "slow" in (ours["state"], theirs["state"]):
            return None
        return statistics.median(
            a / b for a, b in zip(ours["rounds"], theirs["rounds"]))

    def worst(self, case, peer):
        figures = self.of(case, peer)
        if not figures or "alloc" not in figures:
            return None
        return max(figures["alloc"]["max"], figures["free"]["max"])

    def failed(self, case, peer):
        figures = self.of(case, peer)
        if not figures or not figures.get("allocs"):
            return 0
        return 100 * figures["failures"] / figures["allocs"]


def geometric_mean(values):
    values = [value for value in values if value]
    if not values:
        return None
    return math.exp(sum(map(math.log, values)) / len(values))


def percent(share):
    """Two digits tell enough; 100 has three."""
    return f"{share:.2g} %" if share < 99.5 else "100 %"


def size_name(size):
    for unit in ["", "K", "M", "G"]:
        if size < 1024 or size % 1024:
            return f"{size:.0f}{unit}"
        size /= 1024
    return f"{size:.0f}T"
