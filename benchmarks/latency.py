"""Latencies of single steps, each synchronised on its own: percentiles over all forks, with their number."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.results import Fork

ENOUGH_FOR_P99 = 1000  # ten samples beyond it; below, p99 is little more than the largest


@dataclass(frozen=True)
class Latency:
    """Percentiles in seconds a step."""

    p50: float
    p90: float
    p99: float
    count: int

    @property
    def p99_is_indicative(self) -> bool:
        return self.count < ENOUGH_FOR_P99


def of_forks(forks: Iterable[Fork]) -> Latency | None:
    """Of all steps of all forks together; ``None`` where there are not two."""
    seconds = [taken for fork in forks for taken in fork.latencies]
    if len(seconds) < 2:
        return None
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return Latency(cuts[49], cuts[89], cuts[98], len(seconds))
