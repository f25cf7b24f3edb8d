"""Change points of made-up histories, found where they were planted and nowhere else."""

import numpy as np
import pytest

from benchmarks.regression import changes

SIGMA = 0.02


def noise(nights: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, SIGMA, nights)


def test_a_step_is_found_on_its_night_with_its_size() -> None:
    values = noise(60)
    values[40:] -= 0.2
    (found,) = changes.changes(values, SIGMA)
    assert found.night == 40
    assert found.ratio == pytest.approx(np.exp(-0.2), abs=0.02)  # 4 standard errors of the two means


def test_two_steps_are_two() -> None:
    values = noise(90)
    values[30:] += 0.2
    values[60:] -= 0.1
    assert [change.night for change in changes.changes(values, SIGMA)] == [30, 60]


def test_noise_alone_has_none_in_999_of_1000_histories() -> None:
    with_one = sum(bool(changes.changes(noise(40, seed), SIGMA)) for seed in range(1000))
    assert with_one <= 1


def test_the_penalty_is_what_keeps_noise_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "PENALTY", 0.5)
    assert sum(bool(changes.changes(noise(40, seed), SIGMA)) for seed in range(100)) > 50


@pytest.mark.parametrize("nights", [1, 2])
def test_a_night_or_two_are_outliers_and_no_level(nights: int) -> None:
    values = noise(40)
    values[20 : 20 + nights] -= 0.15
    assert changes.changes(values, SIGMA) == []


@pytest.mark.parametrize("nights", [1, 2])
def test_the_last_two_nights_are_no_level_yet(nights: int) -> None:
    values = noise(40)
    values[-nights:] -= 0.3
    assert changes.changes(values, SIGMA) == []


def test_three_nights_are_one() -> None:
    values = noise(40)
    values[-3:] -= 0.3
    assert [change.night for change in changes.changes(values, SIGMA)] == [37]


@pytest.mark.parametrize("nights", range(6))
def test_a_short_history_has_none(nights: int) -> None:
    assert changes.changes(np.linspace(0, 1, nights), SIGMA) == []


def test_older_levels_are_moved_onto_the_newest() -> None:
    values = noise(60)
    values[40:] -= 0.2
    moved, lasting = changes.settled(values, SIGMA)
    assert lasting == 20
    assert moved[:40].mean() == pytest.approx(moved[40:].mean(), abs=1e-12)  # float64 roundings
    assert np.array_equal(moved[40:], values[40:])


def test_a_change_is_attributed_to_what_differs_from_the_night_before() -> None:
    states = [{"torch": "2.12.0", "numpy": "2.4"}, {"torch": "2.13.0", "numpy": "2.4", "driver": "570"}]
    assert changes.attributed(states, 1) == ["driver none → 570", "torch 2.12.0 → 2.13.0"]
    assert changes.attributed([states[0], states[0]], 1) == []
