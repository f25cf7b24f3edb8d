"""The table of data sets by name; each is read, stored once in the cache, and mapped from there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.data import digits, fashion_mnist, synthetic
from benchmarks.data.images import ImageSet, store
from implementations.cache import Cache
from implementations.errors import UserError

Notice = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """How a set is asked for.

    ``places`` are looked in first, the cache next. ``size`` (height, width) is what pictures of unequal sizes
    are brought to; sets whose pictures have one size keep it. ``train_on_all``: where a set has no validation
    part of its own, none is held out, and the test images serve as one. ``skip_damaged``: images that do not
    decode are left out and counted instead of refused.
    """

    places: Sequence[Path]
    cache: Cache
    notice: Notice
    size: tuple[int, int] | None = None
    train_on_all: bool = False
    skip_damaged: bool = False

    def folders(self, name: str, *more: Path) -> list[Path]:
        """Where files of ``name`` may be."""
        return [*self.places, self.cache.folder / "data" / name, *more]


class Reader(Protocol):
    """Gives a set that is asked for, stored; ``UserError`` where it is missing or damaged."""

    def __call__(self, wanted: Wanted) -> ImageSet: ...


def load(
    name: str,
    *,
    places: Sequence[Path] = (),
    cache: Cache,
    notice: Notice,
    size: tuple[int, int] | None = None,
    train_on_all: bool = False,
    skip_damaged: bool = False,
) -> ImageSet:
    """The data set ``name``, mapped from its folder in the cache; see ``Wanted`` for the options.

    ``UserError`` for an unknown name and for data that are missing, cut short or damaged.
    """
    if name not in SETS:
        raise UserError("unknown data set", given=name, allowed=", ".join(SETS), todo="choose one of these")
    return SETS[name](Wanted(tuple(places), cache, notice, size, train_on_all, skip_damaged))


def _stored(image_set: ImageSet, cache: Cache) -> ImageSet:
    return store(image_set, cache.data(image_set.name, image_set.sha256))


def _digits(wanted: Wanted) -> ImageSet:
    return _stored(digits.load(train_on_all=wanted.train_on_all), wanted.cache)


def _fashion_mnist(wanted: Wanted) -> ImageSet:
    places = wanted.folders("fashion-mnist", fashion_mnist.SYSTEM_PLACE)
    folder = fashion_mnist.find(places)
    if folder is None:
        raise UserError(
            "Fashion-MNIST was not found",
            given=", ".join(str(place) for place in places),
            allowed=f"a folder with {', '.join(f'{file}[.gz]' for file in fashion_mnist.FILES.values())}",
            todo="put the four files into one of these folders, or name another with --data-dir",
        )
    wanted.notice(f"data: Fashion-MNIST from {folder}")
    return _stored(fashion_mnist.load(folder, train_on_all=wanted.train_on_all), wanted.cache)


def _synthetic(wanted: Wanted) -> ImageSet:
    return _stored(synthetic.load(wanted.size or synthetic.SIZE), wanted.cache)


SETS: dict[str, Reader] = {
    "fashion-mnist": _fashion_mnist,
    "digits": _digits,
    "synthetic": _synthetic,
}
