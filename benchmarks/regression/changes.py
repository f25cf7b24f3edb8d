"""Where a series' level changed for good, and what changed with it: its versions, its commit, its driver.

Change points are ruptures' PELT on night values. A change must explain more than the noise would: its penalty
is in units of the variance of one night, and grows with the logarithm of the nights looked at.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.regression.nights import Values

SHORTEST = 3  # nights of a level: fewer are an outlier
PENALTY = 6.0  # times log(nights): 4.7 standard errors at 40 nights, 6.4 at 1,000
JUMP = 1  # every night may be the first of a level


@dataclass(frozen=True)
class Change:
    """The first night of a new level, and the new level over the old one."""

    night: int
    ratio: float


def firsts(values: Values, deviation: float) -> list[int]:
    """Places of the first nights of new levels in (nights,) values with noise of ``deviation`` a night."""
    if not bool(stepped(values, deviation)):
        return []
    import ruptures  # brings scipy.spatial: who asks for no change need not wait

    scaled = np.asarray(values, float) / deviation
    search = ruptures.KernelCPD(kernel="linear", min_size=SHORTEST, jump=JUMP).fit(scaled)
    return _placed(scaled, [0, *search.predict(pen=_penalty(len(values)))])


def _placed(values: Values, edges: Sequence[int]) -> list[int]:
    """Each change where it fits best: PELT gives a level ``SHORTEST`` nights where it has fewer, too."""
    found = []
    for start, place, end in zip(edges, edges[1:], edges[2:], strict=False):
        near = range(max(start, place - SHORTEST) + 1, min(end, place + SHORTEST))
        best = min(
            near, key=lambda at: np.var(values[start:at]) * (at - start) + np.var(values[at:end]) * (end - at)
        )
        if min(best - start, end - best) >= SHORTEST:
            found.append(int(best))
    return found


def stepped(values: Values, deviation: Values | float) -> NDArray[np.bool_]:
    """Whether one step in (..., nights) values would explain more than the penalty: most have none."""
    count = values.shape[-1]
    if count < 2 * SHORTEST:
        return np.zeros(values.shape[:-1], bool)
    places = np.arange(SHORTEST, count - SHORTEST + 1)
    sums = np.cumsum(values - values.mean(axis=-1, keepdims=True), axis=-1)[..., places - 1]
    gain = sums**2 * count / (places * (count - places))
    return np.asarray(gain.max(axis=-1) > _penalty(count) * np.square(deviation))


def _penalty(count: int) -> float:
    return PENALTY * float(np.log(count))


def changes(values: Values, deviation: float) -> list[Change]:
    """All changes of (nights,) values, the oldest first; how far is told by the means of the two levels."""
    edges = [0, *firsts(values, deviation), len(values)]
    if len(edges) == 2:
        return []
    levels = [float(np.mean(values[start:end])) for start, end in itertools.pairwise(edges)]
    ratios = np.exp(np.diff(levels))
    return [Change(night, float(ratio)) for night, ratio in zip(edges[1:-1], ratios, strict=True)]


def settled(values: Values, deviation: float) -> tuple[Values, int]:
    """(nights,) values with older levels moved onto the newest, and how many nights that one has lasted."""
    edges = [0, *firsts(values, deviation), len(values)]
    moved = np.array(values, float)
    newest = moved[edges[-2] :].mean()
    for start, end in itertools.pairwise(edges[:-1]):
        moved[start:end] += newest - moved[start:end].mean()
    return moved, len(values) - edges[-2]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What two nights do not share, in words: ``torch 2.12.0 → 2.13.0``; of a mapping of names to values."""
    return [
        f"{name} {before.get(name, 'none')} → {after.get(name, 'none')}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def attributed(states: Sequence[Mapping[str, Any]], night: int) -> list[str]:
    """What changed between ``night`` and the one before it; empty if nothing that is recorded did."""
    return differences(states[night - 1], states[night])
