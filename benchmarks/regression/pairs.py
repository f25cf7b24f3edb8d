"""Two sides of one case held against each other: the ratio, its verdict, and what would decide it."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import intervals
from benchmarks.intervals import Interval
from benchmarks.regression import chances
from benchmarks.regression.evidence import EFFECT
from benchmarks.regression.resolution import MARGINS, within
from benchmarks.regression.verdicts import Verdict

MARGIN = MARGINS[0]
COUNTS = chances.counts(intervals.FEWEST_FORKS, intervals.MOST_FORKS)


@dataclass(frozen=True)
class Told:
    """``ratio`` is the first side's throughput over the second's."""

    ratio: Interval
    verdict: Verdict
    reason: str


def told(above: Sequence[float], below: Sequence[float], unit: str = "forks") -> Told:
    """Whether ``above`` is faster, by one value for each of its forks or nights (``unit``)."""
    ratio = intervals.ratio(above, below)
    if ratio.kind == "range":
        return Told(ratio, "undecided", f"{intervals.FEWEST_FORKS} {unit} a side would give an interval")
    if not ratio.holds_one and max(ratio.value, 1 / ratio.value) >= 1 + EFFECT:
        return Told(ratio, "faster" if ratio.value > 1 else "slower", "the interval leaves out 1")
    if ratio.low >= 1 - MARGIN and ratio.high <= 1 + MARGIN:
        return Told(ratio, "same", f"any difference is below {100 * MARGIN:.0f} %")
    return Told(ratio, "undecided", _further(above, below, ratio, unit))


def _further(above: Sequence[float], below: Sequence[float], ratio: Interval, unit: str) -> str:
    u, v = (statistics.variance(map(math.log, side)) for side in (above, below))
    error, freedom = intervals.standard_error(above, below)
    counts = [count for count in COUNTS if count > ratio.forks]
    likely = chances.compared(
        math.log(ratio.value), error, freedom, (u, v), counts, within(MARGIN), math.log1p(EFFECT)
    )
    if (needed := chances.first(counts, likely)) is None:
        return f"more than {intervals.MOST_FORKS:,} {unit} a side would be needed"
    return f"about {needed} {unit} a side would decide it {chances.OFTEN}"
