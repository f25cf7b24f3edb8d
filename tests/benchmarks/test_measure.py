"""Timing logic on a fake clock and a fake asynchronous device: no test here waits or measures.

Costs are binary fractions of a second, so that all sums are exact.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from benchmarks import measure
from benchmarks.measure import BATCHES, Stepper
from benchmarks.plan import Effort
from implementations import networks

SEED = 5
COST = 2.0**-8  # s a step
READING = 2.0**-14  # s a result
EFFORT = Effort(block_s=0.125, measured_s=2.0, warmup_s=4.0, blocks=(3, 100))


class Device:
    """Steps queue work and return at once; only ``synchronize`` lets the clock run over it.

    It is a fake framework's network too: it keeps what was put on it and what steps were given.
    """

    def __init__(self, costs: Iterable[float]) -> None:
        self.costs: Iterator[float] = iter(costs)
        self.now = 1000.0
        self.queued = 0.0
        self.synchronisations = 0
        self.put_batches: list[tuple[Any, Any]] = []
        self.inferred: list[int] = []
        self.trained: list[int] = []
        self.optimizer: Any = None
        self.entered, self.is_inferring = 0, False

    def clock(self) -> float:
        return self.now

    def step(self, batch: Any) -> None:
        self.queued += next(self.costs)

    def synchronize(self) -> None:
        self.synchronisations += 1
        self.now += self.queued
        self.queued = 0.0

    def put(self, images: Any, labels: Any = None) -> int:
        self.put_batches.append((images, labels))
        return len(self.put_batches) - 1

    @contextlib.contextmanager
    def inferring(self) -> Iterator[None]:
        self.entered += 1
        self.is_inferring = True
        yield
        self.is_inferring = False

    def infer(self, batch: int) -> None:
        assert self.is_inferring
        self.inferred.append(batch)

    def read(self, result: Any) -> Any:
        self.now += READING + self.queued  # as a framework does: it waits for what it is to read
        self.queued = 0.0
        return result

    def train_step(self, batch: int) -> float:
        self.trained.append(batch)
        return float(len(self.trained))

    def prepare_training(self, optimizer: Any) -> None:
        self.optimizer = optimizer


def forever(*costs: float) -> Iterator[float]:
    """``costs`` in order, the last one again and again."""
    yield from costs
    while True:
        yield costs[-1]


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterable[float]], tuple[Device, Stepper]]:
    """A device whose steps cost what is given, with the clock that it moves, and a stepper on it."""

    def made(costs: Iterable[float]) -> tuple[Device, Stepper]:
        device = Device(costs)
        monkeypatch.setattr(measure, "CLOCK", device.clock)
        return device, Stepper(device, device.step, ["a batch"])  # type: ignore[arg-type]

    return made


# --- Blocks -------------------------------------------------------------------------------


def test_a_block_is_synchronised_once(on: Any) -> None:
    device, stepping = on(forever(COST))
    stepping.run(100)
    assert device.synchronisations == 1


def test_the_time_of_a_block_holds_the_work_of_all_its_steps(on: Any) -> None:
    _, stepping = on([1.0, 2.0, 4.0])
    assert stepping.seconds(3) == 7.0  # 1 + 2 + 4


def test_the_work_of_a_block_does_not_leak_into_the_next(on: Any) -> None:
    _, stepping = on([1.0, 2.0, 4.0])
    assert [stepping.seconds(1), stepping.seconds(2)] == [1.0, 6.0]


def test_a_missing_synchronisation_that_takes_no_time_is_no_result(
    on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, stepping = on(forever(COST))
    monkeypatch.setattr(device, "synchronize", lambda: None)
    with pytest.raises(AssertionError, match=r"100 steps took 0\.0 s"):
        stepping.seconds(100)


def test_a_clock_that_steps_back_is_no_result(on: Any) -> None:
    _, stepping = on([-1.0])
    with pytest.raises(AssertionError, match=r"1 steps took -1\.0 s"):
        stepping.seconds(1)


# --- Whether synchronize waits ------------------------------------------------------------


def test_a_device_that_has_finished_is_read_quickly(on: Any) -> None:
    _, stepping = on(forever(COST))
    measure.require_synchronised(stepping, 32)


@pytest.mark.parametrize("launching", [2.0**-20, 2.0**-10])  # s a step: what queueing alone takes
def test_a_missing_synchronisation_is_found_by_reading_the_result(
    on: Any, monkeypatch: pytest.MonkeyPatch, launching: float
) -> None:
    device, stepping = on(forever(COST))

    def launch(batch: Any) -> None:
        device.now += launching
        device.queued += COST

    stepping.step = launch
    monkeypatch.setattr(device, "synchronize", lambda: None)
    with pytest.raises(AssertionError, match="still working when synchronize returned"):
        measure.require_synchronised(stepping, 32)


def test_a_step_as_short_as_reading_is_no_missing_synchronisation(on: Any) -> None:
    _, stepping = on(forever(READING))
    measure.require_synchronised(stepping, 1024)


# --- Latencies ----------------------------------------------------------------------------


def latencies(stepping: Stepper, of_block: int = 2) -> list[float]:
    effort = dataclasses.replace(EFFORT, latency_s=1.0, latency_steps=(3, 8))
    return list(measure.latencies(stepping, of_block, effort))


def test_each_step_is_a_latency(on: Any) -> None:
    _, stepping = on([0.25, 0.5, 0.125, 0.125, 0.25])
    assert latencies(stepping) == [0.25, 0.5, 0.125, 0.125]  # 1.0 s in all


def test_what_blocks_of_one_step_say_is_not_measured_again(on: Any) -> None:
    device, stepping = on(forever(COST))
    assert latencies(stepping, of_block=1) == []
    assert device.synchronisations == 0


def test_each_latency_is_synchronised_once(on: Any) -> None:
    device, stepping = on(forever(COST))
    assert len(latencies(stepping)) == device.synchronisations


@pytest.mark.parametrize(("cost", "steps"), [(4.0, 3), (0.25, 4), (COST, 8)])  # least, as many as fit, most
def test_the_number_of_latencies_is_bounded_both_ways(on: Any, cost: float, steps: int) -> None:
    _, stepping = on(forever(cost))
    assert latencies(stepping) == [cost] * steps


def test_the_last_step_of_a_block_leaves_its_result(on: Any) -> None:
    device, _ = on(forever(COST))
    stepping = Stepper(device, device.train_step, [0])
    stepping.run(3)
    assert stepping.result == 3.0


# --- Warm-up ------------------------------------------------------------------------------


def test_the_first_call_is_a_phase_of_its_own(on: Any) -> None:
    _, stepping = on(forever(32.0, COST))  # a first call that compiles
    assert measure.make_ready(stepping, EFFORT).phases_s["first_call"] == 32.0


def test_compiling_is_what_the_first_call_takes_above_a_warm_one(on: Any) -> None:
    _, stepping = on(forever(32.0, COST))
    assert measure.make_ready(stepping, EFFORT).phases_s["compile"] == 32.0 - COST


def test_a_first_call_as_fast_as_the_others_compiles_nothing(on: Any) -> None:
    _, stepping = on(forever(COST / 2, COST))
    assert measure.make_ready(stepping, EFFORT).phases_s["compile"] == 0.0


def test_a_slow_first_call_does_not_size_the_blocks(on: Any) -> None:
    _, slow = on(forever(32.0, COST))
    steps_after_slow = measure.make_ready(slow, EFFORT).steps
    _, quick = on(forever(COST))
    assert steps_after_slow == measure.make_ready(quick, EFFORT).steps


def test_a_block_takes_as_long_as_asked_for(on: Any) -> None:
    _, stepping = on(forever(COST))
    ready = measure.make_ready(stepping, EFFORT)
    assert ready.steps * COST >= EFFORT.block_s


def test_a_block_takes_not_much_longer_than_asked_for(on: Any) -> None:
    _, stepping = on(forever(COST))
    ready = measure.make_ready(stepping, EFFORT)
    # a fifth is the reserve against a block that turns out short, one step the rounding up
    assert ready.steps * COST <= 1.2 * EFFORT.block_s + COST


def test_a_step_longer_than_a_block_is_a_block(on: Any) -> None:
    _, stepping = on(forever(1.0))
    assert measure.make_ready(stepping, EFFORT).steps == 1


def test_the_warm_up_goes_on_while_steps_become_faster(on: Any) -> None:
    device, stepping = on(forever(64.0, 0.5, 0.25, 0.125, 0.125, 1.0))
    measure.make_ready(stepping, EFFORT)
    assert device.now == 1000 + 64 + 0.5 + 0.25 + 0.125 + 0.125  # the first two that agree end it


@pytest.mark.parametrize(
    ("second", "steady"),
    [(1.0625, True), (0.9375, True), (1.125, False), (0.875, False)],  # 6 % and 12.5 % beside 10 %
)
def test_blocks_agree_within_ten_percent(on: Any, second: float, steady: bool) -> None:
    _, stepping = on([1.0, 1.0, second])
    effort = dataclasses.replace(EFFORT, warmup_s=1.5)  # room for two blocks
    assert measure.make_ready(stepping, effort).steady is steady


def test_blocks_grow_when_steps_become_faster(on: Any) -> None:
    _, stepping = on(forever(0.0625, 0.0625, COST))  # the first block of the warm-up was sized on slow steps
    assert measure.make_ready(stepping, EFFORT).steps * COST >= EFFORT.block_s


def test_a_steady_warm_up_says_so(on: Any) -> None:
    _, stepping = on(forever(COST))
    assert measure.make_ready(stepping, EFFORT).steady


def drifting() -> Iterator[float]:
    cost = 0.25
    while True:
        yield cost
        cost *= 1.25


def test_a_drifting_device_is_not_called_steady(on: Any) -> None:
    _, stepping = on(drifting())
    assert not measure.make_ready(stepping, EFFORT).steady


def test_the_warm_up_of_a_drifting_device_is_bounded(on: Any) -> None:
    _, stepping = on(drifting())
    warmup = measure.make_ready(stepping, EFFORT).phases_s["warmup"]
    # The block that crosses the bound is finished; each is a quarter longer than the one before.
    assert EFFORT.warmup_s <= warmup <= 1.5 * EFFORT.warmup_s


def test_no_time_for_warm_up_still_gives_the_fewest_blocks(on: Any) -> None:
    _, stepping = on(forever(COST))
    ready = measure.make_ready(stepping, dataclasses.replace(EFFORT, warmup_s=0.0))
    assert (ready.rounds, ready.steady) == (EFFORT.blocks[0], False)


# --- What is timed then -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measured_s", "rounds"),
    [(0.0, 3), (2.0, 16), (2.05, 17), (1e6, 100)],  # blocks of exactly 1/8 s; at least 3, at most 100
)
def test_rounds_fill_the_time_between_fewest_and_most(on: Any, measured_s: float, rounds: int) -> None:
    _, stepping = on(forever(0.125))
    effort = dataclasses.replace(EFFORT, measured_s=measured_s)
    assert measure.make_ready(stepping, effort).rounds == rounds


def test_the_block_to_time_runs_its_steps(on: Any) -> None:
    device, stepping = on(forever(COST))
    ready = measure.make_ready(stepping, EFFORT)
    before = device.now
    ready.block()
    assert device.now - before == ready.steps * COST


def test_the_block_to_time_waits_for_the_device_once(on: Any) -> None:
    device, stepping = on(forever(COST))
    ready = measure.make_ready(stepping, EFFORT)
    before = device.synchronisations
    ready.block()
    assert device.synchronisations - before == 1


# --- Inputs -------------------------------------------------------------------------------


def stepper_on(device: Device, task: Any, batch: int = 2) -> Stepper:
    return measure.stepper(device, networks.build("mlp"), task, batch, SEED)  # type: ignore[arg-type]


def test_inference_runs_the_forward_pass_over_rotating_batches() -> None:
    device = Device([])
    stepper_on(device, "inference").run(2 * BATCHES)
    assert device.inferred == [*range(BATCHES), *range(BATCHES)]
    assert device.entered == 1  # a block: what a framework switches off for inference costs microseconds


def test_training_runs_the_training_step_over_rotating_batches() -> None:
    device = Device([])
    stepper_on(device, "training").run(2 * BATCHES)
    assert device.trained == [*range(BATCHES), *range(BATCHES)]


def test_a_training_has_its_optimizer_before_the_first_step() -> None:
    device = Device([])
    stepper_on(device, "training")
    assert device.optimizer == measure.OPTIMIZER


def test_a_copy_puts_rotating_batches_of_the_host_on_the_device() -> None:
    device = Device([])
    stepper_on(device, "copy").run(2 * BATCHES)
    put = [images.tobytes() for images, labels in device.put_batches if labels is None]
    assert len(put) == 2 * BATCHES
    assert put[:BATCHES] == put[BATCHES:]
    assert len(set(put)) == BATCHES


def test_a_copy_computes_nothing() -> None:
    device = Device([])
    stepper_on(device, "copy").run(3)
    assert (device.inferred, device.trained, device.optimizer) == ([], [], None)


def test_inference_sets_no_optimizer_up() -> None:
    device = Device([])
    stepper_on(device, "inference")
    assert device.optimizer is None


def test_the_batches_differ() -> None:
    device = Device([])
    stepper_on(device, "inference")
    assert len({images.tobytes() for images, _ in device.put_batches}) == BATCHES == 4


def test_batches_have_the_size_and_the_networks_input_shape() -> None:
    device = Device([])
    stepper_on(device, "inference", batch=3)
    assert {images.shape for images, _ in device.put_batches} == {(3, 1, 28, 28)}


def test_all_batches_are_on_the_device_before_the_first_step() -> None:
    device = Device([])
    stepper_on(device, "inference").run(3 * BATCHES)
    assert len(device.put_batches) == BATCHES


def test_batches_of_inference_carry_no_labels() -> None:
    device = Device([])
    stepper_on(device, "inference")
    assert [labels for _, labels in device.put_batches] == [None] * BATCHES


def test_batches_of_training_carry_a_class_for_every_image() -> None:
    device = Device([])
    stepper_on(device, "training", batch=3)
    for _, labels in device.put_batches:
        assert labels.shape == (3,)
        assert set(labels.tolist()) <= set(range(10))  # the MLP's classes


def test_another_fork_measures_other_images() -> None:
    device, other = Device([]), Device([])
    stepper_on(device, "inference")
    measure.stepper(other, networks.build("mlp"), "inference", 2, SEED + 100)  # type: ignore[arg-type]
    assert not np.array_equal(device.put_batches[0][0], other.put_batches[0][0])


def test_peak_memory_is_in_bytes() -> None:
    assert measure.peak_rss_bytes() > 10 * 2**20  # this process has loaded NumPy: KiB would be far less
