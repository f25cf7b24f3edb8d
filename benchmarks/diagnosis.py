"""What is wrong with a fork's blocks, though every one of them counts: drift, and more than one mode."""

import math
from collections.abc import Sequence
from typing import Any

FEWEST_BLOCKS = 10
DRIFT = 0.02  # from the first block to the last, as a fraction
LEVEL = 0.01  # of significance
FEWEST_FOR_MODES = 20


def drift(seconds: Sequence[float]) -> float | None:
    """How much longer blocks became from the first to the last, as a fraction; ``None`` if they did not.

    By the slope of Theil and Sen (Sen 1968) on logarithms, if its 99 % interval does not hold 0.
    """
    if len(seconds) < FEWEST_BLOCKS:
        return None
    from scipy import stats  # a second to import

    found: Any = stats.theilslopes([math.log(taken) for taken in seconds], alpha=1 - LEVEL)
    if found.low_slope <= 0 <= found.high_slope:
        return None
    change = math.expm1(found.slope * (len(seconds) - 1))
    return change if abs(change) >= DRIFT else None


def has_modes(seconds: Sequence[float]) -> bool:
    """Whether blocks have more than one mode, by the dip test (Hartigan and Hartigan 1985)."""
    if len(seconds) < FEWEST_FOR_MODES:
        return False
    import diptest
    import numpy as np

    _, p = diptest.diptest(np.log(np.asarray(seconds)))
    return bool(p < LEVEL)
