"""What a child writes into its log while it runs, handed on line by line."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from implementations.commandline import Notice

LOOKED_EVERY_S = 0.5


@dataclass(frozen=True)
class Following:
    """For a launcher's ``during``: new lines of ``log`` are told, also those that came last."""

    log: Path
    tell: Notice

    @contextlib.contextmanager
    def __call__(self, pid: int) -> Iterator[None]:
        ended = threading.Event()
        follower = threading.Thread(target=self._follow, args=(ended, self._size()), daemon=True)
        follower.start()
        try:
            yield
        finally:
            ended.set()
            follower.join()

    def _size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def _follow(self, ended: threading.Event, told: int) -> None:
        while True:
            is_last = ended.wait(LOOKED_EVERY_S)
            told = self._tell_from(told)
            if is_last:
                return

    def _tell_from(self, start: int) -> int:
        """Tell all whole lines after ``start`` bytes; where the next look begins."""
        if not self.log.exists():
            return start
        with self.log.open("rb") as file:
            file.seek(start)
            whole, _, _ = file.read().rpartition(b"\n")
        for line in whole.decode(errors="replace").splitlines():
            self.tell(line)
        return start + len(whole) + (1 if whole else 0)
