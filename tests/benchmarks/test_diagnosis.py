"""Drift and modes, found where they were put in and not in plain noise."""

import math
import random

import pytest

from benchmarks import diagnosis

BLOCKS = 40


def noise(seed: int, sigma: float, count: int = BLOCKS) -> list[float]:
    generator = random.Random(seed)
    return [0.1 * math.exp(generator.gauss(0, sigma)) for _ in range(count)]


def test_a_drift_that_was_put_in_is_found_with_its_size() -> None:
    drifting = [taken * 1.2 ** (i / (BLOCKS - 1)) for i, taken in enumerate(noise(1, 0.005))]
    assert diagnosis.drift(drifting) == pytest.approx(0.2, abs=0.02)  # five standard errors of the slope


def test_becoming_faster_is_a_drift_too() -> None:
    found = diagnosis.drift([0.9 ** (i / (BLOCKS - 1)) for i in range(BLOCKS)])
    assert found == pytest.approx(-0.1)


def test_a_drift_of_a_percent_is_none() -> None:
    assert diagnosis.drift([1.01 ** (i / (BLOCKS - 1)) for i in range(BLOCKS)]) is None


def test_plain_noise_rarely_drifts() -> None:
    found = [diagnosis.drift(noise(seed, 0.03)) for seed in range(200)]
    assert sum(drift is not None for drift in found) <= 8  # 2 expected at the 1 % level, 8 in 1 of 4,000


def test_few_blocks_say_nothing_of_a_drift() -> None:
    assert diagnosis.drift([1.0, 1.5, 2.0]) is None


def test_two_modes_are_found() -> None:
    assert diagnosis.has_modes([*noise(1, 0.01), *(1.3 * taken for taken in noise(2, 0.01))])


def test_plain_noise_rarely_has_two_modes() -> None:
    assert sum(diagnosis.has_modes(noise(seed, 0.03)) for seed in range(200)) <= 8  # as above


def test_few_blocks_say_nothing_of_modes() -> None:
    assert not diagnosis.has_modes([1.0, 2.0] * 5)
