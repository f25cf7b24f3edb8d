"""What runs beside what."""

import threading

import pytest

from implementations.packing import Packing, Piece


def packing(*sizes: int, room: int) -> Packing[int]:
    """Pieces that are called by their sizes."""
    return Packing([Piece(size, size) for size in sizes], room)


def taken(pieces: Packing[int]) -> tuple[int, bool]:
    found = pieces.take()
    assert found is not None
    return found[0].work, found[1]


def test_pieces_come_in_order_while_there_is_room() -> None:
    pieces = packing(3, 2, 1, room=6)
    assert [taken(pieces) for _ in range(3)] == [(3, False), (2, False), (1, False)]


def test_what_does_not_fit_lets_later_ones_pass() -> None:
    pieces = packing(5, 4, 1, room=6)
    assert [taken(pieces) for _ in range(2)] == [(5, False), (1, False)]


def test_a_piece_that_nothing_fits_beside_is_alone() -> None:
    assert taken(packing(5, 4, room=6)) == (5, True)


def test_the_last_piece_is_alone_only_if_nothing_runs() -> None:
    pieces = packing(2, 1, room=6)
    first, _ = pieces.take() or pytest.fail("nothing to take")
    assert taken(pieces) == (1, False)
    pieces.give_back(first)
    assert pieces.take() is None


def test_a_piece_that_is_too_large_runs_alone() -> None:
    assert taken(packing(9, room=6)) == (9, True)


def test_a_worker_waits_until_something_fits() -> None:
    pieces = packing(5, 4, room=6)
    first, _ = pieces.take() or pytest.fail("nothing to take")
    got: list[tuple[int, bool]] = []
    waiting = threading.Thread(target=lambda: got.append(taken(pieces)))
    waiting.start()
    pieces.give_back(first)
    waiting.join(10)
    assert got == [(4, True)]


def test_a_worker_that_waits_is_sent_home() -> None:
    pieces = packing(5, 4, room=6)
    taken(pieces)
    got: list[object] = ["nothing yet"]
    waiting = threading.Thread(target=lambda: got.append(pieces.take()))
    waiting.start()
    pieces.stop()
    waiting.join(10)
    assert got == ["nothing yet", None]
