"""What every reader finds in a file: arrays by key, each described before it is read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from implementations.network import Array


@dataclass(frozen=True)
class Entry:
    """One value of a file; ``dtype`` is NumPy's name, or what else the value is."""

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], Array]


Entries = Mapping[str, Entry]
MOST = 10_000  # of a file: the largest network has 300


class DamagedError(Exception):
    """What is wrong with a file, for a user's eyes."""


def collected(pairs: Iterable[tuple[str, Entry]]) -> Entries:
    """``pairs`` as a mapping; ``DamagedError`` for a key that comes twice, or for too many."""
    found: dict[str, Entry] = {}
    for key, entry in pairs:
        if key in found:
            raise DamagedError(f"it holds {key!r} twice")
        if len(found) == MOST:
            raise DamagedError(f"it holds more than {MOST:,} values")
        found[key] = entry
    return found
