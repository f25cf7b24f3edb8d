"""What the rule about the machine is worth: nights on which all is slower, and steps of single cases.

    python docs/studies/machine.py [--trials 12]

Nights as in ``regressions.py`` (the calm ones, ten forks), and two ceilings beside them, one value a night
each, whose noise nobody recorded: 1 or 5 % here. What happens stays for six nights. Where the machine is
slower, the ceilings are by so much, and each case by 0.5 to 1.5 times that; where cases step, by max(5 %,
4 σ_night), ten of 200 do. Suspects are run again in the same night, and ten others beside them as the
control. The verdicts are ``verdicts.judge``'s own, once with what moved of the machine and once without.
Takes minutes on one core.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from benchmarks.regression import changes, verdicts
from benchmarks.regression.expectations import WINDOW, Nights
from benchmarks.regression.nights import Values
from benchmarks.regression.verdicts import Case, Judged
from docs.studies.regressions import CASES, SEED, Job, World, step_of, worlds
from implementations import commandline
from reports.watched import deviation

WORLD = "calm, 10 forks"
CEILINGS = ("copy", "float32")
LASTING = 6  # nights: until what happened is the level that is held against
STEPPED = 10  # of the cases
BESIDE = 10  # cases run again without suspicion
FOLLOWING = (0.5, 1.5)  # times what the ceilings lose is what a case loses
PERCENT = 100


@dataclass(frozen=True)
class Event:
    """What begins on one night, as fractions."""

    title: str
    slower: float = 0.0  # the machine
    steps: bool = False  # of single cases
    noise: float = 0.01  # of a ceiling, from night to night

    @property
    def lost(self) -> float:
        """Of the machine, as a logarithm."""
        return -float(np.log1p(-self.slower))


EVENTS = (
    Event("the machine is 5 % slower", 0.05),
    Event("the machine is 10 % slower", 0.10),
    Event("the machine is 20 % slower", 0.20),
    Event("the machine is 10 % slower, ceilings with 5 % noise", 0.10, noise=0.05),
    Event("single cases step", steps=True),
    Event("single cases step, ceilings with 5 % noise", steps=True, noise=0.05),
    Event("single cases step, the machine is 2 % slower", 0.02, steps=True),
    Event("single cases step, the machine is 10 % slower", 0.10, steps=True),
)


@dataclass
class Nightly:
    """A nightly job to which an event happens; what it says of each case, night by night."""

    job: Job
    ceilings: Values  # (names, nights), as logarithms
    first: int  # night of the event
    stepped: Values  # places

    @classmethod
    def of(cls, world: World, event: Event, generator: np.random.Generator) -> "Nightly":
        first = world.history + WINDOW
        job = Job.of(world, generator, first + LASTING, steps=False)
        lost = event.lost * generator.uniform(*FOLLOWING, CASES)
        stepped = generator.permutation(CASES)[:STEPPED] if event.steps else np.array([], int)
        lost[stepped] += step_of(job.deviations)[stepped]
        for values in (job.night, job.values):
            values[:, first:] -= lost[:, None]
        ceilings = generator.normal(0, event.noise, (len(CEILINGS), first + LASTING))
        ceilings[:, first:] -= event.lost
        return cls(job, ceilings, first, stepped)

    def said(self, night: int) -> tuple[list[Judged], list[Judged]]:
        """Tonight's verdicts after the re-run, with the rule about the machine and without it."""
        moved = self.moved(night)
        before = [Case(nights, ceilings=moved) for nights in self.nights(night)]
        suspected = np.flatnonzero([each.suspected for each in verdicts.judge(before)])
        calm = np.setdiff1d(np.arange(CASES), suspected)
        beside = self.job.generator.permutation(calm)[: BESIDE if len(suspected) else 0]
        usual = [self.usual(place, night) for place in beside]
        again = dict(zip(suspected, map(float, self.job.rerun(suspected, night)), strict=True))
        apart = self.job.rerun(beside, night) - np.array(usual)
        control = float(np.median(apart)) if len(beside) else None
        after = [
            Case(nights, again.get(place), moved, control if place in again else None)
            for place, nights in enumerate(self.nights(night))
        ]
        without = [replace(case, ceilings=None, controls=None) for case in after]
        return verdicts.judge(after), verdicts.judge(without)

    def nights(self, night: int) -> list[Nights]:
        parts = (self.job.values, self.job.within, self.job.counts)
        return [Nights(*(part[place, : night + 1] for part in parts)) for place in range(CASES)]

    def moved(self, night: int) -> dict[str, float]:
        alone = np.full(night + 1, np.nan), np.ones(night + 1)
        made = {
            name: Nights(values[: night + 1], *alone)
            for name, values in zip(CEILINGS, self.ceilings, strict=True)
        }
        return verdicts.moved(made)

    def usual(self, place: int, night: int) -> float:
        """What a control is held against, as ``reports regressions`` does."""
        values = self.job.values[place, :night]
        return float(np.median(changes.settled(values, deviation(values, verdicts.SPEED.floor))[0]))


# --- What is counted ------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """Of one event: shares of the cases that it is about (steps: those that stepped), by some night."""

    slower: tuple[float, float]  # called so by the third and by the sixth night, with the rule
    without: tuple[float, float]
    excused: float  # said to be the machine's by the sixth night


def outcome(world: World, event: Event, trials: int) -> Outcome:
    generator = np.random.default_rng(SEED)
    found = []
    for _ in range(trials):
        made = Nightly.of(world, event, generator)
        nights = [made.said(night) for night in range(made.first, made.first + LASTING)]
        about = made.stepped if event.steps else np.arange(CASES)
        found.append(np.array([_told(each, about) for each in nights]))
    ever = np.maximum.accumulate(np.concatenate(found, axis=2), axis=0).mean(axis=2)  # (nights, 3)
    third, last = WINDOW - 1, LASTING - 1
    pairs = [(float(ever[third, way]), float(ever[last, way])) for way in (0, 1)]
    return Outcome(pairs[0], pairs[1], float(ever[last, 2]))


def _told(said: tuple[Sequence[Judged], Sequence[Judged]], about: Values) -> list[list[bool]]:
    """Of the cases at the places ``about``: slower, slower without the rule, the machine's."""
    ruled, without = ([each[place] for place in about] for each in said)
    return [
        [judged.verdict == "slower" for judged in ruled],
        [judged.verdict == "slower" for judged in without],
        [judged.reason.startswith("machine") for judged in ruled],
    ]


HEADINGS = (
    "what happened",
    "*machine*",
    "*slower* by the 3rd night",
    "by the 6th",
    "without the rule, by the 3rd",
    "by the 6th",
)


def table(trials: int, chosen: str = "") -> Iterator[str]:
    """The lines of docs/regressions.md, of the events whose titles hold ``chosen``."""
    world = worlds()[WORLD]
    yield f"| {' | '.join(HEADINGS)} |"
    yield "| --- " * len(HEADINGS) + "|"
    for event in EVENTS:
        if chosen in event.title:
            found = outcome(world, event, trials)
            shares = (found.excused, *found.slower, *found.without)
            yield f"| {event.title} | {' | '.join(f'{PERCENT * share:.1f} %' for share in shares)} |"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=commandline.positive, default=12)
    parser.add_argument("--event", default="", metavar="WORDS", help="of the titles of those to be simulated")
    options = parser.parse_args()
    for line in table(options.trials, options.event):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
