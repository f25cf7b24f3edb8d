"""Intervals and ratios, pure functions. The fork is the unit: each gives one value, its median.

Throughputs are compared on a logarithmic scale, where a ratio is a difference: the 95 % interval is
Student's t for one case and Welch's t (Welch 1947) for a ratio. Under three forks there is no
interval worth the name: the range is given, and called a range.
"""

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import stats

CONFIDENCE = 0.95
FEWEST_FORKS = 3


@dataclass(frozen=True)
class Interval:
    """A value with its lower and upper end, and what these ends are."""

    value: float
    low: float
    high: float
    kind: Literal["interval", "range"]
    forks: int


def of_forks(medians: Sequence[float]) -> Interval:
    """Geometric mean of the forks' medians, with its 95 % interval."""
    logs = [math.log(median) for median in medians]
    center = math.exp(statistics.fmean(logs))
    if len(logs) < FEWEST_FORKS:
        return Interval(center, min(medians), max(medians), "range", len(logs))
    error = statistics.stdev(logs) / math.sqrt(len(logs))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(logs) - 1)) * error
    return Interval(center, center * math.exp(-half), center * math.exp(half), "interval", len(logs))


def ratio(above: Sequence[float], below: Sequence[float]) -> Interval:
    """How many times ``above`` is ``below``, with its 95 % interval by Welch's t."""
    value = of_forks(above).value / of_forks(below).value
    forks = min(len(above), len(below))
    if forks < FEWEST_FORKS:
        pairs = [a / b for a, b in itertools.product(above, below)]
        return Interval(value, min(pairs), max(pairs), "range", forks)
    result = stats.ttest_ind([math.log(x) for x in above], [math.log(x) for x in below], equal_var=False)
    interval = result.confidence_interval(CONFIDENCE)
    low, high = float(interval.low), float(interval.high)
    if math.isnan(low):  # both sides without any spread
        low = high = math.log(value)
    return Interval(value, math.exp(low), math.exp(high), "interval", forks)
