"""What this machine can do at most, measured in the same run: matrix products and copies, in a framework.

A child's task. A ceiling is the best of its repetitions: nothing is faster, so nothing may be found faster.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.measure import CLOCK
from implementations.network import Framework, Settings

SIDES = {"cpu": 2048, "cuda": 8192}  # of square matrices: large enough to be bound by arithmetic
COPIED = {"cpu": 2**28, "cuda": 2**30}  # bytes: far beyond any cache
MEASURED_S = 1.0  # of each
FEWEST = 3
SMALLEST = 256
LONGEST_S = 2.0  # of a product: in a precision that the processor emulates a large one takes minutes


def measure(framework: Framework, *, settings: Settings) -> dict[str, Any]:
    """FLOP/s of a matrix product by precision, and bytes/s of a copy (read and written)."""
    kind = settings.device.partition(":")[0]
    side, size = SIDES[kind], COPIED[kind]
    precisions = ["float32", *framework.precisions(settings.device)]
    return {
        "flop_per_s": {p: _product(framework, p, settings, side) for p in precisions},
        "copied_bytes_per_s": 2.0 * size / fastest(framework.copy(size, settings)),
    }


def _product(framework: Framework, precision: str, settings: Settings, largest: int) -> float:
    """FLOP/s of the largest product that is not expected to take longer than ``LONGEST_S``."""
    side = SMALLEST
    while side < largest and 8 * _warm_s(framework.product(side, precision, settings)) <= LONGEST_S:
        side *= 2
    return 2.0 * side**3 / fastest(framework.product(side, precision, settings))


def _warm_s(compute: Callable[[], None]) -> float:
    compute()
    start = CLOCK()
    compute()
    return CLOCK() - start


def fastest(compute: Callable[[], None]) -> float:
    """Seconds of the fastest repetition; the first, which may allocate and compile, is not one."""
    compute()
    taken: list[float] = []
    begun = CLOCK()
    while len(taken) < FEWEST or CLOCK() - begun < MEASURED_S:
        start = CLOCK()
        compute()
        taken.append(CLOCK() - start)
    return min(taken)
