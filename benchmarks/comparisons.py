"""Which cases are compared, and how far apart they are: one way for the run, its table and the report."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from benchmarks import intervals
from benchmarks.intervals import Interval
from benchmarks.plan import Case
from benchmarks.results import Fork
from implementations.network import known
from implementations.policies import EQUAL

Work = tuple[str, str, int, str]


class Watched(Protocol):
    """A fork, in a file or in a history."""

    @property
    def disturbances(self) -> Sequence[str]: ...


AnyFork = TypeVar("AnyFork", bound=Watched)


@dataclass(frozen=True)
class Comparison:
    """Cases that do the same work, the fastest first, each with its forks."""

    work: Work
    forks: dict[Case, tuple[Fork, ...]]

    @property
    def fastest(self) -> Case:
        return next(iter(self.forks))

    def medians(self, case: Case) -> tuple[float, ...]:
        """Images/s, one value a fork."""
        return tuple(fork.median for fork in self.forks[case])

    def throughput(self, case: Case) -> Interval:
        """Images/s over the case's forks."""
        return intervals.of_forks(self.medians(case))

    def of_fastest(self, case: Case) -> Interval | None:
        """The case's share of the fastest's throughput; ``None`` for the fastest itself."""
        if case == self.fastest:
            return None
        return intervals.ratio(self.medians(case), self.medians(self.fastest))

    def smallest_step(self, case: Case) -> float | None:
        """The least difference to the fastest that these forks would show; ``None`` if there is none yet."""
        if case == self.fastest:
            return None
        step = intervals.smallest_step(self.medians(case), self.medians(self.fastest))
        return step if math.isfinite(step) else None


def comparisons(forks: Iterable[Fork]) -> list[Comparison]:
    """All forks of a run that count, by what they do, in the order of the works' names.

    What runs in inference only, and has no fork under another policy than ``equal``, belongs to both.
    """
    works: dict[Work, dict[Case, list[Fork]]] = defaultdict(lambda: defaultdict(list))
    for fork in forks:
        works[fork.case.work][fork.case].append(fork)
    for work in works:
        if work[-1] != EQUAL:
            own = {(case.framework, case.exporter) for case in works[work]}
            for case, shared in works.get((*work[:-1], EQUAL), {}).items():
                if not known(case.framework).trains and (case.framework, case.exporter) not in own:
                    works[work][case] = shared
    return [_ranked(work, works[work]) for work in sorted(works)]


def _ranked(work: Work, cases: dict[Case, list[Fork]]) -> Comparison:
    counted = {case: counting(forks) for case, forks in cases.items()}
    speeds = {case: intervals.of_forks([f.median for f in forks]).value for case, forks in counted.items()}
    return Comparison(work, {case: counted[case] for case in sorted(speeds, key=lambda c: -speeds[c])})


def counting(forks: Sequence[AnyFork]) -> tuple[AnyFork, ...]:
    """The undisturbed forks, if they are enough for an interval; else all.

    What something else on the machine disturbed is known from the machine, not from the fork's value.
    """
    undisturbed = tuple(fork for fork in forks if not fork.disturbances)
    return undisturbed if len(undisturbed) >= intervals.FEWEST_FORKS else tuple(forks)


def to_repeat(forks: Iterable[Fork], first: int) -> list[Case]:
    """A case for each of its ``first`` forks that was disturbed and for which no further one was made yet."""
    cases: dict[Case, list[Fork]] = defaultdict(list)
    for fork in forks:
        cases[fork.case].append(fork)
    wanted = []
    for case, made in cases.items():
        disturbed = [fork for fork in made if fork.disturbances and fork.attributes["fork"] <= first]
        further = [fork for fork in made if fork.attributes["fork"] > first]
        wanted += [case] * (len(disturbed) - len(further))
    return wanted


def widest(found: Iterable[Comparison], precision: float, without: Collection[Case] = ()) -> list[Case]:
    """Both sides of every ratio that is wider than ``precision``, the widest first, each case once.

    Ratios that would need a fork of a case in ``without`` are left as they are.
    """
    wide = {}
    for comparison in found:
        for case in comparison.forks:
            ratio = comparison.of_fastest(case)
            given_up = case in without or comparison.fastest in without
            if ratio is not None and ratio.width > precision and not given_up:
                wide[case, comparison.fastest] = ratio.width
    pairs = sorted(wide, key=lambda pair: -wide[pair])
    return list(dict.fromkeys(case for pair in pairs for case in pair))


@dataclass(frozen=True)
class Precision:
    """How wide a run's ratios are, and what a narrower target would cost."""

    ratios: int
    reached: int  # within the precision asked for
    widest: float  # largest half-width, as a fraction
    forks_to_target: int | None  # further forks of all cases together; ``None`` where no spread is known


def precision_of(found: Iterable[Comparison], precision: float, target: float) -> Precision:
    """The precision that the ratios of ``found`` have reached, and what ``target`` would cost."""
    comparisons = list(found)
    ratios = [r for c in comparisons for case in c.forks if (r := c.of_fastest(case)) is not None]
    further = [_further(comparison, target) for comparison in comparisons]
    return Precision(
        ratios=len(ratios),
        reached=sum(ratio.width <= precision for ratio in ratios),
        widest=max((ratio.width for ratio in ratios), default=0.0),
        forks_to_target=None if None in further else sum(n for n in further if n is not None),
    )


def _further(comparison: Comparison, target: float) -> int | None:
    """Forks that the cases of one comparison lack until each ratio is within ``target``."""
    needed = dict.fromkeys(comparison.forks, 0)
    fastest = comparison.fastest
    for case in comparison.forks:
        if case != fastest:
            forks = intervals.forks_needed(comparison.medians(case), comparison.medians(fastest), target)
            if forks is None:
                return None
            needed[case] = max(needed[case], forks)
            needed[fastest] = max(needed[fastest], forks)
    return sum(max(0, number - len(comparison.forks[case])) for case, number in needed.items())


def shown_width(width: float) -> str:
    """``±3.0 %``, or that there is no interval yet."""
    return f"±{width:.1%}".replace("%", " %") if math.isfinite(width) else "no interval yet"
