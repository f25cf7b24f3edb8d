"""What would decide a case that is undecided: nights, a re-run or forks, as many as are likely to do."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks import intervals
from benchmarks.intervals import FEWEST_FORKS
from benchmarks.regression import chances
from benchmarks.regression.chances import LIKELY, OFTEN
from benchmarks.regression.evidence import LEANING, LONE
from benchmarks.regression.expectations import WINDOW
from benchmarks.regression.metrics import SPEED
from benchmarks.regression.resolution import MARGINS, Resolution, within

RERUN = 20  # forks of a suspect's re-run: more than a night has, since they must decide
DOUBLINGS = 8  # of a night's forks, beyond which nobody makes them
MOST_NIGHTS = 100


@dataclass(frozen=True)
class Prospect:
    """Of one case: ``window`` is the most suspicious one; ``None`` where nothing is suspected."""

    known: Resolution
    window: int | None
    again: bool = False  # whether its re-run is made already

    def said(self) -> str:
        """``1 more night like it or a re-run (--rerun) would decide it 4 times in 5``."""
        ways = [*self._by_nights(), *(self._by_rerun() if self.window else self._by_forks())]
        ways = ways or list(self._by_comparison())
        if not ways:
            return "no affordable number of nights would decide it"
        return f"{' or '.join(ways)} would decide it {OFTEN}"

    # --- What would put a change beyond chance, were it what was seen, give or take its error ---

    def _by_nights(self) -> Iterator[str]:
        more = next((more for more in range(1, WINDOW) if self._told_after(more) >= LIKELY), None)
        if more:
            yield f"{more} more night{'s' if more > 1 else ''} like it"

    def _by_rerun(self) -> Iterator[str]:
        if not self.again and self._told_again() >= LIKELY:
            yield "a re-run (--rerun)"

    def _told_after(self, more: int) -> float:
        """The chance that ``more`` nights with the change that was seen put some window beyond chance."""
        return max(self._told_over(more, window) for window in range(max(2, more), WINDOW + 1))

    def _told_over(self, more: int, window: int) -> float:
        """The same of the one window that ends with them."""
        seen = self.known.apart(self.window or 1)
        way, change = np.sign(seen), abs(seen)
        nights = way * self.known.evidence.nights[self.known.place]
        before = nights[len(nights) - (window - more) :]
        center = (before.sum() + more * change) / window
        if (before < LEANING * center).any():
            return 0.0
        variance, counted = self.known.variance, self.window or 1
        error = more / window * np.sqrt(variance * (1 / more + 1 / counted))
        beyond_chance = self.known.limit(window) * self.known.error(window, self.known.usual_forks)
        limit = max(beyond_chance, self.known.effect)
        # That a night hardly shows the change, which each must.
        astray = chances.beyond(-LEANING * center, -change, np.sqrt(variance * (1 + 1 / counted)))
        return float(chances.beyond(limit, center, error) - more * astray)

    def _told_again(self) -> float:
        """The chance that tonight's forks and a re-run's, of the same night, are beyond chance together."""
        usual, own = self.known.usual_forks, self.known.fork_variance
        together = usual + RERUN
        error = RERUN / together * np.sqrt(own * (1 / usual + 1 / RERUN))
        limit = max(LONE * self.known.limit(1) * self.known.error(1, together), self.known.effect)
        return float(chances.beyond(limit, abs(self.known.apart(1)), max(error, np.finfo(float).tiny)))

    # --- What would exclude a change, if there is none ---

    def _by_forks(self) -> Iterator[str]:
        counts = [round(self.known.usual_forks * 2**power) for power in range(1, DOUBLINGS + 1)]
        forks = next((count for count in counts if self._excluded_by(count) >= LIKELY), None)
        if forks:
            yield f"{forks} forks in a night, if nothing changed,"

    def _excluded_by(self, forks: int) -> float:
        error, (low, high) = self.known.error(1, forks), self.known.bounds
        half = intervals.quantile(self.known.freedom) * error
        return float(chances.inside(low + half, high - half, 0.0, error))

    # --- Two sides of nights, as ``reports compare`` holds them against each other ---

    def _by_comparison(self) -> Iterator[str]:
        variance, bounds = self.known.variance, within(MARGINS[0] * self.known.metric.effect / SPEED.effect)
        counts = chances.counts(FEWEST_FORKS, MOST_NIGHTS)
        seen = (self.known.apart(1), self.known.error(1, self.known.usual_forks), self.known.freedom)
        likely = chances.compared(*seen, (variance, variance), counts, bounds, self.known.effect)
        if nights := chances.first(counts, likely):
            yield f"{nights} nights a side, compared,"
