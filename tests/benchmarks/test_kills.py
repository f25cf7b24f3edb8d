"""Runs that are killed at random moments: no finished fork is lost, no broken file is left.

The run is a forked copy of this process, so that a kill costs a run's time only and not its imports; its
measuring children are processes that take 50 ms and write their result in two halves.
"""

import multiprocessing
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import scipy.special  # noqa: F401  every run would wait for it
from stand_in import StandIn

from benchmarks import results
from benchmarks.run import Run, Stopping
from implementations.cache import Cache
from implementations.files import PARTIAL
from implementations.proving import Prover

KILLS = 200
MARGIN = 1.2  # the latest kill would come after this many times the time that a whole run takes
FRAMEWORKS = ["pytorch", "paddle"]


def go_on(folder: Path, cache: Path) -> None:
    """One run in ``folder``, from the start or from where another one was killed."""
    prover = Prover(StandIn(1, real=True), Cache(cache))
    run = Run(folder, "quick", FRAMEWORKS, ["mlp"], prover, lambda line: None, stopping=Stopping(0.03, 0.0))
    run.open()
    run.prove()
    run.measure()


def finished(folder: Path) -> dict[str, bytes]:
    """All finished forks, by name; fails on one that is broken."""
    forks = list(results.forks(folder))
    assert all(fork.median == 320 for fork in forks)  # 5 steps of 32 images in half a second
    return {fork.path.name: fork.path.read_bytes() for fork in forks}


def seconds_of_a_run(processes: Any, tmp_path: Path) -> float:
    """Of one that nobody kills, and that need prove no more, as those that are: an earlier one has."""
    begun = 0.0
    for name in ("proving", "whole"):
        begun = time.monotonic()
        run = processes.Process(target=go_on, args=(tmp_path / name, tmp_path / "cache"))
        run.start()
        run.join()
        assert run.exitcode == 0
    return time.monotonic() - begun


@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_is_killed_loses_no_finished_fork(seed: int, tmp_path: Path) -> None:
    moments, processes = random.Random(seed), multiprocessing.get_context("fork")
    kept: dict[str, bytes] = {}
    number, killed, whole = 0, 0, seconds_of_a_run(processes, tmp_path)
    while killed < KILLS / 4:
        folder = tmp_path / f"run{number}"
        run = processes.Process(target=go_on, args=(folder, tmp_path / "cache"))
        run.start()
        run.join(moments.uniform(0, MARGIN * whole))
        run.kill()
        run.join()
        now = finished(folder)
        assert kept.items() <= now.items()
        killed += run.exitcode == -signal.SIGKILL
        kept = now
        if run.exitcode == 0:  # it came to its end: the next one starts anew
            assert len(now) == 6
            assert not list(folder.rglob(f".*{PARTIAL}"))
            number, kept = number + 1, {}
        else:
            assert run.exitcode == -signal.SIGKILL
    assert number > 0  # some came to an end
