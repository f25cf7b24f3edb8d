"""Any folder of pictures: ``train/ validation/ test/`` with one folder a class, as source B's cats and dogs.

A folder that has class folders alone is a test part (ImageNet's validation pictures as usually unpacked).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.data.decoding import Picture, Size, UndecodableError, decode_all, read_file
from benchmarks.data.images import PARTS, ImageSet
from implementations.errors import UserError

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp"})  # other files are passed over


@dataclass(frozen=True)
class Listing:
    """What a folder holds: class names, and of each part (class number, file), sorted by name."""

    folder: Path
    classes: tuple[str, ...]
    parts: dict[str, list[tuple[int, Path]]]

    @property
    def files(self) -> list[tuple[int, Path]]:
        """All parts after each other."""
        return [entry for part in PARTS for entry in self.parts[part]]

    @property
    def sha256(self) -> str:
        """Of classes, names and contents of all files."""
        total = hashlib.sha256("\n".join(self.classes).encode())
        for part in PARTS:
            for number, path in self.parts[part]:
                total.update(f"\n{part}/{number}/{path.name} ".encode())
                total.update(_digest(path))
        return total.hexdigest()


def listed(folder: Path) -> Listing:
    """What is in ``folder``; ``UserError`` if it has another form."""
    there = [part for part in PARTS if (folder / part).is_dir()]
    if there and len(there) < len(PARTS):
        missing = ", ".join(f"{part}/" for part in PARTS if part not in there)
        raise _refused(folder, f"the folder of pictures lacks {missing}")
    places = {part: folder / part for part in PARTS} if there else {"test": folder}
    names = {part: _folders_in(place) for part, place in places.items()}
    classes = names["train" if there else "test"]
    if len(classes) < 2:
        raise _refused(folder, f"the folder of pictures has too few classes ({_shown(classes)})")
    for part, found in names.items():
        if found != classes:
            raise _refused(places[part], f"{part}/ has the classes {_shown(found)}, not {_shown(classes)}")
    parts = {part: list(_entries(places[part], classes)) if part in places else [] for part in PARTS}
    return Listing(folder, tuple(classes), parts)


def load(
    listing: Listing, *, size: Size, scratch: Path, skip: bool = False, centre: float | None = None
) -> ImageSet:
    """The pictures of ``listing`` in ``size``; ``UserError`` for a damaged one, unless they are skipped."""
    files = listing.files
    pictures = (
        Picture(row, str(path.relative_to(listing.folder)), partial(read_file, path))
        for row, (_, path) in enumerate(files)
    )
    decoded = decode_all(pictures, len(files), size, scratch, centre)
    decoded.require_whole(listing.folder, skip)
    labels = {part: np.array([number for number, _ in listing.parts[part]], np.int64) for part in PARTS}
    title = f"pictures of {_shown(list(listing.classes))} at {size[0]}×{size[1]}"
    splits = decoded.splits(labels.values())
    return ImageSet("folder", title, listing.classes, 255, *splits, len(decoded.damaged))


def _folders_in(place: Path) -> list[str]:
    return sorted(path.name for path in _visible(place) if path.is_dir())


def _entries(place: Path, classes: list[str]) -> Iterator[tuple[int, Path]]:
    for number, name in enumerate(classes):
        files = sorted(path for path in _visible(place / name) if path.suffix.lower() in ENDINGS)
        if not files:
            raise _refused(place / name, "a class has no pictures")
        yield from ((number, path) for path in files)


def _visible(place: Path) -> Iterator[Path]:
    try:
        yield from (path for path in place.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise _refused(place, f"the folder cannot be read ({error.strerror})") from None


def _digest(path: Path) -> bytes:
    try:
        return hashlib.sha256(read_file(path)).digest()
    except UndecodableError as error:
        return str(error).encode()


def _shown(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") or "none"


def _refused(place: Path, wrong: str) -> UserError:
    return UserError(
        wrong,
        given=place,
        allowed="train/, validation/ and test/ with the same class folders in each, or class folders alone",
        todo="sort the pictures so, or name another folder with --data-dir",
    )
