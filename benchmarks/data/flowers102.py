"""Flowers-102 (Nilsback and Zisserman 2008): 8,189 JPEG pictures in an archive, labels and splits beside it.

**Which split is which.** Its authors train on ``trnid`` (1,020 pictures) and test on ``tstid`` (6,149).
Source D trains on 6,149: PaddlePaddle's own loader of this set exchanges the two, because ``tstid`` is the
larger. So do we: train is ``tstid``, validation ``valid`` (1,020), test ``trnid`` (1,020). Accuracies compare
with source D's, and not with those of papers that keep the authors' split.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import archives
from benchmarks.data.decoding import Picture, Size, decode_all
from benchmarks.data.images import ImageSet
from implementations.errors import UserError
from implementations.fetching import PublishedFile

PLACE = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102"
LICENCE = "none stated; pictures from the web, for research"
IMAGES = PublishedFile(f"{PLACE}/102flowers.tgz", "md5:52808999861908f626f3c1f4e79d11fa", LICENCE)
LABELS = PublishedFile(f"{PLACE}/imagelabels.mat", "md5:e0620be6f572b9609742df49c70aed4d", LICENCE)
SPLITS = PublishedFile(f"{PLACE}/setid.mat", "md5:a5357ecc9cb78c4bef273ce3793fc85c", LICENCE)
FILES = (IMAGES, LABELS, SPLITS)
PARTS = {"train": "tstid", "validation": "valid", "test": "trnid"}
CLASSES = 102
LIMIT = 1 << 29  # bytes; it unpacks to 350 MB
LARGEST_MAT = 1 << 16  # bytes; the larger one has 15 kB. Compressed parts inflate a thousandfold at most
NAME = re.compile(r"jpg/image_(\d{5})\.jpg")


def load(
    images: Path, labels: Path, splits: Path, *, size: Size, scratch: Path, skip: bool = False
) -> ImageSet:
    """The set in its three files, its pictures in ``size``; ``UserError`` for what is damaged or no match."""
    every = _numbers(labels, "labels") - 1
    if not len(every) or every.min() < 0 or every.max() >= CLASSES:
        raise _refused(labels, f"the labels are not 1 to {CLASSES}")
    parts = {part: _numbers(splits, key) - 1 for part, key in PARTS.items()}
    chosen = np.concatenate(list(parts.values()))
    if sorted(chosen.tolist()) != list(range(len(every))):
        raise _refused(splits, f"the splits are not {len(every)} different pictures")
    rows = {int(number): row for row, number in enumerate(chosen)}
    decoded = decode_all(_pictures(images, rows), len(every), size, scratch)
    decoded.require_whole(images, skip)
    title = f"Flowers-102 at {size[0]}×{size[1]} (trained on its 6,149)"
    classes = tuple(f"flower {number}" for number in range(1, CLASSES + 1))  # the archive has no names
    made = decoded.splits(every[numbers] for numbers in parts.values())
    return ImageSet("flowers102", title, classes, 255, *made, len(decoded.damaged))


def _pictures(archive: Path, rows: dict[int, int]) -> Iterator[Picture]:
    left = set(rows)
    for name, content in archives.files(archive, LIMIT):
        match = NAME.fullmatch(name)
        number = int(match[1]) - 1 if match else -1
        if number not in left:
            raise archives.refused(archive, f"the archive holds something unexpected ({name})")
        left.remove(number)
        yield Picture(rows[number], name, lambda content=content: content)  # type: ignore[misc]
    if left:
        raise archives.refused(archive, f"the archive lacks {len(left)} of {len(rows)} pictures")


def _numbers(path: Path, key: str) -> NDArray[np.int64]:
    """The row of whole numbers called ``key`` in a MAT file, which is data alone; ``UserError`` otherwise.

    For files whose checksum was compared: on damaged ones SciPy's parser may crash the process.
    """
    from scipy.io import loadmat  # the parent's

    try:
        if path.stat().st_size > LARGEST_MAT:
            raise ValueError(f"larger than {LARGEST_MAT} bytes")
        found = loadmat(str(path), variable_names=[key], appendmat=False)[key]
    except Exception as error:  # SciPy's parser has many ways to say that bytes are none it knows
        raise _refused(path, f"the file cannot be read ({type(error).__name__}: {error})") from None
    if getattr(found, "ndim", 0) != 2 or found.dtype.kind not in "ui" or len(found) != 1:
        raise _refused(path, f"{key} in the file is no row of whole numbers")
    return np.asarray(found[0], np.int64)


def _refused(path: Path, wrong: str) -> UserError:
    return UserError(
        wrong,
        given=path,
        allowed=f"the files {', '.join(file.file_name for file in FILES)}, as published",
        todo="remove the file, and fetch it again",
    )
