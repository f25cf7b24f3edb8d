"""Batches made ahead: in order, not too many, errors where they are due, and no thread left."""

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.data.batches import Batch, Batches
from benchmarks.data.images import Split
from benchmarks.data.prefetch import prefetched

SPLIT = Split(np.arange(40, dtype=np.uint8).reshape(-1, 1, 1, 1), np.arange(40))


class Watched(Batches):
    """Batches that say which were begun, and may be slow or fail."""

    def __init__(self, slow_s: float = 0.0, failing: int | None = None) -> None:
        super().__init__(SPLIT, 4, seed=0)
        object.__setattr__(self, "begun", [])
        object.__setattr__(self, "done", [])
        object.__setattr__(self, "slow_s", slow_s)
        object.__setattr__(self, "failing", failing)

    def at(self, step: int) -> Batch:
        self.begun.append(step)  # type: ignore[attr-defined]
        time.sleep(self.slow_s)  # type: ignore[attr-defined]
        if step == self.failing:  # type: ignore[attr-defined]
            raise ZeroDivisionError(step)
        batch = super().at(step)
        self.done.append(step)  # type: ignore[attr-defined]
        return batch


def running() -> set[threading.Thread]:
    return set(threading.enumerate())


@pytest.mark.parametrize("threads", [1, 3])
def test_batches_come_in_order_whoever_makes_them(threads: int) -> None:
    plain = Batches(SPLIT, 4, seed=0)
    with prefetched(plain, 3, 17, threads=threads, depth=5) as made:
        found = [batch.sha256 for batch in made]
    assert found == [plain.digest(step) for step in range(3, 17)]


def until(is_so: Callable[[], bool]) -> None:
    """Waits, on a busy machine too."""
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_no_more_are_made_ahead_than_was_promised(depth: int) -> None:
    watched = Watched()
    with prefetched(watched, 0, 100, threads=3, depth=depth) as made:
        for taken in range(5):
            until(lambda promised=taken + depth: len(watched.begun) == promised)  # type: ignore
            time.sleep(0.01)  # time to begin one too many
            assert len(watched.begun) == taken + depth  # type: ignore[attr-defined]
            next(made)


def test_an_error_comes_where_its_batch_was_due() -> None:
    found: list[int] = []
    with (
        pytest.raises(ZeroDivisionError, match="3"),
        prefetched(Watched(failing=3), 0, 10, threads=2, depth=4) as made,
    ):
        found.extend(len(batch) for batch in made)
    assert found == [4, 4, 4]


def test_no_thread_is_left_after_the_last_batch() -> None:
    before = running()
    with prefetched(Watched(), 0, 10, threads=3, depth=4) as made:
        assert len(list(made)) == 10
    assert running() == before


def test_no_thread_is_left_after_a_break() -> None:
    before, watched = running(), Watched(slow_s=0.01)
    with prefetched(watched, 0, 10_000, threads=3, depth=4) as made:
        next(made)
    assert running() == before
    begun = len(watched.begun)  # type: ignore[attr-defined]
    time.sleep(0.05)
    assert len(watched.begun) == begun < 10  # type: ignore[attr-defined]


def test_no_thread_is_left_after_an_error() -> None:
    before = running()
    with pytest.raises(ZeroDivisionError), prefetched(Watched(failing=0), 0, 10, threads=2, depth=4) as made:
        next(made)
    assert running() == before


def test_nothing_is_made_where_nothing_is_left() -> None:
    with prefetched(Watched(), 5, 5) as made:
        assert list(made) == []


def test_waiting_is_counted() -> None:
    with prefetched(Watched(slow_s=0.05), 0, 4, depth=1) as made:
        list(made)
    assert made.waited_s > 3 * 0.05  # the first may have begun before it was waited for


def test_batches_that_are_ready_are_not_waited_for() -> None:
    watched = Watched(slow_s=0.2)
    with prefetched(watched, 0, 4, threads=4, depth=4) as made:
        until(lambda: len(watched.done) == 4)  # type: ignore[attr-defined]
        list(made)
    assert made.waited_s < 0.2  # less than for one, on a busy machine; 0.001 on a quiet one
