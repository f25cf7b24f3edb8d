"""One case in this process: first call, warm-up until steady, blocks of steps, then single steps.

All times come from one clock, ``CLOCK``, in seconds. Inputs are seeded, random, rotated, and on the
device before anything is timed.
"""

import contextlib
import itertools
import math
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from benchmarks.plan import Effort, Task
from implementations import weights
from implementations.network import Built
from implementations.spec import Network
from implementations.training import SGD

CLOCK = time.perf_counter
BATCHES = 4  # rotated, so that no input stays in the cache because it is always the same
STEADY = 0.10  # two blocks in a row this close end the warm-up
UNFINISHED = 0.5  # share of a block and of reading its result; the reading alone is far below
OPTIMIZER = SGD(learning_rate=1e-4, momentum=0.9)  # small: probe weights must stay finite


@dataclass(frozen=True)
class Ready:
    """A warm case: a block to time, and how it got there."""

    block: Callable[[], None]
    steps: int  # of one block
    rounds: int  # blocks to time
    phases_s: dict[str, float]
    steady: bool


class Stepper:
    """Runs steps over rotating batches and waits for the device once a block."""

    def __init__(
        self,
        built: Built,
        step: Callable[[Any], Any],
        batches: Sequence[Any],
        around: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext,
    ) -> None:
        self.built, self.step, self.batches, self.around = built, step, itertools.cycle(batches), around
        self.result: Any = None

    def run(self, steps: int) -> None:
        step, result = self.step, self.result  # looked up once: a step may take a few microseconds
        with self.around():
            for batch in itertools.islice(self.batches, steps):
                result = step(batch)
        self.result = result
        self.built.synchronize()

    def seconds(self, steps: int) -> float:
        """How long a block takes; ``AssertionError`` if the clock says that it took no time."""
        start = CLOCK()
        self.run(steps)
        taken = CLOCK() - start
        assert taken > 0, f"{steps} steps took {taken} s by the clock: no result"
        return taken


def stepper(built: Built, network: Network, task: Task, batch: int, seed: int) -> Stepper:
    """The task's step with its batches: on the device, but for a copy, whose step puts them there."""
    images = [weights.probe_images(network, seed + 1 + number, batch) for number in range(BATCHES)]
    if task == "copy":
        return Stepper(built, built.put, images)
    if task == "inference":
        return Stepper(built, built.infer, [built.put(each) for each in images], built.inferring)
    built.prepare_training(OPTIMIZER)
    labels = weights.probe_labels(network, seed, batch)
    return Stepper(built, built.train_step, [built.put(each, labels) for each in images])


def make_ready(stepping: Stepper, effort: Effort) -> Ready:
    """Call once, warm up until two blocks agree (at most ``effort.warmup_s``), size the blocks."""
    first = stepping.seconds(1)
    start = CLOCK()
    steps, previous, steady = 1, math.inf, False
    while not steady and CLOCK() - start < effort.warmup_s:
        taken = stepping.seconds(steps) / steps
        long_enough = steps * taken >= effort.block_s
        steady = long_enough and abs(taken / previous - 1) <= STEADY
        previous = taken
        steps = steps if long_enough else max(steps + 1, math.ceil(1.2 * effort.block_s / taken))
    warmup = CLOCK() - start
    # What the first call takes above a warm one: tracing, compiling, allocating, choosing algorithms.
    phases = {"first_call": first, "compile": max(0.0, first - previous), "warmup": warmup}
    rounds = _rounds(previous * steps, effort)
    return Ready(lambda: stepping.run(steps), steps, rounds, phases, steady)


def _rounds(block_s: float, effort: Effort) -> int:
    least, most = effort.blocks
    return max(least, min(most, math.ceil(effort.measured_s / block_s)))


def latencies(stepping: Stepper, of_block: int, effort: Effort) -> Iterator[float]:
    """Seconds of steps that are synchronised one by one, until ``effort.latency_s`` is filled.

    None where a block is one step (``of_block``): then the blocks say it already.
    """
    if of_block == 1:
        return
    least, most = effort.latency_steps
    left = effort.latency_s
    for number in range(most):
        if number >= least and left <= 0:
            return
        taken = stepping.seconds(1)
        left -= taken
        yield taken


def require_synchronised(stepping: Stepper, steps: int) -> None:
    """``AssertionError`` if a block's work is not done when ``synchronize`` returns.

    Then reading the last step's result, a few numbers, takes as long as the block should have.
    """
    block = stepping.seconds(steps)
    start = CLOCK()
    stepping.built.read(stepping.result)
    reading = CLOCK() - start
    assert reading < UNFINISHED * (block + reading), (
        f"the device was still working when synchronize returned: {steps} steps took {block:.3g} s,"
        f" reading the result {reading:.3g} s more"
    )


def peak_rss_bytes() -> int:
    """The largest resident set this process has had (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
