"""Numbers and verdicts in words: what the page says, without its markup."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.intervals import Interval
from implementations.policies import EQUAL
from reports.queries import Group

ENOUGH = 3  # significant digits
PERCENT = "\N{NO-BREAK SPACE}%"


def quantity(value: float) -> str:
    """Three significant digits at least: ``0.123``, ``1.23``, ``12.3``, ``1,234``."""
    if not 1e-3 <= abs(value) < 1e9:
        return "0" if value == 0 else f"{value:.2e}"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return f"{value:,.{max(0, ENOUGH - whole)}f}"


def share(value: float) -> str:
    """``37 %``, ``0.2 %``."""
    return f"{100 * value:.0f}{PERCENT}" if value >= 0.01 else f"{100 * value:.1g}{PERCENT}"


def ends(interval: Interval) -> str:
    """``11.9 to 12.7``, in images per second; what is no interval says so."""
    if interval.forks == 1:
        return "one fork"
    return _named(interval, f"{quantity(interval.low)} to {quantity(interval.high)}")


def ratio_ends(interval: Interval) -> str:
    """``0.72 to 0.78``; what is no interval says so."""
    return _named(interval, ratio(interval)[1])


def _named(interval: Interval, limits: str) -> str:
    return limits if interval.kind == "interval" else f"range {limits}"


def ratio(interval: Interval) -> tuple[str, str]:
    """A ratio and its ends; with more digits where two would round an end that is not 1 to 1."""
    values = (interval.value, interval.low, interval.high)
    hidden = [digits for digits in (2, 3, 4) if not any(round(v, digits) == 1 != v for v in values)]
    digits = hidden[0] if hidden else 4
    value, low, high = (_rounded(value, digits) for value in values)
    return value, f"{low} to {high}"


def _rounded(value: float, digits: int) -> str:
    """``0.07``; what would be rounded to 0 is shown as below the smallest: ``<0.01``."""
    smallest = f"{10**-digits:.{digits}f}"
    return f"{value:,.{digits}f}" if value >= float(smallest) / 2 else f"<{smallest}"


def bracket(interval: Interval) -> str:
    """``95 % interval 1.30 to 1.55``; under three forks ``range 1.30 to 1.55 over 2 forks``."""
    _, limits = ratio(interval)
    if interval.kind == "interval":
        return f"95\N{NO-BREAK SPACE}% interval {limits}"
    if interval.forks == 1:
        return "one fork: no interval"
    return f"range {limits} over {interval.forks} forks, too few for an interval"


@dataclass(frozen=True)
class Answer:
    """One sentence in two parts: who is fastest, and how sure that is."""

    verdict: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.verdict} ({self.evidence})."


def heading(group: Group) -> str:
    """``vgg16 inference, batch 1``; with the policy if it is not ``equal``."""
    policy = "" if group.policy == EQUAL else f", policy {group.policy}"
    return f"{group.network} {group.task}, batch {group.batch}{policy}"


def case(group: Group) -> str:
    """``vgg16 inference b1``: a row's first cell, with the policy if it is not ``equal``."""
    policy = "" if group.policy == EQUAL else f", {group.policy}"
    return f"{group.network} {group.task} b{group.batch}{policy}"


def answer(group: Group) -> Answer:
    """Who is fastest in a group, by how much; or that the run cannot tell."""
    first = group.cases[0]
    if not group.leads:
        return Answer(f"{first.title} alone was measured", f"{quantity(first.throughput.value)} images/s")
    if group.rivals:
        return _undecided(first.title, [(case.title, lead) for case, lead in group.rivals])
    second, lead = group.cases[1].title, group.leads[0]
    return Answer(f"{first.title} is fastest: {ratio(lead)[0]} times as fast as {second}", bracket(lead))


def _undecided(first: str, rivals: Sequence[tuple[str, Interval]]) -> Answer:
    *others, last = [first, *(name for name, _ in rivals)]
    verdict = f"This run cannot tell {', '.join(others)} and {last} apart"
    if len(rivals) == 1:
        (_, lead) = rivals[0]
        return Answer(verdict, f"ratio {ratio(lead)[0]}, {bracket(lead)}")
    each = (f"to {name} {ratio(lead)[0]}, {bracket(lead)}" for name, lead in rivals)
    return Answer(verdict, f"ratio of {first} {'; '.join(each)}")
