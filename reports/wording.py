"""Numbers and verdicts in words: what the page says, without its markup."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.intervals import Interval
from implementations.policies import EQUAL
from reports.headlines import Headline

ENOUGH = 3  # significant digits
REASON_LENGTH = 300  # characters of a failure's reason: some tools say pages
PERCENT = "\N{NO-BREAK SPACE}%"


def quantity(value: float) -> str:
    """Three significant digits at least: ``0.123``, ``1.23``, ``12.3``, ``1,234``."""
    if not 1e-3 <= abs(value) < 1e9:
        return "0" if value == 0 else f"{value:.2e}"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return f"{value:,.{max(0, ENOUGH - whole)}f}"


def shortened(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= REASON_LENGTH else text[:REASON_LENGTH] + " …"


def share(value: float) -> str:
    """``37 %``, ``0.2 %``."""
    return f"{100 * value:.0f}{PERCENT}" if value >= 0.01 else f"{100 * value:.1g}{PERCENT}"


def ratio(interval: Interval) -> tuple[str, str]:
    """A ratio and its ends; with more digits where two would round an end that is not 1 to 1."""
    values = (interval.value, interval.low, interval.high)
    hidden = [digits for digits in (2, 3, 4) if not any(round(v, digits) == 1 != v for v in values)]
    digits = hidden[0] if hidden else 4
    value, low, high = (_rounded(value, digits) for value in values)
    return value, f"{low} to {high}"


def _rounded(value: float, digits: int) -> str:
    """``0.07``; what would be rounded to 0 is shown as below the smallest: ``<0.01``; ``93.3``, ``118``."""
    if value >= 10:
        return quantity(value)
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


def task(headline: Headline) -> str:
    """``Inference``; with the policy if it is not ``equal``."""
    name = headline.task.capitalize()
    return name if headline.policy == EQUAL else f"{name}, policy {headline.policy}"


def scope(headline: Headline) -> str:
    """Over which works the sentence is true."""
    count = len(headline.works)
    some = f"{count} of {headline.of}" if count < headline.of else f"{count}"
    if count == 1:
        (work,) = headline.works
        return f"{work.network}, batch {work.batch}{f', {some} comparisons' if headline.of > 1 else ''}"
    names = tuple(dict.fromkeys(work.network for work in headline.works))
    return f"geometric mean over {some} comparisons of {joined(names)}"


def joined(names: Sequence[str], most: int = 4) -> str:
    """``a, b and c``; of many the first ones and how many more."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def answer(headline: Headline) -> Answer:
    """Who is fastest at a task, by how much; or that the run cannot tell."""
    first = headline.first
    if not headline.others:
        return Answer(f"{first.title} alone was measured", f"{quantity(first.throughput.value)} images/s")
    if headline.rivals:
        return _undecided(first.title, [(case.title, lead) for case, lead in headline.rivals])
    second, lead = headline.others[0]
    verdict = f"{first.title} is fastest: {ratio(lead)[0]} times as fast as {second.title}"
    return Answer(verdict, bracket(lead))


def _undecided(first: str, rivals: Sequence[tuple[str, Interval]]) -> Answer:
    verdict = f"This run cannot tell {joined([first, *(name for name, _ in rivals)], most=9)} apart"
    if len(rivals) == 1:
        (_, lead) = rivals[0]
        return Answer(verdict, f"ratio {ratio(lead)[0]}, {bracket(lead)}")
    return Answer(verdict, ratios(first, rivals))


def ratios(first: str, leads: Sequence[tuple[str, Interval]]) -> str:
    """``ratio of pytorch to paddle 1.02, 95 % interval 0.95 to 1.09; to keras …``."""
    each = (f"to {name} {ratio(lead)[0]}, {bracket(lead)}" for name, lead in leads)
    return f"ratio of {first} {'; '.join(each)}"
