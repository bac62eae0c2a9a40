"""The figures of a run, and the look-ups that tables and plots share."""
import json
import math
import pathlib
import statistics

US = "bitfit"
EMPTY = "empty"  # what the harness itself takes

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

    def net(self, case, peer):
        """The rounds without what the harness took in the same round."""
        figures, empty = self.of(case, peer), self.of(case, EMPTY)
        if not figures or "rounds" not in figures:
            return None
        rounds = figures["rounds"]
        if not empty or "rounds" not in empty or peer == EMPTY:
            return rounds
        return [max(ns - own, 0)
                for ns, own in zip(rounds, empty["rounds"])]

    def ratio(self, case, peer, base):
        """Net, round by round, the median; None unless both were done."""
        ours, theirs = self.net(case, peer), self.net(case, base)
        if not ours or not theirs:
            return None
        if "slow" in (self.of(case, peer)["state"],
                      self.of(case, base)["state"]):
            return None
        ratios = [a / b for a, b in zip(ours, theirs) if b > 0]
        return statistics.median(ratios) if ratios else None

    def instructions(self, case, peer):
        """Net, of a pair; None where they were not counted."""
        return self.all.get("instructions", {}).get(case, {}).get(peer)

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
