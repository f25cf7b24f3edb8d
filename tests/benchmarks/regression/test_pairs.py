"""Two sides of one case."""

import pytest

from benchmarks.regression.pairs import told

BASE = [100.0, 101.0, 99.0, 100.5, 99.5]


def scaled(by: float, values: list[float] = BASE) -> list[float]:
    return [by * value for value in values]


@pytest.mark.parametrize(
    ("by", "verdict"), [(1.2, "faster"), (0.8, "slower"), (1.0, "same"), (1.015, "same")]
)
def test_effect_and_significance_together(by: float, verdict: str) -> None:
    assert told(scaled(by), BASE).verdict == verdict  # 1.5 % is certain here, and too little for a word


def test_too_wide_an_interval_says_how_many_forks_would_do() -> None:
    noisy = [80.0, 100.0, 120.0, 95.0, 105.0]
    found = told(scaled(1.05, noisy), noisy)
    assert found.verdict == "undecided"
    assert found.reason.startswith("about ")
    assert found.reason.endswith(" forks a side would decide it 4 times in 5")


def test_two_forks_are_no_interval() -> None:
    found = told([200.0, 201.0], [100.0, 100.5], unit="nights")
    assert (found.verdict, found.ratio.kind) == ("undecided", "range")
    assert found.reason == "3 nights a side would give an interval"
