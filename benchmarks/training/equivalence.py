"""Whether two frameworks learn equally well: two one-sided t tests on accuracies paired by seed.

Schuirmann 1987: differences of pairs are tested against −margin and against +margin; both refused at 5 % is
the same as a 90 % interval of the mean difference inside the margin. Pure functions.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MARGIN = 0.005  # half a point of accuracy
LEVEL = 0.05  # of each one-sided test
FEWEST_SEEDS = 10


@dataclass(frozen=True)
class Comparison:
    """The mean of ``above − below`` over ``seeds`` pairs, its 90 % interval, the larger p value, a verdict.

    "different" means that the whole interval is outside the margin; whatever fewer seeds than ten look like,
    they are "undecided".
    """

    mean: float
    low: float
    high: float
    p: float
    seeds: int
    verdict: Literal["equivalent", "different", "undecided"]


def compare(above: Sequence[float], below: Sequence[float], margin: float = MARGIN) -> Comparison:
    """The comparison of two equally long rows of accuracies (0 to 1), of which each pair has one seed."""
    differences = [a - b for a, b in zip(above, below, strict=True)]
    seeds, mean = len(differences), statistics.fmean(differences)
    if seeds < 2:
        return Comparison(mean, -math.inf, math.inf, 1.0, seeds, "undecided")
    error = statistics.stdev(differences) / math.sqrt(seeds)
    half = _quantile(seeds - 1) * error
    p = max(_above(mean + margin, error, seeds - 1), _above(margin - mean, error, seeds - 1))
    low, high = mean - half, mean + half
    return Comparison(mean, low, high, p, seeds, _verdict(low, high, p, seeds, margin))


def _verdict(
    low: float, high: float, p: float, seeds: int, margin: float
) -> Literal["equivalent", "different", "undecided"]:
    if seeds < FEWEST_SEEDS:
        return "undecided"
    if p < LEVEL:
        return "equivalent"
    return "different" if low > margin or high < -margin else "undecided"


def _above(distance: float, error: float, freedom: int) -> float:
    """One-sided p value that a mean this far above its bound would come about at the bound."""
    if error == 0:
        return 0.0 if distance > 0 else 1.0
    from scipy.special import stdtr  # as in intervals: scipy.stats takes a second to import

    return float(stdtr(freedom, -distance / error))


def _quantile(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - LEVEL))
