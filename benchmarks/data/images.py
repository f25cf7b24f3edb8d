"""Sets of labelled images, and the folder of arrays through which every framework reads the same one."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import keys
from implementations.errors import UserError
from implementations.files import replacing
from implementations.weights import raw_words

ABOUT = "about.json"
PARTS = ("train", "validation", "test")
HELD_OUT = 10  # one in so many


@dataclass(frozen=True, eq=False)
class Split:
    """Images (n, height, width, channels) uint8 and labels (n,) int64; both may be mapped files."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def chosen(self, indices: NDArray[np.intp]) -> "Split":
        """Those images and labels, in the order of ``indices``."""
        return Split(self.images[indices], self.labels[indices])


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Three splits, and what their numbers mean.

    ``validation`` may be ``test`` itself, where a source validates on it.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    maximum: int  # of a pixel: what "unit" preprocessing divides by
    train: Split
    validation: Split
    test: Split
    skipped: int = 0  # damaged images that were left out, because that was asked for
    folder: Path | None = field(default=None, compare=False)  # where it is stored

    @cached_property
    def sha256(self) -> str:
        """Of classes, maximum and all arrays: equal for equal data, wherever the files came from."""
        total = hashlib.sha256(json.dumps([self.classes, self.maximum]).encode())
        for part in PARTS:
            split = getattr(self, part)
            for array in (split.images, split.labels):
                total.update(str(array.shape).encode())
                total.update(np.ascontiguousarray(array).data if array.size else b"")
        return total.hexdigest()

    @classmethod
    def open(cls, folder: Path, *, verify: bool = False) -> "ImageSet":
        """The set that ``store`` wrote into ``folder``, its arrays mapped; ``UserError`` if it is damaged.

        ``verify``: whether every bit is, takes a second a GB.
        """
        try:
            about = json.loads((folder / ABOUT).read_text())
            splits = {part: _mapped(folder, part) for part in PARTS if part not in about["shared"]}
            splits |= {part: splits[other] for part, other in about["shared"].items()}
            known = (about[key] for key in ("name", "title", "maximum", "skipped", "sha256"))
            name, title, maximum, skipped, sha256 = known
            classes = tuple(about["classes"])
        except Exception as error:  # NumPy and JSON have many ways to say that bytes are not theirs
            raise _damaged(folder, f"{type(error).__name__}: {error}") from None
        opened = cls(name, title, classes, maximum, **splits, skipped=skipped, folder=folder)
        for part in PARTS:
            _require_whole(folder, opened, getattr(opened, part))
        if verify and opened.sha256 != sha256:
            raise _damaged(folder, "they are not what was stored")
        return opened


def store(image_set: ImageSet, folder: Path) -> ImageSet:
    """The same set, opened from ``folder``: written into it, whole or not at all, unless it is there.

    ``UserError`` if what is there is damaged.
    """
    if (folder / ABOUT).exists():
        return ImageSet.open(folder, verify=True)
    try:
        with replacing(folder, "the data") as temporary:
            _write(image_set, temporary)
    except UserError:
        if not (folder / ABOUT).exists():  # else another process was quicker
            raise
    return ImageSet.open(folder)


def _write(image_set: ImageSet, folder: Path) -> None:
    folder.mkdir()
    shared = {"validation": "test"} if image_set.validation is image_set.test else {}
    for part in (part for part in PARTS if part not in shared):
        split = getattr(image_set, part)
        np.save(_path(folder, part, "images"), split.images, allow_pickle=False)
        np.save(_path(folder, part, "labels"), split.labels, allow_pickle=False)
    (folder / ABOUT).write_text(json.dumps(_about(image_set, shared), indent=1))


def held_out(split: Split) -> tuple[Split, Split]:
    """``split`` without a tenth, and that tenth: the last of a seeded order, always the same."""
    order = np.argsort(raw_words(keys.HELD_OUT, len(split)), kind="stable")
    border = len(split) - len(split) // HELD_OUT
    return split.chosen(np.sort(order[:border])), split.chosen(np.sort(order[border:]))


def _about(image_set: ImageSet, shared: dict[str, str]) -> dict[str, Any]:
    return {
        "name": image_set.name,
        "title": image_set.title,
        "classes": image_set.classes,
        "maximum": image_set.maximum,
        "skipped": image_set.skipped,
        "sha256": image_set.sha256,
        "shared": shared,
    }


def _path(folder: Path, part: str, kind: str) -> Path:
    return folder / f"{part}-{kind}.npy"


def _mapped(folder: Path, part: str) -> Split:
    images, labels = (
        np.load(_path(folder, part, kind), mmap_mode="r", allow_pickle=False) for kind in ("images", "labels")
    )
    return Split(images, labels)


def _require_whole(folder: Path, image_set: ImageSet, split: Split) -> None:
    images, labels = split.images, split.labels
    good = (
        images.ndim == 4
        and images.dtype == np.uint8
        and labels.dtype == np.int64
        and labels.shape == images.shape[:1]
        and (not labels.size or 0 <= labels.min() <= labels.max() < len(image_set.classes))
    )
    if not good:
        raise _damaged(folder, f"images {images.dtype} {images.shape}, labels {labels.dtype} {labels.shape}")


def _damaged(folder: Path, why: str) -> UserError:
    return UserError(
        f"the stored images cannot be used ({why})",
        given=folder,
        allowed="a folder that this project's cache wrote",
        todo="remove that folder; it is made again",
    )
