"""The table of data sets by name; each is read once, kept in the cache, and mapped from there."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import cifar10, digits, fashion_mnist, flowers102, folder, synthetic
from benchmarks.data.images import ABOUT, ImageSet, store
from benchmarks.data.preprocessing import opencv
from implementations.cache import Cache
from implementations.commandline import Notice
from implementations.errors import UserError
from implementations.fetching import PublishedFile, fetch, require_published

FORMAT = 2  # raised when the same files would give other pixels or splits


@dataclass(frozen=True)
class Wanted:
    """How a set is asked for; ``load`` says what the fields mean."""

    places: Sequence[Path]
    cache: Cache
    notice: Notice
    size: tuple[int, int] | None = None
    train_on_all: bool = False
    skip_damaged: bool = False
    centre: float | None = None

    def own_place(self, name: str) -> Path:
        """The folder in the cache where published files of ``name`` are kept."""
        return self.cache.folder / "data" / name

    @property
    def scratch(self) -> Path:
        return self.cache.folder / "data"


def load(
    name: str,
    *,
    places: Sequence[Path] = (),
    cache: Cache,
    notice: Notice,
    size: tuple[int, int] | None = None,
    train_on_all: bool = False,
    skip_damaged: bool = False,
    centre: float | None = None,
) -> ImageSet:
    """The data set ``name``, mapped from its folder in the cache.

    ``places`` are folders that are looked in before the cache and the network; ``folder`` is the first of
    them itself. ``size`` (height, width) is what pictures of unequal sizes are brought to; sets whose
    pictures have one size keep it. ``train_on_all``: where a set has no validation part, none is held out,
    and the test images serve as one. ``skip_damaged``: pictures that do not decode are left out and counted.
    ``centre``: of a folder's pictures the middle alone, of this share of their shorter side; else they are
    squeezed into ``size`` whole.
    ``UserError`` for an unknown name and for data that are missing, cut short or damaged.
    """
    if name not in SETS:
        raise UserError("unknown data set", given=name, allowed=", ".join(SETS), todo="choose one of these")
    found = SETS[name](Wanted(tuple(places), cache, notice, size, train_on_all, skip_damaged, centre))
    if found.skipped:
        notice(f"data: {found.skipped} damaged pictures were left out")
    return found


def _digits(wanted: Wanted) -> ImageSet:
    return _stored(wanted, digits.load(train_on_all=wanted.train_on_all))


def _synthetic(wanted: Wanted) -> ImageSet:
    return _stored(wanted, synthetic.load(wanted.size or synthetic.SIZE))


def _fashion_mnist(wanted: Wanted) -> ImageSet:
    own = wanted.own_place("fashion-mnist")
    found = fashion_mnist.find([*wanted.places, own, fashion_mnist.SYSTEM_PLACE])
    if found is None:
        for file in fashion_mnist.PUBLISHED:
            fetch(file, own, "Fashion-MNIST", wanted.notice)
        found = own
    wanted.notice(f"data: Fashion-MNIST from {found}")
    return _stored(wanted, fashion_mnist.load(found, train_on_all=wanted.train_on_all))


def _cifar10(wanted: Wanted) -> ImageSet:
    archive = cifar10.ARCHIVE
    return _kept(
        wanted,
        "cifar10",
        [archive.checksum],
        lambda: cifar10.load(_published(wanted, "cifar10", archive)),
    )


def _flowers102(wanted: Wanted) -> ImageSet:
    size = _size(wanted, "Flowers-102")

    def read() -> ImageSet:
        images, labels, splits = (_published(wanted, "flowers102", file) for file in flowers102.FILES)
        return flowers102.load(images, labels, splits, size=size, scratch=wanted.scratch)

    checksums = [file.checksum for file in flowers102.FILES]
    return _kept(wanted, "flowers102", [checksums, size, opencv().__version__], read)


def _folder(wanted: Wanted) -> ImageSet:
    if not wanted.places:
        raise UserError(
            "a folder of pictures has to be named",
            given="none",
            allowed="a folder with train/, validation/ and test/, one folder a class in each",
            todo="add --data-dir DIR",
        )
    size = _size(wanted, "a folder of pictures")
    listing = folder.listed(wanted.places[0])
    wanted.notice(f"data: {len(listing.files):,} pictures of {len(listing.classes)} classes")
    skip, centre = wanted.skip_damaged, wanted.centre
    key = [listing.sha256, size, skip, centre, opencv().__version__]

    def read() -> ImageSet:
        return folder.load(listing, size=size, scratch=wanted.scratch, skip=skip, centre=centre)

    return _kept(wanted, "folder", key, read)


SETS: dict[str, Callable[[Wanted], ImageSet]] = {
    "fashion-mnist": _fashion_mnist,
    "cifar10": _cifar10,
    "flowers102": _flowers102,
    "folder": _folder,
    "digits": _digits,
    "synthetic": _synthetic,
}


def _stored(wanted: Wanted, image_set: ImageSet) -> ImageSet:
    """A set that is read quickly: kept under its content."""
    return store(image_set, wanted.cache.data(image_set.name, image_set.sha256))


def _kept(wanted: Wanted, name: str, key: object, read: Callable[[], ImageSet]) -> ImageSet:
    """A set that is read once: kept under all that its content depends on."""
    digest = hashlib.sha256(json.dumps([FORMAT, key]).encode()).hexdigest()
    place = wanted.cache.data(name, digest)
    if (place / ABOUT).exists():
        return ImageSet.open(place, verify=True)
    return store(read(), place)


def _published(wanted: Wanted, name: str, file: PublishedFile) -> Path:
    """Where ``file`` is: in a folder that the user named, or in the cache, fetched if need be."""
    for place in wanted.places:
        if (path := place / file.file_name).is_file():
            return require_published(file, path, name)
    return fetch(file, wanted.own_place(name), name, wanted.notice)


def _size(wanted: Wanted, what: str) -> tuple[int, int]:
    if wanted.size is None:
        raise UserError(
            f"the pictures of {what} have unequal sizes",
            given="no size to bring them to",
            allowed="HEIGHTxWIDTH",
            todo="name one, such as the network's 224x224",
        )
    return wanted.size
