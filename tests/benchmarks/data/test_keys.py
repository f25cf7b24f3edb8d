"""What is chosen once for all is drawn from no key that a training's seed can lead to."""

import numpy as np
import pytest

from benchmarks.data import augmentation, batches, keys
from benchmarks.data.images import Split, held_out
from benchmarks.training import stepping

FIXED = (keys.DIGITS, keys.HELD_OUT, keys.SAMPLE, keys.CHOICE)
LARGEST = 2**32 - 1  # seed, epoch, step and index


def test_no_two_are_one() -> None:
    assert len(set(FIXED)) == len(FIXED)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every key that is drawn from."""
    found: list[int] = []

    def listed(raw_words):  # type: ignore[no-untyped-def]
        return lambda key, count: (found.append(key), raw_words(key, count))[1]

    for module in (batches, augmentation, stepping.weights):
        monkeypatch.setattr(module, "raw_words", listed(module.raw_words))  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("seed", [0, 1, LARGEST])
@pytest.mark.parametrize("number", [0, 1, 2, 3, LARGEST])
def test_no_seed_leads_to_one(drawn: list[int], seed: int, number: int) -> None:
    batches.order.cache_clear()
    batches.order(3, seed, number)
    stepping.draw(seed, number)
    for index in (0, LARGEST):
        augmentation.Augmentation().drawn(seed, number, index)
    assert len(drawn) == 4
    assert not set(drawn) & set(FIXED)
    for key in drawn:  # nor near one: further steps do not come to it
        assert all(abs(key - fixed) > 2**63 for fixed in FIXED)


def test_what_is_held_out_is_not_the_end_of_an_epochs_order() -> None:
    """As it was while keys coincided: the second epoch of seed 0 ended with what would be held out."""
    numbers = np.arange(100, dtype=np.int64)
    _, validation = held_out(Split(np.zeros((100, 1, 1, 1), np.uint8), numbers))
    for epoch in range(4):
        assert set(validation.labels.tolist()) != set(batches.order(100, 0, epoch)[-10:].tolist())
