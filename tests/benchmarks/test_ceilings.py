"""Ceilings on a fake clock: the fastest repetition, whatever the first one took."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchmarks import ceilings, measure
from implementations.network import Settings

PACE = {"float32": 64e9, "bfloat16": 256e9, "float16": 2**27}  # FLOP/s; the last is emulated


class Machine:
    """A framework whose first products and copies take ten times as long as the later ones."""

    def __init__(self) -> None:
        self.now, self.products, self.copies = 0.0, list[tuple[int, str]](), list[int]()

    def clock(self) -> float:
        return self.now

    def precisions(self, device: str) -> tuple[str, ...]:
        return ("bfloat16", "float16")

    def product(self, side: int, precision: str, settings: Settings) -> Callable[[], None]:
        self.products.append((side, precision))
        return self._taking(2.0 * side**3 / PACE[precision])

    def copy(self, size: int, settings: Settings) -> Callable[[], None]:
        self.copies.append(size)
        return self._taking(0.25)

    def _taking(self, seconds: float) -> Callable[[], None]:
        costs = self._costs(seconds)

        def work() -> None:
            self.now += next(costs)

        return work

    @staticmethod
    def _costs(seconds: float) -> Iterator[float]:
        yield 10 * seconds
        while True:
            yield seconds
            yield 2 * seconds

    def largest(self, precision: str) -> int:
        return max(side for side, of in self.products if of == precision)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(ceilings, "CLOCK", made.clock)
    return made


def measured(machine: Machine, device: str = "cpu") -> dict[str, Any]:
    return ceilings.measure(machine, settings=Settings(devices=(device,)))  # type: ignore[arg-type]


def test_a_ceiling_is_the_fastest_repetition(machine: Machine) -> None:
    found = measured(machine)
    assert found["flop_per_s"] == pytest.approx(PACE, rel=1e-9)  # sums of seconds round
    assert found["copied_bytes_per_s"] == pytest.approx(2 * 2**28 / 0.25)


def test_a_gpu_is_given_more_to_do(machine: Machine) -> None:
    measured(machine)
    assert (machine.largest("bfloat16"), machine.copies) == (2048, [2**28])
    pace_of_a_gpu = 1000
    machine._taking = lambda seconds: Machine._taking(machine, seconds / pace_of_a_gpu)  # type: ignore[method-assign]
    measured(machine, "cuda:0")
    assert (machine.largest("bfloat16"), machine.copies[-1]) == (8192, 2**30)


def test_a_precision_that_is_emulated_gets_a_smaller_product(machine: Machine) -> None:
    """At 2**27 FLOP/s one of 2048 would take two minutes, and there are four of them."""
    measured(machine)
    assert machine.largest("float32") == 2048
    assert machine.largest("float16") == 512
    assert machine.now < 90  # the first of each takes ten times as long here


def test_repetitions_fill_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now, costs = [0.0], iter([1.0, *[0.125] * 100])

    def work() -> None:
        now[0] += next(costs)

    monkeypatch.setattr(ceilings, "CLOCK", lambda: now[0])
    ceilings.fastest(work)
    assert now[0] == 2.0  # the first, then eight of an eighth


def test_it_is_the_one_clock() -> None:
    assert ceilings.CLOCK is measure.CLOCK
