"""False alarms and found steps of the nightly verdict, and of three rules of others on the same nights.

    python docs/studies/regressions.py [--nights 1000] [--steps 10000]

Cases are simulated: each takes σ_fork and σ_night of one of the cases that ``nights.py`` recorded. A night's
effect is shared by all of its forks, those of a re-run too. Each case's nights are drawn by themselves; the
rule about the machine has a study of its own (``machine.py``). *False alarms*: nights of 200 cases on which
nothing changed, of which any case was called faster or slower. *Found*: steps of max(5 %, 4 σ_night), every
case one, that are called slower on one of the three nights from the step on. The verdict runs as in
``reports regressions --rerun``: suspects are run again in the same night. Takes minutes on one core.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from scipy import stats

from benchmarks.regression import verdicts
from benchmarks.regression.evidence import Evidence, evidence
from benchmarks.regression.expectations import WINDOW, Nights, expected
from benchmarks.regression.nights import Values
from benchmarks.regression.prospects import RERUN
from docs.studies import nights as recorded
from implementations import commandline

CASES = 200
STEP, DEVIATIONS = 0.05, 4.0
ASV_FACTOR, ASV_P = 1.1, 0.002
COMPARED = 10  # nights before, of the other rules
SEED = 20261125
Noise = Callable[[np.random.Generator, tuple[int, ...]], Values]


def normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Values:
    return generator.standard_normal(shape)


def heavy(generator: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Student's t with 5 degrees of freedom, scaled to a variance of 1: one night in 80 beyond 3 σ."""
    return np.asarray(generator.standard_t(5, shape) / np.sqrt(5 / 3))


@dataclass(frozen=True)
class World:
    """What is simulated: the noise of the recorded cases."""

    fork: Values  # (recorded,)
    night: Values
    forks: int = 3
    history: int = 60
    noise: Noise = normal

    def cases(self, generator: np.random.Generator) -> tuple[Values, Values]:
        """σ_fork and σ_night of CASES cases."""
        chosen = generator.integers(0, len(self.fork), CASES)
        return self.fork[chosen], self.night[chosen]


@dataclass
class Job:
    """A nightly job over simulated nights: (cases, nights) arrays that re-runs change as they are made."""

    generator: np.random.Generator
    sigma: Values  # of forks, (cases,)
    deviations: Values  # σ_night, (cases,)
    night: Values  # what all forks of a night share, steps too
    forks: Values  # (cases, nights, forks) values of the first runs
    values: Values
    within: Values
    counts: Values
    reruns: int = 0

    @classmethod
    def of(cls, world: World, generator: np.random.Generator, nights: int, steps: bool) -> "Job":
        sigma, nightly = world.cases(generator)
        shared = nightly[:, None] * world.noise(generator, (CASES, nights))
        if steps:
            shared[:, -WINDOW:] -= step_of(nightly)[:, None]
        forks = shared[..., None] + sigma[:, None, None] * generator.standard_normal(
            (CASES, nights, world.forks)
        )
        counts = np.full((CASES, nights), float(world.forks))
        return cls(generator, sigma, nightly, shared, forks, forks.mean(-1), forks.var(-1, ddof=1), counts)

    def alarms(self, night: int, history: int, tested: int = WINDOW) -> Values:
        """(cases,) −1 slower, 1 faster, 0 neither, on ``night``, after the re-run of its suspects."""
        first = self.look(night, history, tested)
        suspects = np.flatnonzero(first.suspected)
        again = self.rerun(suspects, night)
        found = self.look(night, history, tested)
        telling = found.telling
        told = np.zeros(CASES)
        for place, value in zip(suspects, again, strict=True):
            windows = np.flatnonzero(telling[place])
            if len(windows):
                change = found.apart[place, windows[-1]]
                seen = (value - found.expectation.level[place]) * np.sign(change)
                told[place] = np.sign(change) * (seen >= verdicts.SEEN_AGAIN * abs(change))
        return told

    def look(self, night: int, history: int, tested: int) -> Evidence:
        start, middle, end = night + 1 - tested - history, night + 1 - tested, night + 1
        past = [
            Nights(self.values[c, start:middle], self.within[c, start:middle], self.counts[c, start:middle])
            for c in range(CASES)
        ]
        expectation = expected(past, verdicts.SPEED.floor)
        return evidence(expectation, self.values[:, middle:end], self.counts[:, middle:end], CASES)

    def rerun(self, suspects: Values, night: int) -> Values:
        """Night values of the re-runs alone; they are added to the night."""
        drawn = self.generator.standard_normal((len(suspects), RERUN))
        made = self.night[suspects, night, None] + self.sigma[suspects, None] * drawn
        first = self.counts[suspects, night]
        together = self.values[suspects, night] * first + made.sum(axis=1)
        self.values[suspects, night] = together / (first + RERUN)
        self.counts[suspects, night] = first + RERUN
        self.reruns += len(suspects)
        return np.asarray(made.mean(axis=1))


def step_of(nightly: Values) -> Values:
    """Of the logarithm: 5 % slower, or four deviations of a night."""
    return np.maximum(-np.log1p(-STEP), DEVIATIONS * nightly)


# --- The rules of others, on the first runs -------------------------------------------------


