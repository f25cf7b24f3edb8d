"""One case in this process: first call, warm-up until steady, then synchronised blocks of steps.

All times come from one clock, ``CLOCK``, in seconds. Inputs are seeded, random, rotated, and on the
device before anything is timed.
"""

import itertools
import math
import resource
import time
from collections.abc import Callable
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

    def __init__(self, built: Built, step: Callable[[Any], Any], batches: list[Any]) -> None:
        self.built, self.step, self.batches = built, step, itertools.cycle(batches)
        self.result: Any = None

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.result = self.step(next(self.batches))
        self.built.synchronize()

    def seconds(self, steps: int) -> float:
        start = CLOCK()
        self.run(steps)
        return CLOCK() - start


def stepper(built: Built, network: Network, task: Task, batch: int, seed: int) -> Stepper:
    """The task's step with its batches on the device."""
    if task == "training":
        built.prepare_training(OPTIMIZER)
    labels = weights.probe_labels(network, seed, batch)
    batches = []
    for number in range(BATCHES):
        images = weights.probe_images(network, seed + 1 + number, batch)
        batches.append(built.put(images, labels if task == "training" else None))
    return Stepper(built, built.train_step if task == "training" else built.infer, batches)


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
    phases = {"first_call": first, "warmup": CLOCK() - start}
    rounds = _rounds(previous * steps, effort)
    return Ready(lambda: stepping.run(steps), steps, rounds, phases, steady)


def _rounds(block_s: float, effort: Effort) -> int:
    least, most = effort.blocks
    return max(least, min(most, math.ceil(effort.measured_s / block_s)))


def peak_rss_bytes() -> int:
    """The largest resident set this process has had (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
