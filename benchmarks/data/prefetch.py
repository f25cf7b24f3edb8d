"""Batches made ahead of the training by a few threads, never more of them than memory was promised for."""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from benchmarks.data.batches import Batch, Batches


class Prefetched:
    """An iterator over batches ``start`` … ``stop`` − 1, in order; leaving the block ends its threads.

    At most ``depth`` batches are made or wait at a time. What fails in a thread is raised where that batch
    was due. ``waited_s`` is how long the consumer waited so far, in seconds.
    """

    def __init__(self, batches: Batches, start: int, stop: int, threads: int, depth: int) -> None:
        self.waited_s = 0.0
        self._batches = batches
        self._left = iter(range(start, stop))
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="batches")
        self._due: deque[Future[Batch]] = deque()
        for _ in range(depth):
            self._ask_for_next()

    def __enter__(self) -> "Prefetched":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._due.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        if not self._due:
            raise StopIteration
        begun = time.perf_counter()
        batch = self._due.popleft().result()
        self.waited_s += time.perf_counter() - begun
        self._ask_for_next()
        return batch

    def _ask_for_next(self) -> None:
        step = next(self._left, None)
        if step is not None:
            self._due.append(self._pool.submit(self._batches.at, step))


def prefetched(batches: Batches, start: int, stop: int, threads: int = 1, depth: int = 2) -> Prefetched:
    """A context whose iterator gives batches ``start`` … ``stop`` − 1, made ahead."""
    return Prefetched(batches, start, stop, threads, depth)
