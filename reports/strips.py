"""A ratio and its interval as marks on a small line, for the first screen. Nothing about HTML."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.intervals import Interval
from reports import wording
from reports.headlines import Headline

LEFT, RIGHT = 165.0, 338.0  # where the scale begins and ends, between names and ratios
WIDTH = 380.0
ROW, FOOT = 20.0, 20.0
MOST = 4  # rows
NEAREST, FARTHEST = 0.8, 100.0  # the scale holds 1 with room before it, and no more than this
LONGEST_NAME = 24  # characters


@dataclass(frozen=True)
class Mark:
    """One ratio, first / other, as places along the line; ``open`` if it may be 1."""

    name: str
    ratio: str
    y: float
    low: float
    value: float
    high: float
    open: bool


@dataclass(frozen=True)
class Strip:
    """All rows, the place of 1, and all ratios in words."""

    rows: tuple[Mark, ...]
    one: float
    height: float
    said: str
    width: float = WIDTH


def of(headline: Headline) -> Strip:
    """The nearest rivals of a headline's first."""
    pairs = headline.others[:MOST]
    scale = _Scale([lead for _, lead in pairs])
    rows = tuple(_mark(case.title, lead, order, scale) for order, (case, lead) in enumerate(pairs))
    said = wording.ratios(headline.first.title, [(case.title, lead) for case, lead in pairs])
    return Strip(rows, scale.place(1.0), ROW * len(rows) + FOOT, f"On a logarithmic scale: {said}.")


class _Scale:
    """A logarithmic scale that holds 1 and, as far as it may, every end."""

    def __init__(self, leads: Sequence[Interval]) -> None:
        lows, highs = ([getattr(lead, end) for lead in leads] for end in ("low", "high"))
        self.low = max(min([NEAREST, *lows]), 1 / FARTHEST)
        self.high = min(max([1 / NEAREST, *highs]), FARTHEST)

    def place(self, ratio: float) -> float:
        held = min(max(ratio, self.low), self.high)
        share = math.log(held / self.low) / math.log(self.high / self.low)
        return round(LEFT + share * (RIGHT - LEFT), 1)


def _mark(name: str, lead: Interval, order: int, scale: _Scale) -> Mark:
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    low, value, high = (scale.place(end) for end in (lead.low, lead.value, lead.high))
    return Mark(short, wording.ratio(lead)[0], ROW / 2 + order * ROW, low, value, high, lead.holds_one)
