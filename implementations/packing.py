"""Which pieces of work run side by side: as many as there are workers and memory for, longest first."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Piece(Generic[T]):
    """Something to do, and the memory that it takes meanwhile."""

    work: T
    size_bytes: int


class Packing(Generic[T]):
    """Pieces in the order in which they are wanted; what does not fit now lets later ones pass."""

    def __init__(self, pieces: Sequence[Piece[T]], room_bytes: int) -> None:
        self._waiting, self._room, self._running = list(pieces), room_bytes, 0
        self._changed, self.stopped = threading.Condition(), False
        self.lock = threading.Lock()  # for what workers must not do at a time

    def take(self) -> tuple[Piece[T], bool] | None:
        """The first piece that fits, waited for if need be, and whether none would fit beside it.

        A piece too large for any memory runs alone. ``None`` when nothing is left.
        """
        with self._changed:
            while self._waiting:
                piece = next(filter(self._fits, self._waiting), None)
                if piece is not None:
                    self._waiting.remove(piece)
                    self._running, self._room = self._running + 1, self._room - piece.size_bytes
                    return piece, self._running == 1 and not any(map(self._fits, self._waiting))
                self._changed.wait()
            return None

    def give_back(self, piece: Piece[T]) -> None:
        """``piece`` has come to its end."""
        with self._changed:
            self._running, self._room = self._running - 1, self._room + piece.size_bytes
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out nothing more; what still runs counts no longer."""
        with self._changed:
            self.stopped = True
            self._waiting.clear()
            self._changed.notify_all()

    def _fits(self, piece: Piece[T]) -> bool:
        return self._running == 0 or piece.size_bytes <= self._room
