"""Fashion-MNIST (Xiao et al. 2017) from its four IDX files, gzipped or plain, wherever they are."""

import gzip
import math
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.data.images import ImageSet, Split, held_out
from implementations.errors import UserError
from implementations.fetching import PublishedFile

FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
PLACE = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
MD5 = {  # of the gzipped files, as the project's own page lists them
    "train_images": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train_labels": "25c81989df183df01b3e8a0aad5dffbe",
    "test_images": "bef4ecab320f06d8554ea6380940ec79",
    "test_labels": "bb300cfdad3c16e7a12a480ee83cd310",
}
PUBLISHED = [
    PublishedFile(f"{PLACE}/{name}.gz", f"md5:{MD5[key]}", "MIT (Zalando SE)") for key, name in FILES.items()
]
SYSTEM_PLACE = Path("/usr/share/datasets/fashion-mnist")  # where Debian's dataset-fashion-mnist puts them
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
LIMIT = 1 << 26  # bytes; the largest file unpacks to 47 MB
UNSIGNED_BYTE = 0x08  # the IDX type code of the only element type used here


def find(places: Iterable[Path]) -> Path | None:
    """The first folder in ``places`` that holds all four files."""
    for place in places:
        if all(_file(place, name) for name in FILES.values()):
            return place
    return None


def load(folder: Path, *, train_on_all: bool = False) -> ImageSet:
    """The data set in ``folder``; ``UserError`` for a file that is missing, cut short or damaged.

    A tenth of its 60,000 training images is held out for validation. ``train_on_all``: none is, as in
    source C (1,875 steps of 32), and the test images serve as validation.
    """
    arrays = {}
    for key, name in FILES.items():
        path = _file(folder, name)
        if path is None:
            raise _refused(folder / name, "a file of Fashion-MNIST is missing")
        arrays[key] = read_idx(path, dimensions=3 if key.endswith("images") else 1)
    train, test = (_split(folder, arrays[f"{p}_images"], arrays[f"{p}_labels"]) for p in ("train", "test"))
    train, validation = (train, test) if train_on_all else held_out(train)
    return ImageSet(
        name="fashion-mnist",
        title="Fashion-MNIST",
        classes=CLASSES,
        maximum=255,
        train=train,
        validation=validation,
        test=test,
    )


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array in an IDX file (big-endian: 0, 0, type, dimensions, sizes, data)."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            content = stream.read(LIMIT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _refused(path, f"the data file cannot be read ({type(error).__name__}: {error})") from None
    if len(content) > LIMIT:
        raise _refused(path, f"the data file unpacks to more than {LIMIT:,} bytes")
    header = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, UNSIGNED_BYTE, dimensions]) or len(content) < header:
        raise _refused(path, f"the data file does not start as an IDX file of {dimensions} dimensions")
    sizes = np.frombuffer(content, ">u4", dimensions, offset=4)
    shape = tuple(int(size) for size in sizes)
    if len(content) - header != math.prod(shape):
        raise _refused(
            path, f"the data file holds {len(content) - header} bytes where its header says {shape}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _file(folder: Path, name: str) -> Path | None:
    return next((p for p in (folder / f"{name}.gz", folder / name) if p.is_file()), None)


def _split(folder: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Split:
    if len(images) != len(labels) or len(images) == 0 or labels.max() >= len(CLASSES):
        found = f"{len(images)} images, {len(labels)} labels, largest label {labels.max(initial=0)}"
        raise _refused(folder, f"the data files do not belong together ({found})")
    return Split(images[..., None], labels.astype(np.int64))


def _refused(path: Path, wrong: str) -> UserError:
    return UserError(
        wrong,
        given=path,
        allowed="the four files of Fashion-MNIST, as published or unpacked",
        todo="fetch them again, or name another folder with --data-dir",
    )
