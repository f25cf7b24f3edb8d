"""Pictures of any size out of files, as they are stored (no turning by EXIF), brought to one size."""

import math
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.data.images import Split
from benchmarks.data.preprocessing import LARGEST_PICTURE, opencv
from implementations.errors import UserError
from implementations.processes import available_cores

Pixels = NDArray[np.uint8]
Size = tuple[int, int]

LARGEST_FILE = 1 << 26  # bytes
PNG = b"\x89PNG\r\n\x1a\n"
SIGNATURES = (b"\xff\xd8\xff", PNG, b"BM")  # JPEG, PNG, BMP: OpenCV would read others, too
AHEAD = 32  # files in memory at a time


class UndecodableError(Exception):
    """Why a file is no picture that can be used, in words."""


@dataclass(frozen=True)
class Picture:
    """One file: the row that it becomes, its name for complaints, and how to get its bytes."""

    row: int
    name: str
    read: Callable[[], bytes]


def decode(content: bytes, size: Size) -> Pixels:
    """(height, width, 3) uint8, red, green, blue, resized bilinearly; raises ``UndecodableError``.

    OpenCV refuses what has more pixels than ``preprocessing.LARGEST_PICTURE`` before it decodes them.
    """
    if not content.startswith(SIGNATURES):
        raise UndecodableError("neither JPEG nor PNG nor BMP")
    if content.startswith(PNG):
        _require_whole_chunks(content)
    cv2 = opencv()
    try:
        found = cv2.imdecode(
            np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error:  # its bounds
        found = None
    if found is None:
        raise UndecodableError("does not decode: cut short, damaged, or far too large")
    height, width = size
    resized: Pixels = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
    return resized


def _require_whole_chunks(content: bytes) -> None:
    """OpenCV takes as much memory as a chunk of a PNG says that it is long, however long the file is."""
    place = len(PNG)
    while place < len(content):
        place += 12 + int.from_bytes(content[place : place + 4], "big")  # length, kind and checksum around it
    if place > len(content):
        raise UndecodableError("does not decode: cut short, or damaged")


def read_file(path: Path) -> bytes:
    """The bytes of a file; raises ``UndecodableError`` where it cannot be read or is far too large."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UndecodableError(f"larger than {LARGEST_FILE:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise UndecodableError(f"cannot be read ({error.strerror or type(error).__name__})") from None


@dataclass(frozen=True, eq=False)
class Decoded:
    """Pictures by row, (count, height, width, 3) uint8, and what is wrong with those that are none."""

    pixels: Pixels
    damaged: dict[int, str]

    def splits(self, labels: Iterable[NDArray[np.int64]]) -> tuple[Split, Split, Split]:
        """Training, validation, test: rows after each other with these labels, without the damaged ones."""
        made, start = [], 0
        for own in labels:
            whole = np.array([row not in self.damaged for row in range(start, start + len(own))], bool)
            images = self.pixels[start : start + len(own)]
            # A selection is copied into memory; all of them are left where they are.
            made.append(Split(images, own) if whole.all() else Split(images[whole], own[whole]))
            start += len(own)
        train, validation, test = made
        return train, validation, test

    def require_whole(self, given: Path, skip: bool) -> None:
        """``UserError`` naming the first picture that is damaged, unless they may be left out."""
        if self.damaged and not skip:
            first = self.damaged[min(self.damaged)]
            raise UserError(
                f"{len(self.damaged)} of {len(self.pixels)} pictures cannot be used; the first: {first}",
                given=given,
                allowed=f"JPEG, PNG or BMP of at most {LARGEST_PICTURE:,} pixels and {LARGEST_FILE:,} bytes",
                todo="mend or remove them, or leave them out with --skip-damaged",
            )


def decode_all(pictures: Iterable[Picture], count: int, size: Size, scratch: Path) -> Decoded:
    """All pictures, decoded side by side into a nameless file in ``scratch``: memory need not hold them."""
    from rich.progress import track

    from implementations.console import CONSOLE

    damaged: dict[int, str] = {}
    pixels = _scratch(scratch, (count, *size, 3))

    def place(picture: Picture) -> None:
        try:
            pixels[picture.row] = decode(picture.read(), size)
        except UndecodableError as error:
            damaged[picture.row] = f"{picture.name} ({error})"

    begun: deque[Future[None]] = deque()
    with ThreadPoolExecutor(available_cores()) as pool:
        for picture in track(pictures, "decoding", total=count, console=CONSOLE):
            begun.append(pool.submit(place, picture))
            if len(begun) > AHEAD:
                begun.popleft().result()
    for left in begun:
        left.result()
    return Decoded(pixels, damaged)


def _scratch(folder: Path, shape: tuple[int, ...]) -> Pixels:
    """An array in a nameless file in ``folder``; ``UserError`` where there is no room for it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            # Room is taken now: a disk that is full later would kill the process that writes to the map.
            os.posix_fallocate(file.fileno(), 0, math.prod(shape))
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError as error:
        raise UserError(
            f"the pictures cannot be decoded into the cache ({error.strerror or error})",
            given=folder,
            allowed=f"a folder with room for {2 * math.prod(shape):,} bytes",
            todo="free space, or name another with --cache-dir",
        ) from None
