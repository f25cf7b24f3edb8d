"""How likely further measurements decide what these could not."""

import math
from collections.abc import Sequence
from typing import cast

import numpy as np

from benchmarks import intervals
from benchmarks.regression.nights import Values

LIKELY = 0.8  # of deciding, from which on a number of measurements is worth naming
OFTEN = "4 times in 5"  # the same in words
STEP = 1 / 12  # from one number to the next
PLACES = 16  # at which a spread's distribution is looked at


def beyond(limit: Values | float, center: Values | float, error: Values | float) -> Values:
    """Chances that a mean expected at ``center``, give or take ``error``, lies above ``limit``."""
    from scipy.special import ndtr  # every command would wait for it

    return cast(Values, ndtr((np.asarray(center) - limit) / error))


def inside(
    low: Values | float, high: Values | float, center: Values | float, error: Values | float
) -> Values:
    """Chances that such a mean lies from ``low`` to ``high``; 0 where these are the wrong way round."""
    return np.maximum(beyond(low, center, error) - beyond(high, center, error), 0.0)


def compared(
    apart: float,
    error: float,
    freedom: float,
    sides: tuple[float, float],
    numbers: Sequence[int],
    bounds: tuple[float, float],
    effect: float,
) -> Values:
    """(numbers,) chances that means of so many values a side are told apart, or the same within ``bounds``.

    The less of two: were the change what was seen (``apart``, give or take ``error``), and were there none.
    ``sides`` are the variances of one value of either side, known with ``freedom``; all of logarithms. What
    decides is ``pairs.told``. Both the true variance and the one that will be seen are averaged over.
    """
    number = np.array(numbers, float)[:, None, None]
    # (1, places, 1): what the true variance may be, over the one that was seen
    true = 1 / _spreads(np.array([freedom]))[..., None]
    variance, evenness = sum(sides), sum(sides) ** 2 / (sides[0] ** 2 + sides[1] ** 2)
    later = (number - 1) * evenness
    seen = true * np.swapaxes(_spreads(later[:, 0, 0])[..., None], 1, 2)
    half = intervals.quantile(later) * np.sqrt(variance * seen / number)
    told, low, high = np.maximum(half, effect), bounds[0] + half, bounds[1] - half
    ways = []
    for center, known in ((abs(apart), error), (0.0, 0.0)):
        at = (center, np.sqrt(true * (known**2 + variance / number)))
        decided = beyond(told, *at) + 1 - beyond(-told, *at) + inside(low, high, *at)
        ways.append(np.minimum(decided, 1.0).mean(axis=(1, 2)))
    return np.asarray(np.minimum(*ways))


def _spreads(freedom: Values) -> Values:
    """(freedom, PLACES) equally likely variances, as they are seen of a true one of 1."""
    from scipy.special import chdtri

    places = (np.arange(PLACES) + 0.5) / PLACES
    return cast(Values, chdtri(freedom[:, None], 1 - places) / freedom[:, None])


def counts(fewest: int, most: int) -> list[int]:
    """Numbers that are looked at: the larger, the further apart, by a twelfth."""
    places = math.ceil(math.log(most / fewest) / math.log1p(STEP)) + 1
    return sorted({round(number) for number in np.geomspace(fewest, most, places)})


def first(numbers: Sequence[int], chances: Values) -> int | None:
    """The least of ``numbers`` that is likely to decide; ``None`` if none is."""
    likely = np.flatnonzero(chances >= LIKELY)
    return numbers[int(likely[0])] if len(likely) else None
