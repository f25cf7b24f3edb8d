"""Two loops around the same work, in alternating blocks of one process: what studies of small ratios share.

What other guests of the machine do hits single blocks hard: so a process's ratio is the median of its pairs'.
Processes differ by more than their pairs do: so the interval is over processes.
"""

import math
import statistics
from collections.abc import Callable, Sequence

from benchmarks.measure import CLOCK

Loop = Callable[[int], None]  # runs that many steps and waits for the device


def logarithms(ours: Loop, theirs: Loop, pairs: int, block_s: float) -> list[float]:
    """log(ours / theirs) of the times of ``pairs`` pairs of blocks, whose order alternates."""
    steps = _steps(ours, theirs, block_s)
    found = []
    for pair in range(pairs):
        taken = {loop: _seconds(loop, steps) for loop in ((ours, theirs) if pair % 2 else (theirs, ours))}
        found.append(math.log(taken[ours] / taken[theirs]))
    return found


def _steps(ours: Loop, theirs: Loop, block_s: float) -> int:
    """Of a block that takes ``block_s`` at least; both loops are warm then."""
    for loop in (ours, theirs):
        loop(1)
    steps = 1
    while min(_seconds(ours, steps), _seconds(theirs, steps)) < block_s:
        steps *= 2
    return steps


def _seconds(loop: Loop, steps: int) -> float:
    start = CLOCK()
    loop(steps)
    return CLOCK() - start


def ratio_of_forks(medians: Sequence[float]) -> dict[str, float]:
    """The ratio whose logarithms processes found, one a process, with Student's 95 % interval over them."""
    from scipy import stats  # not needed in a child

    mean, count = statistics.fmean(medians), len(medians)
    half = float(stats.t.ppf(0.975, count - 1)) * statistics.stdev(medians) / math.sqrt(count)
    found = {"ratio": mean, "low": mean - half, "high": mean + half}
    return {key: math.exp(value) for key, value in found.items()}