def asv(job: Job, night: int) -> Values:
    """asv: a factor of 1.1 and Mann-Whitney's p below 0.002; tonight's forks against those of ten nights."""
    now, before = job.forks[:, night], job.forks[:, night - COMPARED : night].reshape(CASES, -1)
    apart = np.median(now, axis=1) - np.median(before, axis=1)
    p = stats.mannwhitneyu(now, before, axis=1, method="asymptotic" if now.shape[1] > 3 else "exact").pvalue
    return np.asarray(np.sign(apart) * ((np.abs(apart) >= np.log(ASV_FACTOR)) & (p < ASV_P)))


def two_points(job: Job, night: int) -> Values:
    """Tonight's median a tenth from last night's."""
    now, before = (np.median(job.forks[:, at], axis=1) for at in (night, night - 1))
    apart = np.expm1(now - before)
    return np.asarray(np.sign(apart) * (np.abs(apart) >= 0.1))


def three_sigma(job: Job, night: int) -> Values:
    """Tonight further than 3 σ from the mean of the ten nights before."""
    means = job.forks.mean(axis=2)
    before = means[:, night - COMPARED : night]
    apart = means[:, night] - before.mean(axis=1)
    return np.asarray(np.sign(apart) * (np.abs(apart) > 3 * before.std(axis=1, ddof=1)))


OTHERS = {
    "asv (factor 1.1, p < 0.002)": asv,
    "10 % from last night": two_points,
    "3 σ of ten nights": three_sigma,
}


# --- What is counted ------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """Of one rule in one world."""

    nights: int
    alarmed: int  # nights with a false alarm
    steps: int
    found: tuple[int, ...]  # by nights from the step on
    reruns: float  # of cases, a night without steps

    @property
    def false_alarms(self) -> str:
        low, high = stats.binomtest(self.alarmed, self.nights).proportion_ci()
        shares = (f"{100 * share:.1f}" for share in (self.alarmed / self.nights, low, high))
        return "{} % ({} to {})".format(*shares)

    @property
    def shares(self) -> tuple[float, ...]:
        return tuple(each / self.steps for each in self.found)


def outcomes(world: World, nights: int, trials: int) -> dict[str, Outcome]:
    """The verdict's and the other rules', over ``nights`` without steps and ``trials`` of CASES steps."""
    generator = np.random.default_rng(SEED)
    start = world.history + WINDOW - 1
    rules = {"this suite": lambda job, night: job.alarms(night, world.history), **OTHERS}
    job = Job.of(world, generator, start + nights, steps=False)
    alarmed = dict.fromkeys(rules, 0)
    for night in range(start, start + nights):
        for name, rule in rules.items():
            alarmed[name] += bool(rule(job, night).any())
    found = {name: np.zeros(WINDOW, int) for name in rules}
    for stepped in (Job.of(world, generator, start + WINDOW, steps=True) for _ in range(trials)):
        for name, rule in rules.items():
            told = np.array([rule(stepped, start + later) < 0 for later in range(WINDOW)])
            found[name] += np.maximum.accumulate(told).sum(axis=1)
    reruns = {name: job.reruns / nights if name == "this suite" else 0.0 for name in rules}
    return {
        name: Outcome(nights, alarmed[name], trials * CASES, tuple(map(int, found[name])), reruns[name])
        for name in rules
    }


def worlds() -> dict[str, World]:
    """By what is said of them."""
    content = recorded.load()
    sides = [list(recorded.sigmas(recorded.cases(content, most)).values()) for most in (1.0, recorded.FREE)]
    (fork, night), calm = (tuple(map(np.array, zip(*each, strict=True))) for each in sides)
    return {
        "3 forks": World(fork, night, 3),
        "10 forks": World(fork, night, 10),
        "30 forks": World(fork, night, 30),
        "10 forks, 20 nights before": World(fork, night, 10, history=20),
        "10 forks, heavy tails": World(fork, night, 10, noise=heavy),
        "calm, 3 forks": World(*calm, 3),
        "calm, 10 forks": World(*calm, 10),
    }


HEADINGS = ("nights", "rule", "with a false alarm", "found on the 1st", "by the 2nd", "by the 3rd", "re-runs")


def table(nights: int, steps: int, chosen: str = "") -> Iterator[str]:
    """The lines of docs/regressions.md, of the worlds whose titles hold ``chosen``."""
    yield f"| {' | '.join(HEADINGS)} |"
    yield "| --- " * len(HEADINGS) + "|"
    for title, world in worlds().items():
        if chosen in title:
            for rule, outcome in outcomes(world, nights, max(1, steps // CASES)).items():
                found = " | ".join(f"{100 * share:.1f} %" for share in outcome.shares)
                reruns = f"{outcome.reruns:.1f}" if rule == "this suite" else ""
                yield f"| {title} | {rule} | {outcome.false_alarms} | {found} | {reruns} |"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nights", type=commandline.positive, default=1000)
    parser.add_argument("--steps", type=commandline.positive, default=10_000)
    parser.add_argument("--world", default="", metavar="WORDS", help="of the titles of those to be simulated")
    options = parser.parse_args()
    for line in table(options.nights, options.steps, options.world):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
