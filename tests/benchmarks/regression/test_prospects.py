"""What an undecided verdict says would decide it, and how often that then does: simulated, seeded."""

import re

import numpy as np
import pytest
from made_nights import followed, made_nights, stepped

from benchmarks.regression import chances, pairs
from benchmarks.regression.expectations import Nights
from benchmarks.regression.verdicts import Case, Judged, judge

CASES, HISTORY = 60, 40
OFTEN_ENOUGH = 0.75  # of 0.8 that is said: 100 cases leave two standard errors of 0.08, and seeds are fixed
Generator = np.random.Generator


def number(reason: str, unit: str) -> int | None:
    found = re.search(rf"(\d+) {unit}", reason)
    return int(found[1]) if found else None


# --- Two sides of forks or nights -------------------------------------------------------------


def drawn(generator: Generator, count: int, center: float, sigma: float) -> list[float]:
    return list(np.exp(generator.normal(center, sigma, count)))


def decided(generator: Generator, count: int, center: float, sigma: float) -> bool:
    sides = (drawn(generator, count, center, sigma), drawn(generator, count, 0.0, sigma))
    return pairs.told(*sides).verdict != "undecided"


@pytest.mark.parametrize("forks", [3, 5])
def test_so_many_forks_a_side_decide_it(forks: int) -> None:
    generator, found = np.random.default_rng(21), []
    for _ in range(200):
        said = pairs.told(drawn(generator, forks, 0.0, 0.05), drawn(generator, forks, 0.0, 0.05))
        if needed := number(said.reason, "forks a side would decide"):
            found.append(decided(generator, needed, 0.0, 0.05))
    assert len(found) > 80
    assert np.mean(found) > OFTEN_ENOUGH  # until the width was as seen it was 0.5 to 0.6: half of all


def test_the_chance_of_a_comparison_is_what_drawing_finds() -> None:
    generator, sigma, bounds = np.random.default_rng(22), 0.04, (np.log(0.95), np.log(1.05))
    found = chances.compared(0.0, 0.0, 1e6, (sigma**2, sigma**2), [20], bounds, np.log(1.02))
    trials = [decided(generator, 20, 0.0, sigma) for _ in range(1000)]
    assert found[0] == pytest.approx(np.mean(trials), abs=0.05)  # three standard errors of 1,000 trials


def test_a_spread_that_is_hardly_known_asks_for_more() -> None:
    counts, bounds = range(3, 200), (np.log(0.95), np.log(1.05))
    ways = ((0.0, 0.02, freedom, (1e-3, 1e-3), counts, bounds, 0.02) for freedom in (1000.0, 3.0))
    certain, vague = (chances.first(counts, chances.compared(*way)) for way in ways)
    assert certain is not None
    assert vague is not None
    assert vague > certain


def test_nothing_is_named_that_is_not_likely_to_be_enough() -> None:
    assert chances.first([3, 4], np.array([0.1, 0.79])) is None


# --- Nights -----------------------------------------------------------------------------------


def tonight(generator: Generator, steps: np.ndarray, **noise: float) -> list[Nights]:
    """Cases of which tonight is ``steps`` away."""
    return [stepped(made_nights(generator, HISTORY + 1, **noise), step) for step in steps]


def undecided(cases: list[Nights], unit: str) -> list[tuple[int, int]]:
    """Places of the cases that name a number of ``unit``, and that number."""
    said = [number(each.reason, unit) for each in judge([Case(nights) for nights in cases])]
    return [(place, needed) for place, needed in enumerate(said) if needed]


def test_so_many_nights_a_side_decide_it() -> None:
    generator = np.random.default_rng(23)
    said = undecided(tonight(generator, np.zeros(100), night=0.08), "nights a side")
    sigma = float(np.hypot(0.08, 0.01 / np.sqrt(3)))
    found = [decided(generator, needed, 0.0, sigma) for _, needed in said for _ in range(3)]
    assert len(found) > 240
    assert np.mean(found) > OFTEN_ENOUGH  # it was 0.07, of the case's own margin and with no room for chance


def judged_again(cases: list[Nights], later: list[Nights]) -> list[Judged]:
    return judge([Case(followed(nights, further)) for nights, further in zip(cases, later, strict=True)])


@pytest.mark.parametrize("needed", [1, 2])
def test_so_many_more_nights_decide_it(needed: int) -> None:
    generator, found = np.random.default_rng(24), []
    for _ in range(6):
        steps = generator.uniform(-0.06, 0.06, CASES)  # five deviations of a night either way
        cases = tonight(generator, steps)
        later = [stepped(made_nights(generator, needed), step, needed) for step in steps]
        after = judged_again(cases, later)
        places = [place for place, more in undecided(cases, "more night") if more == needed]
        found += [after[place].verdict != "undecided" for place in places]
    assert len(found) > 20
    assert np.mean(found) > OFTEN_ENOUGH


def test_so_many_forks_in_a_night_decide_it_where_nothing_changed() -> None:
    generator = np.random.default_rng(25)
    cases = tonight(generator, np.zeros(CASES), fork=0.06, night=0.002)
    said = dict(undecided(cases, "forks in a night, if nothing changed"))
    later = [
        made_nights(generator, 1, fork=0.06, night=0.002, forks=said.get(place, 3)) for place in range(CASES)
    ]
    after = judged_again(cases, later)
    found = [after[place].verdict == "same" for place in said]
    assert len(found) > 10
    assert np.mean(found) > OFTEN_ENOUGH


def test_a_re_run_is_not_offered_twice() -> None:
    generator = np.random.default_rng(26)
    cases = [stepped(made_nights(generator, HISTORY + 1, fork=0.02, night=0.002), -0.1) for _ in range(10)]
    suspected = judge([Case(nights) for nights in cases])
    assert all("a re-run (--rerun)" in each.reason for each in suspected)
    again = judge([Case(nights, again=-0.06) for nights in cases])  # seen again, and no night of its own yet
    assert not any("--rerun" in each.reason for each in again)
