"""How long forks take, and so how long those to come will: from those of their case, or of all, so far."""

from collections.abc import Callable, Iterable

from benchmarks.plan import Case

LONG_S = 3 * 3600


class Progress:
    """Told of every fork when it has ended, in the order in which they were measured."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock, self.last, self.taken = clock, clock(), dict[Case, float]()

    def finished(self, case: Case) -> None:
        now = self.clock()
        self.taken[case], self.last = now - self.last, now

    def typical(self, case: Case) -> float:
        """Seconds of one more fork of ``case``; 0 while none was measured."""
        return self.taken.get(case, self._mean())

    def left(self, coming: Iterable[Case]) -> str:
        """How long forks of ``coming`` will take."""
        return _minutes(sum(self.typical(case) for case in coming))

    def lasting(self, forks: int) -> str:
        """How long ``forks`` of any case would take."""
        return _minutes(forks * self._mean())

    def _mean(self) -> float:
        return sum(self.taken.values()) / len(self.taken) if self.taken else 0.0


def _minutes(seconds: float) -> str:
    """``12:34``; hours where it is that long."""
    if seconds >= LONG_S:
        return f"{seconds / 3600:.0f} h"
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"
