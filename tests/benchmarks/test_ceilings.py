"""Ceilings on a fake clock: the fastest repetition, whatever the first one took."""

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import ceilings, measure
from implementations.network import Settings


class Machine:
    """A framework whose products and copies take what is given, in turn."""

    def __init__(self, costs: Iterator[float]) -> None:
        self.costs, self.now, self.asked = costs, 0.0, list[Any]()

    def clock(self) -> float:
        return self.now

    def work(self) -> None:
        self.now += next(self.costs)

    def precisions(self, device: str) -> tuple[str, ...]:
        return ("bfloat16",)

    def product(self, side: int, precision: str, settings: Settings) -> Any:
        self.asked.append((side, precision))
        return self.work

    def copy(self, size: int, settings: Settings) -> Any:
        self.asked.append(size)
        return self.work


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    def costs() -> Iterator[float]:
        while True:
            yield from (8.0, 0.5, 0.25, 0.5)

    made = Machine(costs())
    monkeypatch.setattr(ceilings, "CLOCK", made.clock)
    return made


def test_a_ceiling_is_the_fastest_repetition(machine: Machine) -> None:
    found = ceilings.measure(machine, settings=Settings())  # type: ignore[arg-type]
    flop = 2.0 * 2048**3
    assert found["flop_per_s"] == {"float32": flop / 0.25, "bfloat16": flop / 0.25}
    assert found["copied_bytes_per_s"] == 2 * 2**28 / 0.25


def test_a_gpu_is_given_more_to_do(machine: Machine) -> None:
    ceilings.measure(machine, settings=Settings(devices=("cuda:0",)))  # type: ignore[arg-type]
    assert machine.asked == [(8192, "float32"), (8192, "bfloat16"), 2**30]


def test_repetitions_fill_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Machine(iter([1.0, *[0.125] * 100]))
    monkeypatch.setattr(ceilings, "CLOCK", made.clock)
    ceilings.fastest(made.work)
    assert made.now == 2.0  # the first, then eight of an eighth


def test_it_is_the_one_clock() -> None:
    assert ceilings.CLOCK is measure.CLOCK
